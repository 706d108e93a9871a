//! The edge of the service: its conventions, held against the published document and against each other.

#![expect(unreachable_pub, reason = "one binary of tests; its modules share what support makes")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so")]

mod bodies;
mod document;
mod failures;
mod incidents;
mod lists;
mod persons;
mod staff;
mod support;
mod units;
mod writing;
