//! Forgetting on time: thirty days after the report nothing leads from the incident to the support that came of it.

use nazorg::domain::App;
use nazorg_tests::{
    hospital::{Hospital, INVOLVED},
    logs,
    service::Service,
};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

/// 03:20 in Amsterdam.
const EVENT: &str = "2026-12-17T02:20:00Z";
/// 07:45 in Amsterdam.
const REPORTED: &str = "2026-12-17T06:45:00Z";

/// The report of the night shift, and the case of each of those involved.
struct Night {
    hospital: Hospital,
    incident: Uuid,
    involvements: Vec<Uuid>,
    cases: Vec<Uuid>,
}

fn id(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}

async fn reported(service: &Service) -> Night {
    let hospital = Hospital::found(service).await;
    let involved = INVOLVED.map(|name| json!({"personId": hospital.people[name], "supportOffered": "no"}));
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
async fn rows(app: &App) -> Vec<(String, String)> {
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
fn holds(text: &str, id: Uuid) -> bool {
    let dashed = id.to_string();
    let hex: String = dashed.bytes().map(|byte| format!("{byte:02x}")).collect();
    text.contains(&dashed) || text.contains(&id.simple().to_string()) || text.contains(&hex)
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

/// The rows, events and log lines that hold an id of either side.
async fn links(service: &Service, night: &Night) -> Vec<String> {
    let sides = night.sides().await;
    let rows = rows(service.app()).await;
    let mut found = linking(rows.iter().map(|(table, row)| (table.as_str(), row.as_str())), &sides);
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
    assert_eq!(linked.len(), 3, "one row for each case, and nothing else: {linked:#?}");
    assert!(linked.iter().all(|row| row.starts_with("support_links: ")), "{linked:#?}");
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
