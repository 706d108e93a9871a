//! The passing of time in a story: from due moment to due moment, so that nothing is skipped and nothing is waited for.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use nazorg::domain::{
    App,
    entities::{events, jobs},
    jobs as owed, ledger,
};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::clock::StoryClock;

/// How long draining one moment may take before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lets the workers do everything that is owed by now; what waits for its next try stays. Then everything that happened
/// has its place in the feed.
///
/// # Panics
/// When that takes longer than a minute.
pub async fn drain(app: &App) {
    let started = Instant::now();
    loop {
        // A database that just restarted refuses each connection it cut off once.
        let left = (owed::due(app).await.ok(), unnumbered(app).await.ok());
        if left == (Some(0), Some(0)) {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{left:?} are still due after {PATIENCE:?}: {:?}", stuck(app).await);
        app.bell.ring();
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

/// Moves a clock to `moment`, from due moment to due moment, and drains at each.
///
/// # Panics
/// When draining takes longer than a minute.
pub async fn travel(app: &App, clock: &StoryClock, moment: DateTime<Utc>) {
    drain(app).await;
    while let Some(next) = next_moment(app).await.filter(|next| *next <= moment) {
        clock.move_to(next);
        drain(app).await;
    }
    clock.move_to(moment);
    drain(app).await;
}

/// When the next job falls due, or may be tried again: a back-off runs on the wall's clock, which a story moves along.
async fn next_moment(app: &App) -> Option<DateTime<Utc>> {
    let (now, wall) = (app.clock.now(), app.clock.wall());
    let live = || jobs::Entity::find().select_only().filter(jobs::Column::GivenUpAt.is_null());
    let due: Option<DateTime<Utc>> = live()
        .column(jobs::Column::DueAt)
        .filter(jobs::Column::DueAt.gt(now))
        .order_by_asc(jobs::Column::DueAt)
        .limit(1)
        .into_tuple()
        .one(app.db.reader())
        .await
        .unwrap();
    let retry: Option<DateTime<Utc>> = live()
        .column(jobs::Column::RetryAt)
        .filter(jobs::Column::DueAt.lte(now))
        .filter(jobs::Column::RetryAt.gt(wall))
        .order_by_asc(jobs::Column::RetryAt)
        .limit(1)
        .into_tuple()
        .one(app.db.reader())
        .await
        .unwrap();
    let retry = retry.map(|retry| now + (retry - wall).max(TimeDelta::milliseconds(1)));
    due.into_iter().chain(retry).min()
}

async fn unnumbered(app: &App) -> Result<u64, DbErr> {
    events::Entity::find().filter(events::Column::Position.is_null()).count(app.db.reader()).await
}

async fn stuck(app: &App) -> Vec<jobs::Model> {
    let due = jobs::Entity::find().filter(jobs::Column::DueAt.lte(app.clock.now()));
    due.limit(5).all(app.db.reader()).await.unwrap()
}

/// Nothing is lost, nothing is doubled, no job was given up.
///
/// # Panics
/// When the ledger of an organisation does not balance, or a job has failed for good.
pub async fn is_balanced(app: &App) {
    for (organisation, unaccounted) in ledger::check_all(app).await.unwrap() {
        assert_eq!(unaccounted, 0, "the ledger of {organisation} does not balance");
    }
    let given_up = jobs::Entity::find().filter(jobs::Column::GivenUpAt.is_not_null()).all(app.db.reader()).await;
    let given_up = given_up.unwrap();
    assert!(given_up.is_empty(), "given up: {given_up:?}");
}
