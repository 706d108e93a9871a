//! Forgetting on time: thirty days after the report nothing leads from the incident to the support that came of it; what a
//! protocol says is done after the closing; a person who asks for it is erased; and an old backup of the data says nothing.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use nazorg::domain::{
    App,
    entities::{CaseId, DataKeyId, PersonId, cases, jobs, persons},
};
use nazorg_tests::{
    backup, canary,
    hospital::{CHECK_IN, Hospital, INVOLVED},
    logs,
    processes::Processes,
    service::{Ground, Leg, Service},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QuerySelect, Statement, sea_query::Expr,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// 03:20 in Amsterdam.
const EVENT: &str = "2026-12-17T02:20:00Z";
/// 07:45 in Amsterdam.
const REPORTED: &str = "2026-12-17T06:45:00Z";

/// The report of the night shift, and the case of each of those involved.
pub(crate) struct Night {
    pub(crate) hospital: Hospital,
    incident: Uuid,
    involvements: Vec<Uuid>,
    pub(crate) cases: Vec<Uuid>,
}

fn id(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}

pub(crate) async fn reported(service: &Service) -> Night {
    let hospital = Hospital::found(service).await;
    let offered = INVOLVED.into_iter().zip(["no", "no", "unknown"]);
    let involved: Vec<_> =
        offered.map(|(name, offered)| json!({"personId": hospital.people[name], "supportOffered": offered})).collect();
    let report = json!({
        "eventClass": "medical_incident", "eventAt": EVENT, "reportedAt": REPORTED, "unitId": hospital.ward,
        "involved": involved, "externalRefs": [{"system": "vim", "value": "KANARIE-MELDING-88"}],
    });
    let told = hospital.reporter.post("/v1/incidents", report.clone()).await.expect(201);
    hospital.reporter.post("/v1/incidents", report).await.refused(409, "external_ref_taken");
    let (mut involvements, mut cases) = (Vec::new(), Vec::new());
    for name in INVOLVED {
        let person = hospital.people[name].to_string();
        let of = told["involved"].as_array().unwrap().iter().find(|one| one["personId"] == person.as_str()).unwrap();
        involvements.push(id(&of["id"]));
        cases.push(hospital.open(name, (EVENT, REPORTED), Some(&of["id"])).await);
    }
    Night { incident: id(&told["id"]), hospital, involvements, cases }
}

impl Night {
    /// Everything that stands for the incident, and everything that stands for the support.
    async fn sides(&self) -> (Vec<Uuid>, Vec<Uuid>) {
        let mut support = self.cases.clone();
        for case in &self.cases {
            support.push(id(&self.hospital.trajectory(*case).await["id"]));
            support.extend(self.hospital.follow_ups(*case).await.iter().map(|one| id(&one["id"])));
            support.extend(self.hospital.messages(*case).await.iter().map(|one| id(&one["id"])));
        }
        (self.involvements.iter().copied().chain([self.incident]).collect(), support)
    }
}

/// Every row of every table, as text in which an id stands dashed or in hex.
pub(crate) async fn rows(app: &App) -> Vec<(String, String)> {
    let db = app.db.reader();
    let postgres = db.get_database_backend() == DbBackend::Postgres;
    let texts = async |sql: String| -> Vec<String> {
        let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        rows.into_iter().map(|row| row.try_get_by_index::<Option<String>>(0).unwrap().unwrap_or_default()).collect()
    };
    let tables = match postgres {
        true => "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'",
        false => "SELECT name FROM sqlite_master WHERE type = 'table'",
    };
    let mut found = Vec::new();
    for table in texts(tables.to_owned()).await {
        let sql = if postgres {
            format!("SELECT t::text FROM \"{table}\" t")
        } else {
            let columns = texts(format!("SELECT name FROM pragma_table_info('{table}')")).await;
            let columns: Vec<_> = columns.iter().map(|name| format!("coalesce(hex(\"{name}\"), '')")).collect();
            format!("SELECT {} FROM \"{table}\"", columns.join(" || '|' || "))
        };
        found.extend(texts(sql).await.into_iter().map(|row| (table.clone(), row.to_lowercase())));
    }
    assert!(found.len() > 50, "there are rows to look into");
    found
}

/// Whether a text holds an id: dashed, as bytes in hex, or its dashed text in hex.
pub(crate) fn holds(text: &str, id: Uuid) -> bool {
    says(text, &id.to_string()) || text.contains(&id.simple().to_string())
}

/// Whether a row says something, in the clear or in hex.
pub(crate) fn says(text: &str, word: &str) -> bool {
    let hex: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
    text.contains(word) || text.contains(&hex)
}

/// The texts that lead from one side to the other.
fn linking<'a>(
    texts: impl Iterator<Item = (&'a str, &'a str)>,
    (incident, support): &(Vec<Uuid>, Vec<Uuid>),
) -> Vec<String> {
    let any = |text: &str, ids: &[Uuid]| ids.iter().any(|id| holds(text, *id));
    texts
        .filter(|(_, text)| any(text, incident) && any(text, support))
        .map(|(place, text)| format!("{place}: {text}"))
        .collect()
}

