//! The worker's own parts against the real thing: a private redis-server that is killed, flushed and frozen.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so")]

mod queue_memory;
mod queue_redis;
mod redis_server;
mod tally;
