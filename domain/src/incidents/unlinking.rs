//! Thirty days after the report nothing links an incident and the support that came of it (DESIGN section 4, DOMAIN 9.3).
//! The same is done to every incident at the same moment of its life, whether support came of it or not: that it was done
//! tells nobody anything.

use nazorg_entities::{AccessAction, IncidentId, Instant, JobKind};

use super::{of_nobody, rows, rules};
use crate::{
    App, Context, audit,
    database::Writing,
    error::Result,
    events::{self, Event, Kind},
    external_refs,
    jobs::{self, Claimed, LeasedBatch, Outcome, Owed},
    retention::{self, Remains},
};

/// The cut is owed; in the transaction that makes it so, so that no crash and no late writer leaves a link behind.
pub(crate) async fn owe(tx: &Writing, cx: &Context<'_>, id: IncidentId, reported_at: Instant) -> Result<()> {
    let owed = Owed { subject: id.0, due_at: rules::unlinked_at(reported_at) };
    jobs::put(tx, cx, JobKind::IncidentLink, &[owed]).await
}

/// Cuts what is due: the link goes, who was involved becomes a number, and what other systems call the incident can only
/// be recognised: the key that sealed it is destroyed a moment later, so that no old backup says it either. Answers how many incidents were cut. All in one transaction, with the event, the log line and the job.
pub async fn wake(app: &App, batch: &LeasedBatch) -> Result<usize> {
    let tx = app.db.begin_batch().await?;
    rows::lock_for(&tx, batch).await?;
    let claimed = jobs::hold(&tx, app, batch).await?;
    let mut cut = 0;
    for (organisation, jobs) in jobs::by_organisation(&claimed) {
        cut += wake_in(&tx, &app.worker_context(organisation), &jobs).await?;
    }
    tx.commit(&*app.bell).await?;
    Ok(cut)
}

async fn wake_in(tx: &Writing, cx: &Context<'_>, claimed: &[&Claimed]) -> Result<usize> {
    let ids: Vec<_> = claimed.iter().map(|job| IncidentId(job.subject)).collect();
    let known = rows::reported(tx, cx, &ids).await?;
    let due: Vec<_> =
        known.iter().filter(|(_, at)| rules::unlinked_at(*at) <= cx.now).map(|(incident, _)| *incident).collect();
    if !due.is_empty() {
        rows::unlink(tx, cx, &due).await?;
        external_refs::make_one_way(tx, cx, &due).await?;
        for key in rows::take_keys(tx, cx, &due).await? {
            retention::leave(tx, cx, (key.0, Remains::Key, Some(key))).await?;
        }
        events::record(tx, cx, due.iter().map(|id| Event::new(Kind::IncidentUnlinked, id.0)));
        let seen: Vec<_> = due.iter().map(|id| of_nobody(AccessAction::Delete, "incident.unlinked", *id)).collect();
        audit::record(&**tx, cx, &seen).await?;
    }
    let settled: Vec<_> = claimed
        .iter()
        .map(|job| {
            let early = known.iter().find(|(id, at)| id.0 == job.subject && rules::unlinked_at(*at) > cx.now);
            (job.job, early.map_or(Outcome::Done, |(_, at)| Outcome::Again(rules::unlinked_at(*at))))
        })
        .collect();
    jobs::settle(tx, cx.app, &settled).await?;
    Ok(due.len())
}
