//! The binary `nazorg` as a library: the configuration, and [`run`](config::Config) of API and worker in one process.

pub mod config;
mod failure;
mod master_key;
mod secret;

pub use failure::Failure;
