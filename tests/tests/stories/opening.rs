//! Openings out of the ordinary. A case whose programme is over before it began: what opening it answers is what was kept, and the feed
//! tells causes first. And one that promises more than one statement can write.

use std::fmt::Write;

use nazorg::domain::entities::{follow_ups, jobs};
use nazorg_tests::{
    hospital::{Hospital, ONE_MORNING},
    service::{BEGINNING, Service},
};
use sea_orm::{EntityTrait, IdenStatic, Iterable, PaginatorTrait};
use serde_json::json;

const LONG_AGO: &str = "2025-12-01T06:59:50Z";

#[tokio::test]
async fn opening_a_case_that_closes_at_once_answers_it_as_closed() {
    let service = Service::start().await;
    let mut hospital = Hospital::found(&service).await;
    hospital.publish(&ONE_MORNING.replace("    outcomes: {held", "    late: skip\n    outcomes: {held")).await;
    let body = json!({
        "personId": hospital.people["nurse"],
        "unitId": hospital.ward,
        "protocolId": hospital.protocol,
        "anchors": [{"anchor": "event_at", "at": LONG_AGO}, {"anchor": "reported_at", "at": LONG_AGO}],
    });
    let answer = hospital.coordinator.post("/v1/cases", body).await;
    let (case, etag) = (answer.id(), answer.etag());
    let told = answer.expect(201);
    let kept = hospital.coordinator.get(&format!("/v1/cases/{case}")).await;
    assert_eq!(kept.etag(), etag);
    assert_eq!(told, kept.expect(200));
    assert_eq!((&told["status"], &told["closedReason"]), (&json!("closed"), &json!("completed")));
    assert!(told["closedAt"].is_string(), "{told}");

    service.drain().await;
    let feed = hospital.coordinator.get("/v1/events?after=0&limit=100").await.expect(200);
    let of_case = feed["items"].as_array().unwrap().iter().filter(|one| one["caseId"] == json!(case));
    let kinds: Vec<_> = of_case.map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["case.opened", "trajectory.started", "trajectory.closed", "case.closed"]);
    service.is_balanced().await;
}

/// So many values one statement binds at most.
const MOST_BOUND: usize = 30_000;
const STEPS: usize = 100;
const HEARINGS: usize = 10;

#[tokio::test]
async fn an_opening_that_writes_more_than_one_statement_may_bind_is_kept_whole() {
    let service = Service::start().await;
    let mut hospital = Hospital::found(&service).await;
    let mut text =
        ONE_MORNING.replace("reported_at: required", "reported_at: required, hearing_at: {optional: true, many: true}");
    for nth in 0..STEPS {
        let step = format!("step: before_{nth}, title: {{nl: Vooraf}}, actor: peer_supporter, action: task");
        writeln!(text, "  - {{{step}, anchor: hearing_at, offset: PT{nth}H, outcomes: {{done: []}}}}").unwrap();
    }
    hospital.publish(&text).await;
    let mut anchors =
        vec![json!({"anchor": "event_at", "at": BEGINNING}), json!({"anchor": "reported_at", "at": BEGINNING})];
    anchors
        .extend((1..=HEARINGS).map(|day| json!({"anchor": "hearing_at", "at": format!("2027-03-{day:02}T09:00:00Z")})));
    let body = json!({
        "personId": hospital.people["nurse"],
        "unitId": hospital.ward,
        "protocolId": hospital.protocol,
        "anchors": anchors,
    });
    let case = hospital.coordinator.post("/v1/cases", body).await.id_of(201);
    let db = service.app().db.reader();
    let planned = follow_ups::Entity::find().count(db).await.unwrap();
    let owed = jobs::Entity::find().count(db).await.unwrap();
    let promised = u64::try_from(STEPS * HEARINGS + 1).unwrap();
    assert!(planned == promised && owed >= promised, "{planned} planned, {owed} owed");
    let bound = STEPS * HEARINGS * (columns::<follow_ups::Column>() + columns::<jobs::Column>());
    assert!(bound > MOST_BOUND, "{bound} values");
    let ledger = hospital.ledger(case).await;
    let told: i64 =
        ledger["followUps"].as_array().unwrap().iter().map(|bucket| bucket["count"].as_i64().unwrap()).sum();
    assert_eq!(u64::try_from(told).unwrap(), promised, "{ledger}");
    service.is_balanced().await;
}

fn columns<C: Iterable + IdenStatic>() -> usize {
    C::iter().count()
}
