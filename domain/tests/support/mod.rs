//! A house to live in for one test: fresh stores, one organisation, a clock that stands still.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use nazorg_domain::{
    App, Caller, Clock, Context, Standing, TravellingClock,
    app::SilentBell,
    cases::{self, Case, NewCase},
    database::Database,
    entities::{ApiKeyId, InvolvementId, OrganisationId, PersonId, Role, UnitId, access_events},
    error::{Error, ViolationCode},
    idempotency::{self, Entered, IdempotencyKey, Pending, StoredAnswer},
    key_store::{KeyStore, MasterKey},
    organisations::{self, NewUnit},
    people::{self, NewPerson, Person},
    protocol_versions::{self, Origin},
    secrets::Secret,
};
use nazorg_migrations::{KeyStoreMigrator, Migrator, MigratorTrait};
use sea_orm::{ColumnTrait, ConnectOptions, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder};
use tempfile::TempDir;

/// An address of a PostgreSQL server on which databases may be made: the verbs then run there instead of on SQLite.
const POSTGRES: &str = "NAZORG_TEST_POSTGRES";

/// A fresh app, with what a test asks of it.
pub(crate) struct House {
    pub(crate) app: App,
    pub(crate) clock: Arc<TravellingClock>,
    pub(crate) organisation: OrganisationId,
    _files: TempDir,
}

/// A fresh app with one organisation, on 2027-03-01 09:00 in Amsterdam.
pub(crate) async fn fresh_app() -> House {
    let files = tempfile::tempdir().unwrap();
    let (data, keys) = (store(&files, "data").await, store(&files, "keys").await);
    Migrator::up(data.reader(), None).await.unwrap();
    KeyStoreMigrator::up(keys.reader(), None).await.unwrap();
    let clock = Arc::new(TravellingClock::at(at("2027-03-01T08:00:00Z")));
    let master = MasterKey { name: "test".to_owned(), secret: Secret::random().unwrap() };
    let app = App::new(data, KeyStore::new(keys, master), clock.clone(), Arc::new(SilentBell));
    let organisation = organisations::found(&app, "Ziekenhuis", chrono_tz::Europe::Amsterdam).await.unwrap();
    House { app, clock, organisation, _files: files }
}

async fn store(files: &TempDir, name: &str) -> Database {
    let address = match std::env::var(POSTGRES) {
        Err(_) => format!("sqlite://{}?mode=rwc", files.path().join(name).display()),
        Ok(server) => {
            let database = format!("{name}_{}", files.path().file_name().unwrap().display()).replace('.', "");
            let postgres = sea_orm::Database::connect(format!("{server}/postgres")).await.unwrap();
            postgres.execute_unprepared(&format!("CREATE DATABASE \"{database}\"")).await.unwrap();
            format!("{server}/{database}")
        }
    };
    let options = ConnectOptions::new(address).max_connections(3).sqlx_logging(false).to_owned();
    let connection = sea_orm::Database::connect(options).await.unwrap();
    if connection.get_database_backend() == DbBackend::Sqlite {
        // As in production: who reads does not hold up who writes.
        connection.execute_unprepared("PRAGMA journal_mode = WAL").await.unwrap();
    }
    Database::new(connection)
}

