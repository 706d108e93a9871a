//! Doing what is owed: the relay finds what is due, the queue carries it, the dispatcher runs it, the channels send it.
//!
//! The database is the truth and everything here is expendable: any part may end at any moment, and what it held is sent again when its
//! lease lapses (DESIGN section 5).

mod address;
pub mod backoff;
pub mod bell;
pub mod channels;
mod dispatch;
mod jobs;
pub mod queue;
mod relay;
mod settings;
pub mod templates;

pub use address::RedisAddress;
pub use settings::{QUEUE, WorkerSettings};

use nazorg_domain::App;
use queue::{Handler, Handover, Queue};
use relay::Relay;
use settings::Parts;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long what is in flight may take to finish when the process stops.
const GRACE: Duration = Duration::from_secs(25);

/// A worker that is ready to run.
pub struct Worker {
    settings: WorkerSettings,
    parts: Parts,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Worker {
    /// Makes the parts and checks the settings and the texts; connects to nothing yet.
    ///
    /// # Errors
    /// Everything that is wrong, for people to read.
    pub fn new(settings: WorkerSettings) -> Result<Self, Vec<String>> {
        let parts = Parts::make(&settings)?;
        Ok(Self { settings, parts })
    }

    /// Works until `stop`; then leases nothing more, finishes what is in flight within twenty-five seconds, and hands back the rest.
    pub async fn run(self, app: Arc<App>, stop: CancellationToken) {
        let Self { settings, parts: Parts { queue, distant, channels, texts, phone, links } } = self;
        // Dropped with this future, whatever happens: nothing of it is left running.
        let stop = stop.child_token();
        let _guard = stop.clone().drop_guard();
        let queue = Arc::new(queue);
        let (texts, phone, links) = (Arc::new(texts), Arc::new(phone), Arc::new(links));
        let hands = jobs::Hands {
            app: Arc::clone(&app),
            channels: channels.clone(),
            texts,
            phone,
            links,
            patience: settings.patience,
            stop: stop.clone(),
        };
        let handover = Handover::new(handler(hands), settings.concurrency);
        let relay = Relay {
            app: Arc::clone(&app),
            queue: Arc::clone(&queue),
            bell: settings.bell.clone(),
            every: settings.relay_every,
        };
        let helpers = helpers(&relay, distant, &stop);
        let work = tokio::spawn({
            let (queue, handover, stop) = (Arc::clone(&queue), handover.clone(), stop.clone());
            async move { queue.run(handover, stop).await }
        });
        tracing::info!(process = %settings.process, "working");
        stop.cancelled().await;
        end(&app, &queue, (helpers, work, handover)).await;
        channels.close().await;
        tracing::info!(process = %settings.process, "stopped");
    }
}

fn handler(hands: jobs::Hands) -> Handler {
    Arc::new(move |batch, place| {
        let hands = hands.clone();
        Box::pin(async move { dispatch::run(&hands, batch, &place).await })
    })
}

/// Everything that runs beside the handlers, each in its own task so that none waits for another.
fn helpers(relay: &Relay, distant: Option<bell::RedisBell>, stop: &CancellationToken) -> TaskTracker {
    let helpers = TaskTracker::new();
    let start = || (relay.clone(), stop.clone());
    let (one, until) = start();
    helpers.spawn(async move { one.run(&until).await });
    let (one, until) = start();
    helpers.spawn(async move { one.number(&until).await });
    let (one, until) = start();
    helpers.spawn(async move { one.measure(&until).await });
    let (one, until) = start();
    helpers.spawn(async move { one.keep_house(&until).await });
    if let Some(distant) = distant {
        let (one, until) = start();
        helpers.spawn(async move { distant.hear(&one.bell, &until).await });
    }
    helpers.close();
    helpers
}

type Running = (TaskTracker, tokio::task::JoinHandle<()>, Handover);

/// The way out: no new lease, what is in flight to its end, the rest back.
async fn end(app: &App, queue: &Queue, (helpers, mut work, handover): Running) {
    let by = Instant::now() + GRACE;
    if timeout(GRACE, &mut work).await.is_err() {
        work.abort();
    }
    handover.drain(by.saturating_duration_since(Instant::now())).await;
    let _ = timeout(GRACE, helpers.wait()).await;
    relay::hand_back(app, &queue.leftovers()).await;
}
