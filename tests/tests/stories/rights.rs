//! The rights of a person: a copy of everything kept about them and of nobody else, what may only be kept, and what is put right.

use std::collections::BTreeSet;

use nazorg::domain::{
    Clock,
    entities::{PersonId, Role},
};
use nazorg_tests::{
    client::Client,
    hospital::{CHECK_IN, Hospital},
    service::Service,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::forgetting::holds;

/// 03:20 in Amsterdam.
const EVENT: &str = "2026-12-17T02:20:00Z";
/// 07:45 in Amsterdam.
const REPORTED: &str = "2026-12-17T06:45:00Z";
const NOTE: &str = "Slaapt slecht, en wil woensdag bellen.";
const OTHER_NOTE: &str = "Gaat liever niet terug naar de afdeling.";

/// Notes are kept, the person is asked twice and someone close once, and thirty days after the closing everything goes.
fn twice() -> String {
    let more = r"  - step: ask_again
    title: {nl: En nu?, en: And now?}
    actor: peer_supporter
    action: message
    message: {to: person, template: checkin}
    anchor: event_at
    offset: P9D
    at: '10:00'
    outcomes: {answered: [], no_answer: []}
  - step: family
    title: {nl: Naaste, en: Someone close}
    actor: peer_supporter
    action: message
    message: {to: close_one, template: family_checkin}
    anchor: event_at
    offset: P1D
    at: '10:00'
    outcomes: {answered: [], no_answer: []}
  - step: talk
";
    CHECK_IN
        .replace("contact_log", "support_file\nretention: {after: closed, period: P30D, then: delete}")
        .replace("  - step: talk\n", more)
}

/// A nurse about whom everything there is is kept, among colleagues about whom as much is.
struct Night {
    hospital: Hospital,
    nurse: Uuid,
    incident: Uuid,
    involvements: Vec<Uuid>,
    case: Uuid,
    others_case: Uuid,
    trainees_case: Uuid,
}

fn id(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}

fn items<'a>(export: &'a Value, list: &str) -> &'a Vec<Value> {
    export[list].as_array().unwrap_or_else(|| panic!("no {list} in {export}"))
}

async fn told(service: &Service) -> Night {
    let mut hospital = Hospital::found(service).await;
    hospital.publish(&twice()).await;
    let nurse = known_elsewhere(&mut hospital).await;
    let involved = ["nurse", "resident"].map(|name| json!({"personId": hospital.people[name], "supportOffered": "no"}));
    let report = json!({
        "eventClass": "medical_incident", "eventAt": EVENT, "reportedAt": REPORTED, "unitId": hospital.ward,
        "involved": involved, "externalRefs": [{"system": "vim", "value": "MELDING-88"}],
    });
    let report = hospital.reporter.post("/v1/incidents", report).await.expect(201);
    let of = |person: Uuid| {
        let mut all = report["involved"].as_array().unwrap().iter();
        all.find(|one| one["personId"] == person.to_string().as_str()).unwrap()["id"].clone()
    };
    let (hers, others) = (of(nurse), of(hospital.people["resident"]));
    let case = hospital.open("nurse", (EVENT, REPORTED), Some(&hers)).await;
    let others_case = hospital.open("resident", (EVENT, REPORTED), Some(&others)).await;
    let trainees_case = hospital.open("trainee", (EVENT, REPORTED), None).await;
    hospital.assign(others_case, "peer_supporter", "nurse").await;
    for name in ["peer", "other_peer"] {
        hospital.assign(case, "peer_supporter", name).await;
    }
    let night = Night {
        incident: id(&report["id"]),
        involvements: vec![id(&hers), id(&others)],
        hospital,
        nurse,
        case,
        others_case,
        trainees_case,
    };
    words(&night).await;
    ties(&night).await;
    night
}

/// She, as the personnel system knows her.
async fn known_elsewhere(hospital: &mut Hospital) -> Uuid {
    let api = &hospital.coordinator;
    let body = json!({"name": "CANARY-NAME nurse", "externalRefs": [{"system": "hr", "value": "HR-4711"}]});
    let nurse = api.post("/v1/persons", body).await.id_of(201);
    let point = json!({"channel": "email", "address": "nurse@hospital.example", "safe": "yes"});
    api.post(&format!("/v1/persons/{nurse}/contact-points"), point).await.expect(201);
    hospital.people.insert("nurse", nurse);
    nurse
}

