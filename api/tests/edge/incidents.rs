//! Incidents and what a line manager may know of them, from end to end.

use nazorg_domain::{
    api_keys::{self, NewApiKey},
    entities::{PersonId, Role},
};
use serde_json::{Value, json};

use crate::support::{Ask, Reply, Service};

async fn as_one(who: &str, ask: Ask<'_>) -> Reply {
    ask.header("Authorization", who).send().await
}

async fn key(service: &Service, role: Role) -> String {
    format!("Bearer {}", service.key(service.organisation, role).await)
}

fn incident(unit: &Value) -> Value {
    json!({
        "unitId": unit, "eventClass": "medical_incident", "severity": "calamity", "eventAt": "2026-03-01T12:00:00+01:00",
        "involved": [
            { "personRef": { "system": "hr", "value": "17" }, "profession": "nurse", "supportOffered": "no" },
            { "supportOffered": "yes" },
        ],
        "externalRefs": [{ "system": "vim", "value": "2026-118" }],
    })
}

async fn reported(service: &Service, reporter: &str) -> (Value, Reply) {
    let unit = service.post("/v1/units").json(&json!({ "name": "IC", "kind": "department" })).send().await;
    let unit = unit.expect(201).json()["id"].take();
    let anna = json!({ "name": "Anna", "externalRefs": [{ "system": "hr", "value": "17" }] });
    as_one(reporter, service.post("/v1/persons").json(&anna)).await.expect(201);
    let made = as_one(reporter, service.post("/v1/incidents").json(&incident(&unit))).await.expect(201);
    (unit, made)
}

#[tokio::test]
async fn an_incident_is_reported_read_and_completed() {
    let service = Service::new().await;
    let reporter = key(&service, Role::Reporter).await;
    let (unit, made) = reported(&service, &reporter).await;
    let path = made.header("location").to_owned();
    assert_eq!(made.json()["eventAt"], "2026-03-01T11:00:00.000Z");
    assert!(made.json()["involved"][0]["personId"].is_string() && made.json()["involved"][1].get("personId").is_none());
    assert_eq!(as_one(&reporter, service.get(&path)).await.expect(200).json(), made.json());
    as_one(&reporter, service.post("/v1/incidents").json(&incident(&unit))).await.problem(409, "external_ref_taken");

    let list = format!("{path}/involvements");
    let added = as_one(&reporter, service.post(&list).json(&json!({ "profession": "surgeon" }))).await.expect(201);
    assert_eq!(added.json()["supportOffered"], "unknown");
    let one = added.header("location").to_owned();
    let offered = json!({ "supportOffered": "yes" });
    let changed = as_one(&reporter, service.patch(&one).header("If-Match", "\"1\"").json(&offered)).await.expect(200);
    assert_eq!(as_one(&reporter, service.get(&one)).await.expect(200).json(), changed.json());
    let twice = json!({ "personId": made.json()["involved"][0]["personId"] });
    as_one(&reporter, service.post(&list).json(&twice)).await.problem(409, "already_involved");
    assert_eq!(as_one(&reporter, service.get(&path)).await.expect(200).header("etag"), "\"3\"");
}

#[tokio::test]
async fn a_report_has_no_room_for_a_story() {
    let service = Service::new().await;
    let reporter = key(&service, Role::Reporter).await;
    let mut story = incident(&json!("00000000-0000-7000-8000-000000000000"));
    story["eventClass"] = json!("patient_fell");
    let errors = as_one(&reporter, service.post("/v1/incidents").json(&story)).await.errors();
    assert_eq!(errors, ["body /eventClass unknown"]);
    story["description"] = json!("He fell out of bed 4");
    story["severity"] = json!("He was hurt");
    let errors = as_one(&reporter, service.post("/v1/incidents").json(&story)).await.errors();
    let places: Vec<_> = errors.iter().map(|error| error.rsplit_once(' ').unwrap().0).collect();
    assert_eq!(places, ["body /description", "body /severity"]);
    story["eventClass"] = json!("violence");
    for (member, value) in [("severity", json!("grave")), ("description", Value::Null)] {
        story[member] = value;
    }
    story.as_object_mut().unwrap().remove("description");
    let errors = as_one(&reporter, service.post("/v1/incidents").json(&story)).await.errors();
    assert_eq!(errors, ["body /involved/0/personRef unknown", "body /unitId unknown"]);
}

