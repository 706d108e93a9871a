//! Time travel for the demonstration: from one due moment to the next, waiting each time until the worker has
//! done what was owed. The worker is the real one; only the clock is moved.

use std::time::Duration;

use chrono::{DateTime, Utc};
use nazorg_domain::{App, Error, Result, TravellingClock, events, jobs};

/// How often the traveller looks whether the worker is done.
const LOOK: Duration = Duration::from_millis(4);
/// How long the worker may take for what is due at one moment.
const PATIENCE: Duration = Duration::from_secs(60);

/// Moves the clock to `until`, in order, through everything that falls due on the way.
///
/// # Errors
/// When the database is away, or the worker does not get done within a minute.
pub(crate) async fn travel(app: &App, clock: &TravellingClock, until: DateTime<Utc>) -> Result<()> {
    drain(app).await?;
    while let Some(next) = jobs::next_due(app).await?.filter(|next| *next <= until) {
        clock.travel_to(next.max(app.clock.now()));
        app.bell.ring();
        drain(app).await?;
    }
    clock.travel_to(until.max(app.clock.now()));
    app.bell.ring();
    drain(app).await
}

/// Waits until so many jobs are handed over: in the queue, or in the worker's hands.
///
/// # Errors
/// When the database is away, or they are not handed over within a minute.
pub(crate) async fn handed_over(app: &App, jobs: u64) -> Result<()> {
    let waited = tokio::time::timeout(PATIENCE, async {
        while jobs::outstanding(app).await? < jobs {
            app.bell.ring();
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    });
    waited.await.unwrap_or_else(|_| Err(Error::internal("what is due was not handed over within a minute")))
}

/// Waits until the worker has done everything that is due, and every event has its number.
///
/// # Errors
/// When the database is away, or the worker does not get done within a minute.
pub(crate) async fn drain(app: &App) -> Result<()> {
    let waited = tokio::time::timeout(PATIENCE, async {
        while jobs::due(app).await? > 0 {
            tokio::time::sleep(LOOK).await;
        }
        events::number(app).await.map(|_| ())
    });
    waited.await.unwrap_or_else(|_| Err(Error::internal("the worker did not get done within a minute")))
}
