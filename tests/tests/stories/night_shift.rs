//! Scenario A: a medication error on a ward in the night of 17 December 2026, and the three who were involved.

use nazorg::domain::entities::{PersonId, Role};
use nazorg_tests::{hospital::Hospital, service::Service};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::forgetting::{links, reported};

/// 03:20 in Amsterdam.
const EVENT: &str = "2026-12-17T02:20:00Z";
/// 07:45 in Amsterdam.
const REPORTED: &str = "2026-12-17T06:45:00Z";

fn due(follow_up: &Value) -> &str {
    follow_up["dueAt"].as_str().unwrap_or("never")
}

/// The messages of a case that went out, as `(step, to whom, when)`.
async fn sent(hospital: &Hospital, case: Uuid) -> Vec<(String, String, String)> {
    let follow_ups = hospital.follow_ups(case).await;
    let step =
        |id: &Value| follow_ups.iter().find(|one| one["id"] == *id).unwrap()["step"].as_str().unwrap().to_owned();
    let who = |id: &Value| {
        let found = hospital.people.iter().find(|(_, person)| id.as_str() == Some(&person.to_string()));
        found.map_or("nobody", |(name, _)| name).to_owned()
    };
    let messages = hospital.messages(case).await;
    messages
        .iter()
        .filter(|message| message["status"] == "sent" || message["status"] == "merged")
        .map(|message| {
            let at = message["sentAt"].as_str().or(message["finalAt"].as_str()).unwrap_or_default().to_owned();
            (step(&message["followUpId"]), who(&message["recipientId"]), at)
        })
        .collect()
}

#[tokio::test]
async fn the_night_shift() {
    let service = Service::start_at(REPORTED).await;
    let night = reported(&service).await;
    let (hospital, [nurse, resident, trainee]) = (&night.hospital, <[Uuid; 3]>::try_from(night.cases.clone()).unwrap());

    // Thursday: the tasks are there, a peer is assigned the same morning.
    for case in [nurse, resident, trainee] {
        assert_eq!(due(&hospital.step(case, "assign").await), "2026-12-18T16:00:00.000Z", "Friday 17:00");
        assert_eq!(due(&hospital.step(case, "offer").await), "2026-12-18T06:45:00.000Z", "Friday 07:45");
        hospital.assign(case, "peer_supporter", "peer").await;
        hospital.complete(case, "assign", "assigned").await;
    }
    let refused = hospital.coordinator.post(&format!("/v1/cases/{nurse}/notes"), json!({"text": "CANARY-NOTE"})).await;
    refused.refused(409, "record_profile_forbids_notes");

    // Thursday afternoon: she accepts, he declines, and one wants another peer.
    service.travel_to("2026-12-17T14:00:00Z").await;
    let peer = hospital.as_supporter(&service, "peer").await;
    let offer = hospital.step(nurse, "offer").await["id"].as_str().unwrap().to_owned();
    peer.post(&format!("/v1/follow-ups/{offer}/complete"), json!({"outcome": "accepted"})).await.expect(200);
    hospital.complete(resident, "offer", "declined").await;
    hospital.complete(trainee, "offer", "wants_other_peer").await;
    assert_eq!(due(&hospital.step(nurse, "talk_1").await), "2026-12-19T02:20:00.000Z", "Saturday 03:20");
    assert_eq!(hospital.step(nurse, "talk_1").await["closesAt"], "2026-12-20T02:20:00.000Z", "until Sunday 03:20");
    assert_eq!(due(&hospital.step(nurse, "talk_2").await), "2026-12-31T09:00:00.000Z", "31 December 10:00");
    assert_eq!(due(&hospital.step(nurse, "talk_3").await), "2027-01-31T09:00:00.000Z", "31 January 10:00");
    assert_eq!(due(&hospital.step(resident, "reoffer").await), "2026-12-31T09:00:00.000Z", "one more offer");

    // The trainee gets another peer: whoever filled the role no longer does.
    let other = hospital.coordinator.get(&format!("/v1/cases/{trainee}")).await.expect(200);
    assert_eq!(other["assignments"], json!([]), "a rematch ends the assignment");
    hospital.assign(trainee, "peer_supporter", "other_peer").await;
    hospital.complete(trainee, "assign", "assigned").await;
    hospital.complete(trainee, "offer", "accepted").await;

    // The talks are held when they are due.
    service.travel_to("2026-12-19T02:20:00Z").await;
    hospital.complete(nurse, "talk_1", "held").await;
    hospital.complete(trainee, "talk_1", "held").await;
    service.travel_to("2026-12-31T09:00:00Z").await;
    hospital.complete(nurse, "talk_2", "held").await;
    hospital.complete(trainee, "talk_2", "held").await;

    // He declines again: nothing is ever scheduled for him any more.
    hospital.complete(resident, "reoffer", "declined").await;
    let over = hospital.coordinator.get(&format!("/v1/cases/{resident}")).await.expect(200);
    assert_eq!((over["status"].as_str(), over["closedReason"].as_str()), (Some("closed"), Some("declined")));
    let before = hospital.follow_ups(resident).await.len();

    // Thirty days after the report nothing leads from it to them any more, and the support goes on.
    service.travel_to("2027-01-16T06:44:59Z").await;
    assert!(!links(&service, &night).await.is_empty(), "until then it does");
    service.travel_to("2027-01-16T06:45:00Z").await;
    assert_eq!(links(&service, &night).await, Vec::<String>::new());

    hearing(&service, hospital, (nurse, trainee)).await;

    assert_eq!(hospital.follow_ups(resident).await.len(), before, "nothing more for who declined twice");
    assert!(hospital.follow_ups(resident).await.iter().all(|one| !one["finalAt"].is_null()));
    service.is_balanced().await;
    assert_eq!(links(&service, &night).await, Vec::<String>::new(), "nor does what was done since");
    only_a_tally(&service, hospital, [nurse, resident, trainee]).await;
}

