//! Scenario A, the night shift: three professionals after a medication error, followed for three months.

use serde_json::json;

use super::timeline::{Timeline, text};
use crate::Failure;

const EVENT: &str = "2026-12-17T02:20:00Z";
const REPORTED: &str = "2026-12-17T06:45:00Z";

/// The three cases, and the peers.
struct Cast {
    nurse: String,
    nurse_person: String,
    resident: String,
    trainee: String,
    other_peer: String,
}

/// Tells it from the report to the last question.
pub(super) async fn tell(timeline: &mut Timeline) -> Result<(), Failure> {
    let cast = morning(timeline).await?;
    first_weeks(timeline, &cast).await?;
    hearing(timeline, &cast).await
}

async fn morning(timeline: &mut Timeline) -> Result<Cast, Failure> {
    let copy = json!({"builtIn": "second_victim_peer_support", "publish": true});
    let protocol = text(&timeline.manage("protocols", copy).await?, "id");
    let key = timeline.manage("api-keys", json!({"name": "coordinator", "role": "coordinator"})).await?;
    timeline.coordinator = timeline.admin.with(text(&key, "secret"));
    let reporter = timeline.manage("api-keys", json!({"name": "incident system", "role": "reporter"})).await?;
    let reporter = timeline.admin.with(text(&reporter, "secret"));
    for (name, role) in [("Coordinator", "coordinator"), ("Deputy", "deputy_coordinator")] {
        let id = timeline.register(name).await?;
        timeline.post("roster-entries", json!({"role": role, "personId": id, "position": 1})).await?;
    }
    let peer = timeline.register("Peer").await?;
    let other_peer = timeline.register("Other peer").await?;
    let mut involved = Vec::new();
    for (name, offered) in [("Nurse", "no"), ("Resident", "no"), ("Trainee", "unknown")] {
        let id = timeline.register(name).await?;
        involved.push(json!({"personId": id, "supportOffered": offered}));
    }
    let report =
        json!({"eventClass": "medical_incident", "eventAt": EVENT, "reportedAt": REPORTED, "involved": involved});
    let incident = reporter.post("incidents", &report, 1_000).await?;
    timeline.tell("The incident system reports a medication error at 03:20; three professionals involved.")?;
    let mut cases = Vec::new();
    for one in &involved {
        let person = text(one, "personId");
        let entries = incident["involved"].as_array().cloned().unwrap_or_default();
        let involvement = entries.iter().find(|entry| text(entry, "personId") == person).map(|entry| text(entry, "id"));
        let anchors = json!([{"anchor": "event_at", "at": EVENT}, {"anchor": "reported_at", "at": REPORTED}]);
        let case =
            json!({"personId": person, "protocolId": protocol, "anchors": anchors, "involvementId": involvement});
        let case = text(&timeline.post("cases", case).await?, "id");
        timeline.post(&format!("cases/{case}/assign"), json!({"role": "peer_supporter", "personId": peer})).await?;
        timeline.complete(&case, "assign", "assigned").await?;
        cases.push((case, person));
    }
    let [(nurse, nurse_person), (resident, _), (trainee, _)]: [(String, String); 3] =
        cases.try_into().map_err(|_| Failure::internal("three cases"))?;
    let due = timeline.due(&nurse, "offer").await?;
    timeline.tell(&format!("A case for each; the coordinator assigns a peer. The offers are due {due}."))?;
    let note = timeline.try_post(&format!("cases/{nurse}/notes"), json!({"text": "how it went"})).await?;
    timeline.tell(&format!("Somebody tries to write a note: {} {}.", note["refused"], text(&note, "code")))?;
    Ok(Cast { nurse, nurse_person, resident, trainee, other_peer })
}

