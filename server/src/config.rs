//! What can be set, and from where: the manual `config.default.toml`, a file, the environment; all errors together.

mod layers;
mod reader;

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

pub use self::layers::Faults;
use self::reader::Reader;
pub use crate::secret::Secret;

/// The manual: every key with its default and one line of why.
pub const MANUAL: &str = include_str!("../../config.default.toml");

/// Everything a process needs to know to start. Made by [`Config::read`], which checks it as a whole.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the embedded set-up keeps its files.
    pub data_dir: PathBuf,
    /// The API's listener.
    pub http: Http,
    /// The address of the metrics listener, if there is to be one.
    pub metrics_listen: Option<SocketAddr>,
    /// The data.
    pub database: Database,
    /// The encryption keys.
    pub keys: Keys,
    /// Redis, when the queue lies between processes; the queue lives in memory without it.
    pub redis: Option<Redis>,
    /// Batches a worker handles at the same time.
    pub worker_concurrency: usize,
    /// Messages out.
    pub mail: Mail,
    /// How text messages leave.
    pub sms: SmsGateway,
    /// Log lines.
    pub log: Log,
    /// What one client may ask.
    pub limits: Limits,
}

/// The API's listener and its time-outs.
#[derive(Debug, Clone)]
pub struct Http {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How clients reach the service, without a trailing slash; `None`: the start names the bound address, and messages have no links.
    pub public_url: Option<String>,
    /// How many trusted proxies stand in front.
    pub proxies: usize,
    /// After this a request is answered with 503.
    pub request_timeout: Duration,
    /// How long what is under way may take to finish when the process stops.
    pub shutdown: Duration,
}

/// Where the data lives and how it is reached.
#[derive(Debug, Clone)]
pub struct Database {
    /// SQLite file or PostgreSQL.
    pub store: Store,
    /// Connections of this process.
    pub max_connections: u32,
    /// Longest wait for a free connection.
    pub acquire_timeout: Duration,
    /// Longest statement (PostgreSQL) or wait for a lock (SQLite).
    pub statement_timeout: Duration,
    /// What a power cut may take (SQLite).
    pub durability: Durability,
}

/// One database: a file of our own or a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// The file of the embedded set-up.
    Sqlite(PathBuf),
    /// The connection URL of a PostgreSQL server.
    Postgres(Secret),
}

/// How much of what SQLite acknowledged survives a power cut. A killed process never loses anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Everything: each commit reaches the disk (`synchronous = FULL`).
    Full,
    /// All but the last moments (`synchronous = NORMAL`).
    Normal,
}

/// Where the encryption keys live and what wraps them.
#[derive(Debug, Clone)]
pub struct Keys {
    /// A database of its own.
    pub store: Store,
    /// Connections of this process.
    pub max_connections: u32,
    /// Where the master key comes from.
    pub master: MasterKey,
    /// A file with the next or the last master key, while they are changed.
    pub other_master: Option<PathBuf>,
}

/// Where the master key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasterKey {
    /// From the configuration itself, in base64.
    Given(Secret),
    /// From a file that must exist.
    File(PathBuf),
    /// From a file that the embedded set-up makes on its first start.
    FileMade(PathBuf),
}

/// Where Redis is.
#[derive(Debug, Clone)]
pub struct Redis {
    /// The server; beside Sentinels its host is the name of the master that they watch.
    pub url: Secret,
    /// Who is asked where the master is; none when it is always at `url`.
    pub sentinels: Vec<Secret>,
}

/// How messages leave.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The SMTP server; without one messages are written to `outbox_dir`.
    pub smtp_url: Option<Secret>,
    /// Connections to it at the same time.
    pub max_connections: usize,
    /// Where messages go that are not mailed.
    pub outbox_dir: PathBuf,
    /// The sender's address.
    pub from_address: String,
    /// The sender's display name; empty for none.
    pub from_name: String,
    /// The number that texts name.
    pub phone: Option<String>,
}

/// How text messages leave.
#[derive(Debug, Clone)]
pub struct SmsGateway {
    /// The gateway; without one they are written to the outbox.
    pub url: Option<Secret>,
    /// The JSON object that is posted.
    pub body: String,
    /// The header `Authorization`.
    pub authorization: Option<Secret>,
    /// What requests are signed with.
    pub secret: Option<Secret>,
    /// Requests at the same time.
    pub max_connections: usize,
}

