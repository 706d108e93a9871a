//! The published operations, what each is about, and requests that are as valid as their schemas can say.

use std::collections::BTreeMap;

use nazorg::domain::{
    entities::Role,
    policy::{Action, Action as A},
};
use nazorg_tests::client::{Answer, Client, With, fresh_id, fresh_key};
use reqwest::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What each operation is about: its id, the kinds of the ids in its path, and what one must be allowed to do.
pub(crate) const OPERATIONS: &[(&str, &[&str], Action)] = &[
    ("listApiKeys", &[], A::ManageKeys),
    ("createApiKey", &[], A::ManageKeys),
    ("readApiKey", &["api_key"], A::ManageKeys),
    ("revokeApiKey", &["api_key"], A::ManageKeys),
    ("readOrganisation", &[], A::ReadOrganisation),
    ("changeOrganisation", &[], A::ManageOrganisation),
    ("listUnits", &[], A::ReadOrganisation),
    ("createUnit", &[], A::ManageOrganisation),
    ("readUnit", &["unit"], A::ReadOrganisation),
    ("changeUnit", &["unit"], A::ManageOrganisation),
    ("listBuiltInProtocols", &[], A::ReadProtocols),
    ("listProtocols", &[], A::ReadProtocols),
    ("createProtocol", &[], A::ManageProtocols),
    ("checkProtocol", &[], A::ReadProtocols),
    ("previewProtocol", &[], A::ReadProtocols),
    ("readProtocol", &["protocol"], A::ReadProtocols),
    ("changeProtocol", &["protocol"], A::ManageProtocols),
    ("publishProtocol", &["protocol"], A::ManageProtocols),
    ("retireProtocol", &["protocol"], A::ManageProtocols),
    ("listMemberships", &[], A::ReadStaff),
    ("createMembership", &[], A::ManageStaff),
    ("readMembership", &["membership"], A::ReadStaff),
    ("endMembership", &["membership"], A::ManageStaff),
    ("listRosterEntries", &[], A::ReadStaff),
    ("createRosterEntry", &[], A::ManageStaff),
    ("readRosterEntry", &["roster_entry"], A::ReadStaff),
    ("endRosterEntry", &["roster_entry"], A::ManageStaff),
    ("listAbsences", &[], A::ReadStaff),
    ("createAbsence", &[], A::ManageStaff),
    ("readAbsence", &["absence"], A::ReadStaff),
    ("endAbsence", &["absence"], A::ManageStaff),
    ("listPersons", &[], A::ReadPeople),
    ("searchPersons", &[], A::ReadPeople),
    ("createPerson", &[], A::CreatePerson),
    ("upsertPerson", &[], A::WritePeople),
    ("readPerson", &["person"], A::ReadPeople),
    ("changePerson", &["person"], A::WritePeople),
    ("erasePerson", &["person"], A::ManageRetention),
    ("exportPerson", &["person"], A::ExportPeople),
    ("restrictPerson", &["person"], A::ManageRetention),
    ("liftRestriction", &["person"], A::ManageRetention),
    ("listAccessEvents", &["person"], A::ReadAudit),
    ("listContactPoints", &["person"], A::ReadPeople),
    ("createContactPoint", &["person"], A::WritePeople),
    ("readContactPoint", &["contact_point"], A::ReadPeople),
    ("changeContactPoint", &["contact_point"], A::WritePeople),
    ("verifyContactPoint", &["contact_point"], A::WritePeople),
    ("endContactPoint", &["contact_point"], A::WritePeople),
    ("listRelations", &["person"], A::ReadPeople),
    ("createRelation", &["person"], A::WritePeople),
    ("readRelation", &["relation"], A::ReadPeople),
    ("endRelation", &["relation"], A::WritePeople),
    ("listConsents", &["person"], A::ReadPeople),
    ("giveConsent", &["person"], A::WritePeople),
    ("readConsent", &["consent"], A::ReadPeople),
    ("revokeConsent", &["consent"], A::WritePeople),
    ("listIncidents", &[], A::ReadIncidents),
    ("reportIncident", &[], A::ReportIncident),
    ("readIncident", &["incident"], A::ReadIncidents),
    ("createInvolvement", &["incident"], A::WriteIncidents),
    ("readInvolvement", &["incident", "involvement"], A::ReadIncidents),
    ("changeInvolvement", &["incident", "involvement"], A::WriteIncidents),
    ("listSupportOffers", &[], A::ReadSupportOffered),
    ("listCases", &[], A::ReadCases),
    ("searchCases", &[], A::ReadCases),
    ("openCase", &[], A::OpenCases),
    ("readCase", &["case"], A::ReadCases),
    ("changeCase", &["case"], A::WriteCases),
    ("assignCase", &["case"], A::WriteCases),
    ("closeCase", &["case"], A::WriteCases),
    ("reopenCase", &["case"], A::WriteCases),
    ("holdCase", &["case"], A::ManageRetention),
    ("liftHold", &["case"], A::ManageRetention),
    ("listNotes", &["case"], A::ReadCases),
    ("writeNote", &["case"], A::WriteNotes),
    ("listTrajectories", &["case"], A::ReadCases),
    ("startTrajectory", &["case"], A::OpenCases),
    ("readTrajectory", &["trajectory"], A::ReadCases),
    ("setAnchor", &["trajectory"], A::WriteCases),
    ("removeAnchor", &["trajectory"], A::WriteCases),
    ("setParam", &["trajectory"], A::WriteCases),
    ("optIn", &["trajectory"], A::WriteCases),
    ("optOut", &["trajectory"], A::WriteCases),
    ("pauseTrajectory", &["trajectory"], A::WriteCases),
    ("resumeTrajectory", &["trajectory"], A::WriteCases),
    ("closeTrajectory", &["trajectory"], A::WriteCases),
    ("listFollowUps", &[], A::ReadFollowUps),
    ("readFollowUp", &["follow_up"], A::ReadFollowUps),
    ("completeFollowUp", &["follow_up"], A::CompleteFollowUps),
    ("rescheduleFollowUp", &["follow_up"], A::CompleteFollowUps),
    ("reassignFollowUp", &["follow_up"], A::ManageFollowUps),
    ("callOffFollowUp", &["follow_up"], A::ManageFollowUps),
    ("listMessages", &[], A::ReadMessages),
    ("readMessage", &["message"], A::ReadMessages),
    ("acknowledgeMessage", &["message"], A::AcknowledgeMessages),
    ("reportDelivery", &["message"], A::RelayTexts),
    ("passOnReply", &[], A::RelayTexts),
    ("listEvents", &[], A::ReadFeed),
    ("readLedger", &[], A::ReadLedger),
    ("listRetentionPlans", &[], A::ManageRetention),
    ("listGivenUpJobs", &[], A::ManageJobs),
    ("repeatGivenUpJob", &["given_up_job"], A::ManageJobs),
];

