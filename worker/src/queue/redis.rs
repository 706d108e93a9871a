//! The queue between processes: apalis-redis, with six things done differently, each because running it the plain way went wrong.
//!
//! - **Pushing** goes straight onto the active list, in one transaction. apalis pushes through its scheduled set, in which 8,000 due
//!   tasks kill every worker for good, and whose moment is the pusher's clock, so that one fast clock hides tasks from the others.
//! - **Payloads** travel undecoded through apalis: a payload its codec cannot read ends the worker, comes back as an orphan and ends the
//!   next one, for ever. Ours is opened by the handover, where it fails alone.
//! - **A worker that keeps dying** though Redis answers has poison in its keys: after three short lives the queue is thrown away, and
//!   the database sends again what was in it.
//! - **What Redis loses** is noticed within a second and handed back (see `pushed`), and what a worker held that ended is for the next one
//!   at once: apalis lets it lie for two heartbeats.
//! - **Waking up** is ours (see `wakes`): apalis's own strategies can miss one.
//! - **Finished tasks** are swept away, also from the sets apalis forgets (see `keys`).

use super::handover::Handover;
use super::pushed::Pushed;
use super::supervise::{Ended, Life, Lives};
use super::{QueueError, keys, payload};
use crate::address::RedisAddress;
use apalis::prelude::{BackendExt, Codec, WorkerBuilder, WorkerContext};
use apalis_redis::{Config, RedisStorage};
use futures::Stream;
use nazorg_domain::jobs::LeasedBatch;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, RedisError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, Notify};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long a push may take before it counts as failed.
const PUSH_PATIENCE: Duration = Duration::from_secs(2);
/// How long Redis may take to answer one command, or a connection to come about.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
/// A worker that is silent for two heartbeats is dead, and what it held goes to another (STACK section 1, point 6).
const HEARTBEAT: Duration = Duration::from_secs(10);
const MISSED_HEARTBEATS: usize = 2;
/// Tasks one fetch takes: few, so that what one process has taken but not begun does not grow stale there.
const FETCH: usize = 4;
/// More tasks than this waiting means that pushing is not what helps.
const FULL: u64 = 4_000;
/// So many short lives in a row, with Redis answering, and the queue is thrown away.
const POISONED: usize = 3;
/// How often Redis is asked whether it still knows what was pushed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const SWEEP_EVERY: Duration = Duration::from_secs(10);
const SWEEP_AT_ONCE: usize = 1_000;

/// What the Redis queue needs to know.
#[derive(Clone, Debug)]
pub struct RedisQueueSettings {
    /// Where.
    pub address: RedisAddress,
    /// The first part of every key, in braces so that Redis Cluster keeps them on one node. Default `{nazorg}`.
    pub name: String,
    /// How often an idle worker looks; pushes of this process wake it at once.
    pub poll: Duration,
    /// Unique per process (from the ids' door); part of the workers' and tasks' names.
    pub process: Uuid,
}

/// See the module. Clones share connections.
#[derive(Clone)]
pub struct RedisQueue {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    settings: RedisQueueSettings,
    /// For pushing and keeping house; let go when it fails, since Redis may be somewhere else by then.
    pushing: Mutex<Option<ConnectionManager>>,
    pushed: std::sync::Mutex<Pushed>,
    knock: Notify,
    alive: AtomicBool,
}

impl std::fmt::Debug for RedisQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisQueue").field("name", &self.inner.settings.name).finish_non_exhaustive()
    }
}

impl RedisQueue {
    /// Connects only when used.
    #[must_use]
    pub fn new(settings: RedisQueueSettings) -> Self {
        let config = Config::default()
            .queue(&settings.name)
            .batch_size(FETCH)
            .heartbeat_interval(HEARTBEAT)
            .missed_heartbeats(MISSED_HEARTBEATS)
            .lock_tasks(false) // the lease that counts is in the database
            .persist_results(true) // apalis's word for acknowledging
            .emit_events(false);
        let (pushing, pushed) = (Mutex::new(None), std::sync::Mutex::default());
        let (knock, alive) = (Notify::new(), AtomicBool::new(false));
        Self { inner: Arc::new(Inner { config, settings, pushing, pushed, knock, alive }) }
    }

    pub(super) async fn push(&self, batches: &[LeasedBatch]) -> Result<(), QueueError> {
        let pushed = timeout(PUSH_PATIENCE, self.inner.push(batches)).await;
        match pushed.unwrap_or_else(|_| Err(QueueError::Unreachable("no answer in time".to_owned()))) {
            Ok(()) => {
                self.inner.knock.notify_one();
                Ok(())
            }
            Err(error) => {
                self.inner.let_go(&error);
                Err(error)
            }
        }
    }

    /// Whether a worker is connected right now.
    pub(super) fn alive(&self) -> bool {
        self.inner.alive.load(Ordering::Relaxed)
    }