/// What is written about her, and about somebody else.
async fn words(night: &Night) {
    let api = &night.hospital.coordinator;
    for (case, number, note) in [(night.case, "ZAAK-17", NOTE), (night.others_case, "ZAAK-18", OTHER_NOTE)] {
        let path = format!("/v1/cases/{case}");
        let refs = json!({"externalRefs": [{"system": "zis", "value": number}]});
        let etag = api.get(&path).await.etag();
        api.patch(&path, &etag, refs).await.expect(200);
        api.post(&format!("{path}/notes"), json!({"text": note})).await.expect(201);
    }
    let path = format!("/v1/persons/{}", night.nurse);
    let etag = api.get(&path).await.etag();
    let righted = json!({"name": "CANARY-NAME nurse de Wit", "profession": "nurse"});
    api.patch(&path, &etag, righted).await.expect(200);
}

/// The trainee has her as someone close, and lets her be written to; she agrees to that.
async fn ties(night: &Night) {
    let (api, people) = (&night.hospital.coordinator, &night.hospital.people);
    let of = |name: &str, what: &str| format!("/v1/persons/{}/{what}", people[name]);
    let tie = json!({"otherPersonId": night.nurse, "kind": "close_one"});
    api.post(&of("trainee", "relations"), tie).await.expect(201);
    let towards_her = json!({"purpose": "inform_family", "recipientPersonId": night.nurse});
    api.post(&of("trainee", "consents"), towards_her).await.expect(201);
    api.post(&of("nurse", "consents"), json!({"purpose": "messages"})).await.expect(201);
    let ended = api.post(&of("nurse", "consents"), json!({"purpose": "research"})).await.id_of(201);
    api.post_nothing(&format!("/v1/consents/{ended}/revoke")).await.expect(200);
}

/// She works here herself: she has access, stands on a roster, and is away for a while, as a colleague is.
async fn works(night: &Night) {
    let api = &night.hospital.coordinator;
    for person in [night.nurse, night.hospital.people["resident"]] {
        let access = json!({"personId": person, "role": "supporter"});
        api.post("/v1/memberships", access).await.expect(201);
        let roster = json!({"personId": person, "role": "second_reader", "position": 3});
        api.post("/v1/roster-entries", roster).await.expect(201);
        let away = json!({"personId": person, "fromAt": "2027-03-01T08:00:00Z", "untilAt": "2027-03-05T08:00:00Z"});
        api.post("/v1/absences", away).await.expect(201);
    }
}

/// …and that stands in it, of her alone.
fn as_staff(night: &Night, export: &Value) {
    for (list, member, value) in [
        ("memberships", "role", "supporter"),
        ("rosterEntries", "role", "second_reader"),
        ("absences", "untilAt", "2027-03-05T08:00:00.000Z"),
    ] {
        let found: Vec<_> = items(export, list).iter().map(|one| (&one["personId"], &one[member])).collect();
        assert_eq!(found, [(&json!(night.nurse), &json!(value))], "{list}");
    }
}

impl Night {
    async fn export(&self) -> (Value, String) {
        let answer = self.hospital.coordinator.get(&format!("/v1/persons/{}/export", self.nurse)).await;
        let text = answer.text.clone();
        (answer.expect(200), text)
    }

    /// Nothing of anybody else, beyond the ids of who helped her and to whom she is close.
    fn is_hers_alone(&self, text: &str) {
        let people = &self.hospital.people;
        for word in
            ["CANARY-NAME resident", "CANARY-NAME trainee", "CANARY-NAME peer", "MELDING", "ZAAK-18", OTHER_NOTE]
        {
            assert!(!text.contains(word), "{word:?} is not hers: {text}");
        }
        for name in ["resident", "trainee", "peer", "coordinator"] {
            assert!(!text.contains(&format!("{name}@hospital.example")), "{name}'s address is not hers");
        }
        for other in [people["resident"], self.others_case, self.trainees_case, self.involvements[1]] {
            assert!(!holds(text, other), "{other} is not hers: {text}");
        }
    }
}

