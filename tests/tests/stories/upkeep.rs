//! What an operator does now and then: a backup has to be put back, the master key is changed. Nothing is lost, nothing goes twice.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nazorg::{
    Failure,
    config::Store,
    upkeep::{self, Which},
};
use nazorg_tests::{
    client::With,
    hospital::{CHECK_IN, Hospital, ROUNDS},
    service::{BEGINNING, Ground, Leg, Service},
    smtp_sink::SmtpSink,
};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const EVENT: &str = "2026-12-01T06:59:50Z";
const REPORTED: &str = "2026-12-01T07:00:00Z";
/// Six in the morning in Amsterdam: what waits for the end of the quiet hours has not gone yet.
const NIGHT: &str = "2026-12-02T05:00:00Z";
/// Nine: the person was asked, and the coordinator reminded of her round.
const MORNING: &str = "2026-12-02T08:00:00Z";

/// A backup of the data as an operator makes it: `nazorg backup data`, or `pg_dump`. The service may be running.
enum Backup {
    File(PathBuf),
    Dump(Vec<u8>),
}

impl Backup {
    async fn make(service: &Service) -> Self {
        if let Some(postgres) = &service.ground.postgres {
            let refused = upkeep::backup(&service.config(), Which::Data, &service.ground.dir.path().join("bak")).await;
            assert!(matches!(refused, Err(Failure::Refused(_))), "{refused:?}");
            return Self::Dump(postgres.backup());
        }
        let file = service.ground.dir.path().join("data.bak");
        upkeep::backup(&service.config(), Which::Data, &file).await.unwrap();
        let again = upkeep::backup(&service.config(), Which::Data, &file).await.unwrap_err().to_string();
        assert!(again.contains("the backup"), "what exists is not overwritten: {again}");
        Self::File(file)
    }

    /// …of the keys: `nazorg backup keys`, or `pg_dump`.
    async fn make_of_keys(service: &Service) -> Self {
        if let Some(postgres) = &service.ground.postgres {
            return Self::Dump(postgres.backup_keys());
        }
        let file = service.ground.dir.path().join("keys.bak");
        upkeep::backup(&service.config(), Which::Keys, &file).await.unwrap();
        Self::File(file)
    }

    /// The service must not be running.
    async fn restore(&self, service: &Service) {
        let clock = service.clock.clone();
        match (self, &service.ground.postgres) {
            (Self::Dump(dump), Some(postgres)) => {
                postgres.restore(dump);
                nazorg::migrate(&service.config()).await.unwrap();
                assert_eq!(upkeep::restored(&service.config(), clock).await.unwrap(), 1);
            }
            (Self::File(file), _) => {
                let there = service.ground.dir.path().join("data/nazorg.db").exists();
                let replaced = upkeep::restore(&service.config(), file, clock).await.unwrap();
                assert_eq!(replaced.exists(), there, "what was there is kept");
            }
            _ => panic!("a backup of another leg"),
        }
    }

    /// …with an empty queue, and everything runs again.
    async fn put_back(&self, service: &mut Service, hospital: &mut Hospital) {
        self.restore(service).await;
        if let Some(redis) = &service.ground.redis {
            redis.flush();
        }
        service.restart().await;
        hospital.coordinator = service.client(hospital.coordinator.key().unwrap());
    }
}

/// A service over a mail server in the night before something is due in such a case.
async fn at_night() -> (SmtpSink, Service, Hospital, Uuid) {
    let mail = SmtpSink::start().await;
    let settings = [("SMTP_URL", &*mail.url())];
    let service = Service::start_with(Ground::new(Leg::from_env()), BEGINNING, &settings).await;
    let (hospital, case) = opened(&service).await;
    service.travel_to(NIGHT).await;
    (mail, service, hospital, case)
}

/// A case of someone who agreed to be asked, and the coordinator's round.
async fn opened(service: &Service) -> (Hospital, Uuid) {
    let mut hospital = Hospital::found(service).await;
    hospital.publish(ROUNDS).await;
    hospital.open("nurse", (EVENT, REPORTED), None).await;
    hospital.publish(CHECK_IN).await;
    hospital.register_agreeing("anna").await;
    let case = hospital.open("anna", (EVENT, REPORTED), None).await;
    hospital.assign(case, "peer_supporter", "peer").await;
    (hospital, case)
}

/// Data without its keys is not put in the place of data that can be read.
async fn without_its_keys(service: &Service, file: &Path) {
    let data = service.ground.dir.path().join("data");
    let (keys, aside) = (data.join("keys.db"), data.join("keys.aside"));
    fs::rename(&keys, &aside).unwrap();
    let refused = upkeep::restore(&service.config(), file, service.clock.clone()).await.unwrap_err().to_string();
    assert!(refused.contains("put the keys back first"), "{refused}");
    assert!(!keys.exists(), "and none are made");
    let mut elsewhere = service.config();
    elsewhere.keys.store = Store::Sqlite(data.join("other.db"));
    nazorg::migrate(&elsewhere).await.unwrap();
    let refused = upkeep::restore(&elsewhere, file, service.clock.clone()).await.unwrap_err().to_string();
    assert!(refused.contains("not in the key store"), "{refused}");
    fs::rename(&aside, &keys).unwrap();
}

