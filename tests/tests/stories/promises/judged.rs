//! What was planned is judged again at the moment of sending: a fact that changes while the message's job is already leased and in
//! the queue is still in time.

use std::time::{Duration, Instant};

use nazorg::domain::entities::{JobKind, jobs};
use nazorg_tests::{
    hospital::{CHECK_IN, Hospital, ROUNDS},
    service::{BEGINNING, Ground, Leg, Service},
    smtp_sink::{At, Behaviour, Does, SmtpSink},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

const EVENT: &str = "2026-12-01T06:59:50Z";
const REPORTED: &str = "2026-12-01T07:00:00Z";
/// Ten seconds before eight in Amsterdam: the round is due, and its mail is held at the mail server.
const ROUND: &str = "2026-12-02T06:59:50Z";
/// Eight: the questions that were planned in the night are due. Within the lease of the mail that is held.
const MORNING: &str = "2026-12-02T07:00:00Z";
const PATIENCE: Duration = Duration::from_secs(20);

/// Whom it happens to, and where their question ends.
const CHANGES: [(&str, &str, &str); 10] = [
    ("revoked", "suppressed", "consent_revoked"),
    ("unsafe", "suppressed", "unsafe_contact_point"),
    ("unreachable", "suppressed", "no_contact_point"),
    ("closed", "cancelled", "case_closed"),
    ("called_off", "cancelled", "no_longer_needed"),
    ("answered", "cancelled", "follow_up_final"),
    ("left_alone", "suppressed", "do_not_contact"),
    ("deceased", "suppressed", "deceased"),
    ("restricted", "suppressed", "restricted"),
    ("unchanged", "sent", ""),
];

struct Morning {
    service: Service,
    hospital: Hospital,
    mail: SmtpSink,
    cases: Vec<(&'static str, Uuid)>,
    consent: Uuid,
}

/// Every question is leased and in the queue; the worker's only hand waits for the mail server.
async fn held() -> Morning {
    let mail = SmtpSink::start().await;
    let hold = Behaviour { at: At::Text, does: Does::Hold, times: None };
    mail.behave_to("coordinator@hospital.example", hold);
    let settings = [("SMTP_URL", mail.url()), ("NAZORG_WORKER_CONCURRENCY", "1".to_owned())];
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let service = Service::start_with(Ground::new(Leg::from_env()), BEGINNING, &settings).await;
    let mut hospital = Hospital::found(&service).await;
    hospital.publish(ROUNDS).await;
    hospital.open("nurse", (EVENT, REPORTED), None).await;
    hospital.publish(CHECK_IN).await;
    let (mut cases, mut consent) = (Vec::new(), Uuid::nil());
    for (name, _, _) in CHANGES {
        let agreed = hospital.register_agreeing(name).await;
        if name == "revoked" {
            consent = agreed;
        }
        let case = hospital.open(name, (EVENT, REPORTED), None).await;
        hospital.assign(case, "peer_supporter", "peer").await;
        cases.push((name, case));
    }
    service.travel_to("2026-12-02T06:59:49Z").await;
    for (name, case) in &cases {
        let question = question(&hospital, *case).await;
        assert_eq!((&question["status"], &question["reason"]), (&json!("pending"), &json!("quiet_hours")), "{name}");
    }
    service.clock.move_to(ROUND.parse().unwrap());
    service.app().bell.ring();
    mail.wait_for_held(PATIENCE).await;
    service.clock.move_to(MORNING.parse().unwrap());
    let morning = Morning { service, hospital, mail, cases, consent };
    morning.all_leased().await;
    morning
}

async fn question(hospital: &Hospital, case: Uuid) -> Value {
    let found = hospital.messages(case).await;
    found.into_iter().find(|one| one["template"] == "checkin").unwrap()
}

impl Morning {
    /// The questions' jobs and the one that is held.
    async fn all_leased(&self) {
        let app = self.service.app();
        let begun = Instant::now();
        loop {
            app.bell.ring();
            let leased = jobs::Entity::find()
                .filter(jobs::Column::Kind.eq(JobKind::Message))
                .filter(jobs::Column::LeaseUntil.gt(app.clock.wall()));
            let leased = leased.all(app.db.reader()).await.unwrap();
            if leased.len() == CHANGES.len() + 1 && self.all_in_redis(&leased) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{} of {} are leased and queued", leased.len(), CHANGES.len() + 1);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The questions lie in Redis, where there is one: unsettled, so that none of them is done with. What is held is in a worker's hands.
    fn all_in_redis(&self, leased: &[jobs::Model]) -> bool {
        let Some(redis) = &self.service.ground.redis else { return true };
        let dump = String::from_utf8_lossy(&redis.dump()).into_owned();
        leased.iter().filter(|job| dump.contains(&job.id.0.to_string())).count() == CHANGES.len()
    }

    /// The facts change, over the API.
    async fn change(&self, name: &str, case: Uuid) {
        let (hospital, api) = (&self.hospital, &self.hospital.coordinator);
        let question = question(hospital, case).await;
        assert_eq!(question["status"], "pending", "{name} was judged already: {question}");
        match name {
            "revoked" => {
                api.post_nothing(&format!("/v1/consents/{}/revoke", self.consent)).await.expect(200);
            }
            "unsafe" => {
                let point = self.point(name).await;
                api.post(&format!("/v1/contact-points/{point}/verify"), json!({"safe": "no"})).await.expect(200);
            }
            "unreachable" => {
                let point = self.point(name).await;
                api.post_nothing(&format!("/v1/contact-points/{point}/end")).await.expect(200);
            }
            "closed" => {
                let body = json!({"reason": "enough_for_now"});
                api.post(&format!("/v1/cases/{case}/close"), body).await.expect(200);
            }
            "called_off" => {
                let id = hospital.step(case, "ask").await["id"].as_str().unwrap().to_owned();
                let body = json!({"reason": "no_longer_needed"});
                api.post(&format!("/v1/follow-ups/{id}/call-off"), body).await.expect(200);
            }
            "answered" => {
                hospital.complete(case, "ask", "answered").await;
            }
            "left_alone" => self.patch(name, json!({"doNotContact": true})).await,
            "deceased" => self.patch(name, json!({"deceased": true})).await,
            "restricted" => {
                let person = hospital.people[name];
                api.post_nothing(&format!("/v1/persons/{person}/restrict")).await.expect(200);
            }
            _ => {}
        }
    }

    async fn point(&self, name: &str) -> String {
        let person = self.hospital.people[name];
        let page = self.hospital.coordinator.get(&format!("/v1/persons/{person}/contact-points")).await.expect(200);
        page["items"][0]["id"].as_str().unwrap().to_owned()
    }

    async fn patch(&self, name: &str, body: Value) {
        let path = format!("/v1/persons/{}", self.hospital.people[name]);
        let etag = self.hospital.coordinator.get(&path).await.etag();
        self.hospital.coordinator.patch(&path, &etag, body).await.expect(200);
    }
}

#[tokio::test]
async fn p27_what_changes_while_a_message_waits_in_the_queue_is_still_in_time() {
    let morning = held().await;
    for (name, case) in &morning.cases {
        morning.change(name, *case).await;
    }
    let seen = morning.mail.seen();
    assert!(
        seen.iter().all(|mail| mail.to == ["coordinator@hospital.example"]),
        "the only hand is still held: {seen:?}"
    );
    morning.mail.release();
    morning.service.drain().await;

    let Morning { service, hospital, mail, cases, .. } = &morning;
    let mut wrong = Vec::new();
    for ((name, case), (_, status, reason)) in cases.iter().zip(CHANGES) {
        let question = question(hospital, *case).await;
        let ended = (question["status"].as_str().unwrap(), question["reason"].as_str().unwrap_or_default());
        if ended != (status, reason) {
            wrong.push(format!("{name}: {ended:?}, not {:?}", (status, reason)));
        }
        let ledger = hospital.ledger(*case).await;
        let told = ledger["messages"].as_array().unwrap().iter().any(|bucket| {
            bucket["status"] == status
                && bucket["reason"].as_str().unwrap_or_default() == reason
                && bucket["count"] == 1
        });
        if !told || ledger["unaccounted"] != 0 {
            wrong.push(format!("{name}: the ledger says {ledger}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let to: Vec<String> = mail.seen().into_iter().flat_map(|mail| mail.to).collect();
    for (name, status, _) in CHANGES {
        let mails = to.iter().filter(|to| **to == format!("{name}@hospital.example")).count();
        assert_eq!(mails, usize::from(status == "sent"), "{name}: {to:?}");
    }
    tasks(&morning).await;
    service.is_balanced().await;
}

/// A human does what no message may do: where the way is unsafe or gone, or the data may only be kept, the peer finds a task; elsewhere nothing is to be done.
async fn tasks(morning: &Morning) {
    for (name, case) in &morning.cases {
        let follow_ups = morning.hospital.follow_ups(*case).await;
        let tasks = follow_ups.iter().filter(|one| one["step"].as_str().unwrap().starts_with("task:"));
        let tasks: Vec<_> = tasks.map(|one| (one["step"].clone(), one["role"].clone())).collect();
        let wanted = match *name {
            "unsafe" => vec![(json!("task:unsafe_contact_point"), json!("peer_supporter"))],
            "unreachable" => vec![(json!("task:no_contact_point"), json!("peer_supporter"))],
            "restricted" => vec![(json!("task:restricted"), json!("peer_supporter"))],
            _ => Vec::new(),
        };
        assert_eq!(tasks, wanted, "{name}");
    }
}

/// A question that rests on a consent of its own and on a safe contact, in each way of being unmet.
const RESTS_ON: &str = r#"
protocol: rests_on
title: {nl: Navraag, en: Check-in}
kind: second_victim_peer_support
record_profile: contact_log
anchors: {event_at: required, reported_at: required}
roles: [peer_supporter]
steps:
  - {step: waits, title: {nl: Vraag, en: Question}, actor: peer_supporter, action: message, anchor: event_at, offset: P1D, at: "10:00",
     window: {closes: P4D}, requires: ["consent:research", safe_contact], outcomes: {answered: []}}
  - {step: asks_staff, title: {nl: Vraag, en: Question}, actor: peer_supporter, action: message, anchor: event_at, offset: P8D, at: "10:00",
     requires: ["consent:research"], unmet: task, outcomes: {answered: []}}
  - {step: leaves_out, title: {nl: Vraag, en: Question}, actor: peer_supporter, action: message, anchor: event_at, offset: P16D, at: "10:00",
     requires: [safe_contact], unmet: skip, outcomes: {answered: []}}
  - {step: talk, title: {nl: Gesprek, en: Talk}, actor: peer_supporter, action: talk, anchor: event_at, offset: P30D, outcomes: {held: []}}
end:
  - {all_final: [talk], close: completed}
"#;

#[tokio::test]
async fn a_step_says_what_its_messages_rest_on_besides() {
    let service = Service::start().await;
    let mut hospital = Hospital::found(&service).await;
    hospital.publish(RESTS_ON).await;
    let mut cases = Vec::new();
    for name in ["agrees", "agrees_late", "never"] {
        hospital.register_agreeing(name).await;
        let case = hospital.open(name, (EVENT, REPORTED), None).await;
        hospital.assign(case, "peer_supporter", "peer").await;
        cases.push(case);
    }
    let api = &hospital.coordinator;
    let agree = async |name: &str| {
        let path = format!("/v1/persons/{}/consents", hospital.people[name]);
        api.post(&path, json!({"purpose": "research"})).await.expect(201);
    };
    let stands = async |case: Uuid, step: &str| {
        let follow_up = hospital.step(case, step).await["id"].clone();
        let all = hospital.messages(case).await;
        let one =
            all.iter().find(|one| one["followUpId"] == follow_up && one["template"] == "checkin").unwrap().clone();
        let word = |member: &str| one[member].as_str().unwrap_or_default().to_owned();
        (word("status"), word("reason"))
    };
    let is = |status: &str, reason: &str| (status.to_owned(), reason.to_owned());
    let [agrees, late, never] = cases[..] else { panic!("three cases") };

    agree("agrees").await;
    service.travel_to("2026-12-02T09:00:00Z").await;
    assert_eq!(stands(agrees, "waits").await, is("sent", ""));
    assert_eq!(stands(late, "waits").await, is("pending", "no_consent"));
    agree("agrees_late").await;
    service.travel_to("2026-12-03T09:00:00Z").await;
    assert_eq!(stands(late, "waits").await, is("sent", ""), "judged again the next day");
    assert_eq!(stands(never, "waits").await, is("pending", "no_consent"));
    service.travel_to("2026-12-06T09:00:00Z").await;
    assert_eq!(stands(never, "waits").await, is("suppressed", "no_consent"), "its window does not last for ever");

    service.travel_to("2026-12-09T09:00:00Z").await;
    assert_eq!(stands(never, "asks_staff").await, is("suppressed", "no_consent"));
    let task = hospital.step(never, "task:no_consent").await;
    assert_eq!((&task["role"], &task["actorId"]), (&json!("peer_supporter"), &json!(hospital.people["peer"])));
    hospital.complete(never, "task:no_consent", "done").await;

    // Whose mail was safe when it was last asked about is asked again, one of them; the other's is not known to be.
    let path = format!("/v1/persons/{}/contact-points", hospital.people["never"]);
    let points = api.get(&path).await.expect(200);
    let point = points["items"][0]["id"].as_str().unwrap();
    api.post(&format!("/v1/contact-points/{point}/verify"), json!({"safe": "unknown"})).await.expect(200);
    service.travel_to("2026-12-17T09:30:00Z").await;
    assert_eq!(stands(agrees, "leaves_out").await, is("sent", ""));
    assert_eq!(stands(never, "leaves_out").await, is("suppressed", "unsafe_contact_point"));
    let tasks = hospital.follow_ups(never).await;
    let left = tasks.iter().filter(|one| one["step"].as_str().unwrap().starts_with("task:unsafe"));
    assert_eq!(left.count(), 0, "it was to be left out");
    for case in cases {
        service.travel_to("2026-12-31T12:00:00Z").await;
        hospital.complete(case, "talk", "held").await;
    }
    service.is_balanced().await;
}