/// What one must be allowed to do to see that an object of a kind is there.
pub(crate) fn seeing(kind: &str) -> Action {
    match kind {
        "unit" => A::ReadOrganisation,
        "api_key" => A::ManageKeys,
        "protocol" => A::ReadProtocols,
        "membership" | "roster_entry" | "absence" => A::ReadStaff,
        "person" | "contact_point" | "relation" | "consent" => A::ReadPeople,
        "incident" | "involvement" => A::ReadIncidents,
        "case" | "trajectory" => A::ReadCases,
        "follow_up" => A::ReadFollowUps,
        "message" => A::ReadMessages,
        "given_up_job" => A::ManageJobs,
        other => panic!("no such kind: {other}"),
    }
}

/// The kind of object that a member or a query key names, where it names one.
pub(crate) fn kind_of(member: &str) -> Option<&'static str> {
    Some(match member {
        "personId" | "otherPersonId" | "coverPersonId" | "recipientPersonId" | "recipientId" | "actorId" => "person",
        "unitId" | "parentId" => "unit",
        "protocolId" | "copyOf" => "protocol",
        "involvementId" => "involvement",
        "caseId" => "case",
        "trajectoryId" => "trajectory",
        "followUpId" => "follow_up",
        _ => return None,
    })
}

/// Ids by kind, and `peer`, a second person.
pub(crate) type Ids = BTreeMap<&'static str, Uuid>;