#[tokio::test]
async fn an_export_holds_everything_about_a_person_and_nothing_of_anybody_else() {
    let service = Service::start_at(REPORTED).await;
    let night = told(&service).await;
    service.travel_to("2026-12-27T12:00:00Z").await;
    night.hospital.complete(night.case, "ask_again", "answered").await;
    works(&night).await;
    let (export, text) = night.export().await;
    assert_eq!(export["format"], "nazorg.person-export/1");
    let person = (&export["person"]["name"], &export["contactPoints"][0]["address"]);
    assert_eq!(person, (&json!("CANARY-NAME nurse de Wit"), &json!("nurse@hospital.example")));
    assert_eq!(export["person"]["externalRefs"], json!([{"system": "hr", "value": "HR-4711"}]));
    assert_eq!(export["relations"][0]["personId"], json!(night.hospital.people["trainee"]));
    let consents: Vec<_> =
        items(&export, "consents").iter().map(|one| (&one["purpose"], one["revokedAt"].is_string())).collect();
    assert_eq!(consents, [(&json!("messages"), false), (&json!("research"), true)]);
    supported(&night, &export);
    as_staff(&night, &export);
    let seen: Vec<_> = items(&export, "accessEvents").iter().map(|one| &one["code"]).collect();
    for code in ["person.created", "person.changed", "case.read", "note.written", "message.sent", "incident.reported"] {
        assert!(seen.contains(&&json!(code)), "{code} is among {seen:?}");
    }
    let righted = items(&export, "accessEvents").iter().find(|one| one["code"] == "person.changed").unwrap();
    assert_eq!((&righted["objectPart"], &righted["role"]), (&json!("name,profession"), &json!("coordinator")));
    assert_eq!(export["accessEventsComplete"], true);
    night.is_hers_alone(&text);
    let again = night.export().await.0;
    assert_eq!(
        items(&again, "accessEvents")[0]["code"],
        "person.exported",
        "a copy is an access, and told in the next"
    );

    // Thirty days after the report.
    assert_eq!(id(&export["involvements"][0]["incidentId"]), night.incident);
    service.travel_to("2027-01-16T06:45:00Z").await;
    let (export, text) = night.export().await;
    assert_eq!(export["involvements"], json!([]));
    assert!(holds(&text, night.case), "the support is still there");
    for of_the_incident in night.involvements.iter().chain([&night.incident]) {
        assert!(!holds(&text, *of_the_incident), "{of_the_incident} is in {text}");
    }
    assert!(!text.contains("\"incident") && !text.contains("\"involvement.") && !text.contains("medical_"), "{text}");
    night.is_hers_alone(&text);
    service.is_balanced().await;
}

/// What was promised, said, written and sent.
fn supported(night: &Night, export: &Value) {
    let people = &night.hospital.people;
    let case = json!(night.case);
    assert_eq!((items(export, "cases").len(), &export["cases"][0]["id"]), (1, &case));
    assert_eq!(export["cases"][0]["externalRefs"], json!([{"system": "zis", "value": "ZAAK-17"}]));
    let helpers: Vec<_> = items(export, "assignments").iter().map(|one| id(&one["personId"])).collect();
    assert_eq!(helpers, [people["peer"], people["other_peer"]], "whoever helped, then and now");
    assert_eq!((&export["notes"][0]["text"], items(export, "notes").len()), (&json!(NOTE), 1));
    let trajectory = &export["trajectories"][0];
    let inputs: Vec<_> = items(trajectory, "inputs").iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(inputs, ["started", "outcome"]);
    assert_eq!(trajectory["inputs"][1]["code"], "answered");
    assert_eq!(trajectory["anchors"][0]["at"], "2026-12-17T02:20:00.000Z");
    let answered = items(export, "followUps").iter().find(|one| one["step"] == "ask_again").unwrap();
    assert_eq!((&answered["outcome"], &answered["caseId"]), (&json!("answered"), &case));
    let to_her: Vec<_> =
        items(export, "messages").iter().filter(|one| one["recipientId"] == json!(night.nurse)).collect();
    assert_eq!(to_her.len(), 3, "two questions, and one as someone close: {to_her:?}");
    let family =
        items(export, "messages").iter().find(|one| one["audience"] == "family" && one["caseId"] == case).unwrap();
    assert_eq!((&family["status"], &family["reason"]), (&json!("suppressed"), &Value::Null), "why may be another's");
    let elsewhere: Vec<_> = to_her.iter().filter(|one| one["caseId"].is_null()).collect();
    assert_eq!(elsewhere.len(), 1, "{to_her:?}");
    assert_eq!((&elsewhere[0]["audience"], &elsewhere[0]["status"]), (&json!("family"), &json!("sent")));
    assert!(elsewhere[0]["followUpId"].is_null(), "{}", elsewhere[0]);
}

