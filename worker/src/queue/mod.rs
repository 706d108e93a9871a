//! The queue: a doorbell with a number on it. What is owed stands in the database; what travels here is a kind and up to
//! a hundred leases, and losing all of it costs a second, or a lease time (25 s) where whoever rang is lost as well (DESIGN section 5).

mod handover;
mod keys;
mod memory;
mod payload;
mod pushed;
mod redis;
mod supervise;

pub use handover::{Handler, Handover, Place};
pub use memory::MemoryQueue;
pub use redis::{RedisQueue, RedisQueueSettings};

use apalis::prelude::{WorkerContext, WorkerError};
use nazorg_domain::jobs::LeasedBatch;
use supervise::Ended;
use tokio_util::sync::CancellationToken;

/// Why a push did not happen. The leases then lapse or are released; nothing is lost.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Redis did not take it in time.
    #[error("queue unreachable: {0}")]
    Unreachable(String),
    /// So much is waiting already that pushing more would only make it staler.
    #[error("queue full: {0} tasks waiting")]
    Full(u64),
}

impl QueueError {
    /// The stable code for logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "queue_unreachable",
            Self::Full(_) => "queue_full",
        }
    }
}

/// The seam between the relay and the handlers: within one process, or between many through Redis.
#[derive(Debug)]
pub enum Queue {
    /// Everything in this process; what waits dies with it and comes back when its lease lapses.
    Memory(MemoryQueue),
    /// Between processes.
    Redis(RedisQueue),
}

impl Queue {
    /// Offers the batches to whoever works. Bounded in time: it answers within about two seconds, also while Redis is away.
    pub async fn push(&self, batches: &[LeasedBatch]) -> Result<(), QueueError> {
        match self {
            Self::Memory(queue) => queue.push(batches),
            Self::Redis(queue) => queue.push(batches).await,
        }
    }

    /// What this process pushed and nobody will ever take, as far as that became known since the last time this was asked: to be handed back.
    pub fn lost(&self) -> Vec<LeasedBatch> {
        match self {
            Self::Memory(_) => Vec::new(),
            Self::Redis(queue) => queue.lost(),
        }
    }

    /// Takes batches and hands them over until `stop`; rebuilds itself for as long as that takes, whatever happens to Redis.
    /// Returns when no handler of this process runs any more or `handover` has been cut off.
    pub async fn run(&self, handover: Handover, stop: CancellationToken) {
        match self {
            Self::Memory(queue) => queue.run(handover, stop).await,
            Self::Redis(queue) => queue.run(handover, stop).await,
        }
    }

    /// Whether batches reach a handler of this process right now.
    pub fn alive(&self) -> bool {
        match self {
            Self::Memory(_) => true,
            Self::Redis(queue) => queue.alive(),
        }
    }

    /// What was pushed here and no handler has begun, after `run` has ended: to be released in the database.
    pub fn leftovers(&self) -> Vec<LeasedBatch> {
        match self {
            Self::Memory(queue) => queue.leftovers(),
            Self::Redis(_) => Vec::new(),
        }
    }
}

/// Drives an apalis worker until it ends. On `stop` it takes nothing new and ends when what it holds is done.
async fn handover_until(
    worker: impl Future<Output = Result<(), WorkerError>>,
    context: WorkerContext,
    stop: &CancellationToken,
) -> Result<(), Ended> {
    let mut worker = std::pin::pin!(worker);
    let end = tokio::select! {
        end = &mut worker => end,
        () = stop.cancelled() => match context.stop() {
            Ok(()) => worker.await,
            Err(_) => Ok(()), // not even started
        },
    };
    end.map_err(Ended::at_work)
}
