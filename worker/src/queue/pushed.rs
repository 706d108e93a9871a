//! What this process has pushed, for as long as its leases hold: what Redis forgets is handed back at once, and waits for no lease to lapse.
//!
//! With every push Redis is told its number. A Redis that was emptied knows none, and a replica that became the master before everything
//! had reached it knows an earlier one; what was pushed after that is gone. To hand back too much does no harm: what is already in hand has
//! another version by then.

use nazorg_domain::jobs::{LEASE, LeasedBatch};
use std::collections::VecDeque;
use tokio::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Pushed {
    last: u64,
    lately: VecDeque<Push>,
    lost: Vec<LeasedBatch>,
}

#[derive(Debug)]
struct Push {
    number: u64,
    at: Instant,
    batches: Vec<LeasedBatch>,
}

impl Pushed {
    /// The number for the next push: from 1, none twice.
    pub(super) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// A push arrived; until then Redis knew `known` as the last.
    pub(super) fn arrived(&mut self, number: u64, known: Option<u64>, batches: &[LeasedBatch]) {
        self.forget_lapsed();
        self.compare(number - 1, known);
        self.lately.push_back(Push { number, at: Instant::now(), batches: batches.to_vec() });
    }

    /// The latest push that Redis ought to know, if the leases of any still hold.
    pub(super) fn latest(&mut self) -> Option<u64> {
        self.forget_lapsed();
        self.lately.back().map(|push| push.number)
    }

    /// Of the pushes up to `asked`, what lies beyond the last that Redis knows is lost.
    pub(super) fn compare(&mut self, asked: u64, known: Option<u64>) {
        let known = known.unwrap_or(0);
        let (lost, kept): (Vec<_>, _) =
            self.lately.drain(..).partition(|push| known < push.number && push.number <= asked);
        self.lately = kept.into();
        self.lost.extend(lost.into_iter().flat_map(|push| push.batches));
    }

    /// What was lost since the last time this was asked.
    pub(super) fn lost(&mut self) -> Vec<LeasedBatch> {
        std::mem::take(&mut self.lost)
    }

    fn forget_lapsed(&mut self) {
        while self.lately.front().is_some_and(|push| push.at.elapsed() > LEASE) {
            self.lately.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