#[tokio::test]
async fn an_export_is_of_one_moment() {
    let service = Service::start_at(REPORTED).await;
    let hospital = Hospital::found(&service).await;
    let path = format!("/v1/persons/{}/export", hospital.people["nurse"]);
    let cases = 20;
    let openings = async {
        for _ in 0..cases {
            hospital.open("nurse", (EVENT, REPORTED), None).await;
        }
    };
    let copies = async {
        loop {
            let export = hospital.coordinator.get(&path).await.expect(200);
            let of = |list, member: &str| -> BTreeSet<Uuid> {
                items(&export, list).iter().map(|one| id(&one[member])).collect()
            };
            let opened = of("cases", "id");
            assert_eq!((&of("trajectories", "caseId"), &of("followUps", "caseId")), (&opened, &opened));
            if opened.len() == cases {
                break;
            }
        }
    };
    tokio::join!(openings, copies);
    service.is_balanced().await;
}

#[tokio::test]
async fn only_who_may_see_all_of_it_gets_an_export() {
    let service = Service::start_at(REPORTED).await;
    let night = told(&service).await;
    let path = format!("/v1/persons/{}/export", night.nurse);
    let peer = service
        .key(night.hospital.tenant.id, Role::Supporter, Some(PersonId(night.hospital.people["other_peer"])))
        .await;
    peer.get(&format!("/v1/persons/{}", night.nurse)).await.expect(200);
    peer.get(&path).await.refused(403, "forbidden");
    let narrow = json!({"name": "directory", "role": "coordinator", "scopes": ["people_read"]});
    let narrow = night.hospital.tenant.admin.post("/v1/api-keys", narrow).await.expect(201);
    let narrow: Client = service.client(narrow["secret"].as_str().unwrap());
    narrow.get(&format!("/v1/persons/{}", night.nurse)).await.expect(200);
    narrow.get(&path).await.refused(403, "forbidden");
    night.hospital.coordinator.get(&path).await.expect(200);
    service.is_balanced().await;
}

/// Somebody with one case on [`twice`], asked at eight the next morning.
#[tokio::test]
async fn who_looked_is_asked_of_a_period_and_tells_by_which_rules() {
    let service = Service::start().await;
    let mut hospital = Hospital::found(&service).await;
    hospital.register("nurse").await;
    let path = format!("/v1/persons/{}", hospital.people["nurse"]);
    service.clock.pass(chrono::TimeDelta::hours(1));
    let (from, until) = (service.clock.wall(), service.clock.wall() + chrono::TimeDelta::minutes(1));
    hospital.coordinator.get(&path).await.expect(200);
    service.clock.pass(chrono::TimeDelta::hours(1));
    hospital.coordinator.get(&path).await.expect(200);
    let log = async |query: &str| {
        let found = hospital.coordinator.get(&format!("{path}/access-events?limit=100{query}")).await.expect(200);
        items(&found, "items").clone()
    };
    let moment = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let (from, until) = (moment(from), moment(until));
    let within = log(&format!("&from={from}&until={until}")).await;
    let [read] = &within[..] else { panic!("one of two readings: {within:#?}") };
    assert_eq!(
        (&read["code"], &read["purpose"], &read["policy"]),
        (&json!("person.read"), &json!("support"), &json!("policy/1"))
    );
    let (all, since, before) =
        (log("").await, log(&format!("&from={from}")).await, log(&format!("&until={from}")).await);
    let reads = |lines: &[Value]| lines.iter().filter(|line| line["code"] == "person.read").count();
    assert_eq!((reads(&all), reads(&since), reads(&before)), (2, 2, 0));
    assert!(
        !before.is_empty() && before.iter().all(|line| line["at"].as_str().unwrap() < from.as_str()),
        "{before:#?}"
    );
    hospital.coordinator.get(&format!("{path}/access-events?from=yesterday")).await.refused(400, "invalid_input");
}

