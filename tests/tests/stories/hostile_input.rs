//! What nobody should send: every operation refuses it with a complete problem, and nothing is kept of it.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use nazorg_tests::{
    client::{Answer, Client, With, fresh_key},
    service::Service,
};
use reqwest::Method;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Map, Value, json};

use crate::{
    contract::{Contract, Ids, Operation},
    walls::{MORNING, World},
};

/// How many rows every table holds.
async fn rows(service: &Service) -> BTreeMap<String, i64> {
    service.drain().await;
    let db = service.app().db.reader();
    let backend = db.get_database_backend();
    let tables = match backend {
        DbBackend::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        _ => "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public'",
    };
    let mut found = BTreeMap::new();
    for row in db.query_all_raw(Statement::from_string(backend, tables)).await.unwrap() {
        let name: String = row.try_get("", "name").unwrap();
        let count = Statement::from_string(backend, format!("SELECT COUNT(*) AS n FROM \"{name}\""));
        let count = db.query_one_raw(count).await.unwrap().unwrap().try_get("", "n").unwrap();
        found.insert(name, count);
    }
    assert!(found.len() > 15, "{found:?}");
    found
}

/// Bodies that are wrong for every operation with a body of this schema.
fn bodies(contract: &Contract, (name, valid): (&str, &Value)) -> Vec<(&'static str, Vec<u8>)> {
    let schema = contract.schema(name);
    let properties = schema["properties"].as_object().unwrap();
    let (first, value) = properties.iter().next().unwrap();
    let value = contract.sample(first, value, &Ids::new());
    let every = |wrong: &dyn Fn(&Value) -> Value| {
        let members = properties.iter().map(|(name, schema)| (name.clone(), wrong(contract.resolved(schema))));
        Value::Object(members.collect::<Map<_, _>>()).to_string().into_bytes()
    };
    let other_type = |schema: &Value| match schema["type"].as_str() {
        Some("integer" | "number" | "boolean") => json!("seven"),
        _ => json!(7),
    };
    let mut surprising = valid.clone();
    surprising["surprise"] = json!(1);
    let mut found = vec![
        ("no JSON", b"{\"a\":".to_vec()),
        ("no UTF-8", b"{\"a\":\"\xff\"}".to_vec()),
        ("wrong types", every(&other_type)),
        ("an unknown member", surprising.to_string().into_bytes()),
        ("U+0000", every(&|_| json!("a\0b"))),
        ("2 MiB", json!({first: "x".repeat(2 * 1024 * 1024)}).to_string().into_bytes()),
        ("deep arrays", ["[".repeat(10_000), "]".repeat(10_000)].concat().into_bytes()),
        ("deep objects", ["{\"a\":".repeat(10_000), "1".into(), "}".repeat(10_000)].concat().into_bytes()),
        ("a name twice", format!("{{\"{first}\":{value},\"{first}\":{value}}}").into_bytes()),
        ("an array", b"[]".to_vec()),
        ("null", b"null".to_vec()),
        ("a number", b"1e999".to_vec()),
        ("nothing", Vec::new()),
    ];
    if schema["required"].as_array().is_some_and(|required| !required.is_empty()) {
        found.push(("an empty object", b"{}".to_vec()));
    }
    found
}

/// Sends; a body that is too large may be cut off before its answer is read, and is then sent again.
async fn send(client: &Client, operation: &Operation, path: &str, body: Option<Vec<u8>>) -> Answer {
    for _ in 0..5 {
        let sent = client.try_send_bytes(operation.method.clone(), path, body.clone(), operation.with()).await;
        if let Ok(answer) = sent {
            return answer;
        }
    }
    panic!("{} {path} is never answered", operation.method)
}

/// A refusal of what was sent, not of who sent it.
fn is_refusal(answer: &Answer) -> bool {
    (400..500).contains(&answer.status) && ![401, 403, 429].contains(&answer.status)
}