#[tokio::test]
async fn incidents_are_listed_in_stretches_and_nobody_sees_anothers() {
    let service = Service::new().await;
    let reporter = key(&service, Role::Reporter).await;
    let (unit, first) = reported(&service, &reporter).await;
    let mut second = incident(&unit);
    second["externalRefs"] = json!([]);
    second["reportedAt"] = json!("2026-03-02T12:00:00Z");
    let second = as_one(&reporter, service.post("/v1/incidents").json(&second)).await.expect(201);
    let stretch = as_one(&reporter, service.get("/v1/incidents?limit=1")).await.expect(200).json();
    assert_eq!(stretch["items"][0]["id"], first.json()["id"], "the latest reported first");
    assert!(stretch["items"][0].get("involved").is_none());
    let next = format!("/v1/incidents?limit=1&cursor={}", stretch["next"].as_str().unwrap());
    let rest = as_one(&reporter, service.get(&next)).await.expect(200).json();
    assert_eq!((&rest["items"][0]["id"], rest.get("next")), (&second.json()["id"], None));
    let narrow = "/v1/incidents?reportedFrom=2026-03-02T00:00:00Z&reportedUntil=2026-03-03T00:00:00Z&sort=reportedAt";
    let found = as_one(&reporter, service.get(narrow)).await.expect(200).json();
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1));

    let other = key(&service, Role::Reporter).await;
    assert_eq!(as_one(&other, service.get("/v1/incidents")).await.expect(200).json()["items"], json!([]));
    as_one(&other, service.get(first.header("location"))).await.problem(404, "not_found");
    let elsewhere = format!("Bearer {}", service.coordinator_elsewhere().await);
    as_one(&elsewhere, service.get(first.header("location"))).await.problem(404, "not_found");
    for role in [Role::Admin, Role::Quality] {
        as_one(&key(&service, role).await, service.get("/v1/incidents")).await.problem(403, "forbidden");
    }
}

#[tokio::test]
async fn a_line_manager_sees_offers_and_nothing_that_moves_with_the_support() {
    let service = Service::new().await;
    let reporter = key(&service, Role::Reporter).await;
    let coordinator = key(&service, Role::Coordinator).await;
    let (unit, made) = reported(&service, &reporter).await;
    let boss = as_one(&coordinator, service.post("/v1/persons").json(&json!({ "name": "Boss" }))).await.expect(201);
    let boss = boss.json()["id"].take();
    let manages = json!({ "personId": boss, "role": "line_manager", "unitId": unit });
    as_one(&coordinator, service.post("/v1/memberships").json(&manages)).await.expect(201);
    let person_id = Some(boss.as_str().unwrap().parse::<PersonId>().unwrap());
    let new = NewApiKey { name: "boss".into(), role: Role::LineManager, scopes: vec![], person_id, expires_at: None };
    let manager = format!("Bearer {}", api_keys::issue(&service.app, service.organisation, new).await.unwrap().1);

    let seen = as_one(&manager, service.get("/v1/support-offers")).await.expect(200);
    let offer = json!({ "incidentId": made.json()["id"], "unitId": unit, "supportOffered": "no" });
    assert_eq!(seen.json(), json!({ "items": [offer] }));
    assert_eq!(seen.header("etag"), "");
    for path in ["/v1/incidents", made.header("location"), "/v1/persons", "/v1/events", "/v1/cases"] {
        as_one(&manager, service.get(path)).await.problem(403, "forbidden");
    }
    let all = as_one(&coordinator, service.get("/v1/support-offers?limit=1")).await.expect(200);
    assert_eq!(all.json(), seen.json());
}
