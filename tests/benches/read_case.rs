//! Reading one case over HTTP, with the row in the access log committed before the answer leaves: 64 clients, ten seconds.
//!
//! Reference, in the same run on the same server: pgbench with 64 clients that select a row, insert one in a log, and commit.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement fails by panicking")]
#![expect(clippy::print_stdout, reason = "a measurement prints its figure")]

#[expect(dead_code, reason = "shared by several measurements")]
mod common;

use std::time::{Duration, Instant};

use common::{open_cases, percentile, processes};
use futures::future::join_all;

const CASES: usize = 1_000;
const CLIENTS: usize = 64;
const SECONDS: u32 = 10;

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

#[tokio::main]
async fn main() {
    let (mut service, hospital) = processes(env!("CARGO_BIN_EXE_nazorg-process"), &[]).await;
    let cases = open_cases(&hospital.coordinator, &hospital, CASES).await;
    service.drain().await;
    let until = Instant::now() + Duration::from_secs(SECONDS.into());
    let readers = (0..CLIENTS).map(|reader| {
        let (client, cases) = (&hospital.coordinator, &cases);
        async move {
            let mut times = Vec::new();
            for nth in (reader * 7..).step_by(13) {
                let began = Instant::now();
                if began >= until {
                    break;
                }
                client.get(&format!("/v1/cases/{}", cases[nth % CASES])).await.expect(200);
                times.push(began.elapsed());
            }
            times
        }
    });
    let mut times = join_all(readers).await.concat();
    let ours = times.len() as f64 / f64::from(SECONDS);
    let reference = service.ground.postgres.as_ref().unwrap().pgbench(SETUP, SELECT_AND_LOG, (64, SECONDS));
    service.end().await;
    println!(
        "read_case: {ours:.0} a second, p50 {:.1?}, p99 {:.1?}; reference {reference:.0} a second; ratio {:.2}",
        percentile(&mut times, 50),
        percentile(&mut times, 99),
        ours / reference,
    );
}
