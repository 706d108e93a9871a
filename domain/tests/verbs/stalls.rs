//! An open trajectory in which nothing will happen any more is found by the ledger, and a newer version of its protocol does not
//! reach it.

use nazorg_domain::{
    cases::{self, Case, NewCase},
    entities::{ClosedReason, PersonId, ProtocolId, Role},
    follow_ups, ledger,
    protocol_versions::{self, Origin},
};

use crate::support::{House, fresh_app};

/// One contact; who is not reached is forgotten, for nobody wrote what comes then. The question afterwards waits for the closing.
const FORGETS: &str = r"
protocol: contact_once
title: {nl: Navraag, en: Check-in}
kind: recovery_coaching
record_profile: support_file
anchors: {event_at: required}
roles: [helper]
steps:
  - {step: contact, title: {nl: Contact, en: Contact}, actor: helper, action: contact, anchor: event_at, offset: P1D,
     outcomes: {held: [{close: completed}], unreachable: []}}
  - {step: afterwards, title: {nl: Na afloop, en: Afterwards}, actor: helper, action: contact, anchor: closed_at, offset: P3M, after_close: true,
     requires: [opt_in], unmet: skip, outcomes: {well: []}}
  - {step: long_afterwards, title: {nl: Veel later, en: Long afterwards}, actor: helper, action: contact, anchor: afterwards.final_at, offset: P3M,
     after_close: true, outcomes: {well: []}}
";

async fn publish(house: &House, text: &str) -> ProtocolId {
    let origin = Origin::Text(text.to_owned());
    protocol_versions::upload(&house.cx(Role::Admin), origin, true).await.unwrap().id
}

async fn open(house: &House, person: PersonId, protocol: ProtocolId) -> Case {
    let cx = house.coordinator();
    let new = NewCase {
        person_id: person,
        unit_id: None,
        relation_id: None,
        protocol_id: protocol,
        anchors: vec![("event_at".to_owned(), cx.now)],
        params: Vec::new(),
        assignments: Vec::new(),
        involvement_id: None,
        external_refs: Vec::new(),
    };
    cases::open(&cx, new).await.unwrap()
}

async fn not_reached(house: &House, case: &Case) {
    let cx = house.coordinator();
    let filter = follow_ups::Filter { case_ids: vec![case.id], ..Default::default() };
    let contact = follow_ups::list(&cx, &filter, None, 100).await.unwrap();
    let contact = contact.into_iter().find(|one| one.step == "contact").unwrap();
    follow_ups::complete(&cx, contact.id, "unreachable".to_owned()).await.unwrap();
}

async fn unaccounted(house: &House) -> Vec<(&'static str, i64)> {
    let ledger = ledger::read(&house.coordinator(), ledger::Extent::default()).await.unwrap();
    ledger.reasons.into_iter().collect()
}

#[tokio::test]
async fn who_is_forgotten_is_found_although_aftercare_waits() {
    let house = fresh_app().await;
    let protocol = publish(&house, FORGETS).await;
    let person = house.person("Anna").await.id;
    let case = open(&house, person, protocol).await;
    assert_eq!(unaccounted(&house).await, []);
    not_reached(&house, &case).await;
    assert_eq!(unaccounted(&house).await, [("trajectory_stalled", 1)]);
    cases::close(&house.coordinator(), case.id, ClosedReason::ContactLost).await.unwrap();
    assert_eq!(unaccounted(&house).await, []);
}

#[tokio::test]
async fn what_runs_stays_on_the_version_it_started_on() {
    let house = fresh_app().await;
    let first = publish(&house, FORGETS).await;
    let person = house.person("Anna").await.id;
    let case = open(&house, person, first).await;
    let second = publish(&house, &FORGETS.replace("unreachable: []", "unreachable: [{restart: [contact]}]")).await;
    let newer = open(&house, person, second).await;
    not_reached(&house, &case).await;
    not_reached(&house, &newer).await;
    assert_eq!(unaccounted(&house).await, [("trajectory_stalled", 1)], "the older one alone");
}
