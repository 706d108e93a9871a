//! The connections that are open: few, shared, and not kept long.

use super::link::{Failure, Link};
use super::settings::SmtpSettings;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// An idle connection older than this is closed: servers count them.
const IDLE: Duration = Duration::from_secs(15);
/// An idle connection older than this is asked whether it still lives before a message is entrusted to it.
const FRESH: Duration = Duration::from_secs(3);
/// A connection carries so many messages and is then renewed, as mail servers like it.
const MESSAGES: u32 = 100;

/// See the module.
#[derive(Debug)]
pub(super) struct Pool {
    settings: SmtpSettings,
    places: Arc<Semaphore>,
    idle: Arc<Mutex<Idle>>,
}

#[derive(Default)]
struct Idle {
    links: Vec<Link>,
    reaping: bool,
}

impl std::fmt::Debug for Idle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} idle", self.links.len())
    }
}

impl Pool {
    pub(super) fn new(settings: SmtpSettings, connections: usize) -> Self {
        Self { settings, places: Arc::new(Semaphore::new(connections.max(1))), idle: Arc::default() }
    }

    /// A place among the connections, or `None` when there is none by then.
    pub(super) async fn place(&self, by: Instant) -> Option<OwnedSemaphorePermit> {
        timeout_at(by, Arc::clone(&self.places).acquire_owned()).await.ok()?.ok()
    }

    /// An idle connection that still lives where `reuse` allows, else a new one.
    pub(super) async fn link(&self, reuse: bool, patience: Duration) -> Result<Link, Failure> {
        while reuse && let Some(mut link) = self.take() {
            if link.idle_since.elapsed() < FRESH || link.lives().await {
                return Ok(link.resume());
            }
        }
        Link::open(&self.settings, patience).await
    }

    /// For the next message.
    pub(super) fn put_back(&self, mut link: Link) {
        if link.used >= MESSAGES {
            tokio::spawn(link.quit());
            return;
        }
        link.idle_since = Instant::now();
        let mut idle = lock(&self.idle);
        idle.links.push(link);
        if !std::mem::replace(&mut idle.reaping, true) {
            tokio::spawn(reap(Arc::clone(&self.idle)));
        }
    }

    pub(super) async fn close(&self) {
        let links = std::mem::take(&mut lock(&self.idle).links);
        futures::future::join_all(links.into_iter().map(Link::quit)).await;
    }

    /// The one that was idle shortest: the others grow old and are closed.
    fn take(&self) -> Option<Link> {
        lock(&self.idle).links.pop()
    }
}

/// Closes what has been idle too long; ends when nothing is idle.
async fn reap(idle: Arc<Mutex<Idle>>) {
    loop {
        tokio::time::sleep(IDLE / 3).await;
        let old: Vec<Link> = {
            let mut idle = lock(&idle);
            if idle.links.is_empty() {
                idle.reaping = false;
                return;
            }
            idle.links.extract_if(.., |link| link.idle_since.elapsed() > IDLE).collect()
        };
        futures::future::join_all(old.into_iter().map(Link::quit)).await;
    }
}

/// A panic while holding the lock cannot leave it half changed: every step inside is one push or one removal.
fn lock(idle: &Mutex<Idle>) -> MutexGuard<'_, Idle> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
