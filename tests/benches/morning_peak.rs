//! Everything of one morning falls due in the same minute: each reminder has a recipient of its own and ends as an HTTP delivery that is
//! recorded in SQL. PostgreSQL, Redis, the worker, the API and the receiver share this machine. `MORNING` says how many (20,000).
//!
//! Reference, in the same run on the same server: pgbench with 64 clients that only claim a row and record its delivery.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement fails by panicking")]
#![expect(clippy::print_stdout, reason = "a measurement prints its figure")]

mod common;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use common::{number, open_cases, percentile, processes};
use nazorg::domain::entities::messages;
use nazorg_tests::client::Client;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const MORNING: &str = "2026-12-31T09:00:00Z";

const SETUP: &str = "
CREATE TABLE reference_jobs AS SELECT n AS id, now() AS due_at, NULL::timestamptz AS lease_until FROM generate_series(1, 400000) n;
ALTER TABLE reference_jobs ADD PRIMARY KEY (id);
CREATE INDEX ON reference_jobs (due_at) WHERE lease_until IS NULL;
CREATE TABLE reference_messages AS SELECT n AS id, 'pending' AS status, NULL::timestamptz AS sent_at FROM generate_series(1, 400000) n;
ALTER TABLE reference_messages ADD PRIMARY KEY (id);
ANALYZE reference_jobs; ANALYZE reference_messages;
";
const CLAIM_AND_RECORD: &str = "
UPDATE reference_jobs SET lease_until = now() + interval '30 s' WHERE id =
  (SELECT id FROM reference_jobs WHERE lease_until IS NULL ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id \\gset
BEGIN;
UPDATE reference_messages SET status = 'sent', sent_at = now() WHERE id = :id;
DELETE FROM reference_jobs WHERE id = :id;
COMMIT;
";

/// Counts what arrives, by `webhook-id`, and says yes to everything.
#[derive(Default)]
struct Receiver {
    total: AtomicUsize,
    seen: Mutex<HashMap<String, usize>>,
}

impl Receiver {
    async fn start() -> (String, Arc<Self>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let receiver = Arc::new(Self::default());
        let all = Arc::clone(&receiver);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&all).serve(stream));
            }
        });
        (url, receiver)
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        while stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {
            while let Some((id, length)) = request(&bytes) {
                bytes.drain(..length);
                *self.seen.lock().unwrap().entry(id).or_default() += 1;
                self.total.fetch_add(1, Ordering::Relaxed);
                if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"id\":\"x1\"}").await.is_err() {
                    return;
                }
            }
        }
    }
}

/// A whole request at the front: what it is called and how long it is.
fn request(bytes: &[u8]) -> Option<(String, usize)> {
    let head = bytes.windows(4).position(|part| part == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&bytes[..head]).unwrap();
    let value = |name: &str| {
        text.lines().filter_map(|line| line.split_once(": ")).find(|(found, _)| found.eq_ignore_ascii_case(name))
    };
    let length = head + 4 + value("content-length").map_or(0, |(_, length)| length.parse().unwrap());
    (bytes.len() >= length).then(|| (value("webhook-id").unwrap().1.to_owned(), length))
}

/// Reads and writes like anybody's case system meanwhile; how long each answer took.
async fn call(client: Client, stop: Arc<AtomicBool>) -> Vec<Duration> {
    let mut times = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        client.get("/v1/follow-ups?limit=5").await.expect(200);
        times.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    times
}

#[tokio::main]
async fn main() {
    let count = number("MORNING", 20_000);
    let (url, receiver) = Receiver::start().await;
    let settings = [("SMS_URL", url.as_str()), ("NAZORG_SMS_MAX_CONNECTIONS", "64")];
    let (mut service, hospital) = processes(env!("CARGO_BIN_EXE_nazorg-process"), &settings).await;
    let began = Instant::now();
    open_cases(&hospital.coordinator, &hospital, count).await;
    service.drain().await;
    println!(
        "{count} cases opened in {:.1?}; {} deliveries before their time",
        began.elapsed(),
        receiver.total.load(Ordering::Relaxed)
    );

    let stop = Arc::new(AtomicBool::new(false));
    let caller = tokio::spawn(call(hospital.coordinator.clone(), Arc::clone(&stop)));
    service.clock.move_to(MORNING.parse().unwrap());
    service.app().bell.ring();
    let began = Instant::now();
    let sent = async || {
        let sent = messages::Entity::find().filter(messages::Column::Status.eq("sent"));
        sent.count(service.app().db.reader()).await.unwrap()
    };
    while receiver.total.load(Ordering::Relaxed) < count || sent().await < count as u64 {
        assert!(began.elapsed() < Duration::from_secs(900), "{} arrived", receiver.total.load(Ordering::Relaxed));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let took = began.elapsed();
    stop.store(true, Ordering::Relaxed);
    let mut times = caller.await.unwrap();
    service.is_balanced().await;
    let twice = receiver.seen.lock().unwrap().values().filter(|times| **times > 1).count();
    let reference = service.ground.postgres.as_ref().unwrap().pgbench(SETUP, CLAIM_AND_RECORD, (64, 10));
    service.end().await;
    println!(
        "morning_peak: {count} in {took:.1?}, {:.0} a second; reference {reference:.0} a second; {twice} arrived twice; \
         meanwhile the API answered {} times, p50 {:.1?}, p99 {:.1?}",
        count as f64 / took.as_secs_f64(),
        times.len(),
        percentile(&mut times, 50),
        percentile(&mut times, 99),
    );
    assert_eq!(twice, 0);
}
