//! One receiver is dead: it takes what is sent to it and never answers. Everything of one morning falls due in the same minute, each
//! reminder to a recipient of its own; how fast do the others get theirs? `MORNING` says how many there are (4,000), `ROUNDS` how often it
//! is measured either way (2); `NAZORG_LEG=embedded` measures the one process with SQLite instead.
//!
//! Reference, in the same run, in turn: the same morning while everybody answers. Promised are 90 % of it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement fails by panicking")]
#![expect(clippy::print_stdout, reason = "a measurement prints its figure")]

#[expect(dead_code, reason = "shared by several measurements")]
mod common;
#[expect(dead_code, reason = "shared by several measurements")]
#[path = "common/whole.rs"]
mod whole;

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use common::{number, open_cases};
use nazorg_tests::{
    http_sink::{Does, HttpSink},
    service::Leg,
};
use whole::Whole;

const MORNING: &str = "2026-12-31T09:00:00Z";
const PATIENCE: Duration = Duration::from_secs(900);
/// The first of those whom `open_cases` registers.
const DEAD: &str = "+31600000000";

/// How many of the others a second got theirs, and how many of them got it twice.
async fn measured(leg: Leg, count: usize, dead: bool) -> (f64, usize) {
    let gateway = HttpSink::start(None).await;
    if dead {
        gateway.behave_to(DEAD, Does::Hold);
    }
    let url = gateway.url();
    let settings = [("SMS_URL", url.as_str()), ("NAZORG_SMS_MAX_CONNECTIONS", "64")];
    let (mut service, mut hospital) = Whole::start(env!("CARGO_BIN_EXE_nazorg-process"), leg, &settings).await;
    open_cases(&hospital.coordinator, &hospital, count).await;
    service.drain().await;
    service.durable(&mut hospital).await;
    if let Some(postgres) = service.postgres() {
        postgres.settle();
    }
    let began = Instant::now();
    service.clock().move_to(MORNING.parse().unwrap());
    service.app().bell.ring();
    let others = |gateway: &HttpSink| gateway.taken().into_iter().filter(|to| to != DEAD).collect::<Vec<_>>();
    while others(&gateway).len() < count - 1 {
        assert!(began.elapsed() < PATIENCE, "{} arrived", gateway.count());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let took = began.elapsed();
    gateway.release();
    service.is_balanced().await;
    service.end().await;
    let taken = others(&gateway);
    let twice = taken.len() - taken.iter().collect::<HashSet<_>>().len();
    ((count - 1) as f64 / took.as_secs_f64(), twice)
}

#[tokio::main]
async fn main() {
    let embedded = std::env::var("NAZORG_LEG").is_ok_and(|leg| leg == "embedded");
    let (count, rounds) = (number("MORNING", 4_000), number("ROUNDS", 2).max(1));
    let leg = if embedded { Leg::Embedded } else { Leg::Distributed };
    let (mut with, mut without, mut twice) = (0.0, 0.0, 0);
    for round in 1..=rounds {
        let (reference, first) = measured(leg, count, false).await;
        let (beside, second) = measured(leg, count, true).await;
        println!("round {round}: {beside:.0} a second beside a dead receiver, {reference:.0} without");
        (with, without, twice) = (with + beside, without + reference, twice + first + second);
    }
    let rounds = rounds as f64;
    println!(
        "one_dead ({leg:?}): {:.0} a second of {count} reminders beside a dead receiver; reference {:.0} a second without: {:.0} % of it; \
         {twice} arrived twice",
        with / rounds,
        without / rounds,
        100.0 * with / without,
    );
    assert_eq!(twice, 0);
}
