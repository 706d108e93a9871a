//! The whole service in either set-up, durable as in production.

use std::time::{Duration, Instant};

use nazorg::domain::App;
use nazorg_tests::{
    clock::StoryClock,
    hospital::{Hospital, ONE_MORNING},
    postgres::Postgres,
    processes::Processes,
    service::{Ground, Leg, Service},
};
use sea_orm::{ConnectionTrait, Database, TransactionTrait};

use crate::common::{REPORTED, processes};

/// One process on SQLite, or an API and a worker process on PostgreSQL and Redis.
pub(crate) enum Whole {
    One(Box<Service>),
    Many(Box<Processes>),
}

impl Whole {
    /// Starts it with a hospital whose protocol reminds once.
    pub(crate) async fn start(binary: &str, leg: Leg, settings: &[(&str, &str)]) -> (Self, Hospital) {
        if leg == Leg::Distributed {
            let (service, hospital) = processes(binary, settings).await;
            return (Self::Many(Box::new(service)), hospital);
        }
        let service = Service::start_with(Ground::new(leg), REPORTED, settings).await;
        let mut hospital = Hospital::found(&service).await;
        hospital.publish(ONE_MORNING).await;
        (Self::One(Box::new(service)), hospital)
    }

    pub(crate) fn app(&self) -> &App {
        match self {
            Self::One(service) => service.app(),
            Self::Many(service) => service.app(),
        }
    }

    pub(crate) fn clock(&self) -> &StoryClock {
        match self {
            Self::One(service) => &service.clock,
            Self::Many(service) => &service.clock,
        }
    }

    pub(crate) fn postgres(&self) -> Option<&Postgres> {
        match self {
            Self::One(service) => service.ground.postgres.as_ref(),
            Self::Many(service) => service.ground.postgres.as_ref(),
        }
    }

    pub(crate) async fn drain(&self) {
        match self {
            Self::One(service) => service.drain().await,
            Self::Many(service) => service.drain().await,
        }
    }

    /// The embedded set-up is filled without waiting for the disk, and starts anew with the durability that is its default.
    pub(crate) async fn durable(&mut self, hospital: &mut Hospital) {
        if let Self::One(service) = self {
            service.configure("NAZORG_DATABASE_DURABILITY", "full");
            service.restart().await;
            hospital.coordinator = service.client(hospital.coordinator.key().unwrap());
        }
    }

    pub(crate) async fn is_balanced(&self) {
        match self {
            Self::One(service) => service.is_balanced().await,
            Self::Many(service) => service.is_balanced().await,
        }
    }

    pub(crate) async fn end(&mut self) {
        match self {
            Self::One(service) => service.halt().await,
            Self::Many(service) => service.end().await,
        }
    }
}

/// How many rows a second one connection claims and records, each in two durable transactions of a SQLite file of its own.
pub(crate) async fn claimed_and_recorded(during: Duration) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::connect(format!("sqlite://{}?mode=rwc", dir.path().join("reference").display())).await.unwrap();
    let setup = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                 CREATE TABLE jobs (id INTEGER PRIMARY KEY, due_at TEXT, lease_until TEXT); \
                 CREATE INDEX jobs_due ON jobs (due_at) WHERE lease_until IS NULL; \
                 CREATE TABLE messages (id INTEGER PRIMARY KEY, status TEXT, sent_at TEXT); \
                 WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100000) \
                 INSERT INTO jobs SELECT n, datetime('now'), NULL FROM n; \
                 INSERT INTO messages SELECT id, 'pending', NULL FROM jobs";
    db.execute_unprepared(setup).await.unwrap();
    let (began, mut done) = (Instant::now(), 0_u32);
    while began.elapsed() < during {
        done += 1;
        let claim = format!("UPDATE jobs SET lease_until = datetime('now', '+30 seconds') WHERE id = {done}");
        db.execute_unprepared(&claim).await.unwrap();
        let tx = db.begin().await.unwrap();
        let sent = format!("UPDATE messages SET status = 'sent', sent_at = datetime('now') WHERE id = {done}");
        tx.execute_unprepared(&sent).await.unwrap();
        tx.execute_unprepared(&format!("DELETE FROM jobs WHERE id = {done}")).await.unwrap();
        tx.commit().await.unwrap();
    }
    f64::from(done) / began.elapsed().as_secs_f64()
}