/// An operation as published.
pub(crate) struct Operation {
    /// Its id.
    pub(crate) id: String,
    /// Its method.
    pub(crate) method: Method,
    /// Its path with `{…}`.
    pub(crate) template: String,
    /// The name of the schema of its body.
    pub(crate) body: Option<String>,
    /// The query keys that take an id.
    pub(crate) id_keys: Vec<String>,
    /// The kinds of the ids in its path.
    pub(crate) kinds: &'static [&'static str],
    /// What one must be allowed to do.
    pub(crate) action: Action,
}

/// The document as the running service gives it.
pub(crate) struct Contract {
    document: Value,
    text: String,
    /// Every operation.
    pub(crate) operations: Vec<Operation>,
}

impl Contract {
    /// Reads it.
    ///
    /// # Panics
    /// When an operation is published that [`OPERATIONS`] does not know, or the other way around.
    pub(crate) async fn of(base: &str) -> Self {
        let document: Value = reqwest::get(format!("{base}/v1/openapi.json")).await.unwrap().json().await.unwrap();
        let text = nazorg::domain::protocols::built_in()[0].text.to_owned();
        let (mut operations, mut uncovered) = (Vec::new(), Vec::new());
        for (template, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters") {
                let id = operation["operationId"].as_str().unwrap();
                match OPERATIONS.iter().find(|known| known.0 == id) {
                    Some(known) => operations.push(published((method, template), operation, *known)),
                    None => uncovered.push(id.to_owned()),
                }
            }
        }
        assert_eq!(uncovered, Vec::<String>::new(), "published, but no story says what they are about");
        assert_eq!(operations.len(), OPERATIONS.len(), "known here, but not published");
        for one in &operations {
            assert_eq!(one.template.matches('{').count(), one.kinds.len(), "the ids of {}", one.template);
        }
        Self { document, text, operations }
    }

    /// The schema of a body.
    pub(crate) fn schema(&self, name: &str) -> &Value {
        &self.document["components"]["schemas"][name]
    }

    /// A body that is as valid as a schema and these ids can make it.
    pub(crate) fn body(&self, name: &str, ids: &Ids) -> Value {
        let anchors = [("event_at", "2026-12-17T02:20:00Z"), ("reported_at", "2026-12-17T06:45:00Z")]
            .map(|(anchor, at)| json!({"anchor": anchor, "at": at}));
        match name {
            "NewProtocol" => json!({"builtIn": "second_victim_peer_support"}),
            "NewPreview" => json!({"protocolId": ids["protocol"], "anchors": anchors}),
            "NewTrajectory" => json!({"protocolId": ids["protocol"], "anchors": anchors}),
            "NewCase" => json!({"personId": ids["person"], "protocolId": ids["protocol"], "anchors": anchors}),
            "ParamSetting" => json!({"param": "rhythm", "value": "P2W"}),
            "NewInvolvement" => json!({"personId": ids["peer"]}),
            // Only who manages keys may make an administrator, so the first word of the set will not do.
            "NewMembership" => json!({"personId": ids["peer"], "role": "supporter"}),
            "NewAbsence" => json!({
                "personId": ids["peer"], "fromAt": "2027-01-01T08:00:00Z", "untilAt": "2027-01-02T08:00:00Z",
            }),
            "NewContactPoint" => json!({"channel": "email", "address": "else@hospital.example", "safe": "yes"}),
            "NewReply" => json!({"channel": "sms", "from": "+31687650193", "text": "Dag"}),
            "PersonSearch" => json!({"name": "Nobody"}),
            "PersonChange" => json!({"profession": "nurse"}),
            "ContactPointChange" => json!({"preference": 3}),
            "UnitChange" => json!({"name": "Ward 5 South"}),
            "OrganisationChange" => json!({"name": "Ziekenhuis aan het Meer"}),
            "CaseChange" => json!({"unitId": ids["unit"]}),
            _ => self.sample("", self.schema(name), ids),
        }
    }

    /// A value of a schema.
    pub(crate) fn sample(&self, name: &str, schema: &Value, ids: &Ids) -> Value {
        let schema = self.resolved(schema);
        if let Some(words) = schema["enum"].as_array() {
            return words[0].clone();
        }
        match schema["type"].as_str() {
            Some("object") => {
                let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                let members = required.map(|one| (one.to_owned(), self.sample(one, &schema["properties"][one], ids)));
                Value::Object(members.collect::<Map<_, _>>())
            }
            Some("array") => json!([]),
            Some("boolean") => json!(true),
            Some("integer" | "number") => json!(1),
            _ => json!(self.word(name, schema, ids)),
        }
    }

    /// The schema behind a reference.
    pub(crate) fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let of_all = schema["allOf"].get(0).unwrap_or(schema);
        match of_all["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
            Some(name) => self.resolved(self.schema(name)),
            None => of_all,
        }
    }

    fn word(&self, name: &str, schema: &Value, ids: &Ids) -> String {
        match (schema["format"].as_str(), name) {
            (Some("uuid"), "otherPersonId") => ids["peer"].to_string(),
            (Some("uuid"), _) => kind_of(name).and_then(|kind| ids.get(kind)).map_or_else(fresh_key, Uuid::to_string),
            (Some("date-time"), _) => "2026-12-18T10:00:00Z".to_owned(),
            (_, "role") => "peer_supporter".to_owned(),
            (_, "anchor") => "reported_at".to_owned(),
            (_, "text") if schema["maxLength"].as_u64() > Some(100_000) => self.text.clone(),
            _ if schema["pattern"].is_string() => "department".to_owned(),
            _ => "accepted".to_owned(),
        }
    }
}

