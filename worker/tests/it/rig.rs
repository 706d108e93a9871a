//! A domain with something owed in it, for whole workers to work on: SQLite, or PostgreSQL where `NAZORG_TEST_POSTGRES` names a server.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use nazorg_domain::cases::{self, NewCase};
use nazorg_domain::database::Database;
use nazorg_domain::entities::{
    CaseId, ChannelKind, ContactMode, JobKind, MessageStatus, OrganisationId, PersonId, ProtocolId, Safe, Voicemail,
    jobs as owed, messages,
};
use nazorg_domain::key_store::{KeyStore, MasterKey};
use nazorg_domain::people::consents::{self, NewConsent};
use nazorg_domain::people::contact_points::{self, NewContactPoint};
use nazorg_domain::people::{self, NewPerson};
use nazorg_domain::protocol_versions::{self, Origin};
use nazorg_domain::secrets::Secret;
use nazorg_domain::{App, Bell, Caller, Clock, Context, TravellingClock, jobs, ledger, organisations};
use nazorg_migrations::{KeyStoreMigrator, Migrator, MigratorTrait};
use nazorg_worker::bell::LocalBell;
use nazorg_worker::{Worker, WorkerSettings};
use sea_orm::{ConnectOptions, ConnectionTrait, EntityTrait};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const PROTOCOL: &str = r"
protocol: small
title: {nl: Klein}
kind: recovery_coaching
record_profile: support_file
anchors: {event_at: required}
roles: [coach, coordinator]
steps:
  - {step: talk, title: {nl: Gesprek}, actor: coach, action: talk, anchor: event_at, offset: PT2H,
     window: {closes: P2D}, remind: [{to: actor, before_due: PT1H}], outcomes: {held: []}}
  - {step: ask, title: {nl: Vraag}, actor: coach, action: message, message: {to: person, template: appt}, anchor: event_at,
     offset: PT1H, window: {closes: P9D}, outcomes: {answered: []}}
";