#[tokio::test]
async fn a_body_that_is_no_request_is_refused_whole_by_every_operation() {
    let service = Service::start_at(MORNING).await;
    let [world] = World::several(&service).await;
    let contract = Contract::of(&service.base).await;
    let before = rows(&service).await;
    let mut wrong = Vec::new();
    for operation in contract.operations.iter().filter(|one| !one.reads()) {
        let path = operation.path_of(&world.ids);
        let sent = match &operation.body {
            Some(name) => bodies(&contract, (name, &contract.body(name, &world.ids))),
            None => vec![("a body where none is", b"{\"a\":1}".to_vec()), ("no JSON", b"{".to_vec())],
        };
        for (what, body) in sent {
            let answer = send(world.whoever_may(operation), operation, &path, Some(body)).await;
            if !is_refusal(&answer) {
                wrong.push(format!("{} with {what}: {} {}", operation.id, answer.status, answer.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(rows(&service).await, before, "something was kept");
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_by_every_operation() {
    let service = Service::start_at(MORNING).await;
    let [world] = World::several(&service).await;
    let contract = Contract::of(&service.base).await;
    let before = rows(&service).await;
    let mut wrong = Vec::new();
    for operation in &contract.operations {
        let client = world.whoever_may(operation);
        let path = operation.path_of(&world.ids);
        let mut paths: Vec<String> = ["surprise=1", "limit=-1", "limit=99999999999999999999", "cursor=%00", "%ff=%ff"]
            .map(|query| format!("{path}?{query}"))
            .into();
        if !operation.kinds.is_empty() {
            let ids = ["not-a-uuid", "%00", "%ff", "1%27%20OR%201%3D1--", "..%2F..%2Funits"];
            paths.extend(ids.map(|id| operation.path(operation.kinds.iter().map(|_| id.to_owned()))));
        }
        for path in paths {
            let body = operation.body.as_ref().map(|name| contract.body(name, &world.ids));
            let answer = send(client, operation, &path, body.map(|body| body.to_string().into_bytes())).await;
            if !is_refusal(&answer) {
                wrong.push(format!("{} {path}: {} {}", operation.id, answer.status, answer.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(rows(&service).await, before, "something was kept");
}

#[tokio::test]
async fn every_mistake_in_a_protocol_is_told_together_and_nothing_is_kept() {
    let mistakes = [
        ("record_profile: contact_log", "record_profile: everything"),
        ("confidence: medium", "confidence: huge"),
        ("holidays: nl", "holidays: mars"),
        ("actor: coordinator", "actor: nobody_known"),
        ("action: task", "action: dance"),
        ("offset: P1BD", "offset: soon"),
        ("outcomes: {assigned: []}", "outcomes: {assigned: [{fly: moon}]}"),
        ("[{activate: [reoffer]}]", "[{activate: [no_such_step]}]"),
        ("at: \"10:00\"", "at: \"25:99\""),
        ("times: 3", "times: -3"),
    ];
    let service = Service::start_at(MORNING).await;
    let admin = service.tenant("Ziekenhuis aan de Rivier").await.admin;
    let mut text = nazorg::domain::protocols::built_in()[0].text.to_owned();
    for (right, wrong) in mistakes {
        assert!(text.contains(right), "the built-in protocol no longer says {right}");
        text = text.replacen(right, wrong, 1);
    }
    let before = rows(&service).await;
    let problem = admin.post("/v1/protocols", json!({"text": text})).await.refused(400, "invalid_input");
    let errors = problem["errors"].as_array().unwrap();
    let places: BTreeSet<_> = errors.iter().map(|one| one["pointer"].as_str().unwrap()).collect();
    assert!(places.len() >= mistakes.len(), "{errors:#?}");
    assert!(errors.iter().all(|one| one["pointer"].as_str().unwrap().starts_with("/text#/")), "{errors:#?}");
    assert!(errors.iter().all(|one| one["detail"].as_str().is_some_and(|detail| !detail.is_empty())), "{errors:#?}");
    assert_eq!(rows(&service).await, before, "something was kept");
    let checked = admin.post("/v1/protocols/_check", json!({"text": text})).await.expect(200);
    assert_eq!(checked["faults"].as_array().unwrap().len(), errors.len(), "checking says what uploading says");
}

#[tokio::test]
async fn one_key_ten_times_at_once_opens_one_case() {
    let service = Service::start_at(MORNING).await;
    let [world] = World::several(&service).await;
    let contract = Contract::of(&service.base).await;
    let coordinator = &world.hospital.coordinator;
    let resident = world.hospital.people["resident"];
    let mut body = contract.body("NewCase", &world.ids);
    body["personId"] = json!(resident);
    let with = With { idempotency_key: Some(fresh_key()), ..With::default() };
    let open = async |body: &Value| coordinator.send(Method::POST, "/v1/cases", Some(body.clone()), with.clone()).await;

    let answers = join_all((0..10).map(|_| open(&body))).await;
    let (opened, others): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert!(!opened.is_empty());
    others.into_iter().for_each(|other| drop(other.refused(409, "idempotency_in_progress")));
    let fresh = opened.iter().filter(|answer| answer.header("Idempotency-Replayed").is_none()).count();
    assert_eq!(fresh, 1, "one did it, the others heard of it");
    assert!(opened.iter().all(|answer| answer.text == opened[0].text && answer.etag() == opened[0].etag()));
    let cases = coordinator.get(&format!("/v1/cases?personId={resident}")).await.expect(200);
    assert_eq!(cases["items"].as_array().unwrap().len(), 1, "{cases}");

    let again = open(&body).await;
    assert_eq!(again.header("Idempotency-Replayed"), Some("true"));
    assert_eq!(again.id_of(201), opened[0].id());
    body["unitId"] = json!(world.ids["unit"]);
    assert_eq!(open(&body).await.status, 422, "the same key for something else");
    world.mend().await;
    service.is_balanced().await;
}
