//! What the relay's look costs that finds a hundred due jobs among ten thousand, a million and ten million future ones: PostgreSQL as it
//! is in production. `SCAN` is the largest number of millions (10).
//!
//! Reference, in the same run: the same look among ten thousand. The aim is that more future costs nothing.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement fails by panicking")]
#![expect(clippy::print_stdout, reason = "a measurement prints its figure")]

#[expect(dead_code, reason = "shared by several measurements")]
mod common;

use std::time::{Duration, Instant};

use common::{number, percentile};
use nazorg::domain::{
    App,
    jobs::{self, Outcome},
    organisations,
};
use nazorg_tests::{
    postgres::Postgres,
    processes::Processes,
    service::{BEGINNING, Ground, Leg},
};
use sea_orm::{ConnectionTrait, TransactionTrait};

const TURNS: usize = 60;
const DUE: u64 = 100;

/// Jobs that fall due over the years to come, in their own session, which may take its time.
async fn fill(app: &App, organisation: uuid::Uuid, (from, until): (usize, usize)) {
    let sql = format!(
        "INSERT INTO jobs (id, organisation_id, kind, subject, due_at, version, attempts) \
         SELECT gen_random_uuid(), '{organisation}', 'follow_up', gen_random_uuid(), \
         '2028-01-01'::timestamptz + n * interval '10 seconds', 1, 0 FROM generate_series({from} + 1, {until}) n"
    );
    let db = app.db.reader().begin().await.unwrap();
    db.execute_unprepared("SET LOCAL statement_timeout = 0").await.unwrap();
    db.execute_unprepared(&sql).await.unwrap();
    db.commit().await.unwrap();
}

/// A look that finds a hundred, and one that finds nothing, again and again.
async fn looked(app: &App, organisation: uuid::Uuid) -> (Duration, Duration) {
    let (mut found, mut empty) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let due = format!(
            "INSERT INTO jobs (id, organisation_id, kind, subject, due_at, version, attempts) \
             SELECT gen_random_uuid(), '{organisation}', 'follow_up', gen_random_uuid(), '2026-11-01', 1, 0 \
             FROM generate_series(1, {DUE})"
        );
        app.db.reader().execute_unprepared(&due).await.unwrap();
        let began = Instant::now();
        let batches = jobs::lease_due(app, 1_000).await.unwrap();
        found.push(began.elapsed());
        let leases: Vec<_> = batches.into_iter().flat_map(|batch| batch.leases).collect();
        assert_eq!(leases.len() as u64, DUE);
        let tx = app.db.begin().await.unwrap();
        let done: Vec<_> = leases.into_iter().map(|lease| (lease, Outcome::Done)).collect();
        jobs::settle(&tx, app, &done).await.unwrap();
        tx.commit(&*app.bell).await.unwrap();
        let began = Instant::now();
        assert!(jobs::lease_due(app, 1_000).await.unwrap().is_empty());
        empty.push(began.elapsed());
    }
    (percentile(&mut found, 50), percentile(&mut empty, 50))
}

#[tokio::main]
async fn main() {
    let mut ground = Ground::new(Leg::Distributed);
    ground.postgres = Some(Postgres::durable());
    // No worker: nobody else looks.
    let mut service = Processes::start_on(env!("CARGO_BIN_EXE_nazorg-process"), ground, BEGINNING, (0, 0, &[])).await;
    let app = service.app();
    let organisation =
        organisations::found(app, "Ziekenhuis aan de Rivier", chrono_tz::Europe::Amsterdam).await.unwrap().0;
    let mut reference = None;
    let mut there = 0;
    for size in [10_000, 1_000_000, number("SCAN", 10) * 1_000_000] {
        let began = Instant::now();
        fill(app, organisation, (there, size)).await;
        service.ground.postgres.as_ref().unwrap().settle();
        there = size;
        let filled = began.elapsed();
        looked(app, organisation).await;
        let (found, empty) = looked(app, organisation).await;
        let (base, base_empty) = *reference.get_or_insert((found, empty));
        println!(
            "due_scan: {DUE} found among {size} in {found:.2?}, {:.2} of that among 10000; nothing found in {empty:.2?}, {:.2} \
             (filled in {filled:.0?})",
            found.as_secs_f64() / base.as_secs_f64(),
            empty.as_secs_f64() / base_empty.as_secs_f64(),
        );
    }
    service.end().await;
}
