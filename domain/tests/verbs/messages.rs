//! Messages between their moment and the provider's answer: judged, marked, settled, and accounted for.

mod together;

use std::time::Duration;

use chrono::TimeDelta;
use nazorg_domain::{
    cases::{self, Case, NewCase},
    entities::{
        ChannelKind, ClosedReason, ContactMode, Instant, JobKind, MessageStatus, PersonId, ProtocolId, Role, Safe,
        Voicemail, jobs as table,
    },
    error::{Error, ViolationCode},
    events, follow_ups, jobs, ledger,
    messages::{self, Delivered, Filter, Message, Sending, Template, ToSend, rules::Report},
    people::{
        PersonChange,
        consents::{self, NewConsent},
        contact_points::{self, NewContactPoint},
        relations,
    },
    protocol_versions::{self, Origin},
    staff::absences,
};
use sea_orm::{ConnectionTrait, EntityTrait};

use crate::support::{House, fresh_app, violation};

const PROTOCOL: &str = r#"
protocol: small
title: {nl: Klein}
kind: recovery_coaching
record_profile: PROFILE
anchors: {event_at: required}
roles: [coach, coordinator]
steps:
  - {step: talk, title: {nl: Gesprek}, actor: coach, action: talk, anchor: event_at, offset: PT2H,
     window: {closes: P2D}, remind: [{to: actor, before_due: PT1H}], escalate: [{to: coordinator, after_close: PT0S}],
     outcomes: {held: []}}
  - {step: call, title: {nl: Bellen}, actor: coach, action: task, anchor: event_at, offset: PT2H,
     window: {closes: P2D}, remind: [{to: actor, before_due: PT1H}], outcomes: {done: []}}
  - {step: ask, title: {nl: Vraag}, actor: coach, action: message, message: {to: person, template: checkin}, anchor: event_at,
     offset: PT1H, window: {closes: P9D}, outcomes: {answered: []}}
  - {step: ask_again, title: {nl: Vraag}, actor: coach, action: message, message: {to: person, template: survey},
     anchor: event_at, offset: PT3H, window: {closes: P9D}, outcomes: {answered: []}}
  - {step: third, title: {nl: Vraag}, actor: coach, action: message, message: {to: person, template: login},
     anchor: event_at, offset: PT5H, window: {closes: P9D}, outcomes: {answered: []}}
  - {step: family, title: {nl: Naaste}, actor: coach, action: message, message: {to: close_one, template: family_checkin},
     anchor: event_at, offset: PT1H, window: {closes: P9D}, outcomes: {answered: []}}
"#;

/// A house with one case: Anna's, supported by Coach.
struct Story {
    house: House,
    anna: PersonId,
    coach: PersonId,
    protocol: ProtocolId,
    case: Case,
}

impl Story {
    async fn begin(profile: &str) -> Self {
        let house = fresh_app().await;
        let (anna, coach) = (house.person("Anna").await.id, house.person("Coach").await.id);
        let admin = house.cx(Role::Admin);
        let origin = Origin::Text(PROTOCOL.replace("PROFILE", profile));
        let protocol = protocol_versions::upload(&admin, origin, true).await.unwrap();
        let case = cases::open(&house.coordinator(), new_case(anna, coach, protocol.id, admin.now)).await.unwrap();
        let story = Self { house, anna, coach, protocol: protocol.id, case };
        story.reachable(coach, "coach@example.org", Safe::Unknown).await;
        story
    }

    /// …in which Anna agreed to messages and can be reached.
    async fn with_anna() -> Self {
        let story = Self::begin("support_file").await;
        story.reachable(story.anna, "anna@example.org", Safe::Unknown).await;
        story.agrees(story.anna, "messages", None).await;
        story
    }

    async fn reachable(&self, person: PersonId, address: &str, safe: Safe) {
        let point = NewContactPoint {
            channel: ChannelKind::Email,
            address: address.to_owned(),
            safe,
            expires_at: None,
            allowed: None,
            voicemail: Voicemail::No,
            contact_mode: ContactMode::WeContact,
            preference: 1,
        };
        contact_points::create(&self.house.coordinator(), person, point).await.unwrap();
    }

