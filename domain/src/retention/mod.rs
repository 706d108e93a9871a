//! Retention: what a protocol says is done with a case some time after its closing, done on time, told in advance, stopped
//! by a legal hold, and accounted for (DOMAIN 7.1, DESIGN sections 4 and 6).

mod remains;
mod rows;
pub mod rules;

use std::collections::HashMap;

use nazorg_entities::{AccessAction, CaseId, Instant, JobKind, PersonId, cases};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::{
    App, Context,
    audit::{self, Access},
    database::Writing,
    error::Result,
    events::{self, Event, Kind},
    jobs::{self, Claimed, LeasedBatch, Outcome, Owed},
    policy::Action,
    protocols::RetentionThen,
};
use rules::Verdict;

pub use remains::wake as wake_remains;
pub(crate) use remains::{Remains, leave};
pub(crate) use rows::tally::{buckets, counted};

/// What will be done with a closed case, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The case.
    pub case_id: CaseId,
    /// When it closed.
    pub closed_at: Instant,
    /// What will be done; `None` while something in it is still to come, or where its protocols keep it.
    pub then: Option<RetentionThen>,
    /// When; `None` where its protocols keep it.
    pub at: Option<Instant>,
    /// Since when a legal hold stops it.
    pub held_at: Option<Instant>,
    /// Since when a restriction of its person's data stops it.
    pub restricted_at: Option<Instant>,
}

/// What will be done with the closed cases, in order of their ids, after one: the dry run. Changes nothing.
pub async fn plans(cx: &Context<'_>, after: Option<Uuid>, limit: u64) -> Result<Vec<Plan>> {
    cx.may(Action::ManageRetention)?;
    let found = rows::closed(&cx.db(), cx, after, limit).await?;
    let plans = planned(&cx.db(), cx, &found).await?;
    let seen: Vec<_> = found
        .iter()
        .map(|case| Access::new(AccessAction::Read, "retention.listed", "case", case.id.0).of(case.person_id))
        .collect();
    audit::seen(cx, audit::shown(&seen, limit)).await?;
    Ok(plans)
}

/// What is owed of a case that has just closed, or whose hold was lifted. In that transaction, so that no crash loses it.
pub(crate) async fn owe(tx: &Writing, cx: &Context<'_>, case: CaseId) -> Result<()> {
    let found = rows::cases(&**tx, cx, &[case]).await?;
    let at = verdicts(&**tx, cx, &found).await?.remove(&case).and_then(Verdict::look_at);
    match at {
        Some(due_at) => jobs::put(tx, cx, JobKind::CaseRetention, &[Owed { subject: case.0, due_at }]).await,
        None => release(tx, case).await,
    }
}

/// Nothing is owed of a case that is open again, or held.
pub(crate) async fn release(tx: &Writing, case: CaseId) -> Result<()> {
    jobs::remove(tx, JobKind::CaseRetention, &[case.0]).await
}

/// Nothing is owed of the cases about a person whose data may only be kept: they may need it for a claim (GDPR article 18).
pub(crate) async fn wait(tx: &Writing, cx: &Context<'_>, person: PersonId) -> Result<()> {
    let found = rows::about(tx, cx, person).await?;
    jobs::remove(tx, JobKind::CaseRetention, &found.iter().map(|case| case.id.0).collect::<Vec<_>>()).await
}

/// The restriction is over: what was due meanwhile happens at once.
pub(crate) async fn go_on(tx: &Writing, cx: &Context<'_>, person: PersonId) -> Result<()> {
    let found = rows::about(tx, cx, person).await?;
    let verdicts = verdicts(&**tx, cx, &found).await?;
    let owed =
        verdicts.into_iter().filter_map(|(case, verdict)| Some(Owed { subject: case.0, due_at: verdict.look_at()? }));
    jobs::put(tx, cx, JobKind::CaseRetention, &owed.collect::<Vec<_>>()).await
}

/// What the closed cases about a person hold in words goes with the person; the rest of them waits for its own time. Their keys go a moment
/// later, each owed under its own id: the case may be forgotten in that moment too.
pub(crate) async fn forget_words(tx: &Writing, cx: &Context<'_>, person: PersonId) -> Result<()> {
    for case in rows::about(tx, cx, person).await? {
        let Some(key) = case.key_id else { continue };
        rows::forget_words(tx, &case).await?;
        leave(tx, cx, (key.0, Remains::Key, Some(key))).await?;
        events::record(tx, cx, [Event::new(Kind::CaseChanged, case.id.0).of_case(case.id)]);
    }
    Ok(())
}