/// Ninety days after her answer only a tally is left, of the others at their own time; the ledger still counts everything.
async fn only_a_tally(service: &Service, hospital: &Hospital, [nurse, resident, trainee]: [Uuid; 3]) {
    let planned = |ledger: &Value, of: &str| -> i64 {
        ledger[of].as_array().unwrap().iter().map(|bucket| bucket["count"].as_i64().unwrap()).sum()
    };
    let plans = hospital.coordinator.get("/v1/retention-plans").await.expect(200);
    let plan = plans["items"].as_array().unwrap().iter().find(|plan| plan["caseId"] == nurse.to_string()).unwrap();
    let wanted = (json!("reduce_to_tally"), json!("2027-06-16T11:00:00.000Z"));
    assert_eq!((plan["action"].clone(), plan["dueAt"].clone()), wanted, "told in advance: {plan}");
    let before = hospital.coordinator.get("/v1/ledger").await.expect(200);

    service.travel_to("2027-06-16T10:59:59Z").await;
    hospital.coordinator.get(&format!("/v1/cases/{nurse}")).await.expect(200);
    service.travel_to("2027-06-16T11:00:00Z").await;
    assert_eq!(hospital.coordinator.get(&format!("/v1/cases/{nurse}")).await.status, 404);
    service.travel_to("2027-09-01T00:00:00Z").await;
    let rows = crate::forgetting::rows(service.app()).await;
    for case in [nurse, resident, trainee] {
        let held: Vec<_> = rows.iter().filter(|(_, row)| crate::forgetting::holds(row, case)).collect();
        let proof = |(table, row): &&(String, String)| {
            table == "access_events" || table == "events" && crate::forgetting::says(row, "case.reduced")
        };
        assert!(held.iter().all(proof), "only who saw it, and that it went: {held:#?}");
        assert_eq!(held.iter().filter(|(table, _)| table == "events").count(), 1, "{held:#?}");
    }
    let after = hospital.coordinator.get("/v1/ledger").await.expect(200);
    assert_eq!(
        after["forgottenCases"].as_array().unwrap().iter().map(|one| one["count"].as_i64().unwrap()).sum::<i64>(),
        3
    );
    assert_eq!(planned(&after, "followUps"), planned(&before, "followUps"), "{after}");
    assert!(planned(&after, "messages") >= planned(&before, "messages"), "{after}");
    service.is_balanced().await;
}

