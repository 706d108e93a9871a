//! Recovery coaching for eighteen months, and the sister's own track beside it: what she is sent rests on both consents.
//! Both withdraw, the one after the other, each while a message to her is already in the queue: the one in memory, for this is the embedded set-up.

use serde_json::json;

use super::timeline::{Timeline, text};
use crate::{Failure, cli::say};

/// Ten in the morning in Amsterdam on the day of each review, in winter and in summer.
const REVIEWS: [&str; 6] = [
    "2027-07-01T08:00:00Z",
    "2027-10-01T08:00:00Z",
    "2028-01-01T09:00:00Z",
    "2028-04-01T08:00:00Z",
    "2028-07-01T08:00:00Z",
    "2028-10-01T08:00:00Z",
];

/// One o'clock in Amsterdam on two days on which the sister is asked how she is: her mail may be sent from then on.
const ASKED: [&str; 2] = ["2027-06-22T11:00:00Z", "2027-09-22T11:00:00Z"];

struct Two {
    client: String,
    sister: String,
    client_person: String,
    sister_person: String,
    /// The person's consent towards the sister.
    towards_her: String,
    /// The sister's own.
    her_own: String,
    /// What runs for the person.
    coaching: String,
}

/// Tells it, from the day the timeline stands at.
pub(super) async fn tell(timeline: &mut Timeline) -> Result<(), Failure> {
    say("\nOwn words: a person, a recovery coach, and a sister\n")?;
    timeline.travel("2027-04-01T09:00:00Z").await?;
    let two = begin(timeline).await?;
    let due = timeline.due(&two.client, "review").await?;
    timeline.tell(&format!("A plan in the person's own words; the first review is due {due}."))?;
    for (place, at) in REVIEWS.iter().enumerate() {
        ahead(timeline, &two, at).await?;
        withdrawals(timeline, &two, place).await?;
        timeline.travel(at).await?;
        let outcome = if place + 1 == REVIEWS.len() { "goals_met" } else { "continue" };
        timeline.complete_first(&two.client, "review", outcome).await?;
        timeline.complete_first(&two.sister, "talk", "held").await?;
        timeline.tell(&format!("The review at ten: {outcome}. The sister's own talk is held."))?;
    }
    let case = timeline.coordinator.get(&format!("cases/{}", two.client)).await?;
    timeline.tell(&format!("The person's case is {}: {}.", text(&case, "status"), text(&case, "closedReason")))
}

/// Before the first review the person withdraws, and before the second, after they agreed again, the sister: neither need say why.
async fn withdrawals(timeline: &mut Timeline, two: &Two, place: usize) -> Result<(), Failure> {
    let Some(at) = ASKED.get(place) else { return Ok(()) };
    let (consent, said) = if place == 0 {
        (&two.towards_her, "The person withdraws what lets the sister be written to, and need not say why.")
    } else {
        (&two.her_own, "The sister herself wants no more mail, and need not say why either.")
    };
    let at: chrono::DateTime<chrono::Utc> = at.parse().map_err(Failure::internal)?;
    let before = at - chrono::TimeDelta::seconds(10);
    timeline.travel(&before.to_rfc3339()).await?;
    timeline.gateway.hold();
    let sign = json!({"anchor": "sign_at", "at": before.to_rfc3339()});
    timeline.post(&format!("trajectories/{}/set-anchor", two.coaching), sign).await?;
    timeline.gateway.has_one().await?;
    timeline.tell("A sign is seen. The coach is told by text; the provider takes its time, and the worker's only hand waits for it.")?;
    timeline.hand_over(at, 2).await?;
    timeline.tell(
        "The sister's mail of today is handed over: it is in the queue behind that text (the queue in memory, here).",
    )?;
    timeline.post_nothing(&format!("consents/{consent}/revoke")).await?;
    timeline.tell(said)?;
    timeline.gateway.release();
    timeline.settle().await?;
    let to_her = timeline.coordinator.get(&format!("messages?limit=100&caseId={}", two.sister)).await?;
    let to_her = to_her["items"].as_array().cloned().unwrap_or_default();
    let withheld = to_her.iter().filter(|one| text(one, "reason") == "consent_revoked").count();
    if withheld != place + 1 {
        return Err(Failure::internal(format!("{withheld} of her mails were withheld: {to_her:?}")));
    }
    timeline.complete(&two.client, "sign", "called").await?;
    if place == 0 {
        consent_towards(timeline, &two.client_person, &two.sister_person).await?;
        timeline.tell("Later the person agrees again.")?;
    }
    Ok(())
}

