//! From listening to serving: stores, schema, master key, first key, worker, API; and the way back.

use std::sync::Arc;

use nazorg_domain::{
    App, Bell, Clock,
    app::SilentBell,
    database::Database,
    key_store::{KeyStore, MasterKey},
    secrets::Secret,
};
use nazorg_worker::Worker;
use poem::{EndpointExt, Response, Route, endpoint::BoxEndpoint};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    Failure, clock,
    config::{self, Config, Faults},
    first::{self, FirstKey},
    front::Front,
    health::Health,
    master_key::{self, Master},
    run::{Parts, Start},
    stores::{Plans, Stores, make_private},
    work::{self, Bells},
};

/// What an open service consists of.
pub(crate) struct Opened {
    pub(crate) app: Arc<App>,
    pub(crate) first_key: Option<FirstKey>,
}

/// How far it is: nothing yet, open, or failed for good.
pub(crate) type Progress = Option<Result<Arc<Opened>, Arc<Failure>>>;

/// What already runs while the rest opens.
pub(crate) struct Listening {
    pub(crate) front: Front,
    pub(crate) health: Arc<Health>,
    pub(crate) listeners: Vec<JoinHandle<()>>,
}

/// What can be made, and be wrong, before anything is opened.
pub(crate) struct Prepared {
    config: Config,
    start: Start,
    master: Master,
    bells: Bells,
    worker: Option<Worker>,
}

impl Prepared {
    /// Everything, or every fault of the configuration that only shows in use, together.
    pub(crate) fn new(config: Config, start: Start) -> Result<Self, Failure> {
        make_private(&config.data_dir)?;
        let bells = work::bells(&config)?;
        let mut faults = Vec::new();
        let worker = match start.parts {
            Parts::Api => None,
            _ => kept(work::worker(&config, &bells), &mut faults)?,
        };
        // Last, since the embedded set-up makes the file.
        let master = kept(master_key::load(&config.keys), &mut faults)?;
        match master {
            Some(master) if faults.is_empty() => Ok(Self { config, start, master, bells, worker }),
            _ => Err(Failure::Config(Faults(faults))),
        }
    }
}

