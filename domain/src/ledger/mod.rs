//! The ledger (DESIGN section 6): every follow-up and message that was ever planned stands in exactly one bucket, and
//! `unaccounted` is a check that can fail: it replays the pure engine and compares with what is kept.

mod rows;
pub mod rules;

use std::{collections::BTreeMap, time::Instant as Moment};

use nazorg_entities::{CaseId, Instant, OrganisationId, TallySubject, TrajectoryId, trajectories as table};
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use crate::{
    App, Context, Error,
    error::Result,
    policy::Action,
    retention,
    trajectories::{self, Running},
};

pub use rules::{Finding, Reason};

/// How many trajectories are replayed at a time.
const AT_ONCE: u64 = 200;
/// How many findings are told one by one; all are counted.
const TOLD: usize = 100;

/// What the ledger is asked about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extent {
    /// Only this case.
    pub case_id: Option<CaseId>,
    /// Only what was planned at or after.
    pub from: Option<Instant>,
    /// Only what was planned before.
    pub until: Option<Instant>,
}

/// How fast a check goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// Somebody waits for it.
    AtOnce,
    /// Nobody does: it rests as long as it works.
    Aside,
}

/// One bucket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bucket {
    /// The state.
    pub status: String,
    /// Why, for everything but what is planned, done or sent.
    pub reason: Option<String>,
    /// How many.
    pub count: i64,
}

/// The ledger of an extent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// Where the follow-ups stand.
    pub follow_ups: Vec<Bucket>,
    /// Where the messages stand.
    pub messages: Vec<Bucket>,
    /// The cases that are gone: reduced or deleted. What was planned in them is still counted above.
    pub forgotten_cases: Vec<Bucket>,
    /// How many things cannot be accounted for; must be 0.
    pub unaccounted: i64,
    /// How many of them per reason.
    pub reasons: BTreeMap<&'static str, i64>,
    /// The first of them, one by one.
    pub findings: Vec<Finding>,
}

/// The ledger. A period narrows the buckets; the check always covers the whole of what is asked about.
pub async fn read(cx: &Context<'_>, extent: Extent) -> Result<Ledger> {
    cx.may(Action::ReadLedger)?;
    if let Some(case) = extent.case_id {
        let reach = cx.may(Action::ReadCases)?;
        match crate::cases::visible_one(&cx.db(), cx, reach, case).await {
            Err(Error::NotFound) => return Err(Error::key("caseId", "unknown", "There is no such case.")),
            found => found?,
        };
    }
    balance(cx, extent, Pace::AtOnce).await
}

/// Each page of trajectories is held against its rows in a snapshot of its own: one over all of them would keep the database from
/// clearing away what changed meanwhile, and every busy table would grow by its dead rows.
async fn balance(cx: &Context<'_>, extent: Extent, pace: Pace) -> Result<Ledger> {
    let mut ledger = buckets(cx, extent).await?;
    let mut after: Option<TrajectoryId> = None;
    loop {
        let began = Moment::now();
        let snapshot = cx.app.db.snapshot().await?;
        let page = rows::trajectories(&snapshot, cx, extent.case_id, (after, AT_ONCE)).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        compare(&snapshot, cx, page, &mut ledger.findings).await?;
        drop(snapshot);
        if pace == Pace::Aside {
            tokio::time::sleep(began.elapsed()).await;
        }
    }
    for finding in &ledger.findings {
        *ledger.reasons.entry(finding.reason.as_str()).or_default() += 1;
    }
    ledger.unaccounted = i64::try_from(ledger.findings.len()).unwrap_or(i64::MAX);
    ledger.findings.truncate(TOLD);
    Ok(ledger)
}

/// The buckets, and what belongs to no trajectory.
async fn buckets(cx: &Context<'_>, extent: Extent) -> Result<Ledger> {
    let snapshot = cx.app.db.snapshot().await?;
    let follow_ups = rows::follow_up_buckets(&snapshot, cx, extent).await?;
    let messages = rows::message_buckets(&snapshot, cx, extent).await?;
    let forgotten = async |subject| retention::buckets(&snapshot, cx, subject, extent).await;
    Ok(Ledger {
        follow_ups: rules::together(follow_ups, forgotten(TallySubject::FollowUp).await?),
        messages: rules::together(messages, forgotten(TallySubject::Message).await?),
        forgotten_cases: forgotten(TallySubject::Case).await?,
        unaccounted: 0,
        reasons: BTreeMap::new(),
        findings: rows::orphans(&snapshot, cx, extent.case_id).await?,
    })
}

/// Replays trajectories and compares them with what is kept.
async fn compare(
    snapshot: &DatabaseTransaction,
    cx: &Context<'_>,
    page: Vec<table::Model>,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let ids: Vec<_> = page.iter().map(|row| row.id).collect();
    let mut kept = rows::kept(snapshot, &ids).await?;
    let mut broken = Vec::new();
    let mut judge = |running: &[Running]| {
        for one in running {
            rules::compare(one, &kept.remove(&one.row().id).unwrap_or_default(), findings);
        }
    };
    match trajectories::replayed(snapshot, cx, page.clone()).await {
        Ok(running) => judge(&running),
        // One of them does not replay; the others are judged one by one.
        Err(Error::Internal(_)) => {
            for row in page {
                let id = row.id;
                match trajectories::replayed(snapshot, cx, vec![row]).await {
                    Ok(running) => judge(&running),
                    Err(Error::Internal(log)) => {
                        tracing::error!(trajectory = %id, log, "a trajectory does not replay");
                        broken.push(Finding::new(Reason::DoesNotReplay, id.0));
                    }
                    Err(other) => return Err(other),
                }
            }
        }
        Err(other) => return Err(other),
    }
    findings.append(&mut broken);
    Ok(())
}

/// Checks every organisation, for the metric and the alarm; answers what is unaccounted for in each.
pub async fn check_all(app: &App) -> Result<Vec<(OrganisationId, i64)>> {
    let mut found = Vec::new();
    for (organisation, _) in crate::organisations::all(app).await? {
        let cx = app.worker_context(organisation);
        let ledger = balance(&cx, Extent::default(), Pace::Aside).await?;
        if ledger.unaccounted > 0 {
            tracing::error!(%organisation, unaccounted = ledger.unaccounted, "the ledger does not balance");
        }
        found.push((organisation, ledger.unaccounted));
    }
    let total: i64 = found.iter().map(|(_, unaccounted)| unaccounted).sum();
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; the count is small or wrong anyway")]
    metrics::gauge!("nazorg_unaccounted").set(total as f64);
    Ok(found)
}

/// What is kept of one trajectory, as the comparison wants it.
#[derive(Debug, Default)]
pub struct Kept {
    pub(crate) follow_ups: Vec<rules::KeptFollowUp>,
    pub(crate) messages: Vec<rules::KeptMessage>,
    pub(crate) jobs: BTreeMap<Uuid, rules::KeptJob>,
}