/// The exports, rows, events and log lines that hold an id of either side.
pub(crate) async fn links(service: &Service, night: &Night) -> Vec<String> {
    let sides = night.sides().await;
    let mut found = Vec::new();
    for name in INVOLVED {
        let path = format!("/v1/persons/{}/export", night.hospital.people[name]);
        let export = night.hospital.coordinator.get(&path).await.expect(200).to_string();
        found.extend(linking([("export", export.as_str())].into_iter(), &sides));
    }
    let rows = rows(service.app()).await;
    found.extend(linking(rows.iter().map(|(table, row)| (table.as_str(), row.as_str())), &sides));
    let log = logs::text();
    found.extend(linking(log.lines().map(|line| ("log", line)), &sides));
    let mut after = 0;
    loop {
        let page = night.hospital.coordinator.get(&format!("/v1/events?after={after}&limit=100")).await.expect(200);
        let items = page["items"].as_array().unwrap();
        let Some(last) = items.last() else { return found };
        after = last["position"].as_i64().unwrap();
        let texts: Vec<_> = items.iter().map(Value::to_string).collect();
        found.extend(linking(texts.iter().map(|text| ("feed", text.as_str())), &sides));
    }
}

#[tokio::test]
async fn thirty_days_after_the_report_nothing_links_incident_and_support() {
    let service = Service::start_at(REPORTED).await;
    let night = reported(&service).await;
    let Night { hospital, incident, cases, .. } = &night;
    for case in cases {
        hospital.assign(*case, "peer_supporter", "peer").await;
        hospital.complete(*case, "assign", "assigned").await;
        hospital.complete(*case, "offer", "accepted").await;
    }
    service.travel_to("2027-01-16T06:44:59Z").await;
    let linked = links(&service, &night).await;
    assert_eq!(linked.len(), 6, "one export and one row for each case, and nothing else: {linked:#?}");
    assert!(linked[..3].iter().all(|text| text.starts_with("export: ")), "{linked:#?}");
    assert!(linked[3..].iter().all(|row| row.starts_with("support_links: ")), "{linked:#?}");
    let path = format!("/v1/incidents/{incident}");
    let before = hospital.reporter.get(&path).await.expect(200);
    assert!(before["involved"].as_array().unwrap().iter().all(|one| one["supportOffered"] == "yes"), "{before}");

    // Thirty days to the second after the report.
    service.travel_to("2027-01-16T06:45:00Z").await;
    assert_eq!(links(&service, &night).await, Vec::<String>::new());
    let after = hospital.reporter.get(&path).await.expect(200);
    let involved = after["involved"].as_array().unwrap();
    assert!(involved.len() == 3 && involved.iter().all(|one| one.get("personId").is_none()), "only how many: {after}");
    assert!(involved.iter().all(|one| one["supportOffered"] == "yes"), "that support was offered stays: {after}");
    assert_eq!(after["externalRefs"], json!([]), "nobody reads the report's number any more");
    let again = json!({
        "eventClass": "medical_incident", "eventAt": EVENT, "reportedAt": REPORTED,
        "externalRefs": [{"system": "vim", "value": "KANARIE-MELDING-88"}],
    });
    hospital.reporter.post("/v1/incidents", again).await.refused(409, "external_ref_taken");

    // Nobody links them anew, and the support goes on as it was promised.
    let late = json!({
        "personId": hospital.people["nurse"], "protocolId": hospital.protocol, "involvementId": night.involvements[0],
        "anchors": [{"anchor": "event_at", "at": EVENT}, {"anchor": "reported_at", "at": REPORTED}],
    });
    hospital.coordinator.post("/v1/cases", late).await.refused(409, "link_cut");
    assert_eq!(hospital.step(cases[0], "talk_3").await["dueAt"], "2027-01-31T09:00:00.000Z");
    service.is_balanced().await;
}