impl House {
    /// Someone with this role calls.
    pub(crate) fn cx(&self, role: Role) -> Context<'_> {
        self.as_person(role, None, Vec::new())
    }

    /// This person calls in this role, managing these units. A role's key is always the same.
    pub(crate) fn as_person(&self, role: Role, person: Option<PersonId>, units: Vec<UnitId>) -> Context<'_> {
        self.with_key(ApiKeyId(uuid::Uuid::from_u128(role as u128 + 1)), role, (person, units))
    }

    /// Another key of the same role calls.
    pub(crate) fn with_key(
        &self,
        key: ApiKeyId,
        role: Role,
        (person, units): (Option<PersonId>, Vec<UnitId>),
    ) -> Context<'_> {
        let standing = Standing::Client { key, role, scopes: None, integration: false };
        let request = self.app.ids.next();
        let caller = Caller { organisation: self.organisation, standing, person, units };
        self.app.context(caller, request, request.simple().to_string())
    }

    /// The coordinator calls.
    pub(crate) fn coordinator(&self) -> Context<'_> {
        self.cx(Role::Coordinator)
    }

    /// Another tenant in the same stores.
    pub(crate) async fn other_organisation(&self) -> OrganisationId {
        organisations::found(&self.app, "Buren", chrono_tz::Europe::Amsterdam).await.unwrap()
    }

    /// The coordinator of that tenant calls.
    pub(crate) fn coordinator_of(&self, organisation: OrganisationId) -> Context<'_> {
        let mut cx = self.coordinator();
        cx.caller.organisation = organisation;
        cx.organisation = organisation;
        cx
    }

    /// A unit below another.
    pub(crate) async fn unit(&self, name: &str, parent_id: Option<UnitId>) -> UnitId {
        let new = NewUnit { parent_id, name: name.to_owned(), kind: "department".to_owned(), calendar: None };
        organisations::create_unit(&self.cx(Role::Admin), new).await.unwrap().id
    }

    /// A person with this name.
    pub(crate) async fn person(&self, name: &str) -> Person {
        people::create(&self.coordinator(), new_person(name)).await.unwrap()
    }

    /// A case of this person under the built-in protocol for peer support, supported by a colleague.
    pub(crate) async fn case(&self, person: PersonId, peer: PersonId, answers: Option<InvolvementId>) -> Case {
        self.try_case(person, peer, answers).await.unwrap()
    }

    /// Such a case, or why not.
    pub(crate) async fn try_case(
        &self,
        person: PersonId,
        peer: PersonId,
        answers: Option<InvolvementId>,
    ) -> Result<Case, Error> {
        let admin = self.cx(Role::Admin);
        let origin = Origin::BuiltIn("second_victim_peer_support".to_owned());
        let draft = protocol_versions::upload(&admin, origin, false).await.unwrap();
        let protocol = protocol_versions::publish(&admin, draft.id).await.unwrap();
        let new = NewCase {
            person_id: person,
            unit_id: None,
            relation_id: None,
            protocol_id: protocol.id,
            anchors: ["event_at", "reported_at"].map(|anchor| (anchor.to_owned(), admin.now)).to_vec(),
            params: Vec::new(),
            assignments: vec![("peer_supporter".to_owned(), peer)],
            involvement_id: answers,
            external_refs: Vec::new(),
        };
        cases::open(&self.coordinator(), new).await
    }

    /// Time passes.
    pub(crate) fn later(&self, by: TimeDelta) {
        self.clock.travel_to(self.clock.now() + by);
    }

    /// What was logged of a person, in order.
    pub(crate) async fn logged_of(&self, person: PersonId) -> Vec<String> {
        let rows = access_events::Entity::find()
            .filter(access_events::Column::PersonId.eq(person))
            .order_by_asc(access_events::Column::Id)
            .all(self.app.db.reader())
            .await
            .unwrap();
        rows.into_iter().map(|row| row.event_code).collect()
    }
}

/// A moment.
pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A person to come, of whom only the name is known.
pub(crate) fn new_person(name: &str) -> NewPerson {
    NewPerson { name: name.to_owned(), language: None, zone: None, profession: None, external_refs: Vec::new() }
}

/// The rule that said no.
pub(crate) fn violation<T: std::fmt::Debug>(result: Result<T, Error>) -> ViolationCode {
    match result {
        Err(Error::Violation(violation)) => violation.code,
        other => panic!("no rule said no: {other:?}"),
    }
}

/// Pointer and code of each field that was refused.
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> Vec<(String, String)> {
    match result {
        Err(Error::Invalid(errors)) => {
            errors.into_iter().map(|error| (error.pointer, error.code.into_owned())).collect()
        }
        other => panic!("no field was refused: {other:?}"),
    }
}

/// One refused field.
pub(crate) fn field(pointer: &str, code: &str) -> Vec<(String, String)> {
    vec![(pointer.to_owned(), code.to_owned())]
}

/// A request that is under way: what it does is committed when it is answered.
pub(crate) async fn under_way<'a>(house: &'a House, raw: &str) -> Pending<'a> {
    let key = IdempotencyKey { raw, route: "POST /v1/persons/{id}/erase", body: b"{}" };
    match idempotency::enter(house.coordinator(), &key).await.unwrap() {
        Entered::Fresh(pending) => pending,
        Entered::Replayed(answer) => panic!("it was there: {answer:?}"),
    }
}

/// What it is answered.
pub(crate) fn answer() -> StoredAnswer {
    StoredAnswer { status: 200, headers: Vec::new(), body: "{}".to_owned() }
}
