//! What is owed is written with what makes it owed, and neither without the other.

use std::time::Duration;

use nazorg::domain::{
    Context, cases,
    entities::{JobKind, Role, cases as kept, jobs},
    idempotency::{self, Entered, IdempotencyKey, Pending, StoredAnswer},
};
use nazorg_tests::{
    client::{With, fresh_key},
    morning::{Morning, OPENED, operator},
    service::{Ground, Leg, Service},
    smtp_sink::SmtpSink,
};
use reqwest::Method;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use uuid::Uuid;

use super::{Chance, size};

/// Of one case: the talk and the question.
const FOLLOW_UPS: usize = 2;

async fn enter(cx: Context<'_>) -> Pending<'_> {
    let raw = fresh_key();
    let key = IdempotencyKey { raw: &raw, route: "POST /v1/cases", body: b"{}" };
    match idempotency::enter(cx, &key).await.unwrap() {
        Entered::Fresh(pending) => pending,
        Entered::Replayed(answer) => panic!("a fresh key was answered {answer:?}"),
    }
}

async fn leave(pending: Pending<'_>) {
    let answer = StoredAnswer { status: 201, headers: Vec::new(), body: "{}".to_owned() };
    idempotency::leave(pending, &answer).await.unwrap();
}

/// Whose follow-ups are owed a look.
async fn owed(service: &Service) -> Vec<Uuid> {
    let jobs = jobs::Entity::find().filter(jobs::Column::Kind.eq(JobKind::FollowUp));
    jobs.all(service.app().db.reader()).await.unwrap().iter().map(|job| job.subject).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p01_what_is_committed_is_owed_and_what_is_rolled_back_is_not() {
    let requests = size("PROMISES_ABORTS", 100);
    let service = Service::start_with(Ground::new(Leg::from_env()), OPENED, &[]).await;
    let (app, mut chance) = (service.app(), Chance::new());
    let morning = Morning::prepare(app, 0, 1).await;
    let person = morning.person(app, "person@home.example").await;
    let peer = morning.person(app, "peer@staff.example").await;
    let mut committed = Vec::new();
    for _ in 0..requests {
        let pending = enter(operator(app, morning.organisation)).await;
        let new = morning.case(person, peer, OPENED.parse().unwrap());
        match chance.below(3) {
            0 => {
                committed.push(cases::open(&pending.cx, new).await.unwrap().id);
                leave(pending).await;
            }
            1 => {
                cases::open(&pending.cx, new).await.unwrap();
                drop(pending);
            }
            // Cut off somewhere in the middle.
            _ => {
                let cut = Duration::from_micros(chance.below(20_000));
                let _ = tokio::time::timeout(cut, cases::open(&pending.cx, new)).await;
                drop(pending);
            }
        }
    }
    println!("P01: {} of {requests} committed", committed.len());
    let mut found: Vec<_> =
        kept::Entity::find().all(app.db.reader()).await.unwrap().into_iter().map(|case| case.id).collect();
    found.sort_unstable();
    committed.sort_unstable();
    assert_eq!(found, committed);
    assert_eq!(owed(&service).await.len(), FOLLOW_UPS * committed.len());
    service.is_balanced().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p02_what_is_not_committed_is_invisible_though_its_time_has_come() {
    let mail = SmtpSink::start().await;
    let url = mail.url();
    let service = Service::start_with(Ground::new(Leg::from_env()), OPENED, &[("SMTP_URL", url.as_str())]).await;
    let app = service.app();
    let morning = Morning::prepare(app, 0, 1).await;
    let person = morning.person(app, "person@home.example").await;
    let peer = morning.person(app, "peer@staff.example").await;
    service.drain().await;

    let pending = enter(operator(app, morning.organisation)).await;
    cases::open(&pending.cx, morning.case(person, peer, Morning::wave(0) - chrono::TimeDelta::days(14))).await.unwrap();
    service.clock.move_to(Morning::wave(0));
    app.bell.ring();
    tokio::time::sleep(Duration::from_millis(1_500)).await; // three looks of the relay
    assert_eq!((owed(&service).await.len(), mail.seen().len()), (0, 0));
    leave(pending).await;
    service.drain().await;
    assert_eq!(mail.accepted().len(), 2);
    service.is_balanced().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p04_one_key_fifty_times_at_once_opens_one_case_and_owes_it_once() {
    let mail = SmtpSink::start().await;
    let url = mail.url();
    let service = Service::start_with(Ground::new(Leg::from_env()), OPENED, &[("SMTP_URL", url.as_str())]).await;
    let app = service.app();
    let morning = Morning::prepare(app, 0, 1).await;
    let person = morning.person(app, "person@home.example").await;
    let peer = morning.person(app, "peer@staff.example").await;
    let client = service.key(morning.organisation, Role::Coordinator, None).await;
    let event = Morning::wave(0) - chrono::TimeDelta::days(14);
    let body = json!({
        "personId": person.0,
        "protocolId": morning.protocol.0,
        "anchors": [{"anchor": "event_at", "at": event}, {"anchor": "reported_at", "at": event}],
        "assignments": [{"role": "peer_supporter", "personId": peer.0}],
    });
    let key = fresh_key();
    let posts = (0..50).map(|_| {
        let with = With { idempotency_key: Some(key.clone()), ..With::default() };
        client.send(Method::POST, "/v1/cases", Some(body.clone()), with)
    });
    let answers = futures::future::join_all(posts).await;
    let replayed = |one: &&nazorg_tests::client::Answer| one.header("Idempotency-Replayed").is_some();
    let (said_yes, waiting): (Vec<_>, Vec<_>) = answers.iter().partition(|one| one.status == 201);
    let fresh = said_yes.len() - said_yes.iter().copied().filter(replayed).count();
    println!("P04: {fresh} fresh, {} replayed, {} told to wait", said_yes.len() - fresh, waiting.len());
    assert_eq!(fresh, 1);
    assert!(said_yes.iter().all(|one| one.id() == said_yes[0].id()));
    waiting.into_iter().for_each(|one| _ = one.clone().refused(409, "idempotency_in_progress"));
    assert_eq!(kept::Entity::find().all(app.db.reader()).await.unwrap().len(), 1);
    assert_eq!(owed(&service).await.len(), FOLLOW_UPS);
    service.clock.move_to(Morning::wave(0));
    service.drain().await;
    assert_eq!(mail.accepted().len(), 2, "one reminder, one question");
    service.is_balanced().await;
}
