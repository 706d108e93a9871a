//! The running service of a story: the real `run(Config)` over TCP, on one of two legs.

use std::{path::Path, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use nazorg::{
    Config, Parts, Running, Start,
    domain::{
        App, Clock,
        api_keys::{self, NewApiKey},
        entities::{OrganisationId, PersonId, Role},
        organisations,
        policy::Scope,
    },
};
use tempfile::TempDir;

use crate::{
    client::Client,
    clock::StoryClock,
    logs,
    postgres::Postgres,
    redis::Redis,
    time::{drain, is_balanced, travel},
};

/// When a story begins that does not say so: the day after the last of two thousand and twenty-six's long weekends.
pub const BEGINNING: &str = "2026-12-01T08:00:00Z";

/// On what the service stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leg {
    /// SQLite files and a queue in memory.
    Embedded,
    /// PostgreSQL and Redis.
    Distributed,
}

impl Leg {
    /// The leg that `NAZORG_LEG` names; the embedded one without it.
    ///
    /// # Panics
    /// When it names another.
    pub fn from_env() -> Self {
        match std::env::var("NAZORG_LEG").as_deref() {
            Err(_) | Ok("embedded") => Self::Embedded,
            Ok("distributed") => Self::Distributed,
            Ok(other) => panic!("NAZORG_LEG is embedded or distributed, not {other}"),
        }
    }
}

/// A running service with what it stands on; stopped in order by [`Service::stop`], at once when dropped.
pub struct Service {
    running: Option<Running>,
    app: Arc<App>,
    /// The story's clock.
    pub clock: Arc<StoryClock>,
    /// `http://127.0.0.1:…`
    pub base: String,
    /// `http://127.0.0.1:…` of metrics and health.
    pub operations: String,
    /// What it stands on.
    pub ground: Ground,
    environment: Vec<(String, String)>,
}

/// The stores of one service.
pub struct Ground {
    /// Which leg.
    pub leg: Leg,
    /// The data folder: database files, keys, outbox.
    pub dir: TempDir,
    /// PostgreSQL, on the distributed leg.
    pub postgres: Option<Postgres>,
    /// Redis, on the distributed leg.
    pub redis: Option<Redis>,
}

impl Ground {
    /// Fresh stores.
    pub fn new(leg: Leg) -> Self {
        nazorg::choose_tls();
        let dir = tempfile::Builder::new().prefix("nazorg-story-").tempdir().unwrap();
        let distributed = leg == Leg::Distributed;
        let (postgres, redis) = (distributed.then(Postgres::start), distributed.then(Redis::start));
        Self { leg, dir, postgres, redis }
    }

    /// The environment that configures a process on these stores, with free ports.
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut found = vec![
            ("NAZORG_DATA_DIR".to_owned(), self.dir.path().join("data").display().to_string()),
            ("NAZORG_HTTP_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("NAZORG_METRICS_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("NAZORG_DATABASE_DURABILITY".to_owned(), "normal".to_owned()),
            ("NAZORG_LIMITS_REQUESTS_PER_MINUTE".to_owned(), "10000000".to_owned()),
        ];
        if let Some(postgres) = &self.postgres {
            found.push(("DATABASE_URL".to_owned(), postgres.url()));
            found.push(("KEYS_URL".to_owned(), postgres.keys_url()));
            found.push(("NAZORG_KEYS_MASTER_KEY".to_owned(), MASTER_KEY.to_owned()));
        }
        if let Some(redis) = &self.redis {
            found.push(("REDIS_URL".to_owned(), redis.url()));
        }
        found
    }

    /// The outbox folder.
    pub fn outbox(&self) -> std::path::PathBuf {
        self.dir.path().join("data/outbox")
    }
}

/// The master key of every story: secret to nobody.
pub const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A tenant of a story.
#[derive(Clone)]
pub struct Tenant {
    /// Its id.
    pub id: OrganisationId,
    /// A client with an administrator's key.
    pub admin: Client,
}

impl Service {
    /// Starts a service on the leg that the environment names, at [`BEGINNING`].
    pub async fn start() -> Self {
        Self::start_on(Leg::from_env()).await
    }

    /// Starts a service on a leg, at [`BEGINNING`].
    pub async fn start_on(leg: Leg) -> Self {
        Self::start_with(Ground::new(leg), BEGINNING, &[]).await
    }

    /// Starts a service on the leg that the environment names, at a moment (RFC 3339).
    pub async fn start_at(moment: &str) -> Self {
        Self::start_with(Ground::new(Leg::from_env()), moment, &[]).await
    }

    /// Starts a service on stores of the story's own, with more settings (`SMTP_URL`, `NAZORG_…`).
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_with(ground: Ground, moment: &str, settings: &[(&str, &str)]) -> Self {
        logs::keep();
        let moment: DateTime<Utc> = moment.parse().expect("a moment in RFC 3339");
        let clock = Arc::new(StoryClock::at(moment));
        let mut environment = ground.environment();
        environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        if ground.leg == Leg::Distributed {
            nazorg::migrate(&config(&environment)).await.expect("a fresh database can be migrated");
        }
        let (running, app) = launch(&environment, Arc::clone(&clock), Parts::All).await;
        let (base, operations) = addresses(&running);
        Self { running: Some(running), app, clock, base, operations, ground, environment }
    }