    async fn agrees(&self, person: PersonId, purpose: &str, towards: Option<PersonId>) -> consents::Consent {
        let consent = NewConsent {
            purpose: purpose.to_owned(),
            recipient_person_id: towards,
            recipient: None,
            items: Vec::new(),
            legal_basis: "consent".to_owned(),
            given_by: "self".to_owned(),
            valid_from: None,
            valid_until: None,
        };
        consents::give(&self.house.coordinator(), person, consent).await.unwrap()
    }

    /// Everything owed by now is done; what goes out is answered by `provider`. Answers what went out.
    async fn drain(&self, provider: impl Fn(&ToSend) -> Sending) -> Vec<ToSend> {
        let mut out = Vec::new();
        loop {
            let batches = jobs::lease_due(&self.house.app, 1_000).await.unwrap();
            if batches.is_empty() {
                return out;
            }
            for batch in batches {
                if batch.kind == JobKind::FollowUp {
                    follow_ups::wake(&self.house.app, &batch).await.unwrap();
                    continue;
                }
                let marked = messages::take(&self.house.app, &batch).await.unwrap();
                out.extend(marked.iter().cloned());
                let delivered =
                    marked.into_iter().map(|message| Delivered { result: provider(&message), message }).collect();
                messages::settle(&self.house.app, delivered).await.unwrap();
            }
        }
    }

    async fn hours_later(&self, hours: i64) -> Vec<String> {
        self.house.later(TimeDelta::hours(hours));
        self.drain(taken).await.iter().map(word).collect()
    }

    async fn all(&self) -> Vec<Message> {
        messages::list(&self.house.coordinator(), &Filter::default(), None, 100).await.unwrap()
    }

    /// How the messages of this template stand.
    async fn stand(&self, template: &str) -> Vec<String> {
        let all = self.all().await;
        let of = all.iter().filter(|message| message.template == template);
        of.map(|one| format!("{} {}", one.status, one.reason.as_deref().unwrap_or("-"))).collect()
    }

    async fn tasks(&self) -> Vec<String> {
        let filter = follow_ups::Filter { case_ids: vec![self.case.id], ..follow_ups::Filter::default() };
        let all = follow_ups::list(&self.house.coordinator(), &filter, None, 100).await.unwrap();
        all.into_iter().filter(|one| one.step.starts_with("task:")).map(|one| one.step).collect()
    }

    async fn assert_balanced(&self) {
        let ledger = ledger::read(&self.house.coordinator(), ledger::Extent::default()).await.unwrap();
        assert_eq!(ledger.unaccounted, 0, "{:?}", ledger.findings);
    }
}

fn new_case(person: PersonId, coach: PersonId, protocol: ProtocolId, event: Instant) -> NewCase {
    NewCase {
        person_id: person,
        unit_id: None,
        relation_id: None,
        protocol_id: protocol,
        anchors: vec![("event_at".to_owned(), event)],
        params: Vec::new(),
        assignments: vec![("coach".to_owned(), coach)],
        involvement_id: None,
        external_refs: Vec::new(),
    }
}

fn taken(_: &ToSend) -> Sending {
    Sending::Taken { provider_id: Some("p-1".to_owned()) }
}

fn not_taken(retry: Option<u64>) -> Sending {
    let retry = retry.map(Duration::from_secs);
    Sending::NotTaken { reason: "smtp_refused_451".to_owned(), code: "smtp_refused", retry }
}

fn perhaps(_: &ToSend) -> Sending {
    let retry = Some(Duration::from_secs(10));
    Sending::Perhaps { reason: "smtp_no_reply".to_owned(), code: "smtp_no_reply", retry }
}

fn word(message: &ToSend) -> String {
    format!("{} {} x{}", message.address, message.template.as_str(), message.count)
}