fn published(
    (method, template): (&str, &str),
    operation: &Value,
    (_, kinds, action): (&str, &'static [&'static str], Action),
) -> Operation {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let in_query = parameters.filter(|one| one["in"] == "query" && one["schema"].to_string().contains("uuid"));
    Operation {
        id: operation["operationId"].as_str().unwrap().to_owned(),
        method: method.to_uppercase().parse().unwrap(),
        template: template.to_owned(),
        body: schema.as_str().map(|name| name.rsplit('/').next().unwrap().to_owned()),
        id_keys: in_query.map(|one| one["name"].as_str().unwrap().to_owned()).collect(),
        kinds,
        action,
    }
}

impl Operation {
    /// Its path with these texts for ids, in order.
    pub(crate) fn path(&self, ids: impl IntoIterator<Item = String>) -> String {
        ids.into_iter().fold(format!("/v1{}", self.template), |path, id| {
            let (from, until) = (path.find('{').unwrap(), path.find('}').unwrap());
            format!("{}{id}{}", &path[..from], &path[until + 1..])
        })
    }

    /// Its path with the ids of its kinds.
    pub(crate) fn path_of(&self, ids: &Ids) -> String {
        self.path(self.kinds.iter().map(|kind| ids[kind].to_string()))
    }

    /// Its path with ids that nobody has.
    pub(crate) fn path_of_nobody(&self) -> String {
        self.path(self.kinds.iter().map(|_| fresh_id().to_string()))
    }

    /// Whether it only reads.
    pub(crate) fn reads(&self) -> bool {
        self.method == Method::GET
    }

    /// What goes with a request of it.
    pub(crate) fn with(&self) -> With {
        let (post, get) = (self.method == Method::POST, self.reads());
        let if_match = (!post && !get).then(|| "\"1\"".to_owned());
        With { if_match, if_none_match: None, idempotency_key: post.then(fresh_key) }
    }

    /// Calls it.
    pub(crate) async fn call(&self, client: &Client, path: &str, body: Option<Value>) -> Answer {
        client.send(self.method.clone(), path, body, self.with()).await
    }
}

/// What an answer gives away: everything but the numbers of the request itself.
pub(crate) fn told(answer: &Answer) -> (u16, Value) {
    let mut body = answer.body.clone();
    if answer.status >= 400 {
        let members = body.as_object_mut().unwrap();
        members.retain(|name, _| name != "traceId" && name != "instance");
    }
    (answer.status, body)
}

/// Every access role.
pub(crate) const ROLES: [Role; 7] = [
    Role::Admin,
    Role::Coordinator,
    Role::Supporter,
    Role::LineManager,
    Role::Reporter,
    Role::Quality,
    Role::Integration,
];