/// From January on: she opts in, a hearing is announced and moved, and the case closes with the last contact.
async fn hearing(service: &Service, hospital: &Hospital, (nurse, trainee): (Uuid, Uuid)) {
    service.travel_to("2027-01-20T09:00:00Z").await;
    let trajectory = hospital.trajectory(nurse).await["id"].as_str().unwrap().to_owned();
    let say = async |action: &str, body: Value| {
        hospital.coordinator.post(&format!("/v1/trajectories/{trajectory}/{action}"), body).await.expect(200)
    };
    let consent = json!({"purpose": "messages"});
    let person = hospital.people["nurse"];
    hospital.coordinator.post(&format!("/v1/persons/{person}/consents"), consent).await.expect(201);
    hospital.check_safety(person).await;
    say("opt-in", json!({})).await;
    let told = say("set-anchor", json!({"anchor": "hearing_at", "at": "2027-03-02T09:00:00Z"})).await;
    assert_eq!(due(&hospital.step(nurse, "before_hearing").await), "2027-02-26T09:00:00.000Z", "Friday 26 February");
    assert_eq!(due(&hospital.step(nurse, "after_hearing").await), "2027-03-05T09:00:00.000Z", "Friday 5 March");
    service.drain().await;
    let value = told["anchors"].as_array().unwrap().iter().find(|one| one["anchor"] == "hearing_at").unwrap();

    service.travel_to("2027-01-31T09:00:00Z").await;
    hospital.complete(nurse, "talk_3", "held").await;
    hospital.complete(trainee, "talk_3", "held").await;
    let still = hospital.coordinator.get(&format!("/v1/cases/{nurse}")).await.expect(200);
    assert_eq!(still["status"], "open", "the hearing is still to come");

    // The hearing is moved, and the peer is told once.
    service.travel_to("2027-02-10T09:00:00Z").await;
    let earlier = sent(hospital, nurse).await.len();
    let moved = json!({"anchor": "hearing_at", "valueId": value["valueId"], "at": "2027-03-09T09:00:00Z"});
    say("set-anchor", moved).await;
    service.drain().await;
    assert_eq!(due(&hospital.step(nurse, "before_hearing").await), "2027-03-05T09:00:00.000Z", "Friday 5 March");
    assert_eq!(due(&hospital.step(nurse, "after_hearing").await), "2027-03-12T09:00:00.000Z", "Friday 12 March");
    let told: Vec<_> = sent(hospital, nurse).await.split_off(earlier);
    assert_eq!(told.len(), 2, "one announcement for each contact: {told:?}");
    assert!(told.iter().all(|(_, to, _)| to == "peer"), "{told:?}");
    let mails = hospital.messages(nurse).await;
    let merged = mails.iter().filter(|one| one["status"] == "merged" && one["because"] == "moved").count();
    assert_eq!(merged, 1, "both announcements went in one mail");

    service.travel_to("2027-03-05T09:00:00Z").await;
    hospital.complete(nurse, "before_hearing", "held").await;
    service.travel_to("2027-03-12T09:00:00Z").await;
    hospital.complete(nurse, "after_hearing", "held").await;
    let closed = hospital.coordinator.get(&format!("/v1/cases/{nurse}")).await.expect(200);
    assert_eq!((closed["status"].as_str(), closed["closedReason"].as_str()), (Some("closed"), Some("completed")));
    assert_eq!(closed["closedAt"], "2027-03-12T09:00:00.000Z");

    // The question whether the support was good still comes, to her and on time.
    service.travel_to("2027-03-17T08:59:59Z").await;
    assert!(!sent(hospital, nurse).await.iter().any(|(step, _, _)| step == "satisfaction"));
    service.travel_to("2027-03-18T12:00:00Z").await;
    let asked: Vec<_> = sent(hospital, nurse).await.into_iter().filter(|(step, _, _)| step == "satisfaction").collect();
    let wanted = ("satisfaction".to_owned(), "nurse".to_owned(), "2027-03-17T09:00:00.000Z".to_owned());
    assert_eq!(asked, [wanted], "Wednesday 17 March 10:00");
    hospital.complete(nurse, "satisfaction", "answered").await;
}

/// The supporter says it themselves, and is no longer part of the case by what they said.
#[tokio::test]
async fn a_peer_tells_that_another_is_wanted() {
    let service = Service::start_at(REPORTED).await;
    let hospital = Hospital::found(&service).await;
    let case = hospital.open("nurse", (EVENT, REPORTED), None).await;
    hospital.assign(case, "peer_supporter", "peer").await;
    hospital.complete(case, "assign", "assigned").await;
    let peer = Some(PersonId(hospital.people["peer"]));
    let peer = service.key(hospital.tenant.id, Role::Supporter, peer).await;
    let offer = hospital.step(case, "offer").await["id"].as_str().unwrap().to_owned();
    let told = peer.post(&format!("/v1/follow-ups/{offer}/complete"), json!({"outcome": "wants_other_peer"})).await;
    assert_eq!(told.expect(200)["outcome"], "wants_other_peer");
    peer.get(&format!("/v1/follow-ups/{offer}")).await.refused(404, "not_found");
    assert_eq!(hospital.step(case, "assign").await["occurrence"], 2, "the coordinator seeks another");
    service.is_balanced().await;
}
