//! Names, addresses, references and notes are written for those who may read them, and stand in the clear nowhere else.

use std::path::Path;

use nazorg_tests::{
    canary,
    hospital::{CHECK_IN, Hospital},
    service::Service,
};
use serde_json::{Value, json};
use uuid::Uuid;

const EVENT: &str = "2026-12-01T06:59:50Z";
const REPORTED: &str = "2026-12-01T07:00:00Z";

const NAME: &str = "Kanarie-Naam Vogelaar";
const NEW_NAME: &str = "Kanarie-Hernoemd Vogelaar";
const ADDRESS: &str = "kanarie.adres@kanarie.example";
const NUMBER: &str = "+31687650193";
const PERSON_REFERENCE: &str = "KANARIE-PERSOON-4711";
const CASE_REFERENCE: &str = "KANARIE-ZAAK-4712";
const NOTE: &str = "Kanarie-notitie: slaapt slecht sinds dinsdag.";
const MISTAKE: &str = "Kanarie-Vergissing Vogelaar";

/// What stands nowhere at rest.
const CANARIES: [&str; 9] =
    [NAME, NEW_NAME, ADDRESS, "kanarie.example", "687650193", PERSON_REFERENCE, CASE_REFERENCE, NOTE, MISTAKE];

/// A person who agrees to messages, by mail first and by text message second.
async fn person(hospital: &mut Hospital) -> Uuid {
    let api = &hospital.coordinator;
    let reference = json!({"system": "hr", "value": PERSON_REFERENCE});
    let body = json!({"name": NAME, "language": "nl", "externalRefs": [reference]});
    let id = api.post("/v1/persons", body).await.id_of(201);
    for (channel, address, preference) in [("email", ADDRESS, 1), ("sms", NUMBER, 2)] {
        let point = json!({"channel": channel, "address": address, "safe": "yes", "preference": preference});
        api.post(&format!("/v1/persons/{id}/contact-points"), point).await.expect(201);
    }
    api.post(&format!("/v1/persons/{id}/consents"), json!({"purpose": "messages"})).await.expect(201);
    hospital.people.insert("canary", id);
    id
}

/// Everything that is asked and said with a canary in hand, mistakes included.
async fn asked(hospital: &Hospital, person: Uuid) {
    let api = &hospital.coordinator;
    for asked in [
        json!({"name": NAME}),
        json!({"address": ADDRESS}),
        json!({"externalRef": {"system": "hr", "value": PERSON_REFERENCE}}),
    ] {
        let found = api.post("/v1/persons/_search", asked.clone()).await.expect(200);
        assert_eq!(found["items"][0]["id"], person.to_string(), "{asked}");
    }
    let found = json!({"externalRef": {"system": "zis", "value": CASE_REFERENCE}});
    let found = api.post("/v1/cases/_search", found).await.expect(200);
    assert_eq!(found["items"][0]["personId"], person.to_string());
    let mistaken = json!({"name": MISTAKE, "nickname": MISTAKE, "language": MISTAKE});
    assert_eq!(api.post("/v1/persons", mistaken).await.status, 400);
    let query = MISTAKE.replace(' ', "%20");
    assert_eq!(api.get(&format!("/v1/persons?name={query}")).await.status, 400);
    assert_eq!(api.get(&format!("/v1/persons/{query}")).await.status, 400);
    let path = format!("/v1/persons/{person}");
    let etag = api.get(&path).await.etag();
    let renamed = api.patch(&path, &etag, json!({"name": NEW_NAME})).await.expect(200);
    assert_eq!(renamed["name"], NEW_NAME, "whoever may read it reads it");
}

/// Every event of the feed, as text.
async fn feed(hospital: &Hospital) -> (usize, String) {
    let (mut after, mut count, mut text) = (0, 0, String::new());
    loop {
        let page = hospital.coordinator.get(&format!("/v1/events?after={after}&limit=100")).await;
        text.push_str(&page.text);
        let items = page.expect(200)["items"].as_array().unwrap().clone();
        let Some(last) = items.last() else { return (count, text) };
        after = last["position"].as_i64().unwrap();
        count += items.len();
    }
}

/// The outbox: the address stands where it must, and nothing else does.
fn outbox(dir: &Path) -> Vec<String> {
    let mut to = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let named = [NAME, NEW_NAME, "Kanarie", "CANARY", "Vogelaar", PERSON_REFERENCE, CASE_REFERENCE];
        for canary in named {
            assert!(!text.contains(canary), "{canary:?} stands in {}: {text}", entry.path().display());
        }
        if entry.path().extension().is_some_and(|kind| kind == "eml") {
            let addressed = text.lines().filter(|line| line.contains(ADDRESS));
            assert!(addressed.clone().all(|line| line == format!("To: {ADDRESS}")), "{text}");
            continue;
        }
        let sheet: Value = serde_json::from_str(&text).unwrap();
        let words = format!("{} {}", sheet["subject"], sheet["text"]);
        assert!(!words.contains('@') && !words.contains("687650193"), "{words}");
        to.push(sheet["to"].as_str().unwrap().to_owned());
    }
    to
}

#[tokio::test]
async fn canaries_stand_in_the_clear_nowhere() {
    let service = Service::start().await;
    let mut hospital = Hospital::found(&service).await;
    hospital.publish(&CHECK_IN.replace("contact_log", "support_file")).await;
    let person = person(&mut hospital).await;
    let api = &hospital.coordinator;
    let case = json!({
        "personId": person, "unitId": hospital.ward, "protocolId": hospital.protocol,
        "anchors": [{"anchor": "event_at", "at": EVENT}, {"anchor": "reported_at", "at": REPORTED}],
        "externalRefs": [{"system": "zis", "value": CASE_REFERENCE}],
    });
    let case = api.post("/v1/cases", case).await.id_of(201);
    hospital.assign(case, "peer_supporter", "peer").await;
    api.post(&format!("/v1/cases/{case}/notes"), json!({"text": NOTE})).await.expect(201);
    let notes = api.get(&format!("/v1/cases/{case}/notes")).await.expect(200);
    assert_eq!(notes["items"][0]["text"], NOTE, "whoever may read it reads it");
    asked(&hospital, person).await;

    // The question to the person, the reminder to the peer, the talk.
    service.travel_to("2026-12-15T12:00:00Z").await;
    hospital.complete(case, "talk", "held").await;
    service.is_balanced().await;
    let to = outbox(&service.ground.outbox());
    assert!(to.iter().any(|to| to == ADDRESS) && to.iter().any(|to| to == "peer@hospital.example"), "{to:?}");

    let (count, feed) = feed(&hospital).await;
    assert!(count > 5, "the feed tells what happened: {count}");
    for canary in CANARIES {
        assert!(!feed.contains(canary), "{canary:?} stands in the feed");
    }
    let metrics = reqwest::get(format!("{}/metrics", service.operations)).await.unwrap().text().await.unwrap();
    assert!(nazorg_tests::logs::text().contains("/persons/_search"), "there are log lines to look into");
    let (admin, coordinator) = (hospital.tenant.admin.key().unwrap(), api.key().unwrap());
    let secrets: Vec<&str> = CANARIES.into_iter().chain([admin, coordinator]).collect();
    canary::assert_nowhere(&service.ground, &metrics, &secrets);
}
