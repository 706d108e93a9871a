//! Opening cases over HTTP, each with its trajectory, follow-ups, jobs, events and lines in the access log: 64 clients, each case for
//! somebody else (`PERSONS`, 20,000 in all).
//! PostgreSQL as it is in production, API, worker and Redis share this machine.
//!
//! Reference, in the same run on the same server: pgbench with 64 clients that insert the rows of one such case, with fresh ids and
//! the same indexes, and commit. The two take turns, so that a machine that is faster now and slower then is so to both.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement fails by panicking")]
#![expect(clippy::print_stdout, reason = "a measurement prints its figure")]

#[expect(dead_code, reason = "shared by several measurements")]
mod common;

use std::{
    fmt::Write,
    sync::Mutex,
    time::{Duration, Instant},
};

use common::{EVENT, REPORTED, number, percentile, processes};
use futures::{StreamExt, future::join_all, stream};
use nazorg_tests::{client::Client, hospital::Hospital, processes::Processes};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

const CLIENTS: u32 = 64;
const ROUNDS: usize = 5;
const SECONDS: u32 = 4;

/// The tables that opening a case writes to, and which of their rows are those of the case `$case`.
const WRITTEN: [(&str, &str); 9] = [
    ("cases", "id = $case"),
    ("assignments", "case_id = $case"),
    ("trajectories", "case_id = $case"),
    ("trajectory_inputs", "trajectory_id IN (SELECT id FROM trajectories WHERE case_id = $case)"),
    ("follow_ups", "case_id = $case"),
    ("jobs", "subject IN (SELECT id FROM follow_ups WHERE case_id = $case)"),
    ("events", "case_id = $case"),
    ("access_events", "object_id = $case"),
    // The answer kept under the request's key; any one.
    ("idempotency_keys", "id = (SELECT id FROM idempotency_keys ORDER BY created_at DESC LIMIT 1)"),
];

async fn texts(service: &Processes, sql: String) -> Vec<String> {
    let rows = service.app().db.reader().query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
    rows.into_iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// What pgbench does: the tables and one case's rows to copy, and the transaction that copies them.
async fn reference(service: &Processes, case: Uuid) -> (String, String) {
    let (mut setup, mut script) = (String::new(), "BEGIN;\n".to_owned());
    for (table, rows) in WRITTEN {
        let columns = format!(
            "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position"
        );
        let columns = texts(service, columns).await;
        let fresh = columns.iter().map(|column| match column.as_str() {
            "id" | "subject" | "case_id" | "trajectory_id" => "gen_random_uuid()".to_owned(),
            "number" => "gen_random_uuid()::text".to_owned(),
            "scope_hash" => "uuid_send(gen_random_uuid())".to_owned(),
            other => format!("\"{other}\""),
        });
        let fresh: Vec<String> = fresh.collect();
        let rows = rows.replace("$case", &format!("'{case}'"));
        writeln!(setup, "CREATE TABLE reference_{table} (LIKE {table} INCLUDING ALL);").unwrap();
        writeln!(setup, "CREATE TABLE sample_{table} AS SELECT * FROM {table} WHERE {rows};").unwrap();
        writeln!(script, "INSERT INTO reference_{table} SELECT {} FROM sample_{table};", fresh.join(", ")).unwrap();
    }
    setup.push_str("ANALYZE;\n");
    script.push_str("COMMIT;\n");
    (setup, script)
}

/// Somebody to open cases for, and who supports them.
async fn body(client: &Client, (hospital, protocol): (&Hospital, &Value), number: usize) -> Value {
    let mut ids = Vec::new();
    for name in ["Peer", "Person"] {
        ids.push(client.post("/v1/persons", json!({"name": format!("{name} {number}")})).await.id_of(201));
    }
    json!({
        "personId": ids[1],
        "unitId": hospital.ward,
        "protocolId": protocol,
        "anchors": [{"anchor": "event_at", "at": EVENT}, {"anchor": "reported_at", "at": REPORTED}],
        "assignments": [{"role": "peer_supporter", "personId": ids[0]}],
    })
}

/// All clients open cases, until there is one for each of these; how long each answer took, and all of them together.
async fn opened(client: &Client, bodies: &[Value]) -> (Vec<Duration>, Duration) {
    let (began, waiting) = (Instant::now(), Mutex::new(bodies.iter()));
    let next = || waiting.lock().unwrap().next();
    let opened = (0..CLIENTS).map(|_| async {
        let mut times = Vec::new();
        while let Some(body) = next() {
            let asked = Instant::now();
            client.post("/v1/cases", body.clone()).await.id_of(201);
            times.push(asked.elapsed());
        }
        times
    });
    let times = join_all(opened).await.into_iter().flatten().collect();
    (times, began.elapsed())
}

#[tokio::main]
async fn main() {
    let (mut service, hospital) = processes(env!("CARGO_BIN_EXE_nazorg-process"), &[]).await;
    let client = &hospital.coordinator;
    let built_in =
        client.get("/v1/protocols?name=second_victim_peer_support").await.expect(200)["items"][0]["id"].clone();
    // Everybody is opened a case for once: a second of the same kind takes over what is open of the first.
    let persons = stream::iter(0..number("PERSONS", 20_000)).map(|number| body(client, (&hospital, &built_in), number));
    let bodies: Vec<Value> = persons.buffer_unordered(16).collect().await;
    let postgres = service.ground.postgres.as_ref().unwrap();
    let (first, bodies) = bodies.split_first().expect("PERSONS are too few");
    let first = client.post("/v1/cases", first.clone()).await.id_of(201);
    service.drain().await;
    let (mut setup, script) = reference(&service, first).await;
    let (mut times, mut ours, mut theirs, mut ratios) = (Vec::new(), 0.0, 0.0, Vec::new());
    postgres.costliest(0);
    let mut costliest = String::new();
    for bodies in bodies.chunks(bodies.len().div_ceil(ROUNDS)) {
        let (opened, took) = opened(client, bodies).await;
        service.drain().await;
        if costliest.is_empty() {
            costliest = postgres.costliest(40);
        }
        let figures = (opened.len() as f64 / took.as_secs_f64(), postgres.pgbench(&setup, &script, (CLIENTS, SECONDS)));
        setup.clear();
        (ours, theirs) = (ours + figures.0, theirs + figures.1);
        ratios.push(format!("{:.2}", figures.0 / figures.1));
        times.extend(opened);
    }
    let rows = texts(&service, format!("SELECT count(*)::text FROM follow_ups WHERE case_id = '{first}'")).await;
    service.is_balanced().await;
    service.end().await;
    println!(
        "open_case: {:.0} a second ({} follow-ups each), p50 {:.1?}, p99 {:.1?}; reference {:.0} a second; ratio {:.2} ({})",
        ours / ratios.len() as f64,
        rows[0],
        percentile(&mut times, 50),
        percentile(&mut times, 99),
        theirs / ratios.len() as f64,
        ours / theirs,
        ratios.join(", "),
    );
    println!("  the database's time:\n{costliest}");
}
