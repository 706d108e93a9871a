//! What the relay's look costs that finds a hundred due jobs among ten thousand, a million and ten million future ones: PostgreSQL as it
//! is in production. `SCAN` is the largest number of millions (10).
//!
//! Reference, in the same run and in turn: the same look among ten thousand, on a server of its own. The aim is that more future costs
//! nothing.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement fails by panicking")]
#![expect(clippy::print_stdout, reason = "a measurement prints its figure")]

#[expect(dead_code, reason = "shared by several measurements")]
mod common;

use std::time::{Duration, Instant};

use common::{number, percentile};
use nazorg::domain::{
    jobs::{self, Outcome},
    organisations,
};
use nazorg_tests::{
    postgres::Postgres,
    processes::Processes,
    service::{BEGINNING, Ground, Leg},
};
use sea_orm::{ConnectionTrait, TransactionTrait};

const ROUNDS: usize = 10;
const TURNS: usize = 20;
const DUE: u64 = 100;
const FEW: usize = 10_000;

/// A relay's database, and who owes what in it.
struct Relay {
    service: Processes,
    organisation: uuid::Uuid,
    there: usize,
}

impl Relay {
    async fn new() -> Self {
        let mut ground = Ground::new(Leg::Distributed);
        ground.postgres = Some(Postgres::durable());
        // No worker: nobody else looks.
        let service = Processes::start_on(env!("CARGO_BIN_EXE_nazorg-process"), ground, BEGINNING, (0, 0, &[])).await;
        let zone = chrono_tz::Europe::Amsterdam;
        let organisation = organisations::found(service.app(), "Ziekenhuis aan de Rivier", zone).await.unwrap().0;
        Self { service, organisation, there: 0 }
    }

    /// Jobs that fall due over the years to come, so many in all.
    async fn fill(&mut self, until: usize) {
        let (organisation, from) = (self.organisation, std::mem::replace(&mut self.there, until));
        let sql = format!(
            "INSERT INTO jobs (id, organisation_id, kind, subject, due_at, version, attempts) \
             SELECT gen_random_uuid(), '{organisation}', 'follow_up', gen_random_uuid(), \
             '2028-01-01'::timestamptz + n * interval '10 seconds', 1, 0 FROM generate_series({from} + 1, {until}) n"
        );
        // In its own session, which may take its time.
        let db = self.service.app().db.reader().begin().await.unwrap();
        db.execute_unprepared("SET LOCAL statement_timeout = 0").await.unwrap();
        db.execute_unprepared(&sql).await.unwrap();
        db.commit().await.unwrap();
        self.service.ground.postgres.as_ref().unwrap().settle();
    }

    /// A look that finds a hundred, and one that finds nothing, again and again.
    async fn look(&self, found: &mut Vec<Duration>, empty: &mut Vec<Duration>) {
        let (app, organisation) = (self.service.app(), self.organisation);
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
    }
}

#[tokio::main]
async fn main() {
    let (mut few, mut many) = (Relay::new().await, Relay::new().await);
    few.fill(FEW).await;
    for size in [1_000_000, number("SCAN", 10) * 1_000_000] {
        many.fill(size).await;
        let ((mut found, mut empty), (mut reference, mut nothing)) =
            ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        // What the first looks read and prepare is there for the others.
        few.look(&mut Vec::new(), &mut Vec::new()).await;
        many.look(&mut Vec::new(), &mut Vec::new()).await;
        for _ in 0..ROUNDS {
            few.look(&mut reference, &mut nothing).await;
            many.look(&mut found, &mut empty).await;
        }
        let middle = |times: &mut Vec<Duration>| percentile(times, 50);
        let (found, reference, empty, nothing) =
            (middle(&mut found), middle(&mut reference), middle(&mut empty), middle(&mut nothing));
        println!(
            "due_scan: {DUE} found among {size} in {found:.2?}, among {FEW} in {reference:.2?}: {:.2}; nothing found in {empty:.2?} and \
             {nothing:.2?}: {:.2}",
            found.as_secs_f64() / reference.as_secs_f64(),
            empty.as_secs_f64() / nothing.as_secs_f64(),
        );
    }
    few.service.end().await;
    many.service.end().await;
}
