//! The line manager sees that support was offered, and nothing else: no answer, tag or moment tells what came of it.

use std::collections::BTreeMap;

use nazorg::domain::entities::Role;
use nazorg_tests::service::Service;
use serde_json::{Value, json};

use crate::{
    contract::{Contract, told},
    walls::{MORNING, World},
};

/// Headers that belong to the request and not to what was asked about.
const OF_THE_REQUEST: [&str; 7] =
    ["x-request-id", "date", "ratelimit", "ratelimit-policy", "traceparent", "tracestate", "server-timing"];

/// Everything that reached the line manager, by path.
type Seen = BTreeMap<String, (u16, Value, BTreeMap<String, String>)>;

/// Walks every page there is, with the ids of the case behind the offer.
async fn walk(contract: &Contract, world: &World) -> Seen {
    let mut seen = Seen::new();
    for operation in contract.operations.iter().filter(|one| one.reads()) {
        let path = operation.path_of(&world.ids);
        let answer = world.client(Role::LineManager).get(&path).await;
        let (status, body) = told(&answer);
        assert_eq!(status == 200, path == "/v1/support-offers", "{path}: {}", answer.text);
        assert!(status == 200 || status == 403, "{path}: {}", answer.text);
        let headers = answer.headers.iter().filter(|(name, _)| !OF_THE_REQUEST.contains(&name.as_str()));
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        seen.insert(path, (status, body, headers));
    }
    seen
}

fn offered(seen: &Seen) -> &Value {
    &seen["/v1/support-offers"].1["items"][0]["supportOffered"]
}

#[tokio::test]
async fn the_line_manager_learns_that_support_was_offered_and_nothing_after() {
    let service = Service::start_at(MORNING).await;
    let [accepts, declines] = World::several(&service).await;
    let contract = Contract::of(&service.base).await;
    let before = walk(&contract, &accepts).await;
    assert_eq!(offered(&before), "no");

    // Whether she says yes or he says no, the offer was made.
    let (case, other) = (accepts.ids["case"], declines.ids["case"]);
    accepts.hospital.complete(case, "offer", "accepted").await;
    declines.hospital.complete(other, "offer", "declined").await;
    let told = walk(&contract, &accepts).await;
    let of_the_other = walk(&contract, &declines).await;
    assert_eq!(offered(&told), "yes");
    assert_eq!(offered(&of_the_other), "yes");
    let mut page = told["/v1/support-offers"].clone();
    page.1["items"][0]["incidentId"] = json!(declines.ids["incident"]);
    page.1["items"][0]["unitId"] = json!(declines.ids["unit"]);
    let theirs = &of_the_other["/v1/support-offers"];
    assert_eq!((&page.0, &page.1), (&theirs.0, &theirs.1), "a yes and a no look the same");

    // Her talks, another peer, the end; his second no.
    service.travel_to("2026-12-19T02:20:00Z").await;
    accepts.hospital.complete(case, "talk_1", "held").await;
    assert_eq!(walk(&contract, &accepts).await, told, "a talk was held");
    accepts.hospital.assign(case, "peer_supporter", "other_peer").await;
    assert_eq!(walk(&contract, &accepts).await, told, "another peer");
    service.travel_to("2026-12-31T09:00:00Z").await;
    accepts.hospital.complete(case, "talk_2", "held").await;
    declines.hospital.complete(other, "reoffer", "declined").await;
    assert_eq!(walk(&contract, &declines).await, of_the_other, "the second no");
    let close = json!({"reason": "goals_met"});
    accepts.hospital.coordinator.post(&format!("/v1/cases/{case}/close"), close).await.expect(200);
    service.drain().await;
    assert_eq!(walk(&contract, &accepts).await, told, "the case is closed");
    for world in [&accepts, &declines] {
        world.mend().await;
    }
    service.is_balanced().await;
}