async fn first_weeks(timeline: &mut Timeline, cast: &Cast) -> Result<(), Failure> {
    timeline.travel("2026-12-17T14:00:00Z").await?;
    timeline.complete(&cast.nurse, "offer", "accepted").await?;
    let talks = [
        timeline.due(&cast.nurse, "talk_1").await?,
        timeline.due(&cast.nurse, "talk_2").await?,
        timeline.due(&cast.nurse, "talk_3").await?,
    ];
    timeline.tell(&format!("The nurse accepts: talks due {}.", talks.join(", ")))?;
    timeline.complete(&cast.resident, "offer", "declined").await?;
    let again = timeline.due(&cast.resident, "reoffer").await?;
    timeline.tell(&format!("The resident declines: one more offer, due {again}."))?;
    timeline.complete(&cast.trainee, "offer", "wants_other_peer").await?;
    timeline.tell("The trainee wants another peer, and need not say why.")?;
    let other = json!({"role": "peer_supporter", "personId": cast.other_peer});
    timeline.post(&format!("cases/{}/assign", cast.trainee), other).await?;
    timeline.complete(&cast.trainee, "assign", "assigned").await?;
    timeline.complete(&cast.trainee, "offer", "accepted").await?;
    for (moment, step) in [("2026-12-19T02:20:00Z", "talk_1"), ("2026-12-31T09:00:00Z", "talk_2")] {
        timeline.travel(moment).await?;
        timeline.complete(&cast.nurse, step, "held").await?;
        timeline.complete(&cast.trainee, step, "held").await?;
        timeline.tell(&format!("Nurse and trainee: {step} held."))?;
    }
    timeline.complete(&cast.resident, "reoffer", "declined").await?;
    timeline.tell("The resident declines again. Nothing is ever scheduled for him any more; his case is closed.")
}

async fn hearing(timeline: &mut Timeline, cast: &Cast) -> Result<(), Failure> {
    timeline.travel("2027-01-20T09:00:00Z").await?;
    let trajectories = timeline.coordinator.get(&format!("cases/{}/trajectories", cast.nurse)).await?;
    let trajectory = text(&trajectories["items"][0], "id");
    timeline.post(&format!("persons/{}/consents", cast.nurse_person), json!({"purpose": "messages"})).await?;
    timeline.check_safety(&cast.nurse_person).await?;
    timeline.post(&format!("trajectories/{trajectory}/opt-in"), json!({})).await?;
    let set = json!({"anchor": "hearing_at", "at": "2027-03-02T09:00:00Z"});
    let told = timeline.post(&format!("trajectories/{trajectory}/set-anchor"), set).await?;
    let anchors = told["anchors"].as_array().cloned().unwrap_or_default();
    let value = anchors.iter().find(|one| text(one, "anchor") == "hearing_at").map(|one| text(one, "valueId"));
    around(timeline, cast, "The nurse opts in to more; a hearing is announced for 2 March").await?;
    timeline.settle().await?;
    timeline.travel("2027-01-31T09:00:00Z").await?;
    timeline.complete(&cast.nurse, "talk_3", "held").await?;
    timeline.complete(&cast.trainee, "talk_3", "held").await?;
    timeline
        .tell("Nurse and trainee: talk_3 held. The trainee's case is closed; the nurse's waits for the hearing.")?;
    timeline.travel("2027-02-10T09:00:00Z").await?;
    let moved = json!({"anchor": "hearing_at", "valueId": value, "at": "2027-03-09T09:00:00Z"});
    timeline.post(&format!("trajectories/{trajectory}/set-anchor"), moved).await?;
    around(timeline, cast, "The hearing is moved to 9 March").await?;
    timeline.settle().await?;
    for (moment, step) in [("2027-03-05T09:00:00Z", "before_hearing"), ("2027-03-12T09:00:00Z", "after_hearing")] {
        timeline.travel(moment).await?;
        timeline.complete(&cast.nurse, step, "held").await?;
        timeline.tell(&format!("Nurse: {step} held."))?;
    }
    let case = timeline.coordinator.get(&format!("cases/{}", cast.nurse)).await?;
    timeline.tell(&format!("The nurse's case is {}: {}.", text(&case, "status"), text(&case, "closedReason")))?;
    timeline.travel("2027-03-17T12:00:00Z").await?;
    timeline.complete(&cast.nurse, "satisfaction", "answered").await?;
    timeline.tell("The nurse has answered whether the support was good.")
}

async fn around(timeline: &Timeline, cast: &Cast, what: &str) -> Result<(), Failure> {
    let before = timeline.due(&cast.nurse, "before_hearing").await?;
    let after = timeline.due(&cast.nurse, "after_hearing").await?;
    timeline.tell(&format!("{what}: contacts due {before} and {after}."))
}
