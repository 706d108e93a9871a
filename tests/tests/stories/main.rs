//! The stories: things that happened to someone, told over TCP against the running service.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a story fails by panicking")]

mod canaries;
mod contract;
mod forgetting;
mod hostile_input;
mod ledger;
mod left_behind;
mod line_manager;
mod links;
mod night_shift;
mod opening;
mod own_words;
mod promises;
mod readme;
mod rights;
mod seen;
mod starting;
mod storm;
mod text_messages;
mod upkeep;
mod walls;
