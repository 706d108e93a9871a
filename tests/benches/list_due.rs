//! The first page of what is due, for a coordinator, over HTTP, among fifty thousand and five million follow-ups of an organisation:
//! PostgreSQL as it is in production. `LIST` is the larger number (5,000,000).
//!
//! Reference, in the same run: the same page among fifty thousand. The aim is that more follow-ups cost nothing.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement fails by panicking")]
#![expect(clippy::print_stdout, reason = "a measurement prints its figure")]

mod common;

use std::time::{Duration, Instant};

use common::{number, open_cases, percentile, processes};
use nazorg_tests::{client::Client, processes::Processes};
use sea_orm::{ConnectionTrait, TransactionTrait};

const CASES: usize = 200;
const TURNS: usize = 300;
/// What a coordinator looks at in the morning, and what is due from now on whatever its state.
const PAGES: [&str; 2] =
    ["/v1/follow-ups?status=due&status=overdue&limit=50", "/v1/follow-ups?dueFrom=2026-12-20T00:00:00Z&limit=50"];

/// Makes follow-ups out of those there are, spread over the years before and after: nine of ten are done.
async fn fill(service: &Processes, (from, until): (usize, usize)) {
    let columns = "organisation_id, case_id, trajectory_id, unit_id, step, anchor_id, occurrence, role, action, outcome, reason, \
                   assigned_person_id, created_at, version";
    let sql = format!(
        "INSERT INTO follow_ups (id, {columns}, key, status, opens_at, due_at, closes_at, final_at) \
         SELECT gen_random_uuid(), {columns}, 'filled-' || n, CASE WHEN n % 10 > 0 THEN 'done' WHEN n % 3 > 0 THEN 'scheduled' \
         ELSE 'due' END, NULL, '2024-01-01'::timestamptz + n * interval '20 seconds', NULL, \
         CASE WHEN n % 10 > 0 THEN '2024-01-01'::timestamptz + n * interval '20 seconds' END \
         FROM generate_series({from} + 1, {until}) n \
         JOIN (SELECT *, row_number() OVER () AS place FROM follow_ups LIMIT {CASES}) f ON f.place = 1 + n % {CASES}"
    );
    let db = service.app().db.reader().begin().await.unwrap();
    db.execute_unprepared("SET LOCAL statement_timeout = 0").await.unwrap();
    db.execute_unprepared(&sql).await.unwrap();
    db.commit().await.unwrap();
}

async fn asked(client: &Client, page: &str) -> (Duration, Duration) {
    let mut times = Vec::new();
    for turn in 0..TURNS {
        let began = Instant::now();
        let found = client.get(page).await.expect(200);
        if turn >= TURNS / 10 {
            times.push(began.elapsed());
        }
        assert_eq!(found["items"].as_array().unwrap().len(), 50, "{page}");
    }
    (percentile(&mut times, 50), percentile(&mut times, 99))
}

#[tokio::main]
async fn main() {
    let (mut service, hospital) = processes(env!("CARGO_BIN_EXE_nazorg-process"), &[]).await;
    open_cases(&hospital.coordinator, &hospital, CASES).await;
    service.drain().await;
    let mut references: Vec<Duration> = Vec::new();
    let mut there = 0;
    for size in [50_000, number("LIST", 5_000_000)] {
        fill(&service, (there, size)).await;
        service.ground.postgres.as_ref().unwrap().settle();
        there = size;
        for (place, page) in PAGES.iter().enumerate() {
            let (middle, slow) = asked(&hospital.coordinator, page).await;
            if references.len() <= place {
                references.push(middle);
            }
            let ratio = middle.as_secs_f64() / references[place].as_secs_f64();
            println!("list_due: {page} among {size}: p50 {middle:.2?}, p99 {slow:.2?}; {ratio:.2} of that among 50000");
        }
    }
    service.end().await;
}