/// Half-way to a review both are asked whether their mail is still safe to use.
async fn ahead(timeline: &mut Timeline, two: &Two, at: &str) -> Result<(), Failure> {
    let at: chrono::DateTime<chrono::Utc> = at.parse().map_err(Failure::internal)?;
    timeline.travel(&(at - chrono::TimeDelta::days(45)).to_rfc3339()).await?;
    timeline.check_safety(&two.client_person).await?;
    timeline.check_safety(&two.sister_person).await
}

async fn begin(timeline: &mut Timeline) -> Result<Two, Failure> {
    let coaching = timeline.manage("protocols", json!({"builtIn": "recovery_coaching", "publish": true})).await?;
    let support = timeline.manage("protocols", json!({"builtIn": "naaste_support", "publish": true})).await?;
    let client_person = timeline.register("Person").await?;
    let hers = json!({
        "channel": "email", "address": "sister@hospital.example", "safe": "yes", "allowedFrom": "13:00", "allowedUntil": "15:00",
    });
    let sister_person = timeline.register_at("Sister", hers).await?;
    let coach = json!({"channel": "sms", "address": "+31612345678", "safe": "yes"});
    let coach = timeline.register_at("Coach", coach).await?;
    let expert = timeline.register("Expert").await?;
    let (relation, towards_her, her_own) = agree(timeline, &client_person, &sister_person).await?;
    let anchors = json!([{"anchor": "applied_at", "at": "2027-04-01T09:00:00Z"}]);
    let case = json!({"personId": client_person, "protocolId": text(&coaching, "id"), "anchors": anchors});
    let client = text(&timeline.post("cases", case).await?, "id");
    let case = json!({
        "personId": sister_person, "protocolId": text(&support, "id"), "anchors": anchors, "relationId": relation,
    });
    let sister = text(&timeline.post("cases", case).await?, "id");
    timeline.tell("A person applies for coaching; the sister gets a file and a supporter of her own.")?;
    timeline.complete(&client, "acknowledge", "fits").await?;
    for (case, role, person) in [(&client, "recovery_coach", &coach), (&sister, "family_supporter", &expert)] {
        timeline.post(&format!("cases/{case}/assign"), json!({"role": role, "personId": person})).await?;
        timeline.complete(case, "match", "assigned").await?;
    }
    timeline.complete(&client, "meet", "match_ok").await?;
    timeline.complete(&client, "meeting", "held").await?;
    timeline.complete(&client, "goals", "plan_agreed").await?;
    timeline.complete(&sister, "intake", "agreed").await?;
    let trajectories = timeline.coordinator.get(&format!("cases/{client}/trajectories")).await?;
    let coaching = text(&trajectories["items"][0], "id");
    let path = format!("trajectories/{coaching}/set-param");
    timeline.post(&path, json!({"param": "rhythm", "value": "P4W"})).await?;
    timeline.tell("They meet every four weeks: the person sets the rhythm.")?;
    Ok(Two { client, sister, client_person, sister_person, towards_her, her_own, coaching })
}

/// The relation between the two, and the consents: each for themselves, and the person towards the sister.
async fn agree(timeline: &mut Timeline, client: &str, sister: &str) -> Result<(String, String, String), Failure> {
    let relation = json!({"otherPersonId": sister, "kind": "close_one"});
    let relation = timeline.post(&format!("persons/{client}/relations"), relation).await?;
    let messages = json!({"purpose": "messages"});
    timeline.post(&format!("persons/{client}/consents"), messages.clone()).await?;
    let her_own = timeline.post(&format!("persons/{sister}/consents"), messages).await?;
    let towards_her = consent_towards(timeline, client, sister).await?;
    Ok((text(&relation, "id"), towards_her, text(&her_own, "id")))
}

/// The person's consent to telling the sister.
async fn consent_towards(timeline: &mut Timeline, client: &str, sister: &str) -> Result<String, Failure> {
    let towards = json!({"purpose": "inform_family", "recipientPersonId": sister});
    Ok(text(&timeline.post(&format!("persons/{client}/consents"), towards).await?, "id"))
}