/// The closed cases that something should happen to and that nobody is going to look at.
pub(crate) async fn without_job(db: &impl ConnectionTrait, cx: &Context<'_>) -> Result<Vec<CaseId>> {
    let found = rows::without_job(db, cx).await?;
    let verdicts = verdicts(db, cx, &found).await?;
    Ok(verdicts.into_iter().filter(|(_, verdict)| verdict.look_at().is_some()).map(|(case, _)| case).collect())
}

/// Does what is due: counts, removes, tells and logs, all in one transaction with the job. Answers how many cases it was.
/// Keys and old events go after that, owed by a job of their own.
pub async fn wake(app: &App, batch: &LeasedBatch) -> Result<usize> {
    let tx = app.db.begin_batch().await?;
    rows::lock_for(&tx, batch).await?;
    let claimed = jobs::hold(&tx, app, batch).await?;
    let mut done = 0;
    for (organisation, jobs) in jobs::by_organisation(&claimed) {
        done += wake_in(&tx, &app.worker_context(organisation), &jobs).await?;
    }
    tx.commit(&*app.bell).await?;
    Ok(done)
}

async fn wake_in(tx: &Writing, cx: &Context<'_>, claimed: &[&Claimed]) -> Result<usize> {
    let ids: Vec<_> = claimed.iter().map(|job| CaseId(job.subject)).collect();
    let found = rows::cases(&**tx, cx, &ids).await?;
    let verdicts = verdicts(&**tx, cx, &found).await?;
    let mut settled = Vec::new();
    let mut done = 0;
    for job in claimed {
        let outcome = match verdicts.get(&CaseId(job.subject)) {
            Some(Verdict::At(at, then)) if *at <= cx.now => {
                if let Some(case) = found.iter().find(|case| case.id.0 == job.subject) {
                    forget(tx, cx, case, *then).await?;
                    done += 1;
                }
                Outcome::Done
            }
            Some(verdict) => verdict.look_at().map_or(Outcome::Done, Outcome::Again),
            None => Outcome::Done,
        };
        settled.push((job.job, outcome));
    }
    jobs::settle(tx, cx.app, &settled).await?;
    Ok(done)
}

async fn forget(tx: &Writing, cx: &Context<'_>, case: &cases::Model, then: RetentionThen) -> Result<()> {
    let (kind, whose) = match then {
        RetentionThen::ReduceToTally | RetentionThen::Delete => {
            rows::tally::fold(tx, cx, case, then).await?;
            rows::remove(tx, cx, case.id).await?;
            leave(tx, cx, (case.id.0, Remains::Case, case.key_id)).await?;
            let kind = if then == RetentionThen::Delete { Kind::CaseDeleted } else { Kind::CaseReduced };
            (kind, case.person_id)
        }
        RetentionThen::Pseudonymise => {
            let nobody = rows::pseudonym::pseudonymise(tx, cx, case).await?;
            leave(tx, cx, (case.id.0, Remains::Key, case.key_id)).await?;
            (Kind::CasePseudonymised, nobody)
        }
    };
    events::record(tx, cx, [Event::new(kind, case.id.0)]);
    let access = Access::new(AccessAction::Delete, kind.as_str(), "case", case.id.0).of(whose);
    audit::record(&**tx, cx, &[access]).await
}

async fn planned(db: &impl ConnectionTrait, cx: &Context<'_>, found: &[cases::Model]) -> Result<Vec<Plan>> {
    let verdicts = rows::facts(db, cx, found).await?;
    let restricted = rows::restricted(db, cx, found).await?;
    Ok(found
        .iter()
        .filter_map(|case| {
            let facts = verdicts.get(&case.id)?;
            let (then, at) = match rules::judge(facts, cx.now) {
                Verdict::Kept => (None, None),
                Verdict::NotBefore(at) => (None, Some(at)),
                Verdict::At(at, then) => (Some(then), Some(at)),
            };
            let restricted_at = restricted.get(&case.person_id).copied();
            Some(Plan { case_id: case.id, closed_at: facts.closed_at, then, at, held_at: case.held_at, restricted_at })
        })
        .collect())
}

/// What is to happen to these cases; open, held, restricted and forgotten ones are left out.
async fn verdicts(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    found: &[cases::Model],
) -> Result<HashMap<CaseId, Verdict>> {
    let restricted = rows::restricted(db, cx, found).await?;
    let free = |case: &&cases::Model| case.held_at.is_none() && !restricted.contains_key(&case.person_id);
    let free: Vec<_> = found.iter().filter(free).cloned().collect();
    let facts = rows::facts(db, cx, &free).await?;
    Ok(facts.into_iter().map(|(case, facts)| (case, rules::judge(&facts, cx.now))).collect())
}
