//! Reading one case over HTTP, with the row in the access log committed before the answer leaves: 64 clients.
//!
//! Reference, in the same run on the same server: pgbench with 64 clients that select a row, insert one in a log, and commit. The two take
//! turns, so that a machine that is faster now and slower then is so to both.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement fails by panicking")]
#![expect(clippy::print_stdout, reason = "a measurement prints its figure")]

#[expect(dead_code, reason = "shared by several measurements")]
mod common;

use std::time::{Duration, Instant};

use common::{open_cases, percentile, processes};
use futures::future::join_all;
use nazorg_tests::client::Client;
use uuid::Uuid;

const CASES: usize = 1_000;
const CLIENTS: u32 = 64;
const ROUNDS: usize = 5;
const SECONDS: u32 = 4;

const SETUP: &str = "
CREATE TABLE reference_log (LIKE access_events INCLUDING DEFAULTS);
CREATE INDEX ON reference_log (organisation_id, person_id, at);
CREATE TABLE reference_sample AS SELECT * FROM access_events LIMIT 1;
CREATE TABLE reference_cases AS SELECT row_number() OVER () AS n, id FROM cases;
ALTER TABLE reference_cases ADD PRIMARY KEY (n);
ANALYZE;
";
const SELECT_AND_LOG: &str = "
\\set n random(1, 1000)
BEGIN;
SELECT c.* FROM reference_cases r JOIN cases c ON c.id = r.id WHERE r.n = :n;
INSERT INTO reference_log SELECT * FROM reference_sample;
COMMIT;
";

/// All clients read cases for as long as a round takes; how long each answer took.
async fn read(client: &Client, cases: &[Uuid]) -> Vec<Duration> {
    let until = Instant::now() + Duration::from_secs(SECONDS.into());
    let readers = (0..CLIENTS).map(|reader| async move {
        let mut times = Vec::new();
        for nth in (reader as usize * 7..).step_by(13) {
            let began = Instant::now();
            if began >= until {
                break;
            }
            client.get(&format!("/v1/cases/{}", cases[nth % CASES])).await.expect(200);
            times.push(began.elapsed());
        }
        times
    });
    join_all(readers).await.concat()
}

#[tokio::main]
async fn main() {
    let (mut service, hospital) = processes(env!("CARGO_BIN_EXE_nazorg-process"), &[]).await;
    let cases = open_cases(&hospital.coordinator, &hospital, CASES).await;
    service.drain().await;
    let postgres = service.ground.postgres.as_ref().unwrap();
    let (mut times, mut ours, mut theirs, mut ratios) = (Vec::new(), 0.0, 0.0, Vec::new());
    let (mut setup, mut costliest) = (SETUP, String::new());
    postgres.costliest(0);
    for _ in 0..ROUNDS {
        let read = read(&hospital.coordinator, &cases).await;
        if costliest.is_empty() {
            costliest = postgres.costliest(8);
        }
        let figures =
            (read.len() as f64 / f64::from(SECONDS), postgres.pgbench(setup, SELECT_AND_LOG, (CLIENTS, SECONDS)));
        setup = "";
        (ours, theirs) = (ours + figures.0, theirs + figures.1);
        ratios.push(format!("{:.2}", figures.0 / figures.1));
        times.extend(read);
    }
    service.end().await;
    println!(
        "read_case: {:.0} a second, p50 {:.1?}, p99 {:.1?}; reference {:.0} a second; ratio {:.2} ({})",
        ours / ROUNDS as f64,
        percentile(&mut times, 50),
        percentile(&mut times, 99),
        theirs / ROUNDS as f64,
        ours / theirs,
        ratios.join(", "),
    );
    println!("  the database's time:\n{costliest}");
}
