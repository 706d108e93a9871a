//! What the stories stand on: private services, the running service, a client that checks every answer.
//!
//! Everything here is private to one test: its own port, its own data directory, stopped by process id when the value is
//! dropped, and by the kernel when the test process dies. Nothing needs a service that is already running.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and this crate is only used by tests"
)]

pub mod backup;
pub mod canary;
pub mod client;
pub mod clock;
pub mod hospital;
pub mod http_sink;
#[cfg(test)]
mod layers;
pub mod logs;
pub mod morning;
pub mod postgres;
pub mod process;
pub mod processes;
pub mod redis;
pub mod sentinel;
pub mod service;
pub mod smtp_sink;
pub mod time;
