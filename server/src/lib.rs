//! The binary `nazorg` as a library: its configuration, and [`run`] of API and worker in one process, so that a story or
//! another program can embed the service.

mod cli;
mod clock;
pub mod config;
mod demo;
mod failure;
mod first;
mod front;
mod health;
mod listen;
mod logging;
mod master_key;
mod metrics;
mod opening;
mod run;
mod secret;
mod stores;
mod travel;
pub mod upkeep;
mod work;

pub use cli::{main, serve};
pub use config::Config;
pub use failure::Failure;
/// The domain that a running service acts on, for programs that embed it.
pub use nazorg_domain as domain;
pub use opening::migrate;
pub use run::{FirstKey, Parts, Ready, Running, Start, run, start};

/// Chooses the TLS provider of the whole process; the first thing a program does. Two end up in the tree, and without a choice the
/// first connection would panic.
pub fn choose_tls() {
    // Chosen before is chosen as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
