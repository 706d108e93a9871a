//! A handler that counts, and batches to count.

use nazorg_domain::entities::{JobId, JobKind};
use nazorg_domain::jobs::{Lease, LeasedBatch};
use nazorg_worker::queue::{Handler, Handover};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// How often each lease was handled.
#[derive(Clone)]
pub(crate) struct Tally {
    seen: Arc<Mutex<HashMap<JobId, u32>>>,
    distinct: watch::Sender<usize>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { seen: Arc::default(), distinct: watch::Sender::new(0) }
    }

    pub(crate) fn note(&self, batch: &LeasedBatch) {
        let mut seen = self.seen.lock().unwrap();
        for lease in &batch.leases {
            *seen.entry(lease.id).or_default() += 1;
        }
        self.distinct.send_replace(seen.len());
    }

    pub(crate) fn handover(&self, at_once: usize) -> Handover {
        let tally = self.clone();
        let handler: Handler = Arc::new(move |batch, _| {
            let tally = tally.clone();
            Box::pin(async move { tally.note(&batch) })
        });
        Handover::new(handler, at_once)
    }

    /// A handler that panics at every batch of more than one lease.
    pub(crate) fn poisoned_handover(&self, at_once: usize) -> Handover {
        let tally = self.clone();
        let handler: Handler = Arc::new(move |batch, _| {
            let tally = tally.clone();
            Box::pin(async move {
                assert!(batch.leases.len() == 1, "more than one is poison here");
                tally.note(&batch);
            })
        });
        Handover::new(handler, at_once)
    }

    pub(crate) fn count(&self) -> usize {
        *self.distinct.borrow()
    }

    pub(crate) fn most(&self) -> u32 {
        self.seen.lock().unwrap().values().copied().max().unwrap_or(0)
    }

    /// Waits until `n` different leases were handled.
    pub(crate) async fn reaches(&self, n: usize, within: Duration) {
        let mut distinct = self.distinct.subscribe();
        let reached = tokio::time::timeout(within, distinct.wait_for(|seen| *seen >= n)).await;
        assert!(reached.is_ok(), "{} of {n} handled within {within:?}", self.count());
    }
}

/// `n` batches of one lease each, numbered from `first`.
pub(crate) fn batches(first: u128, n: u128) -> Vec<LeasedBatch> {
    (first..first + n).map(|i| batch(i, 1)).collect()
}

/// A batch of `size` leases of which no other batch has any.
pub(crate) fn batch(number: u128, size: u128) -> LeasedBatch {
    let leases = (0..size).map(|i| Lease { id: JobId(Uuid::from_u128(number * 1_000 + i)), version: 1 });
    LeasedBatch { kind: JobKind::Message, leases: leases.collect() }
}
