//! From apalis to a handler: bounded in number, each batch in a task of its own.
//!
//! The task of its own is the point. apalis drives handlers inside its worker, and a worker whose Redis goes away is dropped with
//! everything it drives; a message to a family would be cut off half-way and become "unknown". Here it finishes undisturbed.
//!
//! A batch that only waits for the last of its receivers to answer steps aside, so that a dead one costs nobody a place.

use apalis::prelude::Task;
use futures::future::BoxFuture;
use nazorg_domain::jobs::LeasedBatch;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::{CancellationToken, PollSemaphore};
use tokio_util::task::TaskTracker;
use tower_service::Service;

/// How many batches may have stepped aside for each that may be in hand besides one: who asks for one at a time gets that.
const ASIDE: usize = 8;

/// What is done with a batch. It settles in SQL and answers nothing: retry belongs to the job's row, not to the queue.
pub type Handler = Arc<dyn Fn(LeasedBatch, Arc<Place>) -> BoxFuture<'static, ()> + Send + Sync>;

/// A batch's place among those in hand, free again when it is done.
#[derive(Debug)]
pub struct Place {
    held: Mutex<Held>,
    room_aside: Arc<Semaphore>,
}

/// One of the two, until it is dropped.
#[derive(Debug, Default)]
struct Held {
    _in_hand: Option<OwnedSemaphorePermit>,
    aside: Option<OwnedSemaphorePermit>,
}

impl Place {
    /// Lets another batch begin, though this one is not done: it hardly works any more, it waits. Eight may do so for each that may be in
    /// hand besides one; while that many do, this changes nothing.
    pub fn step_aside(&self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.aside.is_none()
            && let Ok(aside) = Arc::clone(&self.room_aside).try_acquire_owned()
        {
            *held = Held { aside: Some(aside), ..Held::default() };
        }
    }
}

/// The handler with its bounds; clones share them.
#[derive(Clone)]
pub struct Handover {
    handler: Handler,
    permits: Arc<Semaphore>,
    room_aside: Arc<Semaphore>,
    tasks: TaskTracker,
    cut: CancellationToken,
}

impl std::fmt::Debug for Handover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handover").field("running", &self.tasks.len()).finish_non_exhaustive()
    }
}

impl Handover {
    /// At most `at_once` batches (at least one) are in the handler's hands at any moment, those aside not counted.
    pub fn new(handler: Handler, at_once: usize) -> Self {
        let at_once = at_once.max(1);
        Self {
            handler,
            permits: Arc::new(Semaphore::new(at_once)),
            room_aside: Arc::new(Semaphore::new((at_once - 1).saturating_mul(ASIDE))),
            tasks: TaskTracker::new(),
            cut: CancellationToken::new(),
        }
    }

    /// Waits until every batch is done, at most `patience`; then cuts off what still runs. Answers whether all ended by themselves.
    pub async fn drain(&self, patience: Duration) -> bool {
        self.tasks.close();
        let in_time = tokio::time::timeout(patience, self.tasks.wait()).await.is_ok();
        if !in_time {
            tracing::warn!(code = "handlers_cut_off", running = self.tasks.len(), "shutdown");
            self.cut.cancel();
            self.tasks.wait().await;
        }
        in_time
    }

    /// The service apalis calls; `open` turns what apalis carries into a batch, or `None` when that is of no use.
    pub(crate) fn service<A>(&self, open: impl Fn(A) -> Option<LeasedBatch> + Send + 'static) -> HandoverService<A> {
        HandoverService {
            semaphore: PollSemaphore::new(self.permits.clone()),
            handover: self.clone(),
            open: Box::new(open),
            permit: None,
        }
    }

    /// Runs one batch in its own task; resolves when it is done, has panicked or is cut off.
    fn begin(&self, batch: LeasedBatch, permit: Option<OwnedSemaphorePermit>) -> BoxFuture<'static, ()> {
        let (kind, size) = (batch.kind.as_str(), batch.leases.len());
        let held = Mutex::new(Held { _in_hand: permit, aside: None });
        let place = Arc::new(Place { held, room_aside: Arc::clone(&self.room_aside) });
        let work = (self.handler)(batch, Arc::clone(&place));
        let cut = self.cut.clone();
        let task = self.tasks.spawn(async move {
            let _ = cut.run_until_cancelled(work).await;
            drop(place);
        });
        Box::pin(async move {
            if task.await.is_err() {
                metrics::counter!("nazorg_jobs_panicked_total", "kind" => kind).increment(1);
                tracing::error!(code = "handler_panicked", kind, size, "the leases will lapse");
            }
        })
    }
}

/// See [`Handover::service`].
pub(crate) struct HandoverService<A> {
    handover: Handover,
    open: Box<dyn Fn(A) -> Option<LeasedBatch> + Send>,
    semaphore: PollSemaphore,
    permit: Option<OwnedSemaphorePermit>,
}

impl<A> Service<Task<A>> for HandoverService<A> {
    type Response = ();
    type Error = std::convert::Infallible;
    type Future = BoxFuture<'static, Result<(), Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if self.permit.is_none() {
            self.permit = std::task::ready!(self.semaphore.poll_acquire(cx));
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, task: Task<A>) -> Self::Future {
        let permit = self.permit.take();
        match (self.open)(task.args) {
            None => Box::pin(std::future::ready(Ok(()))),
            Some(batch) => {
                let done = self.handover.begin(batch, permit);
                Box::pin(async move {
                    done.await;
                    Ok(())
                })
            }
        }
    }
}
