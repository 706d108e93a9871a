//! The walls: between organisations, and between the roles within one. Told for every published operation.

use nazorg::domain::{
    entities::{PersonId, Role, jobs},
    policy::{Reach, reach},
};
use nazorg_tests::{
    client::{Answer, Client, fresh_id},
    hospital::Hospital,
    service::Service,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::contract::{Contract, Ids, Operation, ROLES, kind_of, seeing, told};

/// When the world of these stories is: the morning after the event.
pub(crate) const MORNING: &str = "2026-12-17T06:45:00Z";

/// A hospital with one object of every kind, and a client of every role.
pub(crate) struct World {
    /// The hospital.
    pub(crate) hospital: Hospital,
    /// The ids of its objects.
    pub(crate) ids: Ids,
    /// A client of every role.
    pub(crate) clients: Vec<(Role, Client)>,
}

impl World {
    async fn found(service: &Service) -> Self {
        let mut hospital = Hospital::found(service).await;
        hospital.register("manager").await;
        let mut ids = Ids::new();
        ids.extend([("person", hospital.people["nurse"]), ("peer", hospital.people["peer"])]);
        ids.extend([("unit", hospital.ward), ("protocol", hospital.protocol)]);
        support(&hospital, &mut ids).await;
        surroundings(&hospital, &mut ids).await;
        let mut clients = Vec::new();
        for role in ROLES {
            let of = match role {
                Role::Supporter => Some(PersonId(ids["peer"])),
                Role::LineManager => Some(PersonId(hospital.people["manager"])),
                _ => None,
            };
            let client = match role {
                Role::Reporter => hospital.reporter.clone(),
                _ => service.key(hospital.tenant.id, role, of).await,
            };
            clients.push((role, client));
        }
        Self { hospital, ids, clients }
    }

    /// Several, the night after, when a peer was reminded: each then has a message too.
    pub(crate) async fn several<const N: usize>(service: &Service) -> [Self; N] {
        let mut worlds = Vec::new();
        for _ in 0..N {
            worlds.push(Self::found(service).await);
        }
        service.travel_to("2026-12-18T03:00:00Z").await;
        for world in &mut worlds {
            let messages = world.hospital.messages(world.ids["case"]).await;
            let to_peer = messages.iter().find(|one| one["recipientId"] == json!(world.ids["peer"]));
            let message = to_peer.unwrap_or_else(|| panic!("no message to the peer: {messages:?}"));
            world.ids.insert("message", id_in(message));
            world.ids.insert("given_up_job", give_up(service, world.ids["incident"]).await);
        }
        worlds.try_into().unwrap_or_else(|_| panic!("{N} were asked for"))
    }

    /// The client of a role.
    pub(crate) fn client(&self, role: Role) -> &Client {
        &self.clients.iter().find(|one| one.0 == role).unwrap().1
    }

    /// Repeats what was given up, so that the ledger balances.
    pub(crate) async fn mend(&self) {
        let repeat = format!("/v1/given-up-jobs/{}/repeat", self.ids["given_up_job"]);
        assert!([200, 409].contains(&self.hospital.coordinator.post_nothing(&repeat).await.status));
    }

    /// A client that may do an operation to everything.
    pub(crate) fn whoever_may(&self, operation: &Operation) -> &Client {
        let may = |role: &Role| reach(*role, operation.action) == Some(Reach::All);
        self.client(ROLES.into_iter().find(may).unwrap_or_else(|| panic!("nobody may {}", operation.id)))
    }
}

/// As if cutting the link of this incident had failed for good.
async fn give_up(service: &Service, incident: Uuid) -> Uuid {
    let db = service.app().db.reader();
    let job = jobs::Entity::find().filter(jobs::Column::Subject.eq(incident)).one(db).await.unwrap().unwrap();
    jobs::Entity::update_many()
        .col_expr(jobs::Column::GivenUpAt, Expr::value(Some(service.app().clock.now())))
        .col_expr(jobs::Column::LastError, Expr::value(Some("internal")))
        .filter(jobs::Column::Id.eq(job.id))
        .exec(db)
        .await
        .unwrap();
    job.id.0
}

fn id_in(object: &Value) -> Uuid {
    object["id"].as_str().unwrap().parse().unwrap()
}

/// The incident, the case, what runs in it, and a peer who has it.
async fn support(hospital: &Hospital, ids: &mut Ids) {
    let report = json!({
        "eventClass": "medical_incident", "eventAt": "2026-12-17T02:20:00Z", "reportedAt": MORNING,
        "unitId": hospital.ward, "involved": [{"personId": hospital.people["nurse"], "supportOffered": "no"}],
    });
    let incident = hospital.reporter.post("/v1/incidents", report).await.expect(201);
    let involvement = &incident["involved"][0];
    ids.extend([("incident", id_in(&incident)), ("involvement", id_in(involvement))]);
    let case = hospital.open("nurse", ("2026-12-17T02:20:00Z", MORNING), Some(&involvement["id"])).await;
    hospital.assign(case, "peer_supporter", "peer").await;
    hospital.complete(case, "assign", "assigned").await;
    ids.insert("case", case);
    ids.insert("trajectory", id_in(&hospital.trajectory(case).await));
    ids.insert("follow_up", id_in(&hospital.step(case, "offer").await));
}

/// What stands around it: ways to reach her, her consent, staff, a key.
async fn surroundings(hospital: &Hospital, ids: &mut Ids) {
    let person = format!("/v1/persons/{}", ids["person"]);
    let (peer, manager) = (ids["peer"], hospital.people["manager"]);
    let absence = json!({"personId": peer, "fromAt": "2027-06-01T08:00:00Z", "untilAt": "2027-06-08T08:00:00Z"});
    let made = [
        (
            "contact_point",
            format!("{person}/contact-points"),
            json!({"channel": "email", "address": "home@nurse.example", "safe": "yes"}),
        ),
        ("relation", format!("{person}/relations"), json!({"otherPersonId": peer, "kind": "colleague"})),
        ("consent", format!("{person}/consents"), json!({"purpose": "messages"})),
        (
            "membership",
            "/v1/memberships".to_owned(),
            json!({"personId": manager, "role": "line_manager", "unitId": hospital.ward}),
        ),
        (
            "roster_entry",
            "/v1/roster-entries".to_owned(),
            json!({"role": "coordinator", "personId": peer, "position": 5}),
        ),
        ("absence", "/v1/absences".to_owned(), absence),
    ];
    for (kind, path, body) in made {
        ids.insert(kind, hospital.coordinator.post(&path, body).await.id_of(201));
    }
    let key = json!({"name": "Counts", "role": "quality"});
    ids.insert("api_key", hospital.tenant.admin.post("/v1/api-keys", key).await.id_of(201));
}

#[tokio::test]
async fn another_organisations_objects_are_as_unknown_as_what_never_was() {
    let service = Service::start_at(MORNING).await;
    let [theirs, ours] = World::several(&service).await;
    let contract = Contract::of(&service.base).await;
    let mut wrong = Vec::new();
    for operation in contract.operations.iter().filter(|one| !one.kinds.is_empty()) {
        for (role, client) in &ours.clients {
            let body = || operation.body.as_ref().map(|name| contract.body(name, &ours.ids));
            let foreign = operation.call(client, &operation.path_of(&theirs.ids), body()).await;
            let unknown = operation.call(client, &operation.path_of_nobody(), body()).await;
            let allowed = reach(*role, operation.action).is_some();
            let status = if allowed { foreign.status == 404 } else { matches!(foreign.status, 403 | 404) };
            if !status || told(&foreign) != told(&unknown) {
                wrong.push(format!("{role} {}: {:?} but {:?}", operation.id, told(&foreign), told(&unknown)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    halves(&contract, &theirs, &ours).await;
    for world in [&theirs, &ours] {
        world.mend().await;
    }
    service.is_balanced().await;
}

/// Of two ids in a path, each must be of the organisation, and the second of the first.
async fn halves(contract: &Contract, theirs: &World, ours: &World) {
    for operation in contract.operations.iter().filter(|one| one.kinds.len() == 2) {
        let [first, second] = [0, 1].map(|n| operation.kinds[n]);
        for (a, b) in [(&theirs.ids, &ours.ids), (&ours.ids, &theirs.ids)] {
            let path = operation.path([a[first].to_string(), b[second].to_string()]);
            let body = operation.body.as_ref().map(|name| contract.body(name, &ours.ids));
            operation.call(ours.client(Role::Coordinator), &path, body).await.refused(404, "not_found");
        }
    }
}

#[tokio::test]
async fn another_organisations_ids_in_a_body_are_as_unknown_as_what_never_was() {
    let service = Service::start_at(MORNING).await;
    let [theirs, ours] = World::several(&service).await;
    let contract = Contract::of(&service.base).await;
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for operation in &contract.operations {
        let Some(name) = &operation.body else { continue };
        for member in contract.schema(name)["properties"].as_object().unwrap().keys() {
            let Some(kind) = kind_of(member) else { continue };
            let call = async |id: Uuid| -> Answer {
                let mut body = contract.body(name, &ours.ids);
                if name == "NewProtocol" {
                    body = json!({});
                }
                body[member] = json!(id);
                operation.call(ours.whoever_may(operation), &operation.path_of(&ours.ids), Some(body)).await
            };
            let (foreign, unknown) = (call(theirs.ids[kind]).await, call(fresh_id()).await);
            asked += 1;
            if !(400..500).contains(&foreign.status) || told(&foreign) != told(&unknown) {
                wrong.push(format!("{} {member}: {:?} but {:?}", operation.id, told(&foreign), told(&unknown)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked >= 15, "only {asked} members take an id");
    for world in [&theirs, &ours] {
        world.mend().await;
    }
    service.is_balanced().await;
}

#[tokio::test]
async fn a_list_narrowed_by_another_organisations_id_is_as_empty_as_by_one_that_never_was() {
    let service = Service::start_at(MORNING).await;
    let [theirs, ours] = World::several(&service).await;
    let contract = Contract::of(&service.base).await;
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for operation in contract.operations.iter().filter(|one| one.reads()) {
        for key in &operation.id_keys {
            let kind = kind_of(key).unwrap_or_else(|| panic!("{} takes {key}: of what kind?", operation.id));
            let path = operation.path_of(&ours.ids);
            let client = ours.whoever_may(operation);
            let foreign = client.get(&format!("{path}?{key}={}", theirs.ids[kind])).await;
            let unknown = client.get(&format!("{path}?{key}={}", fresh_id())).await;
            asked += 1;
            let right = match foreign.status {
                200 => foreign.body["items"] == json!([]),
                status => status == 400,
            };
            if !right || told(&foreign) != told(&unknown) {
                wrong.push(format!("{} {key}: {:?} but {:?}", operation.id, told(&foreign), told(&unknown)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked >= 10, "only {asked} keys take an id");
}

/// What is wrong with an answer to a role about an object of its own organisation, and about one that never was.
fn fault((role, operation): (Role, &Operation), known: &Answer, unknown: &Answer) -> Option<String> {
    let sees = operation.kinds.iter().all(|kind| reach(role, seeing(kind)).is_some());
    let right = match reach(role, operation.action) {
        Some(Reach::All) => known.status < 500 && ![401, 403, 404].contains(&known.status),
        Some(Reach::Own) if operation.reads() => known.status == 200,
        Some(Reach::Own) => known.status < 500 && known.status != 401,
        None => [403, 404].contains(&known.status) && (sees || told(known) == told(unknown)),
    };
    let what = || format!("{role} {}: {:?}, of nobody's {:?}", operation.id, told(known), told(unknown));
    (!right).then(what)
}

#[tokio::test]
async fn every_role_may_what_the_policy_says_and_no_more() {
    let service = Service::start_at(MORNING).await;
    let [world] = World::several(&service).await;
    let contract = Contract::of(&service.base).await;
    let mut wrong = Vec::new();
    // First what reads, then what is refused, last what changes something: nothing is gone before it is asked for.
    for turn in 0..3 {
        for operation in contract.operations.iter().filter(|one| !one.kinds.is_empty()) {
            for (role, client) in &world.clients {
                let refused = reach(*role, operation.action).is_none();
                let its_turn = if operation.reads() {
                    0
                } else if refused {
                    1
                } else {
                    2
                };
                if its_turn != turn {
                    continue;
                }
                let body = || operation.body.as_ref().map(|name| contract.body(name, &world.ids));
                let unknown = operation.call(client, &operation.path_of_nobody(), body()).await;
                let known = operation.call(client, &operation.path_of(&world.ids), body()).await;
                wrong.extend(fault((*role, operation), &known, &unknown));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    world.mend().await;
    service.is_balanced().await;
}

#[tokio::test]
async fn every_role_reaches_what_has_no_id_only_where_the_policy_says() {
    let service = Service::start_at(MORNING).await;
    let [world] = World::several(&service).await;
    let contract = Contract::of(&service.base).await;
    let mut wrong = Vec::new();
    for operation in contract.operations.iter().filter(|one| one.kinds.is_empty()) {
        for (role, client) in &world.clients {
            let body = operation.body.as_ref().map(|name| contract.body(name, &world.ids));
            let answer = operation.call(client, &operation.path_of(&world.ids), body).await;
            let allowed = reach(*role, operation.action).is_some();
            let right = answer.status < 500 && answer.status != 401 && (answer.status == 403) != allowed;
            if !right {
                wrong.push(format!("{role} {}: {:?}", operation.id, told(&answer)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
