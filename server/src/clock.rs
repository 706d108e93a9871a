//! The system's clock, held to the database's, so that several machines agree on what is due (DESIGN section 3).

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use nazorg_domain::{Clock, SystemClock};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// How often the offset is measured.
const EVERY: Duration = Duration::from_secs(60);
/// How often it is measured at once; the quickest answer counts, since its journey tells least.
const SAMPLES: usize = 3;

/// The clock of a process over this database; measured now and then every minute until `stop`.
pub(crate) async fn of(data: &DatabaseConnection, stop: &CancellationToken) -> Arc<dyn Clock> {
    let clock = Arc::new(SystemClock::default());
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

async fn correct(clock: &SystemClock, data: &DatabaseConnection) {
    let mut best: Option<(Duration, TimeDelta)> = None;
    for _ in 0..SAMPLES {
        if let Some(sample) = measure(data).await
            && best.is_none_or(|(journey, _)| sample.0 < journey)
        {
            best = Some(sample);
        }
    }
    let Some((_, offset)) = best else { return };
    if offset.abs() > TimeDelta::seconds(1) {
        tracing::warn!(offset_ms = offset.num_milliseconds(), "this machine's clock differs from the database's");
    }
    metrics::gauge!("nazorg_clock_offset_seconds").set(offset.num_milliseconds() as f64 / 1000.0);
    clock.correct(offset);
}

/// How long the question took, and how far the database's clock is ahead of ours.
async fn measure(data: &DatabaseConnection) -> Option<(Duration, TimeDelta)> {
    let question = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now";
    let (ours, asked) = (SystemClock::default().wall(), Instant::now());
    let row = data.query_one_raw(Statement::from_string(DbBackend::Postgres, question)).await.ok()??;
    let journey = asked.elapsed();
    let theirs: DateTime<Utc> = DateTime::from_timestamp_millis(row.try_get("", "now").ok()?)?;
    Some((journey, theirs - (ours + TimeDelta::from_std(journey / 2).ok()?)))
}
