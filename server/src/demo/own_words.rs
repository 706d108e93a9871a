//! Recovery coaching for eighteen months, and the sister's own track beside it: what she is sent rests on both consents.

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

struct Two {
    client: String,
    sister: String,
    client_person: String,
    sister_person: String,
    towards_her: String,
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
        timeline.travel(at).await?;
        let outcome = if place + 1 == REVIEWS.len() { "goals_met" } else { "continue" };
        timeline.complete_first(&two.client, "review", outcome).await?;
        timeline.complete_first(&two.sister, "talk", "held").await?;
        timeline.tell(&format!("The review at ten: {outcome}. The sister's own talk is held."))?;
        if place == 0 {
            timeline.post_nothing(&format!("consents/{}/revoke", two.towards_her)).await?;
            timeline.tell("The person withdraws what lets the sister be written to, and need not say why.")?;
        }
    }
    let case = timeline.coordinator.get(&format!("cases/{}", two.client)).await?;
    timeline.tell(&format!("The person's case is {}: {}.", text(&case, "status"), text(&case, "closedReason")))
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
    let sister_person = timeline.register("Sister").await?;
    let coach = timeline.register("Coach").await?;
    let expert = timeline.register("Expert").await?;
    let (relation, towards_her) = agree(timeline, &client_person, &sister_person).await?;
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
    let path = format!("trajectories/{}/set-param", text(&trajectories["items"][0], "id"));
    timeline.post(&path, json!({"param": "rhythm", "value": "P4W"})).await?;
    timeline.tell("They meet every four weeks: the person sets the rhythm.")?;
    Ok(Two { client, sister, client_person, sister_person, towards_her })
}

/// The relation between the two, and the consents: each for themselves, and the person towards the sister.
async fn agree(timeline: &mut Timeline, client: &str, sister: &str) -> Result<(String, String), Failure> {
    let relation = json!({"otherPersonId": sister, "kind": "close_one"});
    let relation = timeline.post(&format!("persons/{client}/relations"), relation).await?;
    for person in [client, sister] {
        timeline.post(&format!("persons/{person}/consents"), json!({"purpose": "messages"})).await?;
    }
    let towards = json!({"purpose": "inform_family", "recipientPersonId": sister});
    let towards = timeline.post(&format!("persons/{client}/consents"), towards).await?;
    Ok((text(&relation, "id"), text(&towards, "id")))
}
