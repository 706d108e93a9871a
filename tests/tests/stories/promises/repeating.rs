//! What is moved while it waits happens at its new moment only, and what repeats has each turn once.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use nazorg::domain::entities::{JobKind, follow_ups, jobs, trajectories};
use nazorg_tests::{
    hospital::{Hospital, ONE_MORNING, ROUNDS},
    morning::{Morning, OPENED},
    service::{BEGINNING, Ground, Leg, Service},
    smtp_sink::{At, Behaviour, Does, SmtpSink},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};
use uuid::Uuid;

use super::PATIENCE;

const EVENT: &str = "2026-12-01T06:59:50Z";
const REPORTED: &str = "2026-12-01T07:00:00Z";
/// The coordinator's round is due, and its mail is held at the mail server.
const ROUND: &str = "2026-12-02T06:59:50Z";
/// Eight in Amsterdam: the question of the night may be asked, and the talk is due.
const MORNING: &str = "2026-12-02T07:00:00Z";
const MOVED: &str = "2026-12-03T10:00:00Z";

/// A question in the night, which waits for the morning, and a talk in the morning; both may be moved for three days.
const MOVABLE: &str = r#"
protocol: movable
title: {nl: Te verzetten, en: Movable}
kind: second_victim_peer_support
record_profile: contact_log
anchors: {event_at: required, reported_at: required}
roles: [peer_supporter]
end:
  - {all_final: [talk], close: completed}
steps:
  - step: ask
    title: {nl: Hoe gaat het?, en: How are you?}
    actor: peer_supporter
    action: message
    message: {to: person, template: checkin}
    anchor: event_at
    offset: PT22H
    window: {closes: P3D}
    outcomes: {answered: [], no_answer: []}
  - step: talk
    title: {nl: Gesprek, en: Talk}
    actor: peer_supporter
    action: talk
    anchor: reported_at
    offset: PT24H
    window: {closes: P3D}
    remind: [{to: actor, at: due}]
    outcomes: {held: [], declined: []}
"#;

/// A case whose question and talk are both leased and in the queue; the worker's only hand waits for the mail server.
async fn queued(mail: &SmtpSink) -> (Service, Hospital, Uuid) {
    let hold = Behaviour { at: At::Text, does: Does::Hold, times: None };
    mail.behave_to("coordinator@hospital.example", hold);
    let url = mail.url();
    let settings = [("SMTP_URL", url.as_str()), ("NAZORG_WORKER_CONCURRENCY", "1")];
    let service = Service::start_with(Ground::new(Leg::from_env()), BEGINNING, &settings).await;
    let mut hospital = Hospital::found(&service).await;
    hospital.publish(ROUNDS).await;
    hospital.open("nurse", (EVENT, REPORTED), None).await;
    hospital.publish(MOVABLE).await;
    hospital.register_agreeing("anna").await;
    let case = hospital.open("anna", (EVENT, REPORTED), None).await;
    hospital.assign(case, "peer_supporter", "peer").await;
    service.travel_to("2026-12-02T06:59:49Z").await;
    service.clock.move_to(ROUND.parse().unwrap());
    service.app().bell.ring();
    mail.wait_for_held(PATIENCE).await;
    service.clock.move_to(MORNING.parse().unwrap());
    let (app, began) = (service.app(), Instant::now());
    loop {
        app.bell.ring();
        let leased = jobs::Entity::find().filter(jobs::Column::LeaseUntil.gt(app.clock.wall()));
        let leased = leased.all(app.db.reader()).await.unwrap();
        let of = |kind| leased.iter().filter(|job| job.kind == kind).count();
        if of(JobKind::Message) >= 2 && of(JobKind::FollowUp) >= 1 {
            return (service, hospital, case);
        }
        assert!(began.elapsed() < PATIENCE, "not all are leased: {leased:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn p28_what_is_rescheduled_while_it_is_queued_goes_at_its_new_moment_only() {
    let mail = SmtpSink::start().await;
    let (service, hospital, case) = queued(&mail).await;
    for step in ["ask", "talk"] {
        let id = hospital.step(case, step).await["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/follow-ups/{id}/reschedule");
        hospital.coordinator.post(&path, json!({"dueAt": MOVED})).await.expect(200);
    }
    let times = |name: &str| mail.seen().iter().filter(|one| one.to == [format!("{name}@hospital.example")]).count();
    mail.release();
    service.drain().await;
    assert_eq!((times("anna"), times("peer")), (0, 0), "the old moment is nobody's any more");
    service.travel_to("2026-12-03T09:59:59Z").await;
    assert_eq!((times("anna"), times("peer")), (0, 0), "nor any before the new one");
    service.travel_to(MOVED).await;
    assert_eq!((times("anna"), times("peer")), (1, 1));
    service.travel_to("2026-12-03T18:00:00Z").await;
    assert_eq!((times("anna"), times("peer")), (1, 1));
    let ends: Vec<Value> = hospital.messages(case).await.into_iter().map(|one| one["status"].clone()).collect();
    assert!(ends.contains(&json!("cancelled")), "what was announced for the old moment was called off: {ends:?}");
    service.is_balanced().await;
}

/// Makes the case's trajectory unreadable, or readable again.
async fn surround(service: &Service, with: &Value) {
    let column = trajectories::Column::Surroundings;
    let change = trajectories::Entity::update_many().col_expr(column, Expr::value(with.clone()));
    change.exec(service.app().db.reader()).await.unwrap();
}

/// The turns there are, in order.
async fn turns(service: &Service) -> Vec<i32> {
    let rows = follow_ups::Entity::find().all(service.app().db.reader()).await.unwrap();
    let mut turns: Vec<_> = rows.iter().map(|row| row.occurrence).collect();
    turns.sort_unstable();
    turns
}

#[tokio::test]
async fn p29_the_next_turn_comes_once_though_five_attempts_failed() {
    let mail = SmtpSink::start().await;
    let url = mail.url();
    let service = Service::start_with(Ground::new(Leg::from_env()), OPENED, &[("SMTP_URL", url.as_str())]).await;
    let app = service.app();
    let daily = ONE_MORNING.replace("    offset: P14D\n", "    repeat: {every: P1D, until: {count: 3}}\n");
    let morning = Morning::found(app, &daily).await;
    morning.open_at(app, 0, OPENED.parse().unwrap()).await;
    service.drain().await;
    assert_eq!(turns(&service).await, [1]);

    let sound = trajectories::Entity::find().one(app.db.reader()).await.unwrap().unwrap().surroundings;
    surround(&service, &json!({"zone": 3})).await;
    service.clock.move_to("2026-12-18T09:00:00Z".parse().unwrap());
    for attempt in 1..=5 {
        service.drain().await;
        let job = jobs::Entity::find().one(app.db.reader()).await.unwrap().unwrap();
        assert_eq!((job.attempts, job.given_up_at), (attempt, None), "{job:?}");
        service.clock.pass(TimeDelta::hours(1));
    }
    surround(&service, &sound).await;
    service.clock.pass(TimeDelta::hours(1));
    service.drain().await;
    assert_eq!((turns(&service).await, mail.accepted().len()), (vec![1, 2], 1));
    service.travel_to("2026-12-25T12:00:00Z").await;
    assert_eq!((turns(&service).await, mail.accepted().len()), (vec![1, 2, 3], 3));
    service.is_balanced().await;
}
