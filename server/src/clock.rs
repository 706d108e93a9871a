//! The system's clock, held to the database's, so that several machines agree on what is due (DESIGN section 3).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use nazorg_domain::{Clock, SystemClock};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How often the offset is measured.
const EVERY: Duration = Duration::from_secs(60);
/// How often it is measured at once; the quickest answer counts, since its journey tells least.
const SAMPLES: usize = 3;

/// The system's clock until it is held to the database's. From then on it counts the time that passes, and no setting of the system's
/// clock moves it: nothing goes early in the minute before the next measurement.
#[derive(Default)]
struct HeldClock(Mutex<Option<(Instant, DateTime<Utc>)>>);

impl Clock for HeldClock {
    fn now(&self) -> DateTime<Utc> {
        self.wall()
    }

    fn wall(&self) -> DateTime<Utc> {
        let held = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.map_or_else(|| SystemClock.wall(), |(at, theirs)| (theirs + at.elapsed()).trunc_subsecs(3))
    }
}

/// The clock of a process over this database; measured now and then every minute until `stop`.
pub(crate) async fn of(data: &DatabaseConnection, stop: &CancellationToken) -> Arc<dyn Clock> {
    let clock = Arc::new(HeldClock::default());
    if data.get_database_backend() == DbBackend::Postgres {
        correct(&clock, data).await;
        let (clock, data, stop) = (Arc::clone(&clock), data.clone(), stop.clone());
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            loop {
                sleep(EVERY).await;
                correct(&clock, &data).await;
            }
        }));
    }
    clock
}

async fn correct(clock: &HeldClock, data: &DatabaseConnection) {
    let mut best: Option<Sample> = None;
    for _ in 0..SAMPLES {
        if let Some(sample) = measure(data).await
            && best.as_ref().is_none_or(|best| sample.journey < best.journey)
        {
            best = Some(sample);
        }
    }
    let Some(Sample { journey: _, at, theirs }) = best else { return };
    *clock.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, theirs));
    let offset = clock.wall() - SystemClock.wall();
    if offset.abs() > TimeDelta::seconds(1) {
        tracing::warn!(offset_ms = offset.num_milliseconds(), "this machine's clock differs from the database's");
    }
    metrics::gauge!("nazorg_clock_offset_seconds").set(offset.num_milliseconds() as f64 / 1000.0);
}

/// What the database's clock said, and when.
struct Sample {
    /// How long the question took.
    journey: Duration,
    /// Half-way between question and answer.
    at: Instant,
    theirs: DateTime<Utc>,
}

async fn measure(data: &DatabaseConnection) -> Option<Sample> {
    let question = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now";
    let asked = Instant::now();
    let row = data.query_one_raw(Statement::from_string(DbBackend::Postgres, question)).await.ok()??;
    let journey = asked.elapsed();
    let theirs: DateTime<Utc> = DateTime::from_timestamp_millis(row.try_get("", "now").ok()?)?;
    Some(Sample { journey, at: asked + journey / 2, theirs })
}
