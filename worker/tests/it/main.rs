//! The worker's own parts against the real thing: a private redis-server that is killed, flushed and frozen.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so")]

mod languages;
mod queue_memory;
mod queue_redis;
mod redis_server;
mod rig;
mod smtp;
#[expect(dead_code, unreachable_pub, reason = "it is a module of the stories, which use the rest")]
#[path = "../../../tests/src/smtp_sink.rs"]
mod smtp_sink;
mod tally;
mod whole;