/// How log lines look and which are written.
#[derive(Debug, Clone)]
pub struct Log {
    /// Text or JSON.
    pub format: LogFormat,
    /// A level, or directives per module.
    pub level: String,
}

/// The shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One compact line, for people.
    Text,
    /// One JSON object per line, for machines.
    Json,
}

/// What one client may ask before it is told to wait.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Requests per minute, per client.
    pub requests_per_minute: NonZeroU32,
    /// Failed authentications per minute, per address.
    pub failed_authentications_per_minute: NonZeroU32,
}

impl Config {
    /// Reads the manual, then `file` (or `nazorg.toml` when it exists), then `environment`, and checks the whole.
    ///
    /// # Errors
    /// [`Faults`] with every error there is: unknown keys, wrong types, values out of range, what contradicts.
    pub fn read(
        file: Option<&std::path::Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Faults> {
        let mut reader = Reader::new(layers::collect(file, environment));
        let config = config(&mut reader);
        match config {
            Some(config) if reader.faults.is_empty() => Ok(config),
            _ => Err(Faults(reader.faults)),
        }
    }

    /// Sends log lines to standard error as `log` says, for the life of the process.
    pub fn start_logging(&self) {
        crate::logging::start(&self.log);
    }

    /// Whether data and keys live in files of our own, so that nobody has to run `migrate` or make a master key.
    pub fn embedded(&self) -> bool {
        matches!(self.database.store, Store::Sqlite(_))
    }
}

// Every field is read before the first `?`, so that one fault does not hide the next.
fn config(r: &mut Reader) -> Option<Config> {
    let data_dir = r.required("data_dir").map(PathBuf::from);
    let dir = data_dir.clone().unwrap_or_default();
    let (http, metrics_listen) = (http(r), r.optional_address("metrics.listen"));
    let database = database(r, &dir);
    let distributed = matches!(&database, Some(Database { store: Store::Postgres(_), .. }));
    let keys = keys(r, &dir, distributed);
    if let (Some(data), Some(keys)) = (&database, &keys)
        && data.store == keys.store
    {
        r.fault("keys.url", "is the database itself; a backup of the data would then hold the keys to it");
    }
    let redis = redis(r);
    let worker_concurrency = r.number("worker.concurrency", 1..=256);
    let (mail, sms, log, limits) = (mail(r, &dir), sms(r), log(r), limits(r));
    Some(Config {
        data_dir: data_dir?,
        http: http?,
        metrics_listen: metrics_listen?,
        database: database?,
        keys: keys?,
        redis: redis?,
        worker_concurrency: worker_concurrency? as usize,
        mail: mail?,
        sms: sms?,
        log: log?,
        limits: limits?,
    })
}

fn http(r: &mut Reader) -> Option<Http> {
    let listen = r.address("http.listen");
    let public_url = r.optional_url("http.public_url", &["http", "https"]);
    let proxies = r.number("http.proxies", 0..=16);
    let request_timeout = r.seconds("http.request_timeout_seconds", 1..=600);
    let shutdown = r.seconds("http.shutdown_seconds", 0..=600);
    Some(Http {
        listen: listen?,
        public_url: public_url?.map(|url| url.expose().trim_end_matches('/').to_owned()),
        proxies: proxies? as usize,
        request_timeout: request_timeout?,
        shutdown: shutdown?,
    })
}

fn database(r: &mut Reader, dir: &std::path::Path) -> Option<Database> {
    let store = r.store("database.url");
    let max_connections = r.number("database.max_connections", 2..=1000);
    let acquire_timeout = r.seconds("database.acquire_timeout_seconds", 1..=60);
    let statement_timeout = r.seconds("database.statement_timeout_seconds", 1..=3600);
    let durability = r.one_of("database.durability", &[("full", Durability::Full), ("normal", Durability::Normal)]);
    Some(Database {
        store: store?.unwrap_or_else(|| Store::Sqlite(dir.join("nazorg.db"))),
        max_connections: max_connections?,
        acquire_timeout: acquire_timeout?,
        statement_timeout: statement_timeout?,
        durability: durability?,
    })
}

fn keys(r: &mut Reader, dir: &std::path::Path, distributed: bool) -> Option<Keys> {
    let store = r.store("keys.url");
    let max_connections = r.number("keys.max_connections", 1..=100);
    let given = r.optional("keys.master_key").map(|key| key.map(Secret::new));
    let file = r.optional("keys.master_key_file");
    let other = r.optional("keys.other_master_key_file");
    if distributed && matches!(store, Some(None)) {
        r.fault(
            "keys.url",
            "is required beside PostgreSQL: every process must see the same keys, in a database of their own",
        );
    }
    let master = match (given?, file?) {
        (Some(_), Some(_)) => {
            r.fault("keys.master_key", "and keys.master_key_file are both set; give one");
            None
        }
        (Some(given), None) => {
            if !crate::master_key::is_valid(given.expose()) {
                r.fault("keys.master_key", "must be 32 bytes in base64 (openssl rand -base64 32)");
            }
            Some(MasterKey::Given(given))
        }
        (None, Some(file)) => Some(MasterKey::File(file.into())),
        (None, None) if distributed => {
            r.fault(
                "keys.master_key_file",
                "is required beside PostgreSQL (or keys.master_key): every process needs the same one",
            );
            None
        }
        (None, None) => Some(MasterKey::FileMade(dir.join("master.key"))),
    };
    Some(Keys {
        store: store?.unwrap_or_else(|| Store::Sqlite(dir.join("keys.db"))),
        max_connections: max_connections?,
        master: master?,
        other_master: other?.map(PathBuf::from),
    })
}

fn redis(r: &mut Reader) -> Option<Option<Redis>> {
    let url = r.optional_url("redis.url", &["redis", "rediss"]);
    let sentinels = r.optional("redis.sentinels");
    if matches!((&url, &sentinels), (Some(None), Some(Some(_)))) {
        r.fault("redis.sentinels", "needs redis.url beside it: redis://, and the name of the master that they watch");
    }
    let sentinels = sentinels?.unwrap_or_default();
    let sentinels = sentinels.split(',').map(str::trim).filter(|one| !one.is_empty()).map(Secret::new).collect();
    Some(url?.map(|url| Redis { url, sentinels }))
}

fn mail(r: &mut Reader, dir: &std::path::Path) -> Option<Mail> {
    let smtp_url = r.optional_url("mail.smtp_url", &["smtp", "smtps"]);
    let max_connections = r.number("mail.max_connections", 1..=256);
    let outbox_dir = r.optional("mail.outbox_dir");
    let from_address = r.required("mail.from_address");
    if from_address.as_ref().is_some_and(|address| !looks_like_an_address(address)) {
        r.fault("mail.from_address", "must be one mail address, such as messages@example.org");
    }
    let from_name = r.optional("mail.from_name").map(Option::unwrap_or_default);
    if from_name.as_ref().is_some_and(|name| name.chars().any(char::is_control)) {
        r.fault("mail.from_name", "must be one line of plain text");
    }
    let phone = r.optional("mail.phone");
    Some(Mail {
        smtp_url: smtp_url?,
        max_connections: max_connections? as usize,
        outbox_dir: outbox_dir?.map_or_else(|| dir.join("outbox"), PathBuf::from),
        from_address: from_address?,
        from_name: from_name?,
        phone: phone?,
    })
}

fn sms(r: &mut Reader) -> Option<SmsGateway> {
    let url = r.optional_url("sms.url", &["https", "http"]);
    let body = r.required("sms.body");
    let (authorization, secret) = (r.optional("sms.authorization"), r.optional("sms.secret"));
    let max_connections = r.number("sms.max_connections", 1..=1_024);
    Some(SmsGateway {
        url: url?,
        body: body?,
        authorization: authorization?.map(Secret::new),
        secret: secret?.map(Secret::new),
        max_connections: max_connections? as usize,
    })
}

// The mail library decides in the end; this only catches what is plainly something else.
fn looks_like_an_address(text: &str) -> bool {
    let clean = !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c));
    clean
        && text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'))
}

fn log(r: &mut Reader) -> Option<Log> {
    let format = r.one_of("log.format", &[("text", LogFormat::Text), ("json", LogFormat::Json)]);
    let level = r.required("log.level");
    if let Some(level) = &level
        && let Err(error) = tracing_subscriber::EnvFilter::try_new(level)
    {
        r.fault("log.level", &format!("is no level and no list of directives: {error}"));
    }
    Some(Log { format: format?, level: level? })
}

fn limits(r: &mut Reader) -> Option<Limits> {
    let requests_per_minute = r.number("limits.requests_per_minute", 1..=10_000_000);
    let failed = r.number("limits.failed_authentications_per_minute", 1..=100_000);
    Some(Limits {
        requests_per_minute: NonZeroU32::new(requests_per_minute?)?,
        failed_authentications_per_minute: NonZeroU32::new(failed?)?,
    })
}

#[cfg(test)]
mod tests;