/// Where the feed ends for somebody who reads all of it.
async fn last_position(hospital: &Hospital) -> i64 {
    let mut last = 0;
    loop {
        let page = hospital.coordinator.get(&format!("/v1/events?after={last}&limit=100")).await.expect(200);
        let Some(event) = page["items"].as_array().unwrap().last() else { return last };
        last = event["position"].as_i64().unwrap();
    }
}

async fn number(hospital: &Hospital, case: Uuid) -> Value {
    hospital.coordinator.get(&format!("/v1/cases/{case}")).await.expect(200)["number"].clone()
}

#[tokio::test]
async fn a_backup_put_back_with_an_empty_queue_loses_nothing_it_held_and_asks_nobody_twice() {
    let (mail, mut service, mut hospital, case) = at_night().await;
    let backup = Backup::make(&service).await;
    if let Backup::File(file) = &backup {
        let running = upkeep::restore(&service.config(), file, service.clock.clone()).await.unwrap_err();
        assert!(running.to_string().contains("is in use"), "{running}");
    }

    // After the backup: both are written to, a case is opened, and a reader reads the feed to its end.
    service.travel_to(MORNING).await;
    let times = |address: &str| mail.accepted().iter().filter(|one| one.to.iter().any(|to| to == address)).count();
    assert_eq!((times("anna@hospital.example"), times("coordinator@hospital.example")), (1, 1));
    let lost = hospital.open("resident", (EVENT, REPORTED), None).await;
    let lost_number = number(&hospital, lost).await;
    service.drain().await;
    let read = last_position(&hospital).await;
    service.halt().await;

    if let Backup::File(file) = &backup {
        without_its_keys(&service, file).await;
    }
    backup.put_back(&mut service, &mut hospital).await;
    service.drain().await;
    assert_eq!(times("anna@hospital.example"), 1, "a person is not asked twice");
    assert_eq!(times("coordinator@hospital.example"), 2, "staff rather twice than not at all");
    let question = &hospital.messages(case).await[0];
    assert_eq!((&question["status"], &question["reason"]), (&json!("unknown"), &json!("restored")), "{question}");
    let task = hospital.step(case, "task:delivery_unknown").await;
    assert_eq!(task["role"], "peer_supporter", "somebody is asked to look: {task}");

    let news = hospital.coordinator.get(&format!("/v1/events?after={read}")).await.expect(200);
    let kinds: Vec<&str> = news["items"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.first(), Some(&"organisation.restored"), "who read on hears of it first: {kinds:?}");
    assert!(kinds.contains(&"message.not_sent"), "{kinds:?}");
    assert_eq!(hospital.coordinator.get(&format!("/v1/cases/{lost}")).await.status, 404);
    let anew = hospital.open("resident", (EVENT, REPORTED), None).await;
    assert_ne!(number(&hospital, anew).await, lost_number, "a number that was told is not another case's");

    // Life goes on: what was promised for later is done.
    service.travel_to("2026-12-15T12:00:00Z").await;
    assert_eq!(hospital.step(case, "talk").await["status"], "overdue", "it fell due, and waits for the peer");
    assert!(times("peer@hospital.example") >= 1, "the peer is reminded");
    service.is_balanced().await;
}

/// Both stores are lost, and put back from the backups that were made while everything ran, the keys after the data.
#[tokio::test]
async fn both_stores_lost_are_put_back_and_everything_can_be_read() {
    let (mail, mut service, mut hospital, case) = at_night().await;
    let data = Backup::make(&service).await;
    let late = json!({"name": "Registered after the data were copied"});
    hospital.coordinator.post("/v1/persons", late).await.expect(201);
    let keys = Backup::make_of_keys(&service).await;
    service.halt().await;

    match (&keys, &service.ground.postgres) {
        (Backup::Dump(dump), Some(postgres)) => {
            postgres.lose_everything();
            postgres.restore_keys(dump);
        }
        (Backup::File(file), _) => {
            let folder = service.ground.dir.path().join("data");
            for store in ["nazorg.db", "keys.db"] {
                for rest in ["", "-wal", "-shm"] {
                    let _ = fs::remove_file(folder.join(format!("{store}{rest}")));
                }
            }
            fs::copy(file, folder.join("keys.db")).unwrap();
        }
        _ => panic!("a backup of another leg"),
    }
    data.put_back(&mut service, &mut hospital).await;
    everybody_is_readable(&hospital).await;
    let times = |address: &str| mail.accepted().iter().filter(|one| one.to.iter().any(|to| to == address)).count();
    assert_eq!(times("anna@hospital.example"), 0, "it waits for the end of the quiet hours");
    service.travel_to(MORNING).await;
    assert_eq!((times("anna@hospital.example"), times("coordinator@hospital.example")), (1, 1));
    assert_eq!(hospital.messages(case).await[0]["status"], "sent");
    service.is_balanced().await;
}