#[tokio::test]
async fn without_consent_nothing_goes_and_it_says_why() {
    let story = Story::begin("support_file").await;
    story.reachable(story.anna, "anna@example.org", Safe::Unknown).await;
    assert_eq!(story.hours_later(1).await, ["coach@example.org task x2"]);
    assert_eq!(story.stand("checkin").await, ["suppressed no_consent"]);
    let consent = story.agrees(story.anna, "messages", None).await;
    consents::revoke(&story.house.coordinator(), consent.id).await.unwrap();
    story.hours_later(2).await;
    assert_eq!(story.stand("survey").await, ["suppressed consent_revoked"]);
    assert!(story.tasks().await.is_empty());
    story.assert_balanced().await;
}

#[tokio::test]
async fn in_a_safety_file_an_unknown_address_becomes_a_task_for_the_coach() {
    let story = Story::begin("safety_file").await;
    story.reachable(story.anna, "anna@example.org", Safe::Unknown).await;
    story.agrees(story.anna, "messages", None).await;
    story.hours_later(1).await;
    assert_eq!(story.stand("checkin").await, ["suppressed unsafe_contact_point"]);
    assert_eq!(story.tasks().await, ["task:unsafe_contact_point"]);
    story.reachable(story.anna, "safe@example.org", Safe::Yes).await;
    assert_eq!(story.hours_later(2).await, ["safe@example.org survey x1"]);
    story.assert_balanced().await;
}

#[tokio::test]
async fn a_close_one_needs_both_consents() {
    let story = Story::with_anna().await;
    let bo = story.house.person("Bo").await.id;
    relations::create(&story.house.coordinator(), story.anna, bo, "close_one".to_owned()).await.unwrap();
    story.reachable(bo, "bo@example.org", Safe::Unknown).await;
    story.agrees(bo, "messages", None).await;
    story.agrees(story.anna, "inform_family", Some(bo)).await;
    assert!(story.hours_later(1).await.contains(&"bo@example.org family.checkin x1".to_owned()));
    story.assert_balanced().await;
}

#[tokio::test]
async fn do_not_contact_takes_effect_at_once() {
    let story = Story::with_anna().await;
    let change = PersonChange { do_not_contact: Some(true), ..PersonChange::default() };
    nazorg_domain::people::change(&story.house.coordinator(), story.anna, 1, change).await.unwrap();
    assert_eq!(story.hours_later(1).await, ["coach@example.org task x2"]);
    assert_eq!(story.stand("checkin").await, ["suppressed do_not_contact"]);
}

#[tokio::test]
async fn what_the_provider_refuses_is_tried_again_and_at_last_a_task() {
    let story = Story::with_anna().await;
    story.house.later(TimeDelta::hours(1));
    assert_eq!(story.drain(|_| not_taken(Some(30))).await.len(), 2);
    assert_eq!(story.stand("checkin").await, ["pending smtp_refused_451"]);
    let rows = table::Entity::find().all(story.house.app.db.reader()).await.unwrap();
    let failed: Vec<_> = rows.iter().filter(|row| row.kind == JobKind::Message && row.attempts == 1).collect();
    assert_eq!(failed.len(), 2, "one for Anna and one digest for Coach");
    assert_eq!(jobs::outstanding(&story.house.app).await.unwrap(), 0, "nobody has them in hand");
    assert!(story.drain(taken).await.is_empty(), "not before the pause is over");
    story.house.app.db.reader().execute_unprepared("UPDATE jobs SET retry_at = NULL").await.unwrap();
    let again: Vec<_> = story.drain(|_| not_taken(None)).await.iter().map(word).collect();
    assert!(again.contains(&"coach@example.org task x2".to_owned()), "the digest still speaks for both: {again:?}");
    assert_eq!(story.stand("checkin").await, ["failed smtp_refused_451"]);
    assert_eq!(story.tasks().await, ["task:not_delivered"]);
    story.assert_balanced().await;
}