/// A part; faults of the configuration are gathered, everything else ends it.
fn kept<T>(part: Result<T, Failure>, faults: &mut Vec<String>) -> Result<Option<T>, Failure> {
    match part {
        Ok(part) => Ok(Some(part)),
        Err(Failure::Config(Faults(mut found))) => {
            faults.append(&mut found);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// Opens, serves until `stop`, and closes in order: worker and requests first, then the stores below them.
pub(crate) async fn run(
    prepared: Prepared,
    listening: Listening,
    (stop, tell): (CancellationToken, watch::Sender<Progress>),
) {
    let opened = tokio::select! {
        opened = open(prepared, &listening, &stop) => opened,
        () = stop.cancelled() => Err(Failure::Refused("stopped before the stores were open".to_owned())),
    };
    let mut busy = listening.listeners;
    let mut stores = None;
    match opened {
        Ok((opened, below, tasks)) => {
            tell.send_replace(Some(Ok(Arc::new(opened))));
            stores = Some(below);
            busy.extend(tasks);
            stop.cancelled().await;
        }
        Err(failure) => {
            stop.cancel();
            tell.send_replace(Some(Err(Arc::new(failure))));
        }
    }
    for task in busy {
        if let Err(error) = task.await {
            tracing::error!(%error, "a part ended badly");
        }
    }
    if let Some(stores) = stores {
        stores.close().await;
    }
}

async fn open(
    prepared: Prepared,
    listening: &Listening,
    stop: &CancellationToken,
) -> Result<(Opened, Stores, Vec<JoinHandle<()>>), Failure> {
    let Prepared { config, start, master, bells, worker } = prepared;
    let config = &config;
    let plans = if start.parts == Parts::Worker { Plans::ByIndex } else { Plans::Kept };
    let stores = Stores::open(config, plans).await?;
    listening.health.watch_stores(stores.clone());
    stores.wait().await;
    be_current(config, start.parts, &stores).await?;
    let clock = match start.clock {
        Some(clock) => clock,
        None => clock::of(&stores.data, stop).await,
    };
    let app = Arc::new(app(&stores, &master, clock, Arc::new(bells.local.clone()))?);
    let first_key = match start.parts {
        Parts::All if config.embedded() => first::make(&app).await?,
        _ => None,
    };
    let distant = bells.distant.clone();
    if start.parts != Parts::Worker {
        listening.front.open(api(config, &app, &master.present)?);
    }
    let tasks = vec![match worker {
        Some(worker) => tokio::spawn(worker.run(Arc::clone(&app), stop.clone())),
        None => tokio::spawn(pass_on(bells, stop.clone())),
    }];
    // Last, since it is what makes the process say that it is ready.
    listening.health.watch_queue(distant);
    Ok((Opened { app, first_key }, stores, tasks))
}

/// Without a worker in this process, what becomes due is told to those elsewhere.
async fn pass_on(Bells { local, distant }: Bells, stop: CancellationToken) {
    if let Some(distant) = distant {
        distant.pass_on(&local, &stop).await;
    }
}

/// The API over the domain.
fn api(config: &Config, app: &Arc<App>, master: &Secret) -> Result<BoxEndpoint<'static, Response>, Failure> {
    let settings = nazorg_api::Settings {
        request_timeout: config.http.request_timeout,
        requests_per_minute: config.limits.requests_per_minute,
        failed_authentications_per_minute: config.limits.failed_authentications_per_minute,
        proxies: config.http.proxies,
        // From the master key, which every process of one installation shares.
        cursor_key: *master.derive("api/cursors")?.bytes(),
    };
    let routes = nazorg_api::routes(Arc::clone(app), settings, Route::new()).map_err(Failure::internal)?;
    Ok(routes.boxed())
}

/// The embedded set-up brings its own files up to date. With PostgreSQL that is an operator's decision: many processes
/// share the schema, and a start must never change it under the others.
async fn be_current(config: &Config, parts: Parts, stores: &Stores) -> Result<(), Failure> {
    if config.embedded() && parts == Parts::All {
        return stores.migrate().await.map(drop);
    }
    let behind = stores.behind().await?;
    if behind.is_empty() {
        return Ok(());
    }
    let names = behind.join(", ");
    Err(Failure::Schema(format!("the schema is behind; run `nazorg migrate` first (not yet applied: {names})")))
}

fn app(stores: &Stores, master: &Master, clock: Arc<dyn Clock>, bell: Arc<dyn Bell>) -> Result<App, Failure> {
    let keys = KeyStore::new(Database::new(stores.keys.clone()), named(&master.present)?);
    let keys = keys.and(master.other.as_ref().map(named).transpose()?);
    let data = Database::new(stores.data.clone()).with_aside(stores.aside.clone());
    Ok(App::new(data, keys, clock, bell))
}

/// A master key with a name that tells it from others and nothing else.
fn named(secret: &Secret) -> Result<MasterKey, Failure> {
    let id = secret.derive("name of the master key")?;
    let name = id.bytes().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    Ok(MasterKey { name, secret: secret.clone() })
}

/// The domain over its stores, for a command that runs beside the service or without it.
pub(crate) async fn offline(config: &Config, clock: Arc<dyn Clock>) -> Result<(App, Stores), Failure> {
    make_private(&config.data_dir)?;
    let master = master_key::load(&config.keys)?;
    let stores = Stores::open(config, Plans::Kept).await?;
    stores.must_answer().await?;
    be_current(config, Parts::All, &stores).await?;
    Ok((app(&stores, &master, clock, Arc::new(SilentBell))?, stores))
}

/// Brings the schemas of both stores up to date, as `nazorg migrate` does; the names of what was applied.
///
/// # Errors
/// When a store does not answer, or holds the schema of a newer version.
pub async fn migrate(config: &Config) -> Result<Vec<String>, Failure> {
    if matches!(config.keys.master, config::MasterKey::FileMade(_)) {
        // A key store without its master key would be taken for one that lost it.
        make_private(&config.data_dir)?;
        master_key::load(&config.keys)?;
    }
    let stores = Stores::open(config, Plans::Kept).await?;
    stores.must_answer().await?;
    let applied = stores.migrate().await;
    stores.close().await;
    applied
}
