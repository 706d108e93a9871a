//! Someone close in a case of their own: it rests on a relation, and what they are sent on both consents.

use chrono::TimeDelta;
use nazorg_domain::{
    cases::{self, Case, NewCase},
    entities::{ChannelKind, ConsentId, ContactMode, JobKind, PersonId, ProtocolId, RelationId, Role, Safe, Voicemail},
    error::{Error, ViolationCode},
    follow_ups, jobs, ledger,
    messages::{self, Delivered, Filter, Sending},
    people::{
        consents::{self, NewConsent},
        contact_points::{self, NewContactPoint},
        relations,
    },
    protocol_versions::{self, Origin},
    trajectories::{self, NewTrajectory},
};

use crate::support::{House, fresh_app, violation};

/// A question every hour; `SUBJECT` says whom it is about.
const QUESTIONS: &str = r"
protocol: NAME
title: {nl: Vragen}
kind: naaste_support
record_profile: support_file
subject: SUBJECT
anchors: {event_at: required}
roles: [helper]
params: {rhythm: {default: PT24H, min: PT24H, max: PT72H}}
steps:
  - {step: ask, title: {nl: Vraag}, actor: helper, action: message, message: {to: person, template: family_checkin}, anchor: event_at,
     offset: PT1H, repeat: {every: {param: rhythm}, until: closed}, outcomes: {answered: []}}
";

/// Anna is supported; Bo is her sister.
struct Sisters {
    house: House,
    anna: PersonId,
    bo: PersonId,
    relation: RelationId,
    about_close_one: ProtocolId,
    about_person: ProtocolId,
}

async fn sisters() -> Sisters {
    let house = fresh_app().await;
    let (anna, bo) = (house.person("Anna").await.id, house.person("Bo").await.id);
    let relation = relations::create(&house.coordinator(), anna, bo, "close_one".to_owned()).await.unwrap().id;
    let publish = async |name: &str, subject: &str| {
        let text = QUESTIONS.replace("NAME", name).replace("SUBJECT", subject);
        protocol_versions::upload(&house.cx(Role::Admin), Origin::Text(text), true).await.unwrap().id
    };
    let (about_close_one, about_person) = (publish("sister", "close_one").await, publish("self", "person").await);
    let point = NewContactPoint {
        channel: ChannelKind::Email,
        address: "bo@example.org".to_owned(),
        safe: Safe::Yes,
        expires_at: None,
        allowed: None,
        voicemail: Voicemail::No,
        contact_mode: ContactMode::WeContact,
        preference: 1,
    };
    contact_points::create(&house.coordinator(), bo, point).await.unwrap();
    Sisters { house, anna, bo, relation, about_close_one, about_person }
}

impl Sisters {
    async fn open(&self, person: PersonId, protocol: ProtocolId, relation: Option<RelationId>) -> Result<Case, Error> {
        let cx = self.house.coordinator();
        let new = NewCase {
            person_id: person,
            unit_id: None,
            relation_id: relation,
            protocol_id: protocol,
            anchors: vec![("event_at".to_owned(), cx.now)],
            params: Vec::new(),
            assignments: vec![],
            involvement_id: None,
            external_refs: vec![],
        };
        cases::open(&cx, new).await
    }

    /// What is wrong with opening it.
    async fn refused(&self, person: PersonId, protocol: ProtocolId, relation: Option<RelationId>) -> String {
        match self.open(person, protocol, relation).await {
            Err(Error::Invalid(errors)) => format!("{} {}", errors[0].pointer, errors[0].code),
            other => panic!("{other:?}"),
        }
    }

    async fn agrees(&self, person: PersonId, purpose: &str, towards: Option<PersonId>) -> ConsentId {
        let consent = NewConsent {
            purpose: purpose.to_owned(),
            recipient_person_id: towards,
            recipient: None,
            items: vec![],
            legal_basis: "consent".to_owned(),
            given_by: "self".to_owned(),
            valid_from: None,
            valid_until: None,
        };
        consents::give(&self.house.coordinator(), person, consent).await.unwrap().id
    }

    /// A day goes by; how the questions stand, the oldest first.
    async fn a_day_later(&self) -> Vec<String> {
        self.house.later(TimeDelta::hours(24));
        loop {
            let batches = jobs::lease_due(&self.house.app, 1_000).await.unwrap();
            if batches.is_empty() {
                break;
            }
            for batch in batches {
                if batch.kind == JobKind::FollowUp {
                    follow_ups::wake(&self.house.app, &batch).await.unwrap();
                    continue;
                }
                let marked = messages::take(&self.house.app, &batch).await.unwrap();
                let taken = |message| Delivered { result: Sending::Taken { provider_id: None }, message };
                messages::settle(&self.house.app, marked.into_iter().map(taken).collect()).await.unwrap();
            }
        }
        let all = messages::list(&self.house.coordinator(), &Filter::default(), None, 100).await.unwrap();
        all.iter().map(|one| format!("{} {}", one.status, one.reason.as_deref().unwrap_or("-"))).collect()
    }
}

