//! The stories: things that happened to someone, told over TCP against the running service.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a story fails by panicking")]

mod night_shift;
mod starting;
