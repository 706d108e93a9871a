//! A text message gateway that behaves as told: takes what it is given, refuses it, is away for a while, breaks, or falls silent until it
//! is let go; and remembers everything it was asked. With a secret it takes only what is signed (Standard Webhooks 1.0).

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What the gateway does with a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Does {
    /// Takes it.
    #[default]
    Take,
    /// Answers with this status: 400, 500, …
    Reply(u16),
    /// Answers 503 with a `Retry-After` of so many seconds.
    Away(u64),
    /// Answers 429 with a `Retry-After` of so many seconds.
    Busy(u64),
    /// Says nothing until [`HttpSink::release`], then takes it.
    Hold,
}

/// A message the gateway was asked to send.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its `webhook-id`.
    pub id: String,
    /// The body.
    pub body: Value,
    /// The status it was answered with.
    pub status: u16,
}

impl Received {
    /// The number it is for, as the default body has it.
    pub fn to(&self) -> &str {
        self.body["to"].as_str().unwrap_or_default()
    }
}

/// The gateway; it stops with the value.
pub struct HttpSink {
    address: SocketAddr,
    desk: Arc<Desk>,
    listening: tokio::task::JoinHandle<()>,
}

/// Where every connection is served.
#[derive(Default)]
struct Desk {
    secret: Option<String>,
    script: Mutex<HashMap<String, Does>>,
    count: AtomicUsize,
    received: Mutex<Vec<Received>>,
    gate: watch::Sender<Gate>,
}

/// How many are held, and whether they may go on.
#[derive(Default)]
struct Gate {
    held: usize,
    open: bool,
}

impl HttpSink {
    /// Starts one that takes everything, on a port of its own; with a secret, only what is signed with it.
    pub async fn start(secret: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Arc::new(Desk { secret: secret.map(str::to_owned), ..Desk::default() });
        let listening = tokio::spawn({
            let desk = Arc::clone(&desk);
            async move {
                let mut talks = tokio::task::JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    talks.spawn(Arc::clone(&desk).serve(stream));
                    while talks.try_join_next().is_some() {}
                }
            }
        });
        Self { address, desk, listening }
    }

    /// Its URL, for `SMS_URL`.
    pub fn url(&self) -> String {
        format!("http://{}/messages", self.address)
    }

    /// From now on, with what is for this number.
    pub fn behave_to(&self, number: &str, does: Does) {
        self.desk.script.lock().unwrap().insert(number.to_owned(), does);
    }

    /// How often it was asked.
    pub fn count(&self) -> usize {
        self.desk.count.load(Ordering::Relaxed)
    }

    /// Everything it answered, in order.
    pub fn seen(&self) -> Vec<Received> {
        self.desk.received.lock().unwrap().clone()
    }

    /// The numbers of what it took, in order of the numbers.
    pub fn taken(&self) -> Vec<String> {
        let seen = self.seen();
        let mut to: Vec<_> = seen.iter().filter(|one| one.status == 200).map(|one| one.to().to_owned()).collect();
        to.sort_unstable();
        to
    }

    /// Waits until a message is held ([`Does::Hold`]).
    ///
    /// # Panics
    /// When none is in time.
    pub async fn wait_for_held(&self, within: Duration) {
        let mut gate = self.desk.gate.subscribe();
        let came = tokio::time::timeout(within, gate.wait_for(|gate| gate.held > 0)).await;
        assert!(came.is_ok(), "nothing was held within {within:?}");
    }

    /// Lets go on whoever is held, and holds nobody any more.
    pub fn release(&self) {
        self.desk.gate.send_modify(|gate| gate.open = true);
    }
}

impl Drop for HttpSink {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Desk {
    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        while stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {
            while let Some(request) = Request::first(&bytes) {
                bytes.drain(..request.length);
                let answer = self.answer(request).await;
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    }

    async fn answer(&self, request: Request) -> String {
        self.count.fetch_add(1, Ordering::Relaxed);
        let id = request.header("webhook-id").unwrap_or_default().to_owned();
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let does = self.script.lock().unwrap().get(body["to"].as_str().unwrap_or_default()).copied();
        let (status, wait) = match does.unwrap_or_default() {
            _ if !self.is_signed(&request) => (401, None),
            Does::Take => (200, None),
            Does::Reply(status) => (status, None),
            Does::Away(seconds) => (503, Some(seconds)),
            Does::Busy(seconds) => (429, Some(seconds)),
            Does::Hold => {
                self.gate.send_modify(|gate| gate.held += 1);
                let _ = self.gate.subscribe().wait_for(|gate| gate.open).await;
                (200, None)
            }
        };
        self.received.lock().unwrap().push(Received { id, body, status });
        let wait = wait.map(|seconds| format!("Retry-After: {seconds}\r\n")).unwrap_or_default();
        format!("HTTP/1.1 {status} As told\r\n{wait}Content-Length: 11\r\n\r\n{{\"id\":\"x1\"}}")
    }

    /// Whether a request is signed with the secret, where there is one.
    fn is_signed(&self, request: &Request) -> bool {
        let Some(secret) = &self.secret else { return true };
        let parts = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| request.header(name));
        let [Some(id), Some(at), Some(signature)] = parts else { return false };
        let Some(signature) = signature.strip_prefix("v1,").and_then(|text| STANDARD.decode(text).ok()) else {
            return false;
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{id}.{at}.{}", request.body).as_bytes());
        at.parse::<i64>().is_ok() && mac.verify_slice(&signature).is_ok()
    }
}

/// A request with a body.
struct Request {
    head: String,
    body: String,
    length: usize,
}

impl Request {
    /// The whole one at the front, if it is there.
    fn first(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|part| part == b"\r\n\r\n")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut request = Self { head: text(&bytes[..end]), body: String::new(), length: end + 4 };
        request.length += request.header("content-length").map_or(0, |length| length.parse().unwrap_or(0));
        request.body = text(bytes.get(end + 4..request.length)?);
        Some(request)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}