async fn asked(hospital: &mut Hospital, name: &'static str) -> (Uuid, Uuid) {
    hospital.register_agreeing(name).await;
    let case = hospital.open(name, (EVENT, REPORTED), None).await;
    hospital.assign(case, "peer_supporter", "peer").await;
    (hospital.people[name], case)
}

async fn question(hospital: &Hospital, case: Uuid, step: &str) -> (String, String) {
    let follow_up = hospital.step(case, step).await["id"].clone();
    let messages = hospital.messages(case).await;
    let of_step = messages.iter().find(|one| one["followUpId"] == follow_up).unwrap();
    let word = |member: &str| of_step[member].as_str().unwrap_or_default().to_owned();
    (word("status"), word("reason"))
}

#[tokio::test]
async fn what_may_only_be_kept_is_not_used_not_changed_and_not_forgotten() {
    let service = Service::start_at(REPORTED).await;
    let mut hospital = Hospital::found(&service).await;
    hospital.publish(&twice().replace("contact_log", "support_file")).await;
    let (person, case) = asked(&mut hospital, "contested").await;
    let api = &hospital.coordinator;
    let path = format!("/v1/persons/{person}");
    let research = api.post(&format!("{path}/consents"), json!({"purpose": "research"})).await.id_of(201);
    let act = |what: &str| format!("{path}/{what}");
    service.travel_to("2026-12-18T06:59:59Z").await;
    assert_eq!(question(&hospital, case, "ask").await, ("pending".to_owned(), "quiet_hours".to_owned()));
    let restricted = api.post_nothing(&act("restrict")).await.expect(200);
    assert!(restricted["restrictedAt"].is_string(), "{restricted}");
    api.post_nothing(&act("restrict")).await.refused(409, "person_restricted");
    let etag = api.get(&path).await.etag();
    api.patch(&path, &etag, json!({"language": "en"})).await.refused(409, "person_restricted");
    let point = json!({"channel": "sms", "address": "+31612345678", "safe": "yes"});
    api.post(&act("contact-points"), point).await.refused(409, "person_restricted");
    let points = api.get(&act("contact-points")).await.expect(200);
    let verify = format!("/v1/contact-points/{}/verify", points["items"][0]["id"].as_str().unwrap());
    api.post(&verify, json!({"safe": "yes"})).await.refused(409, "person_restricted");
    api.post(&act("consents"), json!({"purpose": "research"})).await.refused(409, "person_restricted");
    nothing_new_is_begun(&hospital, (person, case)).await;
    api.post_nothing(&format!("/v1/consents/{research}/revoke")).await.expect(200);
    assert_eq!(api.get(&act("export")).await.expect(200)["person"]["restrictedAt"], restricted["restrictedAt"]);

    // Eight o'clock: the question that was due does not go, and her peer knows that it did not.
    service.travel_to("2026-12-18T09:30:00Z").await;
    assert_eq!(question(&hospital, case, "ask").await, ("suppressed".to_owned(), "restricted".to_owned()));
    let task = hospital.step(case, "task:restricted").await;
    assert_eq!((&task["role"], &task["actorId"]), (&json!("peer_supporter"), &json!(hospital.people["peer"])));
    hospital.complete(case, "ask", "answered").await;
    service.is_balanced().await;
    let lifted = api.post_nothing(&act("lift-restriction")).await.expect(200);
    assert!(lifted.get("restrictedAt").is_none(), "{lifted}");
    api.post_nothing(&act("lift-restriction")).await.refused(409, "person_not_restricted");
    service.travel_to("2026-12-26T12:00:00Z").await;
    assert_eq!(question(&hospital, case, "ask_again").await, ("sent".to_owned(), String::new()));
    kept_for_a_claim(&service, &hospital, (person, case)).await;
}

