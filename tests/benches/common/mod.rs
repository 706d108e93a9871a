//! What the measurements share: a hospital on durable stores, many cases, and figures.

use std::time::Duration;

use futures::{StreamExt, stream};
use nazorg_tests::{
    client::Client,
    hospital::{Hospital, ONE_MORNING},
    postgres::Postgres,
    processes::Processes,
    service::{Ground, Leg},
};
use serde_json::json;
use uuid::Uuid;

/// When the cases are opened.
pub(crate) const REPORTED: &str = "2026-12-17T06:45:00Z";
/// When it happened.
pub(crate) const EVENT: &str = "2026-12-17T02:20:00Z";

/// One API and one worker process on PostgreSQL as it is in production, and on Redis.
pub(crate) async fn processes(binary: &str, settings: &[(&str, &str)]) -> (Processes, Hospital) {
    let mut ground = Ground::new(Leg::Distributed);
    ground.postgres = Some(Postgres::durable());
    let service = Processes::start_on(binary, ground, REPORTED, (1, 1, settings)).await;
    let mut hospital = Hospital::found_on(&service).await;
    hospital.publish(ONE_MORNING).await;
    (service, hospital)
}

/// Opens so many cases, each with a peer of their own who is reached by text message.
pub(crate) async fn open_cases(client: &Client, hospital: &Hospital, count: usize) -> Vec<Uuid> {
    stream::iter(0..count)
        .map(|number| async move {
            let peer = client.post("/v1/persons", json!({"name": format!("Peer {number}")})).await.id_of(201);
            let point = json!({"channel": "sms", "address": format!("+316{number:08}"), "safe": "yes"});
            client.post(&format!("/v1/persons/{peer}/contact-points"), point).await.expect(201);
            let person = client.post("/v1/persons", json!({"name": format!("Person {number}")})).await.id_of(201);
            let case = json!({
                "personId": person,
                "unitId": hospital.ward,
                "protocolId": hospital.protocol,
                "anchors": [{"anchor": "event_at", "at": EVENT}, {"anchor": "reported_at", "at": REPORTED}],
                "assignments": [{"role": "peer_supporter", "personId": peer}],
            });
            client.post("/v1/cases", case).await.id_of(201)
        })
        .buffer_unordered(16)
        .collect()
        .await
}

/// The value below which so many of a hundred lie.
pub(crate) fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// The number an environment variable holds, or another.
pub(crate) fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}