/// A master key in a file, as `openssl rand -base64 32` makes one.
fn key_file(service: &Service, name: &str, text: &str) -> String {
    let path = service.ground.dir.path().join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// As the operations page says it, step by step, with messages waiting for the morning: nothing becomes unreadable on the way, and each
/// message goes once.
#[tokio::test]
async fn the_master_key_is_changed_while_everything_stays_readable() {
    let (mail, mut service, mut hospital, case) = at_night().await;
    let old = match &service.ground.postgres {
        Some(_) => nazorg_tests::service::MASTER_KEY.to_owned(),
        None => fs::read_to_string(service.ground.dir.path().join("data/master.key")).unwrap(),
    };
    let old = key_file(&service, "old.key", &old);
    let new = key_file(&service, "new.key", "HhwaGBYUEhAODAoIBgQCAAEDBQcJCw0PERMVFxkbHR8=");
    service.configure("NAZORG_KEYS_MASTER_KEY", "");

    // Step 2: each process learns of the new key. Step 3: the first one wraps by it, and who was not restarted yet reads that.
    with_keys(&mut service, &mut hospital, (&old, &new)).await;
    with_keys(&mut service, &mut hospital, (&new, &old)).await;
    let again = async |hospital: &Hospital| {
        let with = With { idempotency_key: Some("registers-once".to_owned()), ..With::default() };
        let body = json!({"name": "CANARY-NAME once"});
        hospital.coordinator.send(Method::POST, "/v1/persons", Some(body), with).await.id_of(201)
    };
    let first = again(&hospital).await;
    hospital.register("late").await;
    with_keys(&mut service, &mut hospital, (&old, &new)).await;
    everybody_is_readable(&hospital).await;

    // An answer that was kept under the one is the answer under the other.
    assert_eq!(again(&hospital).await, first);
    with_keys(&mut service, &mut hospital, (&new, &old)).await;
    assert_eq!(again(&hospital).await, first);
    let clock = service.clock.clone();
    let wrapped = upkeep::rewrap(&service.config(), clock).await.unwrap();
    assert!(wrapped > 5, "the organisation's and everybody's key: {wrapped}");
    assert_eq!(upkeep::rewrap(&service.config(), service.clock.clone()).await.unwrap(), 0);

    with_keys(&mut service, &mut hospital, (&new, "")).await;
    everybody_is_readable(&hospital).await;
    let times = |address: &str| mail.accepted().iter().filter(|one| one.to.iter().any(|to| to == address)).count();
    assert_eq!(times("anna@hospital.example"), 0, "it waits for the end of the quiet hours");
    service.travel_to(MORNING).await;
    assert_eq!((times("anna@hospital.example"), times("coordinator@hospital.example")), (1, 1));
    assert_eq!(hospital.messages(case).await[0]["status"], "sent");
    service.is_balanced().await;

    // The old one opens nothing any more, and says so.
    service.halt().await;
    service.configure("NAZORG_KEYS_MASTER_KEY_FILE", &old);
    let refused = upkeep::rewrap(&service.config(), service.clock.clone()).await.unwrap_err().to_string();
    assert!(refused.contains("was wrapped by master key"), "{refused}");
}

/// Starts anew with these files of master keys: the one that wraps, and the other one that opens.
async fn with_keys(service: &mut Service, hospital: &mut Hospital, (master, other): (&str, &str)) {
    service.configure("NAZORG_KEYS_MASTER_KEY_FILE", master);
    service.configure("NAZORG_KEYS_OTHER_MASTER_KEY_FILE", other);
    service.restart().await;
    hospital.coordinator = service.client(hospital.coordinator.key().unwrap());
}

async fn everybody_is_readable(hospital: &Hospital) {
    for person in hospital.people.values() {
        let read = hospital.coordinator.get(&format!("/v1/persons/{person}")).await.expect(200);
        assert!(read["name"].as_str().unwrap().starts_with("CANARY-NAME"), "{read}");
    }
}

/// A file that can no longer be read is what a backup is for: it is kept aside with what SQLite left beside it, and the backup takes its place.
#[tokio::test]
async fn a_backup_takes_the_place_of_data_that_is_damaged() {
    let mut service = Service::start_with(Ground::new(Leg::Embedded), BEGINNING, &[]).await;
    let (mut hospital, case) = opened(&service).await;
    let backup = Backup::make(&service).await;
    service.halt().await;
    let Backup::File(file) = &backup else { panic!("the embedded set-up is backed up to a file") };
    let data = service.ground.dir.path().join("data/nazorg.db");
    let mut bytes = fs::read(&data).unwrap();
    bytes[..100].fill(0xa5);
    fs::write(&data, &bytes).unwrap();
    fs::write(data.with_extension("db-wal"), "left over").unwrap();

    let replaced = upkeep::restore(&service.config(), file, service.clock.clone()).await.unwrap();
    assert_eq!(fs::read(&replaced).unwrap(), bytes, "what was there is kept");
    let rest = data.with_extension("db-wal");
    assert!(!rest.exists(), "what SQLite left beside it would be read into what took its place");
    service.restart().await;
    hospital.coordinator = service.client(hospital.coordinator.key().unwrap());
    assert!(number(&hospital, case).await.is_string());
}
