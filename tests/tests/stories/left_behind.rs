//! What could be left behind: the words of closed cases when their person is erased, aftercare that reopens what may only be kept,
//! ways back from a case that is nobody's any more; and what a person sees of what somebody close to them was sent.

use nazorg::domain::entities::{CaseId, DataKeyId, MessageId, MessageStatus, cases, messages};
use nazorg_tests::{
    backup, canary,
    client::fresh_id,
    hospital::{CHECK_IN, Hospital},
    service::Service,
};
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::forgetting::{holds, rows, says};

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

/// Someone in support after an incident, and a sister who was asked how she is; the case is forgotten five days after it closes.
struct Family {
    hospital: Hospital,
    client: Uuid,
    sister: Uuid,
    case: Uuid,
    /// The message to the sister.
    asked: Uuid,
}

fn id(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}

async fn family(service: &Service) -> Family {
    within(service, Hospital::found(service).await).await
}

async fn within(service: &Service, mut hospital: Hospital) -> Family {
    let ask_sister = "  - step: family\n    title: {nl: Naaste, en: Someone close}\n    actor: peer_supporter\n    action: message\n    \
                      message: {to: close_one, template: family_checkin}\n    anchor: event_at\n    offset: P1D\n    at: '10:00'\n    \
                      outcomes: {answered: [], no_answer: []}\n  - step: talk\n";
    let kept = "support_file\nretention: {after: closed, period: P5D, then: pseudonymise}";
    hospital.publish(&CHECK_IN.replace("contact_log", kept).replace("  - step: talk\n", ask_sister)).await;
    for name in ["client", "sister"] {
        hospital.register_agreeing(name).await;
    }
    let (client, sister) = (hospital.people["client"], hospital.people["sister"]);
    let (api, person) = (hospital.coordinator.clone(), format!("/v1/persons/{client}"));
    let close = json!({"otherPersonId": sister, "kind": "close_one"});
    api.post(&format!("{person}/relations"), close).await.expect(201);
    let towards_her = json!({"purpose": "inform_family", "recipientPersonId": sister});
    api.post(&format!("{person}/consents"), towards_her).await.expect(201);
    let report = json!({
        "eventClass": "medical_incident", "eventAt": EVENT, "reportedAt": REPORTED, "unitId": hospital.ward,
        "involved": [{"personId": client, "supportOffered": "no"}],
    });
    let report = hospital.reporter.post("/v1/incidents", report).await.expect(201);
    let case = hospital.open("client", (EVENT, REPORTED), Some(&report["involved"][0]["id"])).await;
    hospital.assign(case, "peer_supporter", "peer").await;
    api.post(&format!("/v1/cases/{case}/notes"), json!({"text": NOTE})).await.expect(201);
    service.travel_to("2026-12-02T12:00:00Z").await;
    let messages = hospital.messages(case).await;
    let asked = messages.iter().find(|one| one["audience"] == "family").unwrap();
    assert_eq!((&asked["status"], &asked["recipientId"]), (&json!("sent"), &json!(sister)), "{asked}");
    let asked = id(&asked["id"]);
    Family { hospital, client, sister, case, asked }
}

/// An incident system that gives everything it does in one go one name, through to the case that it opens.
#[tokio::test]
async fn what_a_caller_calls_its_requests_stands_in_no_table() {
    let service = Service::start().await;
    let (request, trace) = (fresh_id(), fresh_id().simple().to_string());
    let mut hospital = Hospital::found(&service).await;
    hospital.coordinator = hospital.coordinator.named(request, &trace);
    hospital.reporter = hospital.reporter.named(request, &trace);
    let Family { hospital, client, .. } = within(&service, hospital).await;
    let log = hospital.coordinator.get(&format!("/v1/persons/{client}/access-events?limit=100")).await;
    assert_eq!(log.headers["x-request-id"], request.to_string().as_str(), "the answer bears the caller's name");
    let all = rows(service.app()).await;
    assert!(all.iter().any(|(table, row)| table == "access_events" && says(row, "incident.reported")));
    let named: Vec<_> = all.iter().filter(|(_, row)| holds(row, request) || says(row, &trace)).collect();
    assert!(named.is_empty(), "by this an incident and its support are found together: {named:#?}");
    service.is_balanced().await;
}