pub(crate) struct Rig {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<TravellingClock>,
    pub(crate) bell: LocalBell,
    pub(crate) files: TempDir,
    organisation: OrganisationId,
    protocol: ProtocolId,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        let files = tempfile::tempdir().unwrap();
        let (data, keys) = (store(&files, "data").await, store(&files, "keys").await);
        Migrator::up(data.reader(), None).await.unwrap();
        KeyStoreMigrator::up(keys.reader(), None).await.unwrap();
        let start: DateTime<Utc> = "2027-03-01T08:00:00Z".parse().unwrap();
        let clock = Arc::new(TravellingClock::at(start));
        let master = MasterKey { name: "test".to_owned(), secret: Secret::random().unwrap() };
        let bell = LocalBell::new();
        let keys = KeyStore::new(keys, master);
        let app = Arc::new(App::new(data, keys, Arc::<TravellingClock>::clone(&clock), Arc::new(bell.clone())));
        let organisation = organisations::found(&app, "Huis", chrono_tz::Europe::Amsterdam).await.unwrap();
        let mut rig = Self { app, clock, bell, files, organisation, protocol: ProtocolId(Uuid::nil()) };
        let origin = Origin::Text(PROTOCOL.to_owned());
        rig.protocol = protocol_versions::upload(&rig.cx(), origin, true).await.unwrap().id;
        rig
    }

    pub(crate) fn cx(&self) -> Context<'_> {
        let request = self.app.ids.next();
        self.app.context(Caller::operator(self.organisation), request, request.simple().to_string())
    }

    /// `n` cases, each with its own person and coach: an hour later each is owed one message to either.
    pub(crate) async fn cases(&self, n: usize) -> Vec<CaseId> {
        let mut opened = Vec::with_capacity(n);
        for number in 0..n {
            opened.push(self.case_in(number, (None, None)).await);
        }
        opened
    }

    /// The case of the person with this number, who is written to in this language and has this time zone.
    pub(crate) async fn case_in(&self, number: usize, of: (Option<&str>, Option<Tz>)) -> CaseId {
        let person = self.person(&format!("person{number}@example.net"), of).await;
        let coach = self.person(&format!("coach{number}@example.org"), (None, None)).await;
        let consent = NewConsent {
            purpose: "messages".to_owned(),
            recipient_person_id: None,
            recipient: None,
            items: Vec::new(),
            legal_basis: "consent".to_owned(),
            given_by: "self".to_owned(),
            valid_from: None,
            valid_until: None,
        };
        consents::give(&self.cx(), person, consent).await.unwrap();
        self.case(person, coach).await
    }

    async fn case(&self, person: PersonId, coach: PersonId) -> CaseId {
        let new = NewCase {
            person_id: person,
            unit_id: None,
            relation_id: None,
            protocol_id: self.protocol,
            anchors: vec![("event_at".to_owned(), self.clock.now())],
            params: Vec::new(),
            assignments: vec![("coach".to_owned(), coach)],
            involvement_id: None,
            external_refs: Vec::new(),
        };
        cases::open(&self.cx(), new).await.unwrap().id
    }

    async fn person(&self, address: &str, (language, zone): (Option<&str>, Option<Tz>)) -> PersonId {
        let language = language.map(str::to_owned);
        let new = NewPerson { name: address.to_owned(), language, zone, profession: None, external_refs: vec![] };
        let person = people::create(&self.cx(), new).await.unwrap().id;
        let point = NewContactPoint {
            channel: ChannelKind::Email,
            address: address.to_owned(),
            safe: Safe::Yes,
            expires_at: None,
            allowed: None,
            voicemail: Voicemail::No,
            contact_mode: ContactMode::WeContact,
            preference: 1,
        };
        contact_points::create(&self.cx(), person, point).await.unwrap();
        person
    }

    pub(crate) fn settings(&self) -> WorkerSettings {
        WorkerSettings::embedded(self.app.ids.next(), self.bell.clone(), self.files.path().join("outbox"))
    }

    /// Time passes, and the bell rings as after a commit.
    pub(crate) fn later(&self, by: TimeDelta) {
        self.clock.travel_to(self.clock.now() + by);
        self.bell.ring();
    }

    /// Waits until nothing that is owed by now is left.
    pub(crate) async fn drained(&self, within: Duration) {
        let deadline = tokio::time::Instant::now() + within;
        loop {
            let left = jobs::due(&self.app).await.unwrap_or(u64::MAX);
            if left == 0 {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "{left} left after {within:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How many messages stand in this bucket.
    pub(crate) async fn count(&self, status: MessageStatus) -> usize {
        let all = messages::Entity::find().all(self.app.db.reader()).await.unwrap();
        all.iter().filter(|row| row.status == status).count()
    }

    pub(crate) async fn jobs(&self, kind: JobKind) -> Vec<owed::Model> {
        let all = owed::Entity::find().all(self.app.db.reader()).await.unwrap();
        all.into_iter().filter(|row| row.kind == kind).collect()
    }

    pub(crate) async fn sql(&self, sql: &str) {
        self.app.db.reader().execute_unprepared(sql).await.unwrap();
    }

    pub(crate) async fn assert_balanced(&self) {
        let ledger = ledger::read(&self.cx(), ledger::Extent::default()).await.unwrap();
        assert_eq!(ledger.unaccounted, 0, "{:?}", ledger.findings);
    }
}

/// A worker at work.
pub(crate) struct AtWork {
    stop: CancellationToken,
    work: JoinHandle<()>,
}

impl AtWork {
    pub(crate) fn start(rig: &Rig, settings: WorkerSettings) -> Self {
        let stop = CancellationToken::new();
        let worker = Worker::new(settings).unwrap();
        let work = tokio::spawn(worker.run(Arc::clone(&rig.app), stop.clone()));
        Self { stop, work }
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(40), self.work).await.unwrap().unwrap();
    }

    /// Dropped where it stands: nothing is waited for, nothing handed back.
    pub(crate) fn drop_it(self) {
        self.work.abort();
    }
}

async fn store(files: &TempDir, name: &str) -> Database {
    let address = match std::env::var("NAZORG_TEST_POSTGRES") {
        Err(_) => format!("sqlite://{}?mode=rwc", files.path().join(name).display()),
        Ok(server) => {
            let database = format!("{name}_{}", files.path().file_name().unwrap().display()).replace('.', "");
            let postgres = sea_orm::Database::connect(format!("{server}/postgres")).await.unwrap();
            postgres.execute_unprepared(&format!("CREATE DATABASE \"{database}\"")).await.unwrap();
            format!("{server}/{database}")
        }
    };
    let sqlite = address.starts_with("sqlite");
    let options = ConnectOptions::new(address).max_connections(10).sqlx_logging(false).to_owned();
    let connection = sea_orm::Database::connect(options).await.unwrap();
    if sqlite {
        connection.execute_unprepared("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL").await.unwrap();
    }
    Database::new(connection)
}