    pub(super) async fn run(&self, handover: Handover, stop: CancellationToken) {
        tokio::select! {
            () = self.live_on(&handover, &stop) => {}
            () = self.sweep_for_ever() => {}
            () = self.look_for_ever() => {}
        }
    }

    /// What this process pushed and Redis has lost since the last time this was asked: to be handed back in the database.
    pub(super) fn lost(&self) -> Vec<LeasedBatch> {
        self.inner.pushed().lost()
    }

    async fn live_on(&self, handover: &Handover, stop: &CancellationToken) {
        let mut lives = Lives::default();
        loop {
            let end = self.live(lives.begin(), handover, stop).await;
            self.inner.alive.store(false, Ordering::Relaxed);
            if !lives.go_on(end, stop).await {
                return;
            }
        }
    }

    async fn live(&self, life: Life, handover: &Handover, stop: &CancellationToken) -> Result<(), Ended> {
        let inner = &self.inner;
        let name = inner.worker(life.number);
        let connection = inner.connect().await.map_err(Ended::away)?;
        if let Some(before) = life.number.checked_sub(1) {
            inner.bequeath(connection.clone(), &inner.worker(before)).await.map_err(Ended::away)?;
        }
        if life.cut_short >= POISONED {
            inner.purge(connection.clone()).await.map_err(Ended::away)?;
        }
        let storage = RedisStorage::<Payload, ConnectionManager>::new(connection.clone())
            .with_config(inner.config.clone())
            .with_codec(Unopened)
            .poll_with_stream(self.wakes());
        let context = WorkerContext::new(&name);
        let worker = WorkerBuilder::new(&context).backend(storage).build(handover.service(open));
        inner.alive.store(true, Ordering::Relaxed);
        let end = super::handover_until(worker.run(), context, stop).await;
        if end.is_ok() {
            inner.forget(connection, &name).await;
        }
        end
    }

    /// A wake-up at every poll interval, and at once when this process has pushed.
    ///
    /// Each also wakes the poller once more. A wake-up may be taken while a fetch that began before it is coming back empty, and apalis
    /// then fetches nothing and listens to nobody until its next heartbeat: up to ten seconds of silence, seen in the measurement.
    fn wakes(&self) -> impl Stream<Item = ()> + Unpin + Send + 'static {
        let inner = self.inner.clone();
        let mut ticks = Box::pin(futures::stream::unfold(inner, |inner| async move {
            let _ = timeout(inner.settings.poll, inner.knock.notified()).await;
            Some(((), inner))
        }));
        futures::stream::poll_fn(move |cx| {
            let tick = ticks.as_mut().poll_next(cx);
            if tick.is_ready() {
                cx.waker().wake_by_ref();
            }
            tick
        })
    }

    async fn look_for_ever(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let latest = self.inner.pushed().latest();
            if let Some(latest) = latest
                && let Err(error) = self.inner.look(latest).await
            {
                self.inner.let_go(&error);
                tracing::debug!(code = "queue_not_looked_at", %error);
            }
        }
    }

    async fn sweep_for_ever(&self) {
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
            if let Err(error) = self.inner.sweep().await {
                self.inner.let_go(&error);
                tracing::debug!(code = "queue_sweep_failed", %error);
            }
        }
    }
}