#[tokio::test]
async fn a_backup_from_before_the_cut_does_not_say_what_the_report_was_called() {
    let mut service = Service::start_at(REPORTED).await;
    let Night { mut hospital, incident, .. } = reported(&service).await;
    service.travel_to("2026-12-20T12:00:00Z").await;
    let path = format!("/v1/incidents/{incident}");
    let before = hospital.reporter.get(&path).await.expect(200);
    assert_eq!(before["externalRefs"], json!([{"system": "vim", "value": "KANARIE-MELDING-88"}]));
    service.halt().await;
    let old = backup::make(&service.ground);
    service.restart().await;
    service.travel_to("2027-01-16T06:45:00Z").await;

    // The data as it was, on the day that it is from: nothing is due yet, and the keys are as they are.
    service.halt().await;
    backup::restore(&service.ground, &old);
    service.clock.jump_back(TimeDelta::days(25));
    service.restart().await;
    hospital.reporter = service.client(hospital.reporter.key().unwrap());
    let back = hospital.reporter.get(&path).await.expect(200);
    assert!(back["involved"][0]["personId"].is_string(), "it is the old data: {back}");
    assert_eq!(back["externalRefs"], json!([]), "nobody reads the report's number any more");
    let listed = hospital.reporter.get("/v1/incidents").await.expect(200);
    assert_eq!(listed["items"][0]["externalRefs"], json!([]), "{listed}");
    service.halt().await;
    canary::assert_nowhere(&service.ground, "", &["KANARIE-MELDING-88"]);
}

const NAME: &str = "Kanarie-Naam Merel";
const ADDRESS: &str = "merel@kanarie.example";
const REFERENCE: &str = "KANARIE-ZAAK-5813";
const NOTE: &str = "Kanarie-notitie: droomt er nog van.";
/// 04:20 in Amsterdam.
const BEGAN: &str = "2026-12-01T07:00:00Z";

/// A protocol with notes that says what is done with its cases thirty days after they closed.
fn kept_thirty_days(then: &str) -> String {
    let retention = format!("record_profile: support_file\nretention: {{after: closed, period: P30D, then: {then}}}");
    CHECK_IN.replace("record_profile: contact_log", &retention).replace("check_in", &format!("check_in_{then}"))
}

/// A person with a case of theirs, and words in both.
async fn told_much(hospital: &mut Hospital, then: &str) -> (Uuid, Uuid) {
    hospital.publish(&kept_thirty_days(then)).await;
    let api = &hospital.coordinator;
    let person = api.post("/v1/persons", json!({"name": NAME, "language": "nl"})).await.id_of(201);
    let point = json!({"channel": "email", "address": ADDRESS, "safe": "yes"});
    api.post(&format!("/v1/persons/{person}/contact-points"), point).await.expect(201);
    let case = json!({
        "personId": person, "unitId": hospital.ward, "protocolId": hospital.protocol,
        "anchors": [{"anchor": "event_at", "at": BEGAN}, {"anchor": "reported_at", "at": BEGAN}],
        "externalRefs": [{"system": "zis", "value": format!("{REFERENCE}-{then}")}],
    });
    let case = api.post("/v1/cases", case).await.id_of(201);
    api.post(&format!("/v1/cases/{case}/notes"), json!({"text": NOTE})).await.expect(201);
    (person, case)
}

/// The keys of a case and of its person.
async fn keys(app: &App, (person, case): (Uuid, Uuid)) -> Vec<DataKeyId> {
    let person = persons::Entity::find_by_id(PersonId(person)).one(app.db.reader()).await.unwrap().unwrap();
    let case = cases::Entity::find_by_id(CaseId(case)).one(app.db.reader()).await.unwrap().unwrap();
    vec![person.key_id, case.key_id.unwrap()]
}

async fn close(hospital: &Hospital, case: Uuid) {
    let reason = json!({"reason": "enough_for_now"});
    hospital.coordinator.post(&format!("/v1/cases/{case}/close"), reason).await.expect(200);
}

