//! The verbs over fresh stores: SQLite, or PostgreSQL where `NAZORG_TEST_POSTGRES` names a server.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so")]

#[path = "../support/mod.rs"]
mod support;

mod close_ones;
mod erasing;
mod external_refs;
mod incidents;
mod jobs;
mod keys;
mod messages;
mod people;
mod rules_are_pure;
mod staff;
mod stalls;
mod walls;
