//! All reminders of one morning, at a mail server that takes a hundred a second, while everything under the service goes
//! away in turn: two API and two worker processes on PostgreSQL and Redis.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use nazorg_tests::{
    client::{Client, With, fresh_key},
    hospital::{ASK, Hospital, ONE_MORNING},
    morning::{judge, settled},
    processes::Processes,
    smtp_sink::{At, Behaviour, Does, SmtpSink},
};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

const EVENT: &str = "2026-12-17T02:20:00Z";
const REPORTED: &str = "2026-12-17T06:45:00Z";
/// Ten o'clock in Amsterdam, a fortnight later.
const MORNING: &str = "2026-12-31T09:00:00Z";
/// Reminders, unless `STORM_REMINDERS` says how many: half of them to a peer of their own, half questions to the person.
const REMINDERS: usize = 1_000;
const PER_SECOND: usize = 100;
const PATIENCE: Duration = Duration::from_secs(600);

/// What goes away once so many mails were taken.
#[derive(Debug, Clone, Copy)]
enum Fault {
    WorkerKilled(usize),
    RedisFlushed,
    PostgresRestarted,
    MailRefused,
}

/// Spread over the run: after how many of a hundred mails.
const FAULTS: [(usize, Fault); 7] = [
    (6, Fault::WorkerKilled(0)),
    (18, Fault::RedisFlushed),
    (30, Fault::WorkerKilled(1)),
    (42, Fault::PostgresRestarted),
    (56, Fault::MailRefused),
    (70, Fault::RedisFlushed),
    (84, Fault::WorkerKilled(0)),
];

fn cases() -> usize {
    let wanted = std::env::var("STORM_REMINDERS").ok().map(|text| text.parse().expect("STORM_REMINDERS is a number"));
    wanted.unwrap_or(REMINDERS) / 2
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reminders_go_out_while_everything_fails_in_turn() {
    let cases = cases();
    let mail = SmtpSink::start().await;
    mail.at_most_per_second(PER_SECOND);
    let url = mail.url();
    let binary = env!("CARGO_BIN_EXE_nazorg-process");
    let mut service = Processes::start(binary, REPORTED, (2, 2), &[("SMTP_URL", url.as_str())]).await;
    let mut hospital = Hospital::found_on(&service).await;
    hospital.publish(&format!("{ONE_MORNING}{ASK}")).await;
    open_cases(&service, &hospital, cases).await;
    service.drain().await;
    assert_eq!(mail.seen().len(), 0, "nothing goes out before its time");

    let callers = Callers::start(&service, &hospital);
    service.clock.move_to(MORNING.parse().unwrap());
    let began = Instant::now();
    for (percent, fault) in FAULTS {
        let taken = 2 * cases * percent / 100;
        mail.wait_for(taken, PATIENCE).await;
        strike(&mut service, &mail, fault).await;
        println!("{:6.1?} s, {taken} mails: {fault:?}", began.elapsed().as_secs_f32());
    }
    settled(service.app(), PATIENCE).await;
    println!("{:6.1?} s: everything has its end", began.elapsed().as_secs_f32());

    callers.end().await;
    judge(service.app(), &mail, 2 * cases).await;
    let ledger = hospital.coordinator.get("/v1/ledger").await.expect(200);
    assert_eq!(ledger["unaccounted"], 0, "{ledger}");
    service.is_balanced().await;
    service.end().await;
}

async fn strike(service: &mut Processes, mail: &SmtpSink, fault: Fault) {
    match fault {
        Fault::WorkerKilled(nth) => {
            service.workers[nth].kill();
            service.start_all().await;
        }
        Fault::RedisFlushed => service.ground.redis.as_ref().unwrap().flush(),
        Fault::PostgresRestarted => service.ground.postgres.as_mut().unwrap().restart(),
        Fault::MailRefused => {
            mail.behave(Behaviour { at: At::Mail, does: Does::Reply(451), times: None });
            tokio::time::sleep(Duration::from_secs(10)).await;
            mail.behave(None);
        }
    }
}

/// Opens the cases over both API processes.
async fn open_cases(service: &Processes, hospital: &Hospital, cases: usize) {
    let key = hospital.coordinator.key().unwrap();
    let clients = [service.client(0, key), service.client(1, key)];
    stream::iter(0..cases)
        .for_each_concurrent(8, |number| {
            let client = &clients[number % clients.len()];
            async move {
                let peer = mailable(client, &format!("peer-{number}@staff.example")).await;
                let person = mailable(client, &format!("person-{number}@home.example")).await;
                let consent = json!({"purpose": "messages"});
                client.post(&format!("/v1/persons/{person}/consents"), consent).await.expect(201);
                let case = json!({
                    "personId": person,
                    "unitId": hospital.ward,
                    "protocolId": hospital.protocol,
                    "anchors": [{"anchor": "event_at", "at": EVENT}, {"anchor": "reported_at", "at": REPORTED}],
                    "assignments": [{"role": "peer_supporter", "personId": peer}],
                });
                client.post("/v1/cases", case).await.expect(201);
            }
        })
        .await;
}

async fn mailable(client: &Client, address: &str) -> Uuid {
    let id = client.post("/v1/persons", json!({"name": address, "language": "nl"})).await.id_of(201);
    let point = json!({"channel": "email", "address": address, "safe": "yes"});
    client.post(&format!("/v1/persons/{id}/contact-points"), point).await.expect(201);
    id
}

/// Those who read and write over both API processes meanwhile. Every answer keeps the promises of a [`Client`].
struct Callers {
    stop: Arc<AtomicBool>,
    all: Vec<tokio::task::JoinHandle<BTreeMap<u16, usize>>>,
}

impl Callers {
    fn start(service: &Processes, hospital: &Hospital) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let key = hospital.coordinator.key().unwrap();
        let all = (0..2).map(|nth| tokio::spawn(call(service.client(nth, key), Arc::clone(&stop)))).collect();
        Self { stop, all }
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        let mut statuses = BTreeMap::<u16, usize>::new();
        for caller in self.all {
            for (status, count) in caller.await.unwrap() {
                *statuses.entry(status).or_default() += count;
            }
        }
        println!("the API answered {statuses:?}");
        assert!(statuses.keys().all(|status| [200, 201, 503].contains(status)), "{statuses:?}");
        assert!(statuses[&200] > 100 && statuses[&201] > 100, "{statuses:?}");
    }
}

async fn call(client: Client, stop: Arc<AtomicBool>) -> BTreeMap<u16, usize> {
    let mut statuses = BTreeMap::new();
    while !stop.load(Ordering::Relaxed) {
        let person = Some(json!({"name": "Met while it stormed"}));
        let with = With { idempotency_key: Some(fresh_key()), ..With::default() };
        for (method, path, body) in
            [(Method::GET, "/v1/follow-ups?limit=5", None), (Method::POST, "/v1/persons", person)]
        {
            let answer = client.try_send(method, path, body, with.clone()).await;
            let answer = answer.unwrap_or_else(|error| panic!("an API process that nobody touched is gone: {error}"));
            *statuses.entry(answer.status).or_default() += 1;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    statuses
}