/// No case, no trajectory, no note; what runs goes on.
async fn nothing_new_is_begun(hospital: &Hospital, (person, case): (Uuid, Uuid)) {
    let api = &hospital.coordinator;
    let anchors = json!([{"anchor": "event_at", "at": EVENT}, {"anchor": "reported_at", "at": REPORTED}]);
    let opened = json!({"personId": person, "protocolId": hospital.protocol, "anchors": anchors});
    api.post("/v1/cases", opened).await.refused(409, "person_restricted");
    let started = json!({"protocolId": hospital.protocol, "anchors": anchors});
    api.post(&format!("/v1/cases/{case}/trajectories"), started).await.refused(409, "person_restricted");
    api.post(&format!("/v1/cases/{case}/notes"), json!({"text": "said later"})).await.refused(409, "person_restricted");
}

/// A closed case waits for as long as its person may need it; then it goes, and the person after it.
async fn kept_for_a_claim(service: &Service, hospital: &Hospital, (person, case): (Uuid, Uuid)) {
    let api = &hospital.coordinator;
    let act = |what: &str| format!("/v1/persons/{person}/{what}");
    api.post(&format!("/v1/cases/{case}/close"), json!({"reason": "enough_for_now"})).await.expect(200);
    api.post_nothing(&act("restrict")).await.expect(200);
    service.travel_to("2027-03-01T12:00:00Z").await;
    let kept = api.get(&format!("/v1/cases/{case}")).await.expect(200);
    assert_eq!(kept["status"], "closed");
    api.post_nothing(&format!("/v1/cases/{case}/reopen")).await.refused(409, "person_restricted");
    let plans = api.get("/v1/retention-plans").await.expect(200);
    assert!(plans["items"][0]["restrictedAt"].is_string(), "{plans}");
    for action in ["hold", "lift-hold"] {
        api.post_nothing(&format!("/v1/cases/{case}/{action}")).await.expect(200);
    }
    service.is_balanced().await;
    assert_eq!(
        api.get(&format!("/v1/cases/{case}")).await.status,
        200,
        "lifting the hold does not end the restriction"
    );
    api.post_nothing(&act("lift-restriction")).await.expect(200);
    service.drain().await;
    assert_eq!(api.get(&format!("/v1/cases/{case}")).await.status, 404, "what was due happens at once");
    api.post_nothing(&act("restrict")).await.expect(200);
    let erased = api.post_nothing(&act("erase")).await.expect(200);
    assert!(erased["erasedAt"].is_string() && erased.get("restrictedAt").is_none(), "{erased}");
    api.get(&act("export")).await.refused(409, "person_erased");
    api.post_nothing(&act("restrict")).await.refused(409, "person_erased");
    api.post_nothing(&act("lift-restriction")).await.refused(409, "person_erased");
    service.is_balanced().await;
}

#[tokio::test]
async fn a_close_one_is_not_told_about_somebody_whose_data_may_only_be_kept() {
    let service = Service::start_at(REPORTED).await;
    let night = told(&service).await;
    let trainee = night.hospital.people["trainee"];
    night.hospital.coordinator.post_nothing(&format!("/v1/persons/{trainee}/restrict")).await.expect(200);
    service.travel_to("2026-12-18T12:00:00Z").await;
    let about = question(&night.hospital, night.trainees_case, "family").await;
    assert_eq!(about, ("suppressed".to_owned(), "restricted".to_owned()), "it would rest on what the trainee said");
    assert_eq!(question(&night.hospital, night.case, "ask").await.0, "sent", "her own goes on");
    // Nor by way of the task that it left: that of her own question says why, that of the question between the two does not.
    let api = &night.hospital.coordinator;
    let export = api.get(&format!("/v1/persons/{trainee}/export")).await.expect(200);
    let steps = items(&export, "followUps").iter().filter_map(|one| one["step"].as_str());
    let tasks: BTreeSet<_> = steps.filter(|step| step.starts_with("task:")).collect();
    assert_eq!(tasks, BTreeSet::from(["task:restricted", "task:withheld"]));
    let added = items(&export["trajectories"][0], "inputs").iter().filter(|one| one["kind"] == "task_added");
    let codes: BTreeSet<_> = added.map(|one| one["code"].as_str().unwrap_or_default()).collect();
    assert_eq!(codes, BTreeSet::from(["restricted", "withheld"]));
    let seen = api.get(&format!("/v1/follow-ups?caseId={}", night.trainees_case)).await.text;
    assert!(!seen.contains("withheld"), "whoever does it knows why: {seen}");
    service.is_balanced().await;
}