#[tokio::test]
async fn a_case_that_is_nobodys_leads_back_to_nobody() {
    let service = Service::start().await;
    let Family { hospital, client, sister, case, .. } = family(&service).await;
    let api = &hospital.coordinator;
    // Somebody looks at all of it, which the access log keeps.
    let notes = api.get(&format!("/v1/cases/{case}/notes")).await.expect(200);
    let mut of_the_case = vec![case, id(&notes["items"][0]["id"]), id(&hospital.trajectory(case).await["id"])];
    of_the_case.extend(hospital.follow_ups(case).await.iter().map(|one| id(&one["id"])));
    of_the_case.extend(hospital.messages(case).await.iter().map(|one| id(&one["id"])));
    let close = json!({"reason": "enough_for_now"});
    api.post(&format!("/v1/cases/{case}/close"), close).await.expect(200);
    service.travel_to("2026-12-08T12:00:00Z").await;
    assert!(api.get(&format!("/v1/cases/{case}")).await.expect(200)["forgottenAt"].is_string());
    let all = rows(service.app()).await;
    let back: Vec<_> = all
        .iter()
        .filter(|(_, row)| of_the_case.iter().any(|id| holds(row, *id)))
        .filter(|(table, row)| table == "support_links" || [client, sister].iter().any(|id| holds(row, *id)))
        .collect();
    assert!(back.is_empty(), "ways back: {back:#?}");
    let lines =
        all.iter().filter(|(table, row)| table == "access_events" && of_the_case.iter().any(|id| holds(row, *id)));
    assert!(lines.count() > 8, "the lines are still there");
    for change in [
        "UPDATE access_events SET event_code = 'forged'",
        "UPDATE access_events SET person_id = NULL",
        "UPDATE access_events SET person_id = (SELECT id FROM persons WHERE erased_at IS NULL LIMIT 1)",
        "DELETE FROM access_events",
    ] {
        let refused = service.app().db.reader().execute_unprepared(change).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{change}: {refused}");
    }
    service.is_balanced().await;
}

#[tokio::test]
async fn what_was_sent_to_somebody_who_was_erased_leads_to_no_address() {
    let service = Service::start().await;
    let Family { hospital, sister, asked, .. } = family(&service).await;
    let row =
        async || messages::Entity::find_by_id(MessageId(asked)).one(service.app().db.reader()).await.unwrap().unwrap();
    assert!(row().await.contact_point_id.is_some());
    hospital.coordinator.post_nothing(&format!("/v1/persons/{sister}/erase")).await.expect(200);
    let left = row().await;
    assert_eq!((left.status, left.contact_point_id, left.provider_id), (MessageStatus::Sent, None, None));
    service.is_balanced().await;
}

#[tokio::test]
async fn a_person_sees_that_someone_close_was_sent_something() {
    let service = Service::start().await;
    let Family { hospital, client, sister, asked, .. } = family(&service).await;
    let log = hospital.coordinator.get(&format!("/v1/persons/{client}/access-events?limit=100")).await;
    let text = log.text.clone();
    let log = log.expect(200);
    let of_it: Vec<_> =
        log["items"].as_array().unwrap().iter().filter(|line| line["objectId"] == json!(asked)).collect();
    let told: Vec<_> = of_it.iter().map(|line| (&line["code"], &line["role"], &line["action"])).collect();
    assert_eq!(told.first(), Some(&(&json!("message.sent_to_close_one"), &json!("worker"), &json!("E"))), "{log}");
    assert!(!holds(&text, sister), "whoever that was is theirs to tell: {text}");
    let hers = hospital.coordinator.get(&format!("/v1/persons/{sister}/access-events?limit=100")).await.expect(200);
    let hers = hers["items"].as_array().unwrap();
    assert!(hers.iter().any(|line| line["code"] == "message.sent" && line["objectId"] == json!(asked)), "{hers:?}");
    service.is_balanced().await;
}