#[tokio::test]
async fn an_old_backup_beside_the_current_keys_says_nothing() {
    let mut service = Service::start().await;
    let mut hospital = Hospital::found(&service).await;
    let (person, case) = told_much(&mut hospital, "reduce_to_tally").await;
    let keys = keys(service.app(), (person, case)).await;
    let erase = format!("/v1/persons/{person}/erase");
    hospital.coordinator.post_nothing(&erase).await.refused(409, "person_needed");
    close(&hospital, case).await;
    service.drain().await;
    service.halt().await;
    let old = backup::make(&service.ground);
    service.restart().await;
    hospital.coordinator = service.client(hospital.coordinator.key().unwrap());

    // A legal hold stops everything, until it is lifted.
    let held = hospital.coordinator.post_nothing(&format!("/v1/cases/{case}/hold")).await.expect(200);
    assert!(held["heldAt"].is_string(), "{held}");
    hospital.coordinator.post_nothing(&format!("/v1/cases/{case}/hold")).await.refused(409, "case_held");
    service.travel_to("2027-03-01T12:00:00Z").await;
    hospital.coordinator.get(&format!("/v1/cases/{case}")).await.expect(200);
    hospital.coordinator.post_nothing(&erase).await.refused(409, "person_needed");
    hospital.coordinator.post_nothing(&format!("/v1/cases/{case}/lift-hold")).await.expect(200);
    service.drain().await;
    assert_eq!(hospital.coordinator.get(&format!("/v1/cases/{case}")).await.status, 404);
    let erased = hospital.coordinator.post_nothing(&erase).await.expect(200);
    assert!(erased.get("name").is_none() && erased["erasedAt"].is_string(), "{erased}");
    hospital.coordinator.post_nothing(&erase).await.refused(409, "person_erased");
    let point = json!({"channel": "email", "address": ADDRESS, "safe": "yes"});
    let points = format!("/v1/persons/{person}/contact-points");
    hospital.coordinator.post(&points, point).await.refused(409, "person_erased");
    let log = hospital.coordinator.get(&format!("/v1/persons/{person}/access-events")).await.expect(200);
    assert!(log["items"].as_array().unwrap().iter().any(|line| line["code"] == "person.erased"), "{log}");
    service.is_balanced().await;
    assert!(service.app().keys.many(&keys).await.unwrap().is_empty(), "both keys are destroyed");

    // The data as it was, the keys as they are: the rows are back, and nobody reads them.
    service.halt().await;
    backup::restore(&service.ground, &old);
    service.restart().await;
    hospital.coordinator = service.client(hospital.coordinator.key().unwrap());
    let back = persons::Entity::find_by_id(PersonId(person)).one(service.app().db.reader()).await.unwrap().unwrap();
    assert!(!back.name_enc.is_empty() && back.erased_at.is_none(), "it is the old data");
    assert!(service.app().keys.many(&keys).await.unwrap().is_empty(), "and the keys stay destroyed");
    let read = hospital.coordinator.get(&format!("/v1/persons/{person}")).await.expect(200);
    assert!(read.get("name").is_none(), "{read}");
    let points = hospital.coordinator.get(&points).await.expect(200);
    assert!(points["items"][0].get("address").is_none(), "{points}");
    service.drain().await;
    assert_eq!(hospital.coordinator.get(&format!("/v1/cases/{case}")).await.status, 404, "it is forgotten again");
    service.is_balanced().await;
    canary::assert_nowhere(&service.ground, "", &[NAME, ADDRESS, REFERENCE, NOTE]);
}

/// What stands in a table about a case, where that is not about its having gone.
async fn half_forgotten(app: &App, all: &[Uuid]) -> (usize, Vec<String>) {
    let there: Vec<CaseId> =
        cases::Entity::find().select_only().column(cases::Column::Id).into_tuple().all(app.db.reader()).await.unwrap();
    let gone: Vec<Uuid> = all.iter().copied().filter(|case| !there.contains(&CaseId(*case))).collect();
    // What tells of it: who saw it, that it went, and what of it a job still has to take away.
    let telling = ["access_events", "events", "jobs", "remains", "idempotency_keys"];
    let rows = rows(app).await.into_iter().filter(|(table, _)| !telling.contains(&table.as_str()));
    let left = rows.filter(|(_, row)| gone.iter().any(|case| holds(row, *case))).map(|(table, _)| table).collect();
    (gone.len(), left)
}

