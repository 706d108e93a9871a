//! The ledger (DESIGN section 6): every follow-up and message that was ever planned stands in exactly one bucket, and
//! `unaccounted` is a check that can fail: it replays the pure engine and compares with what is kept.

mod rows;
pub mod rules;

use std::collections::BTreeMap;

use nazorg_entities::{CaseId, Instant, OrganisationId, TallySubject, TrajectoryId};
use uuid::Uuid;

use crate::{App, Context, Error, error::Result, policy::Action, retention, trajectories};

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
    balance(cx, extent).await
}

async fn balance(cx: &Context<'_>, extent: Extent) -> Result<Ledger> {
    let snapshot = rows::snapshot(cx).await?;
    let follow_ups = rows::follow_up_buckets(&snapshot, cx, extent).await?;
    let follow_ups =
        rules::together(follow_ups, retention::buckets(&snapshot, cx, TallySubject::FollowUp, extent).await?);
    let messages = rows::message_buckets(&snapshot, cx, extent).await?;
    let messages = rules::together(messages, retention::buckets(&snapshot, cx, TallySubject::Message, extent).await?);
    let forgotten_cases = retention::buckets(&snapshot, cx, TallySubject::Case, extent).await?;
    let mut findings = rows::orphans(&snapshot, cx, extent.case_id).await?;
    let mut after: Option<TrajectoryId> = None;
    loop {
        let page = rows::trajectories(&snapshot, cx, extent.case_id, (after, AT_ONCE)).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        let ids: Vec<_> = page.iter().map(|row| row.id).collect();
        let mut kept = rows::kept(&snapshot, &ids).await?;
        for row in page {
            let id = row.id;
            let kept = kept.remove(&id).unwrap_or_default();
            match trajectories::replayed(&snapshot, cx, vec![row]).await {
                Ok(running) => {
                    running.iter().for_each(|running| rules::compare(running, &kept, &mut findings));
                }
                Err(Error::Internal(log)) => {
                    tracing::error!(trajectory = %id, log, "a trajectory does not replay");
                    findings.push(Finding::new(Reason::DoesNotReplay, id.0));
                }
                Err(other) => return Err(other),
            }
        }
    }
    let mut reasons: BTreeMap<&'static str, i64> = BTreeMap::new();
    for finding in &findings {
        *reasons.entry(finding.reason.as_str()).or_default() += 1;
    }
    let unaccounted = i64::try_from(findings.len()).unwrap_or(i64::MAX);
    findings.truncate(TOLD);
    Ok(Ledger { follow_ups, messages, forgotten_cases, unaccounted, reasons, findings })
}

/// Checks every organisation, for the metric and the alarm; answers what is unaccounted for in each.
pub async fn check_all(app: &App) -> Result<Vec<(OrganisationId, i64)>> {
    let mut found = Vec::new();
    for (organisation, _) in crate::organisations::all(app).await? {
        let cx = app.worker_context(organisation);
        let ledger = balance(&cx, Extent::default()).await?;
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
