//! The bell: something became due. Within the process at once; between processes over Redis, best effort. Nobody waits for it, and
//! whoever misses it polls.

use crate::address::RedisAddress;
use futures::StreamExt;
use nazorg_domain::Bell;
use redis::AsyncCommands;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Rings within this between two publications are one.
const GATHER: Duration = Duration::from_millis(20);
/// How long Redis may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long to listen to silence.
const QUIET: Duration = Duration::from_secs(60);
/// The pause before another try at Redis.
const PAUSE: Duration = Duration::from_secs(1);

/// A bell within the process; clones are the same bell.
#[derive(Clone, Debug, Default)]
pub struct LocalBell {
    rings: watch::Sender<u64>,
}

impl LocalBell {
    /// A silent one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An ear: [`Ear::rung`] resolves at the first ring after the previous time.
    #[must_use]
    pub fn listen(&self) -> Ear {
        Ear { rings: self.rings.subscribe() }
    }
}

impl Bell for LocalBell {
    fn ring(&self) {
        self.rings.send_modify(|rings| *rings = rings.wrapping_add(1));
    }
}

/// Someone who listens.
#[derive(Debug)]
pub struct Ear {
    rings: watch::Receiver<u64>,
}

impl Ear {
    /// Waits for a ring; at once when it rang since the last time.
    pub async fn rung(&mut self) {
        if self.rings.changed().await.is_err() {
            std::future::pending::<()>().await; // the bell is gone: silence for ever
        }
    }
}

/// Where the processes of one service hear each other.
#[derive(Clone, Debug)]
pub struct RedisBell {
    address: RedisAddress,
    channel: String,
}

impl RedisBell {
    /// Connects only when used.
    #[must_use]
    pub fn new(address: RedisAddress, queue: &str) -> Self {
        Self { address, channel: format!("{queue}:bell") }
    }

    /// Whether Redis answers within a second, for an operator's probe; nothing else asks first.
    pub async fn answers(&self) -> bool {
        let asked = timeout(Duration::from_secs(1), async {
            let mut connection = self.connect().await?;
            redis::cmd("PING").query_async::<()>(&mut connection).await
        });
        matches!(asked.await, Ok(Ok(())))
    }

    /// For a process without a relay: passes every ring of `bell` on, until `stop`.
    pub async fn pass_on(&self, bell: &LocalBell, stop: &CancellationToken) {
        let mut ear = bell.listen();
        while stop.run_until_cancelled(self.publish(&mut ear)).await.is_some() {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// For a process with a relay: rings `bell` at every ring that another process passed on, until `stop`.
    pub async fn hear(&self, bell: &LocalBell, stop: &CancellationToken) {
        while stop.run_until_cancelled(self.subscribe(bell)).await.is_some() {
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn connect(&self) -> redis::RedisResult<redis::aio::MultiplexedConnection> {
        self.address.client().await?.get_multiplexed_async_connection().await
    }

    /// Returns when Redis is away.
    async fn publish(&self, ear: &mut Ear) {
        let Ok(Ok(mut connection)) = timeout(PATIENCE, self.connect()).await else {
            return;
        };
        loop {
            ear.rung().await;
            let rung = timeout(PATIENCE, connection.publish::<_, _, ()>(&self.channel, "")).await;
            if !matches!(rung, Ok(Ok(()))) {
                tracing::debug!(code = "bell_not_passed_on", "the workers poll");
                return;
            }
            tokio::time::sleep(GATHER).await;
        }
    }

    /// Returns when Redis is away, and after a quiet minute: a line whose other end is gone says nothing, either.
    async fn subscribe(&self, bell: &LocalBell) {
        let listening = timeout(PATIENCE, async {
            let mut listening = self.address.client().await?.get_async_pubsub().await?;
            listening.subscribe(&self.channel).await?;
            Ok::<_, redis::RedisError>(listening)
        });
        let Ok(Ok(listening)) = listening.await else { return };
        let mut rings = listening.into_on_message();
        while let Ok(Some(_)) = timeout(QUIET, rings.next()).await {
            bell.ring();
        }
    }
}