#[tokio::test]
async fn a_worker_that_is_killed_while_it_forgets_leaves_nothing_half_forgotten() {
    const CASES: usize = 120;
    let binary = env!("CARGO_BIN_EXE_nazorg-process");
    let settings = [("NAZORG_WORKER_CONCURRENCY", "1")];
    let ground = Ground::new(Leg::from_env());
    let mut service = Processes::start_on(binary, ground, BEGAN, (1, 1, &settings)).await;
    let mut hospital = Hospital::found_on(&service).await;
    let mut all = Vec::new();
    for then in ["reduce_to_tally", "delete"] {
        hospital.publish(&kept_thirty_days(then)).await;
        for _ in 0..CASES / 2 {
            let case = hospital.open("nurse", (BEGAN, BEGAN), None).await;
            hospital.coordinator.post(&format!("/v1/cases/{case}/notes"), json!({"text": NOTE})).await.expect(201);
            close(&hospital, case).await;
            all.push(case);
        }
    }
    service.drain().await;
    service.working()[0].kill();
    service.clock.move_to(service.clock_now() + TimeDelta::days(40));
    let (mut gone, mut killed_midway, mut patience) = (0, 0, 5);
    while gone < CASES {
        service.start_all().await;
        tokio::time::sleep(Duration::from_millis(patience)).await;
        service.working()[0].kill();
        let (now, left) = half_forgotten(service.app(), &all).await;
        assert_eq!(left, Vec::<String>::new(), "of {now} cases that are gone");
        assert!(now >= gone, "what is gone stays gone");
        killed_midway += usize::from(now < CASES);
        (gone, patience) = (now, patience * 2);
        // Killed with leases in hand: they lapse within half a minute, and are lapsed here at once.
        let lapsed = jobs::Entity::update_many().col_expr(jobs::Column::LeaseUntil, Expr::value(None::<DateTime<Utc>>));
        lapsed.exec(service.app().db.reader()).await.unwrap();
        assert!(patience < 60_000, "{now} of {CASES} are gone");
    }
    service.start_all().await;
    service.drain().await;
    let ledger = hospital.coordinator.get("/v1/ledger").await.expect(200);
    let counts: i64 =
        ledger["forgottenCases"].as_array().unwrap().iter().map(|one| one["count"].as_i64().unwrap()).sum();
    assert_eq!(
        (ledger["unaccounted"].as_i64(), counts),
        (Some(0), i64::try_from(CASES).unwrap()),
        "each once: {ledger}"
    );
    assert!(killed_midway > 0, "it was never killed before it was done");
    service.is_balanced().await;
    service.end().await;
}

#[tokio::test]
async fn a_case_is_pseudonymised_or_deleted_as_its_protocol_says() {
    let service = Service::start().await;
    let mut hospital = Hospital::found(&service).await;
    let (person, kept) = told_much(&mut hospital, "pseudonymise").await;
    let (_, gone) = told_much(&mut hospital, "delete").await;
    let before = keys(service.app(), (person, kept)).await;
    for case in [kept, gone] {
        close(&hospital, case).await;
    }
    // Who takes away what is owed is told on, and lifting a hold owes it anew.
    let owed = jobs::Entity::delete_many().filter(jobs::Column::Subject.eq(kept));
    assert_eq!(owed.exec(service.app().db.reader()).await.unwrap().rows_affected, 1);
    let told = hospital.coordinator.get("/v1/ledger").await.expect(200);
    assert_eq!(told["reasons"], json!([{"reason": "retention_without_job", "count": 1}]));
    for action in ["hold", "lift-hold"] {
        hospital.coordinator.post_nothing(&format!("/v1/cases/{kept}/{action}")).await.expect(200);
    }
    service.is_balanced().await;
    service.travel_to("2027-01-15T00:00:00Z").await;
    assert_eq!(hospital.coordinator.get(&format!("/v1/cases/{gone}")).await.status, 404);
    let case = hospital.coordinator.get(&format!("/v1/cases/{kept}")).await.expect(200);
    assert!(case["personId"] != person.to_string() && case["forgottenAt"].is_string(), "{case}");
    assert_eq!(case["externalRefs"], json!([]));
    let nobody = hospital.coordinator.get(&format!("/v1/persons/{}", case["personId"].as_str().unwrap())).await;
    assert!(nobody.expect(200).get("name").is_none());
    let notes = hospital.coordinator.get(&format!("/v1/cases/{kept}/notes")).await.expect(200);
    assert_eq!(notes["items"], json!([]));
    hospital.coordinator.post_nothing(&format!("/v1/cases/{kept}/reopen")).await.refused(409, "case_forgotten");
    assert!(service.app().keys.many(&before[1..]).await.unwrap().is_empty(), "the case's key is destroyed");
    let ledger = hospital.coordinator.get("/v1/ledger").await.expect(200);
    assert_eq!(ledger["forgottenCases"], json!([{"status": "deleted", "count": 1}]));
    service.is_balanced().await;
}
