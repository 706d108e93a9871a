//! From a batch to its handler, and from a failure to what becomes of the jobs: the one place where an error is mapped to a retry.

use crate::queue::Place;
use crate::relay::{bounded, hand_back};
use crate::{backoff, jobs as handlers};
use futures::FutureExt;
use nazorg_domain::entities::JobKind;
use nazorg_domain::error::{Error, Result};
use nazorg_domain::jobs::{self, Claimed, LeasedBatch, Outcome};
use nazorg_domain::messages::ToSend;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long it may take until messages are marked and committed: less than their leases hold, or another worker would take them over.
const MARK_WITHIN: Duration = Duration::from_secs(20);
const _: () = assert!(MARK_WITHIN.as_secs() + 3 < jobs::LEASE.as_secs(), "a lease is renewed before it lapses");
/// The longest a worker holds its breath when something we stand on is away.
const BREATH: Duration = Duration::from_secs(5);
/// How long the stores may take to say that they are there.
const LOOK: Duration = Duration::from_secs(2);

/// Runs a batch and settles whatever comes of it. Never fails: what cannot even be settled lapses and is sent again.
pub(crate) async fn run(hands: &handlers::Hands, batch: LeasedBatch, place: &Place) {
    let began = Instant::now();
    let kind = batch.kind.as_str();
    let result = work(hands, &batch, Some(place)).await;
    metrics::histogram!("nazorg_batch_seconds", "kind" => kind).record(began.elapsed().as_secs_f64());
    match result {
        Ok(()) => {}
        Err(trouble) => troubled(hands, batch, trouble).await,
    }
}

/// What is away is no fault of the work's, whenever it turns out to be away: no attempt is counted for it. Anything else is.
async fn troubled(hands: &handlers::Hands, batch: LeasedBatch, trouble: Trouble) {
    match away(hands, trouble).await {
        Ok(away) => give_back(hands, batch, away).await,
        Err(trouble) => fail_alone(hands, batch, trouble).await,
    }
}

async fn give_back(hands: &handlers::Hands, batch: LeasedBatch, (retry_after, log): (Duration, String)) {
    tracing::warn!(code = "unavailable", kind = batch.kind.as_str(), size = batch.leases.len(), log, "handed back");
    let _ = hands.stop.run_until_cancelled(sleep(retry_after.min(BREATH))).await;
    hand_back(&hands.app, &[batch]).await;
}

/// How long what is away wants to be left alone, and what it is; the trouble itself where nothing is. Whoever waits for a store that says
/// nothing is cut off like one that hangs by itself: which it was, the stores tell.
async fn away(hands: &handlers::Hands, trouble: Trouble) -> Result<(Duration, String), Trouble> {
    match trouble {
        Trouble::Failed(Error::Unavailable { retry_after, log }) => Ok((retry_after, log)),
        Trouble::TimedOut => match timeout(LOOK, hands.app.answers()).await {
            Ok(Ok(())) => Err(Trouble::TimedOut),
            Ok(Err(error)) => Ok((LOOK, error.to_string())),
            Err(_) => Ok((LOOK, "a store did not answer in time".to_owned())),
        },
        other => Err(other),
    }
}

/// One among a hundred that fails must not take the others with it: halves are tried, until the one is alone.
fn fail_alone<'a>(
    hands: &'a handlers::Hands,
    batch: LeasedBatch,
    trouble: Trouble,
) -> futures::future::BoxFuture<'a, ()> {
    Box::pin(async move {
        if batch.leases.len() == 1 {
            let again = match alone(hands, &batch).await {
                Some(Ok(())) => return,
                Some(Err(again)) => again,
                None => trouble,
            };
            return match away(hands, again).await {
                Ok(away) => give_back(hands, batch, away).await,
                Err(trouble) => settle_failed(hands, &batch, &trouble).await,
            };
        }
        let kind = batch.kind;
        let (one, other) = batch.leases.split_at(batch.leases.len() / 2);
        for half in [one, other] {
            let half = LeasedBatch { kind, leases: half.to_vec() };
            if let Err(trouble) = work(hands, &half, None).await {
                troubled(hands, half, trouble).await;
            }
        }
    })
}

/// A message that cannot even be judged must not hold up its follow-up: the one without the other, where they go together.
async fn alone(hands: &handlers::Hands, batch: &LeasedBatch) -> Option<Result<(), Trouble>> {
    if batch.kind != JobKind::FollowUp {
        return None;
    }
    Some(attempted(hands.patience, handlers::follow_up::run_apart(hands, batch)).await)
}

