//! Persons, how to reach them and what they agreed to, from end to end.

use nazorg_domain::entities::Role;
use serde_json::{Value, json};

use crate::support::{Ask, Reply, Service, common};

/// A service, and its coordinator.
async fn house() -> (Service, String) {
    let service = Service::new().await;
    let coordinator = format!("Bearer {}", service.key(service.organisation, Role::Coordinator).await);
    (service, coordinator)
}

async fn as_one(who: &str, ask: Ask<'_>) -> Reply {
    ask.header("Authorization", who).send().await
}

async fn anna(service: &Service, coordinator: &str) -> Reply {
    let body = json!({ "name": "Anna de Vries", "externalRefs": [{ "system": "hr", "value": "A-17" }] });
    as_one(coordinator, service.post("/v1/persons").json(&body)).await.expect(201)
}

#[tokio::test]
async fn a_person_is_registered_found_and_changed() {
    let (service, who) = house().await;
    let made = anna(&service, &who).await;
    common(&made);
    let person = made.json();
    let path = made.header("location").to_owned();
    assert_eq!(path, format!("/v1/persons/{}", person["id"].as_str().unwrap()));
    assert_eq!(person["language"], "nl");
    assert!(person.get("doNotContactAt").is_none() && person.get("zone").is_none(), "absent means absent");
    for search in [
        json!({ "name": "anna  DE VRIES" }),
        json!({ "externalRef": { "system": "hr", "value": "A-17" } }),
        json!({ "name": "Anna de Vries", "externalRef": { "system": "hr", "value": "A-17" } }),
    ] {
        let found = as_one(&who, service.post("/v1/persons/_search").json(&search)).await.expect(200);
        assert_eq!(found.json()["items"], json!([person]), "{search}");
    }
    let nobody = json!({ "name": "Anna", "externalRef": { "system": "hr", "value": "A-17" } });
    let found = as_one(&who, service.post("/v1/persons/_search").json(&nobody)).await.expect(200);
    assert_eq!(found.json()["items"], json!([]), "everything named must fit");

    let change = json!({ "zone": "Europe/Kyiv", "profession": "nurse", "doNotContact": true });
    let changed = as_one(&who, service.patch(&path).header("If-Match", "\"1\"").json(&change)).await.expect(200);
    assert_eq!(changed.json()["zone"], "Europe/Kyiv");
    assert!(changed.json()["doNotContactAt"].is_string());
    let back = json!({ "zone": null, "profession": null, "doNotContact": false });
    let back = as_one(&who, service.patch(&path).header("If-Match", "\"2\"").json(&back)).await.expect(200);
    assert_eq!(back.json(), person, "as it was");
    assert_eq!(back.header("etag"), "\"3\"");
}

