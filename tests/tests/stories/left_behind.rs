//! What could be left behind: the words of closed cases when their person is erased, and aftercare that reopens what may only be kept.

use nazorg::domain::entities::{CaseId, DataKeyId, cases};
use nazorg_tests::{
    backup, canary,
    hospital::Hospital,
    service::Service,
};
use sea_orm::EntityTrait;
use serde_json::json;
use uuid::Uuid;

const EVENT: &str = "2026-12-01T06:59:50Z";
const REPORTED: &str = "2026-12-01T07:00:00Z";
const NOTE: &str = "Kanarie-notitie: belt liever niet.";
const REFERENCE: &str = "KANARIE-ZAAK-9120";

/// A talk the next day, after which it closes; a week later a question, of which no answer opens it again.
const LOOKED_AFTER: &str = r#"
protocol: looked_after
title: {nl: Nazorg met navraag, en: Aftercare with a question}
kind: second_victim_peer_support
record_profile: support_file
anchors: {event_at: required, reported_at: required}
roles: [peer_supporter]
steps:
  - step: talk
    title: {nl: Gesprek, en: Talk}
    actor: peer_supporter
    action: talk
    anchor: event_at
    offset: P1D
    at: "10:00"
    outcomes: {held: []}
  - step: after
    title: {nl: Hoe gaat het nu?, en: How are you now?}
    after_close: true
    actor: peer_supporter
    action: message
    message: {to: person, template: checkin}
    anchor: closed_at
    offset: P7D
    at: "10:00"
    window: {opens: P6D, closes: P8D}
    expires: P9D
    outcomes: {fine: [], back: [{reopen: true}, {restart: [talk]}]}
    after_missed: {count: 1, do: [{reopen: true}, {restart: [talk]}]}
end:
  - {all_final: [talk], close: completed}
"#;

/// Somebody whose case on [`LOOKED_AFTER`] closed on Wednesday at one, the question still to come.
async fn looked_after(service: &Service, hospital: &mut Hospital, name: &'static str) -> (Uuid, Uuid) {
    hospital.register_agreeing(name).await;
    let case = hospital.open(name, (EVENT, REPORTED), None).await;
    hospital.assign(case, "peer_supporter", "peer").await;
    let (api, path) = (&hospital.coordinator, format!("/v1/cases/{case}"));
    let refs = json!({"externalRefs": [{"system": "zis", "value": format!("{REFERENCE}-{name}")}]});
    let etag = api.get(&path).await.etag();
    api.patch(&path, &etag, refs).await.expect(200);
    api.post(&format!("{path}/notes"), json!({"text": NOTE})).await.expect(201);
    service.travel_to("2026-12-02T12:00:00Z").await;
    hospital.complete(case, "talk", "held").await;
    assert_eq!(api.get(&path).await.expect(200)["status"], "closed");
    (hospital.people[name], case)
}

async fn key_of(service: &Service, case: Uuid) -> DataKeyId {
    let row = cases::Entity::find_by_id(CaseId(case)).one(service.app().db.reader()).await.unwrap().unwrap();
    row.key_id.unwrap()
}

/// Neither note nor reference can be read any more.
async fn says_nothing(hospital: &Hospital, case: Uuid) {
    let path = format!("/v1/cases/{case}");
    assert_eq!(hospital.coordinator.get(&format!("{path}/notes")).await.expect(200)["items"], json!([]));
    assert_eq!(hospital.coordinator.get(&path).await.expect(200)["externalRefs"], json!([]));
}

#[tokio::test]
async fn an_erased_person_leaves_no_words_in_closed_cases_and_is_asked_nothing_more() {
    let mut service = Service::start().await;
    let mut hospital = Hospital::found(&service).await;
    hospital.publish(LOOKED_AFTER).await;
    let (person, case) = looked_after(&service, &mut hospital, "leaving").await;
    let key = key_of(&service, case).await;
    service.drain().await;
    service.halt().await;
    let old = backup::make(&service.ground);
    service.restart().await;
    hospital.coordinator = service.client(hospital.coordinator.key().unwrap());
    let api = hospital.coordinator.clone();

    api.post_nothing(&format!("/v1/persons/{person}/erase")).await.expect(200);
    says_nothing(&hospital, case).await;
    let path = format!("/v1/cases/{case}");
    let etag = api.get(&path).await.etag();
    let refs = json!({"externalRefs": [{"system": "zis", "value": REFERENCE}]});
    api.patch(&path, &etag, refs).await.refused(409, "person_erased");
    api.post_nothing(&format!("{path}/reopen")).await.refused(409, "person_erased");
    let after = hospital.step(case, "after").await;
    assert_eq!((&after["status"], &after["reason"]), (&json!("cancelled"), &json!("person_erased")));
    service.is_balanced().await;
    assert!(service.app().keys.many(&[key]).await.unwrap().is_empty(), "the case's key is destroyed");
    service.travel_to("2027-01-15T12:00:00Z").await;
    assert_eq!(hospital.messages(case).await.iter().filter(|one| one["status"] == "sent").count(), 0);
    assert_eq!(api.get(&path).await.expect(200)["status"], "closed");
    service.is_balanced().await;

    // The data as it was, the keys as they are.
    service.halt().await;
    backup::restore(&service.ground, &old);
    service.restart().await;
    hospital.coordinator = service.client(hospital.coordinator.key().unwrap());
    assert_eq!(key_of(&service, case).await, key, "it is the old data");
    says_nothing(&hospital, case).await;
    service.halt().await;
    canary::assert_nowhere(&service.ground, "", &[NOTE, REFERENCE]);
}

#[tokio::test]
async fn aftercare_reopens_nothing_that_may_only_be_kept() {
    let service = Service::start().await;
    let mut hospital = Hospital::found(&service).await;
    hospital.publish(LOOKED_AFTER).await;
    let mut told = Vec::new();
    for name in ["lifted", "contested"] {
        let (person, case) = looked_after(&service, &mut hospital, name).await;
        hospital.coordinator.post_nothing(&format!("/v1/persons/{person}/restrict")).await.expect(200);
        told.push((person, case));
    }
    let [(lifted, back), (_, contested)] = told[..] else { panic!("there are two") };
    let status = async |case: Uuid| hospital.coordinator.get(&format!("/v1/cases/{case}")).await.expect(200);
    service.travel_to("2026-12-09T12:00:00Z").await;
    for case in [back, contested] {
        let asked = hospital.step(case, "after").await;
        let path = format!("/v1/follow-ups/{}/complete", asked["id"].as_str().unwrap());
        hospital.coordinator.post(&path, json!({"outcome": "back"})).await.refused(409, "person_restricted");
        assert_eq!(hospital.step(case, "after").await["version"], asked["version"], "nothing was written");
        assert_eq!(status(case).await["status"], "closed");
    }
    hospital.coordinator.post_nothing(&format!("/v1/persons/{lifted}/lift-restriction")).await.expect(200);
    hospital.complete(back, "after", "back").await;
    assert_eq!(status(back).await["status"], "open");

    // What time alone would reopen is closed again, and no worker tries for ever.
    service.travel_to("2026-12-20T12:00:00Z").await;
    let after = hospital.step(contested, "after").await;
    assert_eq!(after["status"], "expired", "{after}");
    assert_eq!(status(contested).await["status"], "closed");
    let trajectory = hospital.trajectory(contested).await;
    assert_eq!(trajectory["closedReason"], "person_restricted", "{trajectory}");
    assert_eq!(hospital.step(contested, "talk").await["reason"], "case_closed");
    service.is_balanced().await;
}