/// What the database does is bounded, and can be tried again; what goes out after it has its own bounds, and cannot. Only what is done in one
/// piece has a place to leave.
async fn work(hands: &handlers::Hands, batch: &LeasedBatch, place: Option<&Place>) -> Result<(), Trouble> {
    let patience = match batch.kind {
        JobKind::FollowUp | JobKind::Message => hands.patience.min(MARK_WITHIN),
        JobKind::IncidentLink | JobKind::CaseRetention | JobKind::Remains => hands.patience,
    };
    let began = Instant::now();
    let marked = attempted(patience, handle(hands, batch)).await?;
    // What came through the queue was leased before it waited there; what is announced for now, while it was marked.
    let keep_after = match batch.kind {
        JobKind::Message => Duration::ZERO,
        _ => handlers::message::KEEP_EVERY.saturating_sub(began.elapsed()),
    };
    handlers::message::send_all(hands, marked, (place, keep_after)).await;
    Ok(())
}

async fn attempted<T>(patience: Duration, work: impl Future<Output = Result<T>>) -> Result<T, Trouble> {
    match timeout(patience, AssertUnwindSafe(work).catch_unwind()).await {
        Err(_) => Err(Trouble::TimedOut),
        Ok(Err(_)) => Err(Trouble::Panicked),
        Ok(Ok(done)) => done.map_err(Trouble::Failed),
    }
}

/// Answers the messages that go out now.
async fn handle(hands: &handlers::Hands, batch: &LeasedBatch) -> Result<Vec<ToSend>> {
    match batch.kind {
        JobKind::FollowUp => handlers::follow_up::run(hands, batch).await,
        JobKind::Message => handlers::message::take(hands, batch).await,
        JobKind::IncidentLink => handlers::forgetting::cut_links(hands, batch).await.map(|()| Vec::new()),
        JobKind::CaseRetention => handlers::forgetting::forget_cases(hands, batch).await.map(|()| Vec::new()),
        JobKind::Remains => handlers::forgetting::finish(hands, batch).await.map(|()| Vec::new()),
    }
}

async fn settle_failed(hands: &handlers::Hands, batch: &LeasedBatch, trouble: &Trouble) {
    let kind = batch.kind.as_str();
    let judge = |job: &Claimed| verdict(trouble, job);
    match bounded(jobs::fail(&hands.app, batch, judge)).await {
        Err(error) => tracing::error!(code = "failure_not_settled", kind, %error, "the lease lapses"),
        Ok(settled) => {
            for (job, outcome) in settled {
                let (id, attempts) = (job.job.id, job.attempts + 1);
                if let Outcome::GivenUp { error } = outcome {
                    metrics::counter!("nazorg_jobs_given_up_total", "kind" => kind).increment(1);
                    tracing::error!(code = "job_given_up", kind, %id, attempts, error, %trouble, "alarm");
                } else {
                    metrics::counter!("nazorg_jobs_failed_total", "kind" => kind).increment(1);
                    tracing::warn!(code = trouble.code(), kind, %id, attempts, %trouble, "tried again later");
                }
            }
        }
    }
}

/// How a handler failed.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("{0}")]
    Failed(Error),
    #[error("took too long")]
    TimedOut,
    #[error("panicked")]
    Panicked,
}

impl Trouble {
    fn code(&self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::Panicked => "panicked",
            Self::Failed(error) => match error {
                Error::NotFound => "not_found",
                Error::Forbidden | Error::OnBehalfOfRequired => "forbidden",
                Error::Invalid(_) => "invalid",
                Error::Violation(violation) => violation.code.as_str(),
                Error::Stale => "stale",
                Error::KeyReused => "key_reused",
                Error::Unavailable { .. } => "unavailable",
                Error::Internal(_) => "internal",
            },
        }
    }
}

/// What becomes of a job that failed: later again, or given up. What is away is neither (it was handed back before), and what can never
/// succeed is not tried sixteen times.
fn verdict(trouble: &Trouble, job: &Claimed) -> Outcome {
    let error = trouble.code();
    let never = matches!(
        trouble,
        Trouble::Failed(
            Error::NotFound | Error::Forbidden | Error::OnBehalfOfRequired | Error::Invalid(_) | Error::KeyReused
        )
    );
    let failures = u32::try_from(job.attempts).unwrap_or(0) + 1;
    match backoff::after(job.job.id.0, failures) {
        Some(after) if !never => Outcome::Retry { after, error },
        _ => Outcome::GivenUp { error },
    }
}

#[cfg(test)]
mod tests;
