//! What a worker needs to know, and everything that can be wrong with it.

use crate::address::RedisAddress;
use crate::bell::{LocalBell, RedisBell};
use crate::channels::{Channel, Channels, Outbox, Rested, Sender, Sms, SmsSettings, Smtp, SmtpSettings};
use crate::queue::{MemoryQueue, Queue, RedisQueue, RedisQueueSettings};
use crate::templates::{Links, Phone, Texts};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// What a worker needs to know.
#[derive(Clone)]
pub struct WorkerSettings {
    /// Unique per process, from the ids' door.
    pub process: Uuid,
    /// The bell that the app rings.
    pub bell: LocalBell,
    /// Redis, when the queue lies between processes; memory without it.
    pub redis: Option<RedisAddress>,
    /// Batches handled at the same time.
    pub concurrency: usize,
    /// How long a handler may take over a batch before it is cut off; what has to be marked before it is sent has twenty seconds at most.
    pub patience: Duration,
    /// How often to look for what is due when nobody rings.
    pub relay_every: Duration,
    /// How often an idle worker looks into Redis.
    pub poll_every: Duration,
    /// The mail server; without one mail goes to the outbox.
    pub smtp_url: Option<String>,
    /// Connections to the mail server at the same time.
    pub smtp_connections: usize,
    /// The gateway of text messages; without one they go to the outbox.
    pub sms: Option<SmsSettings>,
    /// The sender's address.
    pub from_address: String,
    /// The sender's display name; empty for none.
    pub from_name: String,
    /// The folder of messages that are not mailed.
    pub outbox: PathBuf,
    /// The number that texts name; without one they do without.
    pub phone: Option<String>,
    /// Where the API is reached, without a slash at its end: links in messages to staff begin with it. Without it there are none.
    pub public_url: Option<String>,
}

impl std::fmt::Debug for WorkerSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the addresses: they hold passwords.
        f.debug_struct("WorkerSettings").field("process", &self.process).finish_non_exhaustive()
    }
}

impl WorkerSettings {
    /// The embedded set-up: memory, and an outbox.
    #[must_use]
    pub fn embedded(process: Uuid, bell: LocalBell, outbox: PathBuf) -> Self {
        Self {
            process,
            bell,
            redis: None,
            concurrency: 4,
            patience: Duration::from_secs(60),
            relay_every: Duration::from_millis(500),
            poll_every: Duration::from_millis(100),
            smtp_url: None,
            smtp_connections: 16,
            sms: None,
            from_address: "messages@localhost".to_owned(),
            from_name: String::new(),
            outbox,
            phone: None,
            public_url: None,
        }
    }
}

/// The name of the queue in Redis: in braces, so that a cluster keeps its keys together.
pub const QUEUE: &str = "{nazorg}";

/// The parts of a worker, made and checked.
pub(crate) struct Parts {
    pub(crate) queue: Queue,
    pub(crate) distant: Option<RedisBell>,
    pub(crate) channels: Channels,
    pub(crate) texts: Texts,
    pub(crate) phone: Option<Phone>,
    pub(crate) links: Option<Links>,
}

impl Parts {
    /// All parts, or everything that is wrong.
    pub(crate) fn make(settings: &WorkerSettings) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let queue = queue(settings);
        let distant = settings.redis.clone().map(|address| RedisBell::new(address, QUEUE));
        let channels = keep(channels(settings), &mut faults);
        let texts = match Texts::load() {
            Ok(texts) => Some(texts),
            Err(found) => {
                faults.extend(found.iter().map(ToString::to_string));
                None
            }
        };
        let phone = settings
            .phone
            .as_deref()
            .map(|number| Phone::parse(number).ok_or_else(|| "the phone number is not one a text can name".to_owned()));
        let phone = keep(phone.transpose(), &mut faults);
        let links = settings.public_url.as_deref().map(|url| {
            Links::at(url).ok_or_else(|| "the public URL is not one a message can begin a link with".to_owned())
        });
        let links = keep(links.transpose(), &mut faults);
        match (channels, texts, phone, links) {
            (Some(channels), Some(texts), Some(phone), Some(links)) => {
                Ok(Self { queue, distant, channels, texts, phone, links })
            }
            _ => Err(faults),
        }
    }
}

fn keep<T>(part: Result<T, String>, faults: &mut Vec<String>) -> Option<T> {
    part.map_err(|fault| faults.push(fault)).ok()
}

fn queue(settings: &WorkerSettings) -> Queue {
    let Some(address) = settings.redis.clone() else { return Queue::Memory(MemoryQueue::new()) };
    Queue::Redis(RedisQueue::new(RedisQueueSettings {
        address,
        name: QUEUE.to_owned(),
        poll: settings.poll_every,
        process: settings.process,
    }))
}

fn channels(settings: &WorkerSettings) -> Result<Channels, String> {
    let sender =
        Sender::new(&settings.from_address, &settings.from_name).map_err(|error| format!("sender: {error}"))?;
    let outbox = Outbox::open(settings.outbox.clone(), sender.clone())
        .map_err(|error| format!("the outbox folder cannot be made: {error}"))?;
    let outbox: Arc<dyn Channel> = Arc::new(outbox);
    let email: Arc<dyn Channel> = match &settings.smtp_url {
        None => Arc::clone(&outbox),
        Some(url) => {
            let smtp = SmtpSettings::parse(url).map_err(|error| format!("the mail server's URL {error}"))?;
            Arc::new(Rested::new(Smtp::new(smtp, sender, settings.smtp_connections)))
        }
    };
    let sms: Arc<dyn Channel> = match settings.sms.clone() {
        None => outbox,
        Some(gateway) => Arc::new(Rested::new(Sms::new(gateway).map_err(|error| format!("text messages: {error}"))?)),
    };
    Ok(Channels { email, sms })
}