#[tokio::test]
async fn what_waits_for_the_morning_failed_as_often_as_before() {
    let story = Story::with_anna().await;
    story.house.later(TimeDelta::hours(1));
    story.drain(|_| not_taken(Some(30))).await;
    story.house.app.db.reader().execute_unprepared("UPDATE jobs SET retry_at = NULL").await.unwrap();
    assert!(story.hours_later(12).await.iter().all(|one| !one.starts_with("anna")), "ten in the evening");
    assert_eq!(story.stand("checkin").await, ["pending quiet_hours"]);
    let rows = table::Entity::find().all(story.house.app.db.reader()).await.unwrap();
    let waits = rows.iter().filter(|row| row.kind == JobKind::Message && row.due_at > story.house.coordinator().now);
    assert!(waits.clone().any(|row| row.attempts == 1), "{:?}", waits.collect::<Vec<_>>());
}

#[tokio::test]
async fn what_a_digest_spoke_for_is_said_when_the_digest_is_not_sent_after_all() {
    let story = Story::with_anna().await;
    story.house.later(TimeDelta::hours(1));
    story.drain(|_| not_taken(Some(60))).await;
    let tasks: Vec<_> = story.all().await.into_iter().filter(|one| one.template == "task").collect();
    let [leader, merged] = &tasks[..] else { panic!("{tasks:?}") };
    assert_eq!((leader.status, merged.merged_into), (MessageStatus::Pending, Some(leader.id)));
    // What the digest itself was about is done before its next try.
    let done = follow_ups::read(&story.house.coordinator(), leader.follow_up_id).await.unwrap();
    let outcome = if done.step == "talk" { "held" } else { "done" };
    follow_ups::complete(&story.house.coordinator(), done.id, outcome.to_owned()).await.unwrap();
    story.house.app.db.reader().execute_unprepared("UPDATE jobs SET retry_at = NULL").await.unwrap();
    let again: Vec<_> = story.drain(taken).await;
    let coach: Vec<_> = again.iter().filter(|one| one.template == Template::Task).collect();
    assert_eq!(coach.iter().map(|one| (one.id, one.count)).collect::<Vec<_>>(), [(merged.id, 1)]);
    assert_eq!(story.stand("task").await, ["cancelled follow_up_final", "sent -"]);
    story.assert_balanced().await;
}

#[tokio::test]
async fn an_unknown_end_is_final_for_a_person_and_repeated_for_staff() {
    let story = Story::with_anna().await;
    story.house.later(TimeDelta::hours(1));
    story.drain(perhaps).await;
    assert_eq!(story.stand("checkin").await, ["unknown smtp_no_reply"]);
    assert_eq!(story.stand("task").await, ["pending smtp_no_reply", "merged digest"]);
    assert_eq!(story.tasks().await, ["task:delivery_unknown"]);
    story.house.app.db.reader().execute_unprepared("UPDATE jobs SET retry_at = NULL").await.unwrap();
    let again: Vec<_> = story.drain(taken).await.iter().map(word).collect();
    assert_eq!(again, ["coach@example.org task x2"]);
    story.assert_balanced().await;
}

#[tokio::test]
async fn a_worker_that_died_while_sending_doubles_nothing_to_a_person() {
    let story = Story::with_anna().await;
    story.house.later(TimeDelta::hours(1));
    let mut marked = Vec::new();
    for kind in 0..3 {
        for batch in jobs::lease_due(&story.house.app, 1_000).await.unwrap() {
            match batch.kind {
                JobKind::FollowUp => _ = follow_ups::wake(&story.house.app, &batch).await.unwrap(),
                JobKind::IncidentLink | JobKind::CaseRetention | JobKind::Remains => {}
                JobKind::Message => marked.extend(messages::take(&story.house.app, &batch).await.unwrap()),
            }
        }
        assert!(kind < 2 || !marked.is_empty());
    }
    assert_eq!(marked.len(), 2);
    // …the lease lapses, and another takes over.
    let lapsed = "UPDATE jobs SET lease_until = '2020-01-01T00:00:00.000+00:00' WHERE lease_until IS NOT NULL";
    story.house.app.db.reader().execute_unprepared(lapsed).await.unwrap();
    let again = story.drain(taken).await;
    assert_eq!(again.iter().map(word).collect::<Vec<_>>(), ["coach@example.org task x2"]);
    assert!(marked.iter().any(|one| one.id == again[0].id), "the same message, so the same Message-ID");
    assert_eq!(story.stand("checkin").await, ["unknown interrupted"]);
    // The dead one wakes up and says how it ended: too late.
    let late = marked.into_iter().map(|message| Delivered { result: taken(&message), message }).collect();
    messages::settle(&story.house.app, late).await.unwrap();
    assert_eq!(story.stand("checkin").await, ["unknown interrupted"]);
    story.assert_balanced().await;
}

