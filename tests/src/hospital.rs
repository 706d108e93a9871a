//! The hospital of scenario A: a ward, a coordinator and her deputy, peers, and the programme published. Fictional, all of it.

use std::collections::BTreeMap;

use nazorg::domain::entities::{PersonId, Role};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    client::Client,
    processes::Processes,
    service::{Service, Tenant},
};

/// A hospital ready to receive a report.
pub struct Hospital {
    /// The tenant.
    pub tenant: Tenant,
    /// The coordinator's client.
    pub coordinator: Client,
    /// The incident system's client.
    pub reporter: Client,
    /// The published protocol version.
    pub protocol: Uuid,
    /// The ward.
    pub ward: Uuid,
    /// Everyone by name.
    pub people: BTreeMap<&'static str, Uuid>,
}

/// A small protocol for stories of their own: a question to the person in the quiet hours of the next night, which
/// therefore waits for eight o'clock, and a talk after two weeks.
pub const CHECK_IN: &str = r#"
protocol: check_in
title: {nl: Navraag na een incident, en: Check-in after an incident}
kind: second_victim_peer_support
record_profile: contact_log
anchors: {event_at: required, reported_at: required}
roles: [peer_supporter]
steps:
  - step: ask
    title: {nl: Hoe gaat het?, en: How are you?}
    actor: peer_supporter
    action: message
    message: {to: person, template: checkin}
    anchor: event_at
    offset: PT22H
    outcomes: {answered: [], no_answer: []}
  - step: talk
    title: {nl: Gesprek, en: Talk}
    actor: peer_supporter
    action: talk
    anchor: event_at
    offset: P14D
    at: "10:00"
    remind: [{to: actor, at: due}]
    outcomes: {held: [], declined: []}
end:
  - {all_final: [talk], close: completed}
"#;

/// A talk a fortnight after the event, at ten in the morning, of which the peer is reminded at that moment. More steps can follow
/// after the last line.
pub const ONE_MORNING: &str = r#"
protocol: one_morning
title: {nl: Eén ochtend, en: One morning}
kind: second_victim_peer_support
record_profile: contact_log
anchors: {event_at: required, reported_at: required}
roles: [peer_supporter]
end:
  - {all_final: [talk], close: completed}
steps:
  - step: talk
    title: {nl: Gesprek, en: Talk}
    actor: peer_supporter
    action: talk
    anchor: event_at
    offset: P14D
    at: "10:00"
    remind: [{to: actor, at: due}]
    outcomes: {held: [], declined: []}
"#;

/// The question to the person, at the same moment as the talk of which the peer is reminded: a last step for [`ONE_MORNING`].
pub const ASK: &str = r#"
  - step: ask
    title: {nl: Hoe gaat het?, en: How are you?}
    actor: peer_supporter
    action: message
    message: {to: person, template: checkin}
    anchor: event_at
    offset: P14D
    at: "10:00"
    outcomes: {answered: [], no_answer: []}
"#;

/// A round of the coordinator a day after the event: mail that keeps a worker's only hand busy while something else changes.
pub const ROUNDS: &str = r"
protocol: rounds
title: {nl: Ronde, en: Round}
kind: second_victim_peer_support
record_profile: contact_log
anchors: {event_at: required, reported_at: required}
roles: [coordinator]
steps:
  - step: round
    title: {nl: Ronde, en: Round}
    actor: coordinator
    action: task
    anchor: event_at
    offset: PT24H
    remind: [{to: actor, at: due}]
    outcomes: {done: []}
end:
  - {all_final: [round], close: completed}
";

/// The staff whose mail is looked for in the outbox.
pub const STAFF: [&str; 4] = ["coordinator", "deputy", "peer", "other_peer"];
/// Those involved in the incident.
pub const INVOLVED: [&str; 3] = ["nurse", "resident", "trainee"];

impl Hospital {
    /// Founds it.
    ///
    /// # Panics
    /// When the service says no.
    pub async fn found(service: &Service) -> Self {
        let tenant = service.tenant("Ziekenhuis aan de Rivier").await;
        let coordinator = service.key(tenant.id, Role::Coordinator, None).await;
        let reporter = service.key(tenant.id, Role::Reporter, None).await;
        Self::furnished(tenant, coordinator, reporter).await
    }

    /// Founds it on several processes.
    ///
    /// # Panics
    /// When the service says no.
    pub async fn found_on(service: &Processes) -> Self {
        let tenant = service.tenant("Ziekenhuis aan de Rivier").await;
        let coordinator = service.key(tenant.id, Role::Coordinator, None).await;
        let reporter = service.key(tenant.id, Role::Reporter, None).await;
        Self::furnished(tenant, coordinator, reporter).await
    }

    async fn furnished(tenant: Tenant, coordinator: Client, reporter: Client) -> Self {
        let admin = &tenant.admin;
        let body = json!({"builtIn": "second_victim_peer_support", "publish": true});
        let protocol = admin.post("/v1/protocols", body).await.id_of(201);
        let ward = admin.post("/v1/units", json!({"name": "Ward 4 North", "kind": "department"})).await.id_of(201);
        let mut hospital = Self { tenant, coordinator, reporter, protocol, ward, people: BTreeMap::new() };
        for name in STAFF.into_iter().chain(INVOLVED) {
            hospital.register(name).await;
        }
        hospital.roster("coordinator", "coordinator").await;
        hospital.roster("deputy", "deputy_coordinator").await;
        hospital
    }

