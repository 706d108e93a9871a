//! A service: its listeners, its stores, the API and the worker on top of them, and an orderly end.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use nazorg_domain::{App, Clock};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    Failure,
    config::Config,
    front::{Front, Operations},
    health::Health,
    listen::Bound,
    metrics,
    opening::{self, Listening, Opened, Prepared, Progress},
};

pub use crate::first::FirstKey;

/// Which parts run in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// API and worker: one process is the whole service.
    All,
    /// The API; workers run elsewhere.
    Api,
    /// A worker; it listens for metrics and health only.
    Worker,
}

/// How a service starts, where that is not the configuration's.
pub struct Start {
    /// Which parts.
    pub parts: Parts,
    /// Another clock than the system's, for stories and demonstrations.
    pub clock: Option<Arc<dyn Clock>>,
}

impl Default for Start {
    fn default() -> Self {
        Self { parts: Parts::All, clock: None }
    }
}

/// A service that listens. Dropping it tells everything to stop; [`Running::shutdown`] also waits for it.
pub struct Running {
    http: Option<SocketAddr>,
    metrics: Option<SocketAddr>,
    opened: watch::Receiver<Progress>,
    stop: DropGuard,
    ended: JoinHandle<()>,
}

/// Runs API and worker in this process, as `nazorg serve` does; for programs that embed the service.
///
/// # Errors
/// See [`start`].
pub async fn run(config: Config) -> Result<Running, Failure> {
    start(config, Start::default()).await
}

/// Starts the parts asked for: binds the listeners at once, then opens the stores behind them, waiting for a database
/// that is away. [`Running::ready`] tells when that is done, or why it cannot be.
///
/// # Errors
/// When the configuration cannot be, the master key is gone, or a port is taken.
pub async fn start(config: Config, start: Start) -> Result<Running, Failure> {
    let (parts, patience, listen, metrics_listen) =
        (start.parts, config.http.shutdown, config.http.listen, config.metrics_listen);
    let prepared = Prepared::new(config, start)?;
    let stop = CancellationToken::new();
    let health = Arc::new(Health::new(stop.clone()));
    let front = Front::new(Arc::clone(&health));
    let mut listeners = Vec::new();
    let mut http = None;
    if parts != Parts::Worker {
        let bound = Bound::to(listen).await?;
        http = Some(bound.address());
        listeners.push(bound.serve(front.clone(), stop.clone(), patience));
    }
    let mut metrics = None;
    let page = metrics::Page(metrics::start()?);
    if let Some(address) = metrics_listen {
        let bound = Bound::to(address).await?;
        metrics = Some(bound.address());
        let operations = Operations { health: Arc::clone(&health), metrics: page };
        listeners.push(bound.serve(operations, stop.clone(), Duration::from_secs(1)));
    }
    let (tell, opened) = watch::channel(None);
    let listening = Listening { front, health, listeners };
    let ended = tokio::spawn(opening::run(prepared, listening, (stop.clone(), tell)));
    Ok(Running { http, metrics, opened, stop: stop.drop_guard(), ended })
}

impl Running {
    /// Where the API listens; none for a worker.
    pub fn address(&self) -> Option<SocketAddr> {
        self.http
    }

    /// Where metrics and health are read, if anywhere.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics
    }

    /// Waits until the stores are open and everything serves.
    ///
    /// # Errors
    /// When it never will: a schema that is behind or newer.
    pub async fn ready(&mut self) -> Result<Ready<'_>, Arc<Failure>> {
        let seen = self.opened.wait_for(Option::is_some).await;
        let stopped = || Arc::new(Failure::internal("the service stopped before it was open"));
        let opened = seen.ok().and_then(|seen| seen.clone()).ok_or_else(stopped)??;
        Ok(Ready { opened, _running: self })
    }

    /// Stops: no new request, what is under way may finish, the worker hands back what it leased.
    pub async fn shutdown(self) {
        drop(self.stop);
        if let Err(error) = self.ended.await {
            tracing::error!(%error, "the service ended badly");
        }
    }
}

/// A service that serves.
pub struct Ready<'a> {
    opened: Arc<Opened>,
    _running: &'a Running,
}

impl Ready<'_> {
    /// The domain, for programs that call verbs themselves.
    pub fn app(&self) -> &Arc<App> {
        &self.opened.app
    }

    /// The first administrator key, when this start made one. It is nowhere else.
    pub fn first_key(&self) -> Option<&FirstKey> {
        self.opened.first_key.as_ref()
    }
}
