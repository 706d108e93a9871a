//! From the database to the queue: what is due is leased and offered, and what was committed is numbered. Both every tick and at the bell.

use crate::bell::{Ear, LocalBell};
use crate::queue::Queue;
use nazorg_domain::error::{Error, Result};
use nazorg_domain::jobs::{self, LeasedBatch, OUTSTANDING};
use nazorg_domain::{App, events};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long one statement of ours may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Jobs leased in one go: ten batches, so that the first are worked on while the next are leased.
const STRIDE: u64 = 1_000;
/// How long a count of what is leased holds; what other relays lease meanwhile is in the next.
const COUNTED_FOR: Duration = Duration::from_millis(250);
/// The pauses after trouble; the last repeats.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5)];
/// How often the age of the oldest due job is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(5);
/// Work that is this old is late: an alarm.
const LATE: f64 = 60.0;
/// How often the ledger is replayed and old answers are forgotten.
const HOUSE_EVERY: Duration = Duration::from_secs(600);

/// Finds what is due and offers it. As many relays as there are workers may run at once.
#[derive(Clone)]
pub(crate) struct Relay {
    pub(crate) app: Arc<App>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) bell: LocalBell,
    /// The safety net: how often to look when nobody rings.
    pub(crate) every: Duration,
}

impl Relay {
    /// Relays until `stop`; a turn that has begun is finished.
    pub(crate) async fn run(&self, stop: &CancellationToken) {
        let mut rhythm = Rhythm::new(self.bell.listen(), self.every);
        let mut room = Room { left: 0, counted: None };
        while !stop.is_cancelled() {
            let turn = self.turn(&mut room).await;
            rhythm.wait(turn, "relay_turn_failed", stop).await;
        }
    }

    /// Numbers events until `stop`: the feed tells what has a number.
    pub(crate) async fn number(&self, stop: &CancellationToken) {
        let mut rhythm = Rhythm::new(self.bell.listen(), self.every);
        while !stop.is_cancelled() {
            let turn = bounded(events::number(&self.app)).await.map(|_| false);
            rhythm.wait(turn, "numbering_failed", stop).await;
        }
    }

    /// Measures until `stop`; calls an alarm when work becomes late.
    pub(crate) async fn measure(&self, stop: &CancellationToken) {
        let mut late = false;
        while stop.run_until_cancelled(sleep(MEASURE_EVERY)).await.is_some() {
            if let Ok(earliest) = bounded(jobs::earliest(&self.app)).await {
                let age = earliest.map_or(0, |due| (self.app.clock.now() - due).num_milliseconds().max(0));
                let seconds = float(age) / 1_000.0;
                metrics::gauge!("nazorg_jobs_oldest_due_seconds").set(seconds);
                match (std::mem::replace(&mut late, seconds > LATE), late) {
                    (false, true) => tracing::error!(code = "work_late", seconds, "alarm"),
                    (true, false) => tracing::info!(code = "work_on_time"),
                    _ => {}
                }
            }
        }
    }

    /// Keeps house until `stop`: replays the ledger for its metric and alarm, and forgets answers older than a day.
    pub(crate) async fn keep_house(&self, stop: &CancellationToken) {
        while stop.run_until_cancelled(sleep(HOUSE_EVERY)).await.is_some() {
            if let Err(error) = nazorg_domain::ledger::check_all(&self.app).await {
                tracing::warn!(code = "ledger_not_checked", %error, "tried again later");
            }
            if let Err(error) = nazorg_domain::idempotency::forget_expired(&self.app).await {
                tracing::warn!(code = "answers_not_forgotten", %error, "tried again later");
            }
        }
    }

    /// Leases and pushes once; answers whether there is more.
    async fn turn(&self, room: &mut Room) -> Result<bool> {
        let lost = self.queue.lost();
        if !lost.is_empty() {
            let jobs = lost.iter().map(|batch| batch.leases.len() as u64).sum();
            metrics::counter!("nazorg_queue_lost_total").increment(jobs);
            tracing::warn!(code = "queue_lost", jobs, "Redis forgot them; handed back");
            hand_back(&self.app, &lost).await;
        }
        if room.counted.is_none_or(|at| at.elapsed() > COUNTED_FOR) || room.left < STRIDE {
            let out = bounded(jobs::outstanding(&self.app)).await?;
            metrics::gauge!("nazorg_jobs_outstanding").set(float(i64::try_from(out).unwrap_or(i64::MAX)));
            *room = Room { left: OUTSTANDING.saturating_sub(out), counted: Some(Instant::now()) };
        }
        // Nothing by halves: every look for what is due walks past all that is out, and crumbs make small batches.
        if room.left < STRIDE {
            return Ok(false);
        }
        let batches = bounded(jobs::lease_due(&self.app, STRIDE)).await?;
        let leased = batches.iter().map(|batch| batch.leases.len() as u64).sum::<u64>();
        room.left -= leased.min(room.left);
        if leased == 0 {
            return Ok(false);
        }
        if let Err(error) = self.queue.push(&batches).await {
            tracing::warn!(code = error.code(), leased, %error, "handed back");
            hand_back(&self.app, &batches).await;
            return Err(Error::unavailable(error.code()));
        }
        metrics::counter!("nazorg_jobs_relayed_total").increment(leased);
        Ok(leased == STRIDE)
    }
}

/// Gives leases back at once; when even that fails, they lapse.
pub(crate) async fn hand_back(app: &App, batches: &[LeasedBatch]) {
    let leases: Vec<_> = batches.iter().flat_map(|batch| batch.leases.iter().copied()).collect();
    if !leases.is_empty() && bounded(jobs::hand_back(app, &leases)).await.is_err() {
        tracing::warn!(code = "leases_not_handed_back", count = leases.len(), "they lapse");
    }
}

/// Within [`PATIENCE`] or not at all; a statement given up leaves nothing behind.
pub(crate) async fn bounded<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(Error::unavailable("the database did not answer in time")))
}

/// How many more may be leased, and when that was counted; what was settled since comes on top at the next count.
struct Room {
    left: u64,
    counted: Option<Instant>,
}

/// When to go on: at once while there is more, at the bell, at the tick; after trouble a while later.
struct Rhythm {
    ear: Ear,
    every: Duration,
    failures: usize,
}

impl Rhythm {
    fn new(ear: Ear, every: Duration) -> Self {
        Self { ear, every, failures: 0 }
    }

    async fn wait(&mut self, turn: Result<bool>, code: &'static str, stop: &CancellationToken) {
        let pause = match turn {
            Ok(true) => {
                tokio::task::yield_now().await;
                return;
            }
            Ok(false) => {
                self.failures = 0;
                None
            }
            Err(error) => {
                metrics::counter!("nazorg_relay_failures_total", "code" => code).increment(1);
                tracing::warn!(code, %error, failures = self.failures, "tried again in a moment");
                let pause = PAUSES[self.failures.min(PAUSES.len() - 1)];
                self.failures += 1;
                Some(pause)
            }
        };
        let since = Instant::now();
        tokio::select! {
            () = sleep(pause.unwrap_or(self.every)) => {}
            () = self.ear.rung(), if pause.is_none() => tracing::trace!(after = ?since.elapsed(), "the bell"),
            () = stop.cancelled() => {}
        }
    }
}

/// A gauge is a float; what is counted here is far below its exact range.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn float(number: i64) -> f64 {
    number as f64
}
