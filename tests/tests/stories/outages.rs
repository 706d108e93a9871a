//! What the service stands on goes away while promises are open; nothing is lost and nothing is doubled.

use std::time::Duration;

use chrono::TimeDelta;
use nazorg_tests::{
    hospital::Hospital,
    processes::Processes,
    service::{Ground, Leg, Service},
};
use serde_json::Value;
use uuid::Uuid;

const EVENT: &str = "2026-12-17T02:20:00Z";
const REPORTED: &str = "2026-12-17T06:45:00Z";

async fn ready(base: &str) -> (u16, Value) {
    let answer = reqwest::get(format!("{base}/readyz")).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// A case with a peer, whose offer waits for an answer.
async fn opened(hospital: &Hospital, name: &str) -> Uuid {
    let case = hospital.open(name, (EVENT, REPORTED), None).await;
    hospital.assign(case, "peer_supporter", "peer").await;
    hospital.complete(case, "assign", "assigned").await;
    case
}

/// Steps and recipients of what was sent; the same whatever went away in between.
async fn sent(hospital: &Hospital, case: Uuid) -> usize {
    let messages = hospital.messages(case).await;
    messages.iter().filter(|message| message["status"] == "sent" || message["status"] == "merged").count()
}

#[tokio::test]
async fn redis_goes_away_and_forgets_everything() {
    let mut service = Service::start_with(Ground::new(Leg::Distributed), REPORTED, &[]).await;
    let hospital = Hospital::found(&service).await;
    let before = opened(&hospital, "nurse").await;
    service.ground.redis.as_ref().unwrap().freeze();
    let (status, report) = ready(&service.base).await;
    assert_eq!((status, &report["parts"]["queue"]), (200, &Value::from("degraded")), "{report}");
    let during = opened(&hospital, "resident").await; // nobody waits for the queue
    service.ground.redis.as_ref().unwrap().thaw();
    service.ground.redis.as_mut().unwrap().restart();
    service.travel_to("2026-12-18T06:00:00Z").await;
    service.ground.redis.as_ref().unwrap().flush();
    service.travel_to("2026-12-24T09:00:00Z").await;
    assert_eq!(ready(&service.base).await.1["parts"]["queue"], "ok");
    let counts = (sent(&hospital, before).await, sent(&hospital, during).await);
    assert!(counts.0 > 0 && counts.0 == counts.1, "reminders and escalations of both: {counts:?}");
    service.is_balanced().await;
}

#[tokio::test]
async fn the_database_hangs_restarts_and_nothing_is_lost() {
    let mut service = Service::start_with(Ground::new(Leg::Distributed), REPORTED, &[]).await;
    let hospital = Hospital::found(&service).await;
    let case = opened(&hospital, "nurse").await;
    service.ground.postgres.as_ref().unwrap().freeze();
    let asked = tokio::time::timeout(Duration::from_secs(5), ready(&service.base)).await;
    let (status, report) = asked.expect("a hanging database is told within five seconds");
    assert_eq!((status, &report["parts"]["database"]), (503, &Value::from("away")), "{report}");
    service.ground.postgres.as_ref().unwrap().thaw();
    service.ground.postgres.as_mut().unwrap().stop();
    hospital.coordinator.get(&format!("/v1/cases/{case}")).await.refused(503, "unavailable");
    service.ground.postgres.as_mut().unwrap().start_again();
    let found = || async { ready(&service.base).await.0 == 200 };
    while !found().await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    hospital.coordinator.get(&format!("/v1/cases/{case}")).await.expect(200);
    service.travel_to("2026-12-24T09:00:00Z").await;
    assert!(sent(&hospital, case).await > 0);
    service.is_balanced().await;
}

#[tokio::test]
async fn workers_are_killed_while_they_work() {
    let binary = env!("CARGO_BIN_EXE_nazorg-process");
    let mut service = Processes::start(binary, REPORTED, (2, 2), &[]).await;
    let mut hospital = Hospital::found_on(&service).await;
    let mut cases = Vec::new();
    for number in 0..12 {
        let name: &'static str = format!("colleague_{number}").leak();
        hospital.register(name).await;
        cases.push(opened(&hospital, name).await);
    }
    for day in 0..12 {
        let next = service.clock_now() + TimeDelta::hours(6);
        service.clock.move_to(next);
        service.app().bell.ring(); // work begins, and the worker that does it dies
        service.workers[day % 2].kill();
        match day % 4 {
            1 => service.ground.redis.as_ref().unwrap().flush(),
            2 => service.ground.redis.as_mut().unwrap().restart(),
            3 if day == 7 => service.ground.postgres.as_mut().unwrap().restart(),
            _ => service.apis[1].kill(),
        }
        service.start_all().await;
        service.clock.pass(TimeDelta::seconds(31)); // what the dead one had leased falls free
        service.drain().await;
    }
    service.travel_to("2026-12-28T09:00:00Z").await;
    let first = sent(&hospital, cases[0]).await;
    assert!(first > 0);
    for case in cases {
        assert_eq!(sent(&hospital, case).await, first, "every case has the same promises");
    }
    service.is_balanced().await;
    service.end().await;
}
