//! The queue of one process: apalis's memory storage. What travels is only a number; the batches wait beside it, so that what nobody
//! began can be handed back when the process stops.

use super::QueueError;
use super::handover::Handover;
use super::supervise::{Ended, Life, Lives};
use apalis::prelude::{MemorySink, MemoryStorage, MemoryStorageError, Task, TaskBuilder, WorkerBuilder, WorkerContext};
use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::{Sink, SinkExt, StreamExt};
use nazorg_domain::jobs::LeasedBatch;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

type BoxedSink = Box<dyn Sink<Task<u64>, Error = MemoryStorageError> + Send + Sync + Unpin>;

/// See the module. Clones share the queue.
#[derive(Clone, Debug, Default)]
pub struct MemoryQueue {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    waiting: BTreeMap<u64, LeasedBatch>,
    door: Option<UnboundedSender<Task<u64>>>,
}

impl MemoryQueue {
    /// An empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Never fails and never waits. Pushed before a worker lives, it waits for one.
    pub(super) fn push(&self, batches: &[LeasedBatch]) -> Result<(), QueueError> {
        let mut inner = self.lock();
        for batch in batches {
            let number = inner.next;
            inner.next += 1;
            inner.waiting.insert(number, batch.clone());
            inner.knock(number);
        }
        metrics::gauge!("nazorg_queue_tasks").set(inner.waiting.len() as f64);
        Ok(())
    }

    pub(super) fn leftovers(&self) -> Vec<LeasedBatch> {
        std::mem::take(&mut self.lock().waiting).into_values().collect()
    }

    pub(super) async fn run(&self, handover: Handover, stop: CancellationToken) {
        let mut lives = Lives::default();
        loop {
            let end = self.live(lives.begin(), &handover, &stop).await;
            if !lives.go_on(end, &stop).await {
                return;
            }
        }
    }

    async fn live(&self, life: Life, handover: &Handover, stop: &CancellationToken) -> Result<(), Ended> {
        let storage = self.open_door();
        let context = WorkerContext::new(&format!("memory-{}", life.number));
        let queue = self.clone();
        let service = handover.service(move |number: u64| queue.lock().waiting.remove(&number));
        let worker = WorkerBuilder::new(&context).backend(storage).build(service);
        super::handover_until(worker.run(), context, stop).await
    }

    /// A fresh channel, with everything that still waits in it: an earlier worker took its own to the grave.
    fn open_door(&self) -> MemoryStorage<u64> {
        let (door, numbers) = unbounded();
        let sink: BoxedSink = Box::new(door.clone().sink_map_err(MemoryStorageError::from));
        let mut inner = self.lock();
        inner.door = Some(door);
        let waiting: Vec<u64> = inner.waiting.keys().copied().collect();
        for number in waiting {
            inner.knock(number);
        }
        MemoryStorage::new_with(MemorySink::new(Arc::new(futures::lock::Mutex::new(sink))), numbers.boxed())
    }

    /// A panic while holding the lock cannot leave the map half changed: every step inside is one insert or one removal.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn knock(&self, number: u64) {
        if let Some(door) = &self.door {
            // A closed door means that the worker is being rebuilt; `open_door` knocks again for everything that waits.
            let _ = door.unbounded_send(TaskBuilder::new(number).build());
        }
    }
}