    /// Registers a person with a safe mail address `<name>@hospital.example`.
    ///
    /// # Panics
    /// When the service says no.
    pub async fn register(&mut self, name: &'static str) -> Uuid {
        let body = json!({"name": format!("CANARY-NAME {name}"), "language": "nl"});
        let id = self.coordinator.post("/v1/persons", body).await.id_of(201);
        let address = format!("{name}@hospital.example");
        let point = json!({"channel": "email", "address": address, "safe": "yes"});
        self.coordinator.post(&format!("/v1/persons/{id}/contact-points"), point).await.expect(201);
        self.check_safety(id).await;
        self.people.insert(name, id);
        id
    }

    /// Asks a person anew whether their mail is safe to use; the answer holds for ninety days.
    ///
    /// # Panics
    /// When the service says no.
    pub async fn check_safety(&self, person: Uuid) {
        let points = self.coordinator.get(&format!("/v1/persons/{person}/contact-points")).await.expect(200);
        let point = points["items"][0]["id"].as_str().unwrap();
        self.coordinator.post(&format!("/v1/contact-points/{point}/verify"), json!({"safe": "yes"})).await.expect(200);
    }

    /// Publishes a protocol of the story's own; cases opened from here on run it.
    ///
    /// # Panics
    /// When the service says no.
    pub async fn publish(&mut self, text: &str) {
        let body = json!({"text": text, "publish": true});
        self.protocol = self.tenant.admin.post("/v1/protocols", body).await.id_of(201);
    }

    /// Registers a person who agrees to messages; answers the consent.
    ///
    /// # Panics
    /// When the service says no.
    pub async fn register_agreeing(&mut self, name: &'static str) -> Uuid {
        let id = self.register(name).await;
        let consent = json!({"purpose": "messages"});
        self.coordinator.post(&format!("/v1/persons/{id}/consents"), consent).await.id_of(201)
    }

    /// The ledger of a case.
    ///
    /// # Panics
    /// When the service says no.
    pub async fn ledger(&self, case: Uuid) -> Value {
        self.coordinator.get(&format!("/v1/ledger?caseId={case}")).await.expect(200)
    }

    async fn roster(&self, name: &str, role: &str) {
        let body = json!({"role": role, "personId": self.people[name], "position": 1});
        self.coordinator.post("/v1/roster-entries", body).await.expect(201);
    }

    /// A client of one of the staff's own.
    pub async fn as_supporter(&self, service: &Service, name: &str) -> Client {
        service.key(self.tenant.id, Role::Supporter, Some(PersonId(self.people[name]))).await
    }

    /// Opens a case for one of those involved.
    ///
    /// # Panics
    /// When the service says no.
    pub async fn open(&self, name: &str, (event_at, reported_at): (&str, &str), involvement: Option<&Value>) -> Uuid {
        let mut body = json!({
            "personId": self.people[name],
            "unitId": self.ward,
            "protocolId": self.protocol,
            "anchors": [{"anchor": "event_at", "at": event_at}, {"anchor": "reported_at", "at": reported_at}],
        });
        if let Some(involvement) = involvement {
            body["involvementId"] = involvement.clone();
        }
        self.coordinator.post("/v1/cases", body).await.id_of(201)
    }

    /// The follow-ups of a case by step and occurrence.
    ///
    /// # Panics
    /// When the service says no.
    pub async fn follow_ups(&self, case: Uuid) -> Vec<Value> {
        let page = self.coordinator.get(&format!("/v1/follow-ups?caseId={case}&limit=100")).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }

    /// The latest follow-up of a step that is not final, or the latest at all.
    ///
    /// # Panics
    /// When there is none.
    pub async fn step(&self, case: Uuid, step: &str) -> Value {
        let of_step: Vec<Value> = self.follow_ups(case).await.into_iter().filter(|one| one["step"] == step).collect();
        let open = of_step.iter().rev().find(|one| one["finalAt"].is_null());
        open.or(of_step.last()).unwrap_or_else(|| panic!("no follow-up {step}")).clone()
    }

    /// Completes the open follow-up of a step.
    ///
    /// # Panics
    /// When the service says no.
    pub async fn complete(&self, case: Uuid, step: &str, outcome: &str) -> Value {
        let id = self.step(case, step).await["id"].as_str().unwrap().to_owned();
        self.coordinator.post(&format!("/v1/follow-ups/{id}/complete"), json!({"outcome": outcome})).await.expect(200)
    }

    /// Puts a person in a role of a case.
    ///
    /// # Panics
    /// When the service says no.
    pub async fn assign(&self, case: Uuid, role: &str, name: &str) {
        let body = json!({"role": role, "personId": self.people[name]});
        self.coordinator.post(&format!("/v1/cases/{case}/assign"), body).await.expect(200);
    }

    /// The only trajectory of a case.
    ///
    /// # Panics
    /// When there is none.
    pub async fn trajectory(&self, case: Uuid) -> Value {
        let all = self.coordinator.get(&format!("/v1/cases/{case}/trajectories")).await.expect(200);
        all["items"][0].clone()
    }

    /// The messages of a case.
    ///
    /// # Panics
    /// When the service says no.
    pub async fn messages(&self, case: Uuid) -> Vec<Value> {
        let page = self.coordinator.get(&format!("/v1/messages?caseId={case}&limit=100")).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }
}