#[tokio::test]
async fn a_person_is_written_to_in_the_language_they_need() {
    let (service, who) = house().await;
    for language in ["nl", "en", "uk", "ru", "ar", "tr", "ar-SY", "uk-Cyrl-UA", "ti"] {
        let body = json!({ "name": "Anna", "language": language });
        let made = as_one(&who, service.post("/v1/persons").json(&body)).await.expect(201);
        assert_eq!(made.json()["language"], language);
        let change = json!({ "language": "fa" });
        let path = made.header("location");
        let changed = as_one(&who, service.patch(path).header("If-Match", "\"1\"").json(&change)).await.expect(200);
        assert_eq!(changed.json()["language"], "fa");
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_place() {
    let (service, who) = house().await;
    let wrong = json!({ "name": "", "language": "Dutch", "profession": "Head nurse", "bsn": "123456782" });
    let errors = as_one(&who, service.post("/v1/persons").json(&wrong)).await.errors();
    let places: Vec<_> = errors.iter().map(|error| error.rsplit_once(' ').unwrap().0).collect();
    assert_eq!(places, ["body /bsn", "body /language", "body /name", "body /profession"]);
    let zone = json!({ "name": "Anna", "zone": "Amsterdam" });
    assert_eq!(as_one(&who, service.post("/v1/persons").json(&zone)).await.errors(), ["body /zone unknown"]);
    let nothing = as_one(&who, service.post("/v1/persons/_search").json(&json!({}))).await.errors();
    assert_eq!(nothing, ["body  required"]);
    anna(&service, &who).await;
    let twice = json!({ "name": "Bea", "externalRefs": [{ "system": "hr", "value": "A-17" }] });
    as_one(&who, service.post("/v1/persons").json(&twice)).await.problem(409, "external_ref_taken");
}

#[tokio::test]
async fn another_system_tells_of_a_person_as_often_as_it_likes() {
    let (service, who) = house().await;
    let told = json!({ "externalRef": { "system": "hr", "value": "17" }, "name": "Anna" });
    let first = as_one(&who, service.post("/v1/persons/_upsert").json(&told)).await.expect(200);
    let again = as_one(&who, service.post("/v1/persons/_upsert").json(&told)).await.expect(200);
    assert_eq!((first.json(), first.header("etag")), (again.json(), "\"1\""));
    let married = json!({ "externalRef": { "system": "hr", "value": "17" }, "name": "Anna de Vries" });
    let after = as_one(&who, service.post("/v1/persons/_upsert").json(&married)).await.expect(200);
    assert_eq!((&after.json()["id"], after.header("etag")), (&first.json()["id"], "\"2\""));
}

#[tokio::test]
async fn a_contact_point_is_added_verified_changed_and_ended() {
    let (service, who) = house().await;
    let person = anna(&service, &who).await;
    let list = format!("{}/contact-points", person.header("location"));
    let new = json!({ "channel": "sms", "address": "+31612345678", "safe": "unknown", "allowedFrom": "09:00", "allowedUntil": "12:30" });
    let made = as_one(&who, service.post(&list).json(&new)).await.expect(201);
    let path = made.header("location").to_owned();
    let expected = json!({
        "id": made.json()["id"], "personId": person.json()["id"], "channel": "sms", "address": "+31612345678",
        "safe": "unknown", "allowedFrom": "09:00", "allowedUntil": "12:30", "voicemail": "no",
        "contactMode": "we_contact", "preference": 0, "createdAt": made.json()["createdAt"],
    });
    assert_eq!(made.json(), expected);
    let safe = json!({ "safe": "yes" });
    let verified = as_one(&who, service.post(&format!("{path}/verify")).json(&safe)).await.expect(200).json();
    assert!(verified["verifiedAt"].is_string() && verified["expiresAt"].is_string());
    let half = json!({ "allowedFrom": null });
    let errors = as_one(&who, service.patch(&path).header("If-Match", "\"2\"").json(&half)).await.errors();
    assert_eq!(errors, ["body /allowedFrom required"]);
    let always = json!({ "allowedFrom": null, "allowedUntil": null, "voicemail": "vague" });
    let after = as_one(&who, service.patch(&path).header("If-Match", "\"2\"").json(&always)).await.expect(200).json();
    assert!(after.get("allowedFrom").is_none());
    as_one(&who, service.post(&format!("{path}/end"))).await.expect(200);
    as_one(&who, service.post(&format!("{path}/end"))).await.problem(409, "already_ended");
    let listed = as_one(&who, service.get(&list)).await.expect(200).json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    let bad = json!({ "channel": "email", "address": "anna@nowhere", "safe": "yes" });
    assert_eq!(as_one(&who, service.post(&list).json(&bad)).await.errors(), ["body /address bad_format"]);
}

#[tokio::test]
async fn a_consent_is_given_once_and_revoked_once() {
    let (service, who) = house().await;
    let person = anna(&service, &who).await;
    let list = format!("{}/consents", person.header("location"));
    let new = json!({ "purpose": "inform_family", "recipient": "general_practitioner", "items": ["progress"] });
    let given = as_one(&who, service.post(&list).json(&new)).await.expect(201);
    assert_eq!((&given.json()["legalBasis"], &given.json()["givenBy"]), (&json!("consent"), &json!("self")));
    let revoke = format!("{}/revoke", given.header("location"));
    let revoked = as_one(&who, service.post(&revoke)).await.expect(200);
    assert!(revoked.json()["revokedAt"].is_string());
    as_one(&who, service.post(&revoke)).await.problem(409, "consent_already_revoked");
    let story = json!({ "purpose": "inform_family", "items": ["Everything about me"] });
    let errors = as_one(&who, service.post(&list).json(&story)).await.errors();
    assert!(errors.iter().all(|error| error.starts_with("body /items/0 ")) && !errors.is_empty(), "{errors:?}");
}

#[tokio::test]
async fn a_relation_ends_and_nobody_is_related_to_themselves() {
    let (service, who) = house().await;
    let person = anna(&service, &who).await;
    let bram = as_one(&who, service.post("/v1/persons").json(&json!({ "name": "Bram" }))).await.expect(201).json();
    let list = format!("{}/relations", person.header("location"));
    let relate = |other: &Value| json!({ "otherPersonId": other, "kind": "close_one" });
    let made = as_one(&who, service.post(&list).json(&relate(&bram["id"]))).await.expect(201);
    as_one(&who, service.post(&list).json(&relate(&person.json()["id"]))).await.problem(409, "same_person");
    let other = format!("/v1/persons/{}/relations", bram["id"].as_str().unwrap());
    assert_eq!(as_one(&who, service.get(&other)).await.expect(200).json()["items"], json!([made.json()]));
    let end = format!("{}/end", made.header("location"));
    assert!(as_one(&who, service.post(&end)).await.expect(200).json()["endedAt"].is_string());
}

#[tokio::test]
async fn what_is_another_tenants_does_not_exist_and_roles_see_what_is_theirs() {
    let (service, who) = house().await;
    let person = anna(&service, &who).await;
    let path = person.header("location").to_owned();
    let list = format!("{path}/contact-points");
    let new = json!({ "channel": "email", "address": "anna@example.nl", "safe": "yes" });
    let point = as_one(&who, service.post(&list).json(&new)).await.expect(201).header("location").to_owned();
    let other = format!("Bearer {}", service.coordinator_elsewhere().await);
    for hidden in [&path, &point, &list, &format!("{path}/relations"), &format!("{path}/consents")] {
        as_one(&other, service.get(hidden)).await.problem(404, "not_found");
    }
    as_one(&other, service.post(&format!("{point}/end"))).await.problem(404, "not_found");
    for role in [Role::Admin, Role::Reporter, Role::Quality] {
        let key = format!("Bearer {}", service.key(service.organisation, role).await);
        as_one(&key, service.get(&path)).await.problem(403, "forbidden");
        as_one(&key, service.get(&point)).await.problem(403, "forbidden");
    }
}
