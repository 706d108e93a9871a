//! Everything of one morning falls due in the same minute: each reminder has a recipient of its own and ends as an HTTP delivery that is
//! recorded in SQL. PostgreSQL, Redis, the worker, the API and the receiver share this machine. `MORNING` says how many (20,000);
//! `NAZORG_LEG=embedded` measures the one process with SQLite instead.
//!
//! Reference, in the same run on the same store: pgbench with 64 clients that only claim a row and record its delivery; on SQLite one
//! connection that does the same.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement fails by panicking")]
#![expect(clippy::print_stdout, reason = "a measurement prints its figure")]

mod common;
#[path = "common/whole.rs"]
mod whole;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use common::{number, open_cases, percentile};
use nazorg::domain::entities::messages;
use nazorg_tests::{client::Client, http_sink::HttpSink, service::Leg};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, Statement};
use whole::{Whole, claimed_and_recorded};

const MORNING: &str = "2026-12-31T09:00:00Z";

const SETUP: &str = "
CREATE TABLE reference_jobs AS SELECT n AS id, now() AS due_at, NULL::timestamptz AS lease_until FROM generate_series(1, 400000) n;
ALTER TABLE reference_jobs ADD PRIMARY KEY (id);
CREATE INDEX ON reference_jobs (due_at) WHERE lease_until IS NULL;
CREATE TABLE reference_messages AS SELECT n AS id, 'pending' AS status, NULL::timestamptz AS sent_at FROM generate_series(1, 400000) n;
ALTER TABLE reference_messages ADD PRIMARY KEY (id);
ANALYZE reference_jobs; ANALYZE reference_messages;
";
const CLAIM_AND_RECORD: &str = "
UPDATE reference_jobs SET lease_until = now() + interval '30 s' WHERE id =
  (SELECT id FROM reference_jobs WHERE lease_until IS NULL ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id \\gset
BEGIN;
UPDATE reference_messages SET status = 'sent', sent_at = now() WHERE id = :id;
DELETE FROM reference_jobs WHERE id = :id;
COMMIT;
";

/// How many rows were inserted, updated, updated in place and deleted until now, per table, and transactions in all.
async fn written(service: &Whole) -> Vec<(String, [i64; 4])> {
    let sql = "SELECT relname::text, n_tup_ins, n_tup_upd, n_tup_hot_upd, n_tup_del FROM pg_stat_user_tables \
               UNION ALL SELECT 'transactions', xact_commit, 0, 0, 0 FROM pg_stat_database WHERE datname = current_database()";
    if service.postgres().is_none() {
        return Vec::new();
    }
    // The figures of a session reach the others within a second of its rest.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let db = service.app().db.reader();
    let rows = db.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
    let figure = |row: &sea_orm::QueryResult, place| row.try_get_by_index(place).unwrap();
    rows.iter().map(|row| (row.try_get_by_index(0).unwrap(), [1, 2, 3, 4].map(|place| figure(row, place)))).collect()
}

/// What one reminder cost in rows, table by table.
fn told(before: &[(String, [i64; 4])], after: &[(String, [i64; 4])], count: usize) {
    for (table, now) in after {
        let was = before.iter().find(|(known, _)| known == table).map_or([0; 4], |(_, figures)| *figures);
        let each: Vec<f64> = now.iter().zip(was).map(|(now, was)| (now - was) as f64 / count as f64).collect();
        if each.iter().any(|figure| *figure > 0.01) {
            println!(
                "  {table}: {:.2} inserted, {:.2} updated, of which {:.2} in place, {:.2} deleted for each reminder",
                each[0], each[1], each[2], each[3]
            );
        }
    }
}

/// Reads and writes like anybody's case system meanwhile; how long each answer took.
async fn call(client: Client, stop: Arc<AtomicBool>) -> Vec<Duration> {
    let mut times = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        client.get("/v1/follow-ups?limit=5").await.expect(200);
        times.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    times
}

/// Waits until all arrived and are recorded as sent; how long that took.
async fn all_sent(service: &Whole, gateway: &HttpSink, count: usize) -> Duration {
    let began = Instant::now();
    let sent = async || {
        let sent = messages::Entity::find().filter(messages::Column::Status.eq("sent"));
        sent.count(service.app().db.reader()).await.unwrap()
    };
    while gateway.count() < count || sent().await < count as u64 {
        assert!(began.elapsed() < Duration::from_secs(900), "{} arrived", gateway.count());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    began.elapsed()
}

fn arrived_twice(gateway: &HttpSink) -> usize {
    let mut ids: Vec<String> = gateway.seen().into_iter().map(|one| one.id).collect();
    ids.sort_unstable();
    ids.chunk_by(|one, next| one == next).filter(|same| same.len() > 1).count()
}

#[tokio::main]
async fn main() {
    let embedded = std::env::var("NAZORG_LEG").is_ok_and(|leg| leg == "embedded");
    let (count, leg) = (number("MORNING", 20_000), if embedded { Leg::Embedded } else { Leg::Distributed });
    let gateway = HttpSink::start(None).await;
    let url = gateway.url();
    let settings = [("SMS_URL", url.as_str()), ("NAZORG_SMS_MAX_CONNECTIONS", "64")];
    let (mut service, mut hospital) = Whole::start(env!("CARGO_BIN_EXE_nazorg-process"), leg, &settings).await;
    let began = Instant::now();
    open_cases(&hospital.coordinator, &hospital, count).await;
    service.drain().await;
    println!("{count} cases opened in {:.1?}; {} deliveries before their time", began.elapsed(), gateway.count());
    service.durable(&mut hospital).await;
    if let Some(postgres) = service.postgres() {
        postgres.settle();
        postgres.costliest(0);
    }
    let before = written(&service).await;
    let stop = Arc::new(AtomicBool::new(false));
    let caller = tokio::spawn(call(hospital.coordinator.clone(), Arc::clone(&stop)));
    service.clock().move_to(MORNING.parse().unwrap());
    service.app().bell.ring();
    let took = all_sent(&service, &gateway, count).await;
    stop.store(true, Ordering::Relaxed);
    let mut times = caller.await.unwrap();
    let after = written(&service).await;
    let costliest = service.postgres().map(|postgres| postgres.costliest(16)).unwrap_or_default();
    service.is_balanced().await;
    let reference = match service.postgres() {
        Some(postgres) => postgres.pgbench(SETUP, CLAIM_AND_RECORD, (64, 10)),
        None => claimed_and_recorded(Duration::from_secs(10)).await,
    };
    service.end().await;
    let twice = arrived_twice(&gateway);
    println!(
        "morning_peak ({leg:?}): {count} in {took:.1?}, {:.0} a second; reference {reference:.0} a second; {twice} arrived twice; \
         meanwhile the API answered {} times, p50 {:.1?}, p99 {:.1?}",
        count as f64 / took.as_secs_f64(),
        times.len(),
        percentile(&mut times, 50),
        percentile(&mut times, 99),
    );
    told(&before, &after, count);
    println!("  the database's time:\n{costliest}");
    assert_eq!(twice, 0);
}