    /// Stops in an orderly way and starts again on the same stores, at the same moment, on another port.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart(&mut self) {
        self.halt().await;
        let (running, app) = launch(&self.environment, Arc::clone(&self.clock), Parts::All).await;
        (self.base, self.operations) = addresses(&running);
        (self.running, self.app) = (Some(running), app);
    }

    /// Sets a variable of its environment, from the next start on; an empty text means "not set".
    pub fn configure(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// What it is configured with, for an operator's commands beside it.
    pub fn config(&self) -> Config {
        config(&self.environment)
    }

    /// Stops in an orderly way; the stores stay until the service is dropped.
    pub async fn halt(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown().await;
        }
    }

    /// Lets the worker do everything that is owed by now; what waits for its next try stays. Then everything that
    /// happened stands in the feed.
    ///
    /// # Panics
    /// When that takes longer than a minute.
    pub async fn drain(&self) {
        drain(&self.app).await;
    }

    /// Moves the clock to `moment` (RFC 3339), from due moment to due moment, and drains at each: as if time had passed.
    ///
    /// # Panics
    /// When `moment` is none, or draining takes longer than a minute.
    pub async fn travel_to(&self, moment: &str) {
        let moment = moment.parse().unwrap_or_else(|_| panic!("{moment:?} is no instant"));
        travel(&self.app, &self.clock, moment).await;
    }

    /// Moves the clock on by so much; see [`Self::travel_to`].
    ///
    /// # Panics
    /// When draining takes longer than a minute.
    pub async fn travel(&self, by: TimeDelta) {
        travel(&self.app, &self.clock, self.clock.now() + by).await;
    }

    /// The end of every story: nothing is lost, nothing is doubled, no job was given up.
    ///
    /// # Panics
    /// When the ledger of an organisation does not balance, or a job has failed for good.
    pub async fn is_balanced(&self) {
        self.drain().await;
        is_balanced(&self.app).await;
    }

    /// The domain, for what no API leads to.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// A client with this key.
    pub fn client(&self, key: impl Into<String>) -> Client {
        Client::new(&self.base, key)
    }

    /// Founds an organisation in Amsterdam's time zone, with an administrator.
    ///
    /// # Panics
    /// When the domain says no.
    pub async fn tenant(&self, name: &str) -> Tenant {
        tenant(&self.app, &self.base, name).await
    }

    /// A client with a key of a role; a supporter's and a line manager's is somebody's.
    ///
    /// # Panics
    /// When the domain says no.
    pub async fn key(&self, organisation: OrganisationId, role: Role, person: Option<PersonId>) -> Client {
        key(&self.app, &self.base, (organisation, role, person)).await
    }

    /// What speaks for a gateway of text messages: a key of nobody's, for what the operations page says and nothing else.
    ///
    /// # Panics
    /// When the domain says no.
    pub async fn adapter(&self, organisation: OrganisationId) -> Client {
        let (name, scopes) = ("Text messages".to_owned(), vec![Scope::TextMessages]);
        let new = NewApiKey { name, role: Role::Integration, scopes, person_id: None, expires_at: None };
        let (_, secret) = api_keys::issue(&self.app, organisation, new).await.unwrap();
        Client::new(&self.base, secret)
    }
}

/// Founds an organisation in Amsterdam's time zone, with an administrator, as the operator would.
pub(crate) async fn tenant(app: &App, base: &str, name: &str) -> Tenant {
    let id = organisations::found(app, name, chrono_tz::Europe::Amsterdam).await.unwrap();
    Tenant { id, admin: key(app, base, (id, Role::Admin, None)).await }
}

/// Makes a key, as the operator would, and a client that uses it.
pub(crate) async fn key(app: &App, base: &str, of: (OrganisationId, Role, Option<PersonId>)) -> Client {
    let (organisation, role, person_id) = of;
    let name = format!("{role} of the story");
    let new = NewApiKey { name, role, scopes: Vec::new(), person_id, expires_at: None };
    let (_, secret) = api_keys::issue(app, organisation, new).await.unwrap();
    Client::new(base, secret)
}

impl Drop for Service {
    /// A story that fails shows the last of what the service logged.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = logs::text();
            let last: Vec<&str> = log.lines().rev().take(60).collect();
            last.into_iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

/// The configuration of an environment, without the file that may lie in the working directory.
///
/// # Panics
/// When it has faults.
pub fn config(environment: &[(String, String)]) -> Config {
    Config::read(Some(Path::new("/dev/null")), environment.to_vec()).unwrap_or_else(|faults| panic!("{faults}"))
}

/// Starts parts of the service in this process and waits until they serve.
pub(crate) async fn launch(
    environment: &[(String, String)],
    clock: Arc<StoryClock>,
    parts: Parts,
) -> (Running, Arc<App>) {
    let start = Start { parts, clock: Some(clock) };
    let mut running = nazorg::start(config(environment), start).await.unwrap_or_else(|failure| panic!("{failure}"));
    let app = match running.ready().await {
        Ok(ready) => Arc::clone(ready.app()),
        Err(failure) => panic!("{failure}"),
    };
    (running, app)
}

fn addresses(running: &Running) -> (String, String) {
    let url = |address: Option<std::net::SocketAddr>| format!("http://{}", address.expect("it listens"));
    (url(running.address()), url(running.metrics_address()))
}
