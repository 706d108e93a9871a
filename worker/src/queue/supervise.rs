//! Keeps a worker alive. apalis ends a worker at the first backend error (STACK section 1, point 4); here it is built again, under a new
//! name, after a pause that blocks nobody, for as long as the process lives.

use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The pauses between one worker's end and the next one's start; the last repeats.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// A worker that lived this long had a good start: the next pause is the shortest again.
const GOOD_START: Duration = Duration::from_secs(10);

/// Why a worker ended before it was asked to.
pub(super) struct Ended {
    /// For the log.
    why: String,
    /// It had a connection and worked: what ended it is not that its queue is away.
    working: bool,
}

impl Ended {
    /// It could not even begin.
    pub(super) fn away(why: impl ToString) -> Self {
        Self { why: why.to_string(), working: false }
    }

    /// Something ended it at work.
    pub(super) fn at_work(why: impl ToString) -> Self {
        Self { why: why.to_string(), working: true }
    }
}

/// One life of a worker after another.
#[derive(Default)]
pub(super) struct Lives {
    /// How many have begun.
    begun: u64,
    /// How many in a row ended early, for the pause.
    early: usize,
    /// How many of those in a row had worked.
    cut_short: usize,
    born: Option<Instant>,
}

/// What a worker may want to know about its predecessors.
#[derive(Clone, Copy)]
pub(super) struct Life {
    /// From 0.
    pub(super) number: u64,
    /// How many lives in a row, just before this one, ended early though they had a connection.
    pub(super) cut_short: usize,
}

impl Lives {
    pub(super) fn begin(&mut self) -> Life {
        let life = Life { number: self.begun, cut_short: self.cut_short };
        self.begun += 1;
        self.born = Some(Instant::now());
        life
    }

    /// To be called at the end of a life: pauses, and answers whether there should be another.
    pub(super) async fn go_on(&mut self, end: Result<(), Ended>, stop: &CancellationToken) -> bool {
        if stop.is_cancelled() {
            return false;
        }
        let lived = self.born.map_or(Duration::ZERO, |born| born.elapsed());
        self.early = if lived >= GOOD_START { 1 } else { self.early + 1 };
        let working = end.as_ref().err().is_some_and(|ended| ended.working);
        self.cut_short = if working && lived < GOOD_START { self.cut_short + 1 } else { 0 };
        let pause = PAUSES[(self.early - 1).min(PAUSES.len() - 1)];
        metrics::counter!("nazorg_queue_workers_rebuilt_total").increment(1);
        let why = end.err().map_or_else(|| "ended by itself".to_owned(), |ended| ended.why);
        tracing::warn!(code = "queue_worker_ended", ?lived, ?pause, why, "the worker is built again");
        stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some()
    }
}
