//! Something is wrong with one of many. Either one receiver is dead: it takes what is sent to it and never answers. Or there is poison: one
//! follow-up that cannot be handled and, in Redis, forty tasks that nobody can read, ten of them of ten megabytes. Everything of one
//! morning falls due in the same minute, each reminder to a recipient of its own; how fast do the others get theirs? `MORNING` says how
//! many there are (20,000: what poison costs once must not pass for what it costs each), `ROUNDS` how often it is measured each way (2);
//! `NAZORG_LEG=embedded` measures the one process with SQLite instead, where there is no Redis to poison.
//!
//! Reference, in the same run, in turn: the same morning while nothing is wrong. Promised are 90 % of it.
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
use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;
use whole::Whole;

const MORNING: &str = "2026-12-31T09:00:00Z";
const PATIENCE: Duration = Duration::from_secs(900);
/// The first of those whom `open_cases` registers.
const DEAD: &str = "+31600000000";

/// What is wrong with one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Nothing,
    Dead,
    Poison,
}

/// How many of the others a second got theirs, and how many of them got it twice.
async fn measured(leg: Leg, count: usize, wrong: Wrong) -> (f64, usize) {
    let gateway = HttpSink::start(None).await;
    if wrong == Wrong::Dead {
        gateway.behave_to(DEAD, Does::Hold);
    }
    let url = gateway.url();
    let settings = [("SMS_URL", url.as_str()), ("NAZORG_SMS_MAX_CONNECTIONS", "64")];
    let (mut service, mut hospital) = Whole::start(env!("CARGO_BIN_EXE_nazorg-process"), leg, &settings).await;
    let cases = open_cases(&hospital.coordinator, &hospital, count).await;
    service.drain().await;
    service.durable(&mut hospital).await;
    if let Some(postgres) = service.postgres() {
        postgres.settle();
    }
    if wrong == Wrong::Poison {
        poison(&service, cases[0]).await;
    }
    let began = Instant::now();
    service.clock().move_to(MORNING.parse().unwrap());
    service.app().bell.ring();
    let others = |gateway: &HttpSink| {
        let taken = gateway.taken().into_iter();
        taken.filter(|to| wrong != Wrong::Dead || to != DEAD).collect::<Vec<_>>()
    };
    let all = count - usize::from(wrong != Wrong::Nothing);
    while others(&gateway).len() < all {
        assert!(began.elapsed() < PATIENCE, "{} arrived", gateway.count());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let took = began.elapsed();
    gateway.release();
    if wrong == Wrong::Poison {
        mend(&service).await;
    }
    service.is_balanced().await;
    service.end().await;
    let taken = others(&gateway);
    let twice = taken.len() - taken.iter().collect::<HashSet<_>>().len();
    (all as f64 / took.as_secs_f64(), twice)
}

/// One whose follow-up nobody can handle, and forty tasks nobody can read before all others.
async fn poison(service: &Whole, case: Uuid) {
    let db = service.app().db.reader();
    db.execute_unprepared("CREATE TABLE kept AS SELECT id, surroundings FROM trajectories").await.unwrap();
    let sql = "UPDATE trajectories SET surroundings = '{\"zone\": 3}' WHERE case_id = $1";
    let broken = Statement::from_sql_and_values(db.get_database_backend(), sql, [case.into()]);
    assert_eq!(db.execute_raw(broken).await.unwrap().rows_affected(), 1);
    let Whole::Many(service) = service else { return };
    let redis = service.ground.redis.as_ref().unwrap();
    let huge = "[".repeat(10 << 20);
    let kinds = ["not json", r#"{"kind":"tea","leases":[]}"#, "", huge.as_str()];
    for number in 0..40 {
        let id = format!("bad-{number}");
        redis.command(&["HSET", "{nazorg}:data", &id, kinds[number % kinds.len()]]).unwrap();
        let meta = format!("{{nazorg}}:meta:{id}");
        redis.command(&["HSET", &meta, "attempts", "0", "max_attempts", "1", "status", "Pending"]).unwrap();
        redis.command(&["RPUSH", "{nazorg}:active", &id]).unwrap();
    }
}

/// What could not be handled can be, and goes at its next try.
async fn mend(service: &Whole) {
    let db = service.app().db.reader();
    let mended = "UPDATE trajectories SET surroundings = kept.surroundings FROM kept WHERE kept.id = trajectories.id";
    db.execute_unprepared(mended).await.unwrap();
    let failed = db.execute_unprepared("UPDATE jobs SET retry_at = NULL WHERE attempts > 0").await.unwrap();
    assert_eq!(failed.rows_affected(), 1, "it failed, and nothing else did");
}

#[tokio::main]
async fn main() {
    let embedded = std::env::var("NAZORG_LEG").is_ok_and(|leg| leg == "embedded");
    let (count, rounds) = (number("MORNING", 20_000), number("ROUNDS", 2).max(1));
    let leg = if embedded { Leg::Embedded } else { Leg::Distributed };
    let (mut dead, mut poisoned, mut without, mut twice) = (0.0, 0.0, 0.0, 0);
    for round in 1..=rounds {
        let (reference, first) = measured(leg, count, Wrong::Nothing).await;
        let (beside_dead, second) = measured(leg, count, Wrong::Dead).await;
        let (beside_poison, third) = measured(leg, count, Wrong::Poison).await;
        println!(
            "round {round}: {reference:.0} a second, {beside_dead:.0} beside a dead receiver, {beside_poison:.0} beside poison"
        );
        (without, dead, poisoned) = (without + reference, dead + beside_dead, poisoned + beside_poison);
        twice += first + second + third;
    }
    let (mean, percent) = (|sum: f64| sum / rounds as f64, |sum: f64| 100.0 * sum / without);
    println!(
        "one_dead ({leg:?}): {:.0} a second of {count} reminders beside a dead receiver ({:.0} %), {:.0} beside poison ({:.0} %); \
         reference {:.0} a second without; {twice} arrived twice",
        mean(dead),
        percent(dead),
        mean(poisoned),
        percent(poisoned),
        mean(without),
    );
    assert_eq!(twice, 0);
}