#[tokio::test]
async fn what_was_not_begun_goes_back_untouched() {
    let story = Story::with_anna().await;
    story.house.later(TimeDelta::hours(1));
    for _ in 0..2 {
        for batch in jobs::lease_due(&story.house.app, 1_000).await.unwrap() {
            if batch.kind == JobKind::FollowUp {
                follow_ups::wake(&story.house.app, &batch).await.unwrap();
                continue;
            }
            let marked = messages::take(&story.house.app, &batch).await.unwrap();
            let back = marked.into_iter().map(|message| Delivered { message, result: Sending::NotBegun }).collect();
            messages::settle(&story.house.app, back).await.unwrap();
        }
    }
    assert_eq!(story.stand("checkin").await, ["pending -"]);
    assert_eq!(story.drain(taken).await.len(), 2, "at once, and no attempt was counted");
    assert_eq!(story.stand("checkin").await, ["sent -"]);
}

#[tokio::test]
async fn p27_a_case_that_closes_between_due_and_sending_sends_nothing() {
    let story = Story::with_anna().await;
    story.house.later(TimeDelta::hours(1));
    for batch in jobs::lease_due(&story.house.app, 1_000).await.unwrap() {
        follow_ups::wake(&story.house.app, &batch).await.unwrap();
    }
    let leased = jobs::lease_due(&story.house.app, 1_000).await.unwrap();
    assert!(leased.iter().all(|batch| batch.kind == JobKind::Message) && !leased.is_empty());
    cases::close(&story.house.coordinator(), story.case.id, ClosedReason::EnoughForNow).await.unwrap();
    for batch in &leased {
        assert!(messages::take(&story.house.app, batch).await.unwrap().is_empty());
    }
    let all = story.all().await;
    assert!(all.iter().all(|message| message.status == MessageStatus::Cancelled), "{all:?}");
    story.assert_balanced().await;
}

#[tokio::test]
async fn more_than_two_days_late_is_a_task() {
    let story = Story::with_anna().await;
    story.house.later(TimeDelta::hours(1));
    for batch in jobs::lease_due(&story.house.app, 1_000).await.unwrap() {
        follow_ups::wake(&story.house.app, &batch).await.unwrap();
    }
    story.house.later(TimeDelta::hours(49));
    story.drain(taken).await;
    assert_eq!(story.stand("checkin").await, ["expired late"]);
    assert!(story.tasks().await.contains(&"task:message_late".to_owned()));
    story.assert_balanced().await;
}

#[tokio::test]
async fn whoever_covers_is_told_and_nobody_is_an_alarm() {
    let story = Story::begin("support_file").await;
    let cx = story.house.coordinator();
    let cover = story.house.person("Cover").await.id;
    story.reachable(cover, "cover@example.org", Safe::Unknown).await;
    let away = absences::NewAbsence {
        person_id: story.coach,
        cover_person_id: Some(cover),
        from: cx.now,
        until: cx.now + TimeDelta::days(1),
    };
    absences::create(&cx, away).await.unwrap();
    assert_eq!(story.hours_later(1).await, ["cover@example.org task x2"]);
    story.hours_later(48).await;
    assert_eq!(story.stand("overdue").await, ["failed no_recipient"], "there is no coordinator");
    story.assert_balanced().await;
}

