//! What may happen: one verb per thing that can happen, pure rules, jobs owed, and time.
//!
//! A folder per context; in each `mod.rs` holds the verbs in the order life uses them, `rules.rs` pure functions, and
//! `rows.rs` the SQL. Every verb has one silhouette: begin, see, may, rule, write, consequences, job, event, audit, commit.

pub mod api_keys;
pub mod app;
pub mod audit;
mod batch;
pub mod cases;
pub mod clock;
pub mod context;
pub mod database;
pub mod error;
pub mod events;
pub mod external_refs;
pub mod follow_ups;
pub mod idempotency;
pub mod incidents;
pub mod input;
pub mod jobs;
pub mod key_store;
pub mod ledger;
pub mod links;
pub mod messages;
pub mod organisations;
pub mod people;
pub mod policy;
pub mod protocol_versions;
pub mod protocols;
pub mod replies;
pub mod retention;
pub mod secrets;
pub mod staff;
pub mod together;
pub mod trajectories;

pub use app::{App, Bell};
pub use clock::{Clock, SystemClock, TravellingClock};
pub use context::{Caller, Context, Standing};
pub use error::{Error, Result};
/// The typed ids and closed sets, so that callers need not know the rows.
pub use nazorg_entities as entities;