impl Inner {
    async fn connect(&self) -> Result<ConnectionManager, QueueError> {
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(200))
            .set_connection_timeout(Some(ANSWER_PATIENCE))
            .set_response_timeout(Some(ANSWER_PATIENCE));
        let connected = timeout(ANSWER_PATIENCE, async {
            ConnectionManager::new_with_config(self.settings.address.client().await?, config).await
        });
        match connected.await {
            Err(_) => Err(QueueError::Unreachable("no connection in time".to_owned())),
            Ok(connected) => Ok(connected?),
        }
    }

    async fn pushing(&self) -> Result<ConnectionManager, QueueError> {
        let mut pushing = self.pushing.lock().await;
        if let Some(connection) = &*pushing {
            return Ok(connection.clone());
        }
        Ok(pushing.insert(self.connect().await?).clone())
    }

    /// A lock that is taken is that of someone who connects anew already.
    fn let_go(&self, error: &QueueError) {
        if let (QueueError::Unreachable(_), Ok(mut pushing)) = (error, self.pushing.try_lock()) {
            *pushing = None;
        }
    }

    /// Straight onto the active list, all batches or none; apalis's own `push` is described at the top.
    async fn push(&self, batches: &[LeasedBatch]) -> Result<(), QueueError> {
        let mut connection = self.pushing().await?;
        let active = self.config.active_jobs_list();
        let waiting: u64 = connection.llen(&active).await?;
        metrics::gauge!("nazorg_queue_tasks").set(waiting as f64);
        if waiting > FULL {
            return Err(QueueError::Full(waiting));
        }
        let (data, meta) = (self.config.job_data_hash(), self.config.job_meta_hash());
        let (latest, number) = (self.latest(), self.pushed().number());
        let fields = [("attempts", "0"), ("max_attempts", "1"), ("status", "Pending"), ("idempotency_key", "")];
        let mut all = redis::pipe();
        all.atomic().get(&latest).set_ex(&latest, number, keys::LATEST_KEPT.as_secs()).ignore();
        for (nth, batch) in batches.iter().enumerate() {
            let id = format!("{}-{number}-{nth}", self.settings.process);
            all.hset(&data, &id, payload::encode(batch)).ignore();
            all.hset_multiple(format!("{meta}:{id}"), &fields).ignore();
            all.rpush(&active, &id).ignore();
        }
        let (known,) = all.query_async(&mut connection).await?;
        self.pushed().arrived(number, known, batches);
        Ok(())
    }

    async fn look(&self, latest: u64) -> Result<(), QueueError> {
        let mut connection = self.pushing().await?;
        let known = connection.get(self.latest()).await?;
        self.pushed().compare(latest, known);
        Ok(())
    }

    fn pushed(&self) -> MutexGuard<'_, Pushed> {
        self.pushed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key under which Redis knows the number of this process's last push.
    fn latest(&self) -> String {
        keys::latest(&self.settings.name, self.settings.process)
    }

    /// What the worker of this process's nth life is called.
    fn worker(&self, nth: u64) -> String {
        keys::worker(self.settings.process, nth)
    }

    async fn sweep(&self) -> Result<(), QueueError> {
        let mut connection = self.pushing().await?;
        let mut sweep = keys::SWEEP.prepare_invoke();
        keys::for_sweep(&self.config).iter().for_each(|key| _ = sweep.key(key));
        sweep.arg(SWEEP_AT_ONCE);
        while sweep.invoke_async::<usize>(&mut connection).await? >= SWEEP_AT_ONCE {}
        Ok(())
    }

    async fn purge(&self, mut connection: ConnectionManager) -> Result<(), QueueError> {
        let mut purge = keys::PURGE.prepare_invoke();
        keys::for_purge(&self.config, &self.settings.name).iter().for_each(|key| _ = purge.key(key));
        let tasks: u64 = purge.invoke_async(&mut connection).await?;
        let mut pushed = self.pushed();
        if let Some(latest) = pushed.latest() {
            pushed.compare(latest, None);
        }
        drop(pushed);
        metrics::counter!("nazorg_queue_purged_total").increment(1);
        tracing::error!(code = "queue_purged", tasks, "workers kept dying; the database sends this again");
        Ok(())
    }

    /// What a worker held that ended is for the others at once, and nothing else of it stays. What it was still handling is handled to its
    /// end; whoever takes that a second time finds it in another's hand.
    async fn bequeath(&self, mut connection: ConnectionManager, name: &str) -> Result<(), QueueError> {
        let mut bequeath = keys::BEQUEATH.prepare_invoke();
        keys::for_bequeath(&self.config, name).iter().for_each(|key| _ = bequeath.key(key));
        let tasks: u64 = bequeath.arg(name).invoke_async(&mut connection).await?;
        tracing::debug!(code = "queue_bequeathed", tasks, name);
        Ok(())
    }

    /// After an orderly end nothing of this worker stays behind.
    async fn forget(&self, mut connection: ConnectionManager, name: &str) {
        let [held, about] = keys::of_worker(&self.config, name);
        let mut all = redis::pipe();
        all.del(about).ignore().del(held).ignore().zrem(self.config.workers_set(), name).ignore();
        let _ = timeout(PUSH_PATIENCE, all.query_async::<()>(&mut connection)).await;
    }
}

impl From<RedisError> for QueueError {
    fn from(error: RedisError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

/// A payload as it came off the wire.
type Payload = Vec<u8>;

/// A codec that decodes nothing, and so cannot fail inside apalis.
#[derive(Clone, Debug)]
struct Unopened;

impl Codec<Payload> for Unopened {
    type Error = std::convert::Infallible;
    type Compact = Payload;

    fn encode(&self, payload: &Payload) -> Result<Payload, Self::Error> {
        Ok(payload.clone())
    }

    fn decode(&self, payload: &Payload) -> Result<Payload, Self::Error> {
        Ok(payload.clone())
    }
}

fn open(payload: Payload) -> Option<LeasedBatch> {
    match payload::decode(&payload) {
        Ok(batch) => Some(batch),
        Err(error) => {
            metrics::counter!("nazorg_queue_malformed_total").increment(1);
            tracing::error!(code = "queue_payload_malformed", %error, "dropped");
            None
        }
    }
}