#[tokio::test]
async fn only_a_message_that_was_sent_can_be_seen_and_only_by_whom_it_reached() {
    let story = Story::with_anna().await;
    story.hours_later(1).await;
    let all = story.all().await;
    let to_coach = all.iter().find(|one| one.recipient_id == Some(story.coach) && one.status == MessageStatus::Sent);
    let to_coach = to_coach.unwrap();
    let coach = story.house.as_person(Role::Supporter, Some(story.coach), vec![]);
    let seen = messages::acknowledge(&coach, to_coach.id).await.unwrap();
    assert_eq!(seen.acknowledged_at, Some(coach.now));
    assert_eq!(messages::acknowledge(&coach, to_coach.id).await.unwrap(), seen, "once");
    let to_anna = all.iter().find(|one| one.template == "checkin").unwrap();
    assert!(messages::acknowledge(&coach, to_anna.id).await.is_err());
    let unsent = all.iter().find(|one| one.status == MessageStatus::Suppressed).unwrap();
    let refused = messages::acknowledge(&story.house.coordinator(), unsent.id).await;
    assert_eq!(violation(refused), ViolationCode::MessageNotSent);
}

#[tokio::test]
async fn what_a_gateway_reports_is_the_last_word() {
    let story = Story::with_anna().await;
    story.hours_later(1).await;
    let all = story.all().await;
    let to_anna = all.iter().find(|one| one.template == "checkin").unwrap();
    let gateway = story.house.cx(Role::Integration);
    let said = async |report| messages::report_delivery(&gateway, to_anna.id, (report, None)).await;
    for _ in 0..2 {
        said(Report::Failed).await.unwrap();
        assert_eq!(story.stand("checkin").await, ["failed not_delivered"]);
        assert_eq!(story.tasks().await, ["task:not_delivered"], "once");
    }
    for _ in 0..2 {
        said(Report::Delivered).await.unwrap();
        assert_eq!(story.stand("checkin").await, ["sent -"]);
    }
    assert_eq!(violation(said(Report::Failed).await), ViolationCode::DeliveryContradicted);
    let after = messages::read(&story.house.coordinator(), to_anna.id).await.unwrap();
    assert_eq!((after.sent_at, after.delivered_at), (to_anna.sent_at, Some(gateway.now)));
    assert_eq!(after.version, to_anna.version + 2, "what is said again changes nothing");
    let unsent = all.iter().find(|one| one.status == MessageStatus::Suppressed).unwrap();
    let refused = messages::report_delivery(&gateway, unsent.id, (Report::Delivered, None)).await;
    assert_eq!(violation(refused), ViolationCode::MessageNotSent);
    let coach = story.house.as_person(Role::Supporter, Some(story.coach), vec![]);
    let refused = messages::report_delivery(&coach, to_anna.id, (Report::Delivered, None)).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    story.assert_balanced().await;
}

#[tokio::test]
async fn what_did_not_arrive_is_an_alarm_for_staff_and_a_task_even_when_the_case_is_closed() {
    let story = Story::with_anna().await;
    story.hours_later(1).await;
    cases::close(&story.house.coordinator(), story.case.id, ClosedReason::EnoughForNow).await.unwrap();
    let gateway = story.house.cx(Role::Integration);
    for message in story.all().await.iter().filter(|one| one.status == MessageStatus::Sent) {
        let report = (Report::Failed, Some("absent_subscriber".to_owned()));
        messages::report_delivery(&gateway, message.id, report).await.unwrap();
    }
    assert_eq!(story.stand("task").await, ["failed not_delivered", "merged digest"]);
    assert_eq!(story.tasks().await, ["task:not_delivered"]);
    events::number(&story.house.app).await.unwrap();
    let (told, _) = events::feed(&story.house.coordinator(), 0, 1_000).await.unwrap();
    let kinds = |kind: &str| told.iter().filter(|one| one.kind == kind).cloned().collect::<Vec<_>>();
    assert_eq!(kinds("alarm.raised").len(), 1, "of the coach's");
    let unsent = kinds("message.not_sent");
    let lost: Vec<_> = unsent.iter().filter(|one| one.data["gatewayReason"] == "absent_subscriber").collect();
    assert!(lost.len() == 2 && lost.iter().all(|one| one.data["reason"] == "not_delivered"), "{unsent:?}");
    story.assert_balanced().await;
}