#[tokio::test]
async fn a_case_about_someone_close_rests_on_a_relation_in_which_they_are_the_other() {
    let sisters = sisters().await;
    let (anna, bo, relation) = (sisters.anna, sisters.bo, sisters.relation);
    assert_eq!(sisters.refused(bo, sisters.about_close_one, None).await, "/relationId required");
    assert_eq!(sisters.refused(anna, sisters.about_close_one, Some(relation)).await, "/relationId conflict");
    assert_eq!(sisters.refused(bo, sisters.about_person, Some(relation)).await, "/relationId conflict");
    let unheard_of = RelationId(uuid::Uuid::from_u128(7));
    assert_eq!(sisters.refused(bo, sisters.about_close_one, Some(unheard_of)).await, "/relationId unknown");
    let case = sisters.open(bo, sisters.about_close_one, Some(relation)).await.unwrap();
    assert_eq!(cases::read(&sisters.house.coordinator(), case.id).await.unwrap().relation_id, Some(relation));
    let new = NewTrajectory { protocol_id: sisters.about_person, anchors: vec![], params: vec![] };
    let refused = trajectories::start(&sisters.house.coordinator(), case.id, new).await;
    assert_eq!(violation(refused), ViolationCode::SubjectDiffers);
    relations::end(&sisters.house.coordinator(), relation).await.unwrap();
    assert_eq!(sisters.refused(bo, sisters.about_close_one, Some(relation)).await, "/relationId ended");
}

#[tokio::test]
async fn when_either_withdraws_she_is_sent_nothing_more() {
    let sisters = sisters().await;
    let (anna, bo) = (sisters.anna, sisters.bo);
    sisters.open(bo, sisters.about_close_one, Some(sisters.relation)).await.unwrap();
    let own = sisters.agrees(bo, "messages", None).await;
    // Anna agreed to messages to herself, and to telling somebody else: neither is a consent towards Bo.
    sisters.agrees(anna, "messages", None).await;
    sisters.agrees(anna, "inform_family", Some(anna)).await;
    assert_eq!(sisters.a_day_later().await, ["suppressed no_consent"]);
    let towards = sisters.agrees(anna, "inform_family", Some(bo)).await;
    assert_eq!(sisters.a_day_later().await[1..], ["sent -"]);
    consents::revoke(&sisters.house.coordinator(), towards).await.unwrap();
    assert_eq!(sisters.a_day_later().await[2..], ["suppressed consent_revoked"]);
    sisters.agrees(anna, "inform_family", Some(bo)).await;
    assert_eq!(sisters.a_day_later().await[3..], ["sent -"]);
    consents::revoke(&sisters.house.coordinator(), own).await.unwrap();
    assert_eq!(sisters.a_day_later().await[4..], ["suppressed consent_revoked"]);
    sisters.agrees(bo, "messages", None).await;
    relations::end(&sisters.house.coordinator(), sisters.relation).await.unwrap();
    assert_eq!(sisters.a_day_later().await[5..], ["suppressed relation_ended"]);
    let ledger = ledger::read(&sisters.house.coordinator(), ledger::Extent::default()).await.unwrap();
    assert_eq!(ledger.unaccounted, 0, "{:?}", ledger.findings);
}

#[tokio::test]
async fn a_rhythm_is_set_within_its_bounds_and_shown() {
    let sisters = sisters().await;
    let case = sisters.open(sisters.anna, sisters.about_person, None).await.unwrap();
    let cx = sisters.house.coordinator();
    let id = trajectories::list(&cx, case.id).await.unwrap()[0].id;
    let shown = async || -> Vec<String> {
        let params = trajectories::read(&cx, id).await.unwrap().params;
        params.into_iter().map(|(name, value)| format!("{name} {value}")).collect()
    };
    assert_eq!(shown().await, ["rhythm PT24H"]);
    trajectories::set_param(&cx, id, "rhythm".to_owned(), "PT48H").await.unwrap();
    assert_eq!(shown().await, ["rhythm PT48H"]);
    let set = async |param: &str, value: &str| trajectories::set_param(&cx, id, param.to_owned(), value).await;
    assert_eq!(violation(set("rhythm", "PT96H").await), ViolationCode::ParamOutOfBounds);
    assert_eq!(violation(set("rhythm", "P2W").await), ViolationCode::ParamOutOfBounds);
    assert_eq!(violation(set("tempo", "PT48H").await), ViolationCode::UnknownParam);
    assert!(matches!(set("rhythm", "often").await, Err(Error::Invalid(_))));
    let ledger = ledger::read(&cx, ledger::Extent::default()).await.unwrap();
    assert_eq!(ledger.unaccounted, 0, "{:?}", ledger.findings);
}
