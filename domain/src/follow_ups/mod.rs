//! Follow-ups: what is due for whom; completed with an outcome, rescheduled within the window, reassigned, called off.

mod rows;
pub mod rules;

use chrono::{DateTime, Utc};
use nazorg_entities::{AccessAction, CaseId, FollowUpId, Instant, PersonId, TrajectoryId, UnitId, follow_ups as table};
use uuid::Uuid;

use crate::{
    App, Context,
    audit::{self, Access},
    database::{Tx, Writing},
    error::{Error, Result},
    events::{self, Event, Kind},
    incidents,
    jobs::{self, Claimed, LeasedBatch, Outcome},
    people,
    policy::{Action, Reach},
    protocols::What,
    trajectories::{self, Hands, Running},
};

/// Under which code the access log tells that something came of a follow-up.
pub(crate) const COMPLETED: &str = "follow_up.completed";

/// One promised contact or task.
#[derive(Debug, Clone, PartialEq)]
pub struct FollowUp {
    /// Its id.
    pub id: FollowUpId,
    /// In which case.
    pub case_id: CaseId,
    /// In which trajectory.
    pub trajectory_id: TrajectoryId,
    /// Whose support it is.
    pub person_id: PersonId,
    /// Where.
    pub unit_id: Option<UnitId>,
    /// The protocol's step, or `task:<code>`.
    pub step: String,
    /// What people call it, per language.
    pub title: std::collections::BTreeMap<String, String>,
    /// Which value of a many-valued anchor it belongs to.
    pub anchor_id: Option<Uuid>,
    /// 1, 2, …: retries, restarts and repetitions count on.
    pub occurrence: i32,
    /// The role that does it.
    pub role: String,
    /// Who does it now: handed to them, or resolved from the role; nobody where nobody can be found.
    pub actor_id: Option<PersonId>,
    /// What is done.
    pub action: String,
    /// Where it stands (PROTOCOLS section 3).
    pub status: String,
    /// Before this it is too early.
    pub opens_at: Option<Instant>,
    /// When it should be done.
    pub due_at: Option<Instant>,
    /// After this it is overdue.
    pub closes_at: Option<Instant>,
    /// When it is given up.
    pub expires_at: Option<Instant>,
    /// What may come of it.
    pub outcomes: Vec<String>,
    /// What came of it.
    pub outcome: Option<String>,
    /// Why it ended without an outcome, or why it waits.
    pub reason: Option<String>,
    /// When it became final.
    pub final_at: Option<Instant>,
    /// Row version.
    pub version: i32,
}

/// Which follow-ups a list holds.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only in these states.
    pub statuses: Vec<String>,
    /// Only those these persons are to do.
    pub actor_ids: Vec<PersonId>,
    /// Only in these cases, in the order they came to be.
    pub case_ids: Vec<CaseId>,
    /// Only in these trajectories, in the order they came to be.
    pub trajectory_ids: Vec<TrajectoryId>,
    /// Only in these units.
    pub unit_ids: Vec<UnitId>,
    /// Due at or after.
    pub due_from: Option<Instant>,
    /// Due before.
    pub due_until: Option<Instant>,
}

/// Where a page of follow-ups ended: what has no due moment stands in lists of one case or trajectory only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// When the last one was due.
    pub due_at: Option<Instant>,
    /// Which it was.
    pub id: Uuid,
}

/// What is due for whom: in the order of being due, or, within a case or trajectory, of coming to be.
pub async fn list(cx: &Context<'_>, filter: &Filter, after: Option<Place>, limit: u64) -> Result<Vec<FollowUp>> {
    let reach = cx.may(Action::ReadFollowUps)?;
    let found = rows::list(cx, reach, filter, (after, limit)).await?;
    let found = rows::whole(&cx.db(), cx, found).await?;
    let seen: Vec<_> = found
        .iter()
        .map(|one| Access::new(AccessAction::Read, "follow_up.listed", "follow_up", one.id.0).of(one.person_id))
        .collect();
    audit::seen(cx, &seen).await?;
    Ok(found)
}

/// What was promised in the cases about a person, for the copy that is given to them.
pub(crate) async fn kept_about(cx: &Context<'_>, person: PersonId, limit: u64) -> Result<Vec<FollowUp>> {
    let found = rows::kept_about(cx, person, limit).await?;
    rows::whole(&cx.db(), cx, found).await
}

/// One follow-up.
pub async fn read(cx: &Context<'_>, id: FollowUpId) -> Result<FollowUp> {
    let reach = cx.may(Action::ReadFollowUps)?;
    let found = one_whole(&cx.db(), cx, reach, id).await?;
    let access = Access::new(AccessAction::Read, "follow_up.read", "follow_up", id.0).of(found.person_id);
    audit::seen(cx, &[access]).await?;
    Ok(found)
}

/// What may come of a follow-up that the caller does themself, task or step; nothing of one that they do not.
pub(crate) async fn own_outcomes(cx: &Context<'_>, id: FollowUpId) -> Result<Vec<String>> {
    cx.may(Action::CompleteFollowUps)?;
    if !rows::is_actor(&cx.db(), cx, id).await? {
        return Ok(Vec::new());
    }
    let found = one_whole(&cx.db(), cx, Reach::All, id).await?;
    let task = found.step.starts_with("task:").then_some("done".to_owned());
    Ok(found.outcomes.into_iter().chain(task).collect())
}

/// Something came of it: one of its step's outcome codes, which may set off more.
pub async fn complete(cx: &Context<'_>, id: FollowUpId, code: String) -> Result<FollowUp> {
    let reach = cx.may(Action::ReadFollowUps)?;
    let tx = cx.begin().await?;
    let row = acting(&tx, cx, reach, id).await?;
    let mut running = trajectories::load(&tx, cx, row.trajectory_id).await?;
    let answered = rules::was_answered(&row.action, &code);
    trajectories::say(&tx, cx, &mut running, What::Outcome { follow_up: key(&row), code }).await?;
    if answered {
        incidents::mark_offered(&tx, cx, row.case_id).await?;
    }
    told(tx, cx, id, COMPLETED).await
}

/// It is due at another moment of its window.
pub async fn reschedule(cx: &Context<'_>, id: FollowUpId, due_at: DateTime<Utc>) -> Result<FollowUp> {
    let reach = cx.may(Action::ReadFollowUps)?;
    let tx = cx.begin().await?;
    let row = acting(&tx, cx, reach, id).await?;
    let mut running = trajectories::load(&tx, cx, row.trajectory_id).await?;
    trajectories::say(&tx, cx, &mut running, What::Rescheduled { follow_up: key(&row), due_at }).await?;
    told(tx, cx, id, "follow_up.rescheduled").await
}

/// Another person does it; what is still to be sent about it goes to them.
pub async fn reassign(cx: &Context<'_>, id: FollowUpId, person: PersonId) -> Result<FollowUp> {
    let reach = cx.may(Action::ReadFollowUps)?;
    let tx = cx.begin().await?;
    let row = rows::one(&**tx, cx, reach, id).await?;
    cx.may(Action::ManageFollowUps)?;
    rules::not_final(&row.status)?;
    if !people::exists(&tx, cx, person).await? {
        return Err(Error::field("/personId", "unknown", "There is no such person."));
    }
    rows::hand_to(&tx, cx, id, person).await?;
    let event = Event::new(Kind::FollowUpReassigned, id.0).of_case(row.case_id);
    events::record(&tx, cx, [event]);
    told(tx, cx, id, "follow_up.reassigned").await
}

/// It will not happen; a repetition goes on with its next turn.
pub async fn call_off(cx: &Context<'_>, id: FollowUpId, reason: String) -> Result<FollowUp> {
    let reach = cx.may(Action::ReadFollowUps)?;
    let tx = cx.begin().await?;
    let row = rows::one(&**tx, cx, reach, id).await?;
    cx.may(Action::ManageFollowUps)?;
    let mut running = trajectories::load(&tx, cx, row.trajectory_id).await?;
    trajectories::say(&tx, cx, &mut running, What::CalledOff { follow_up: key(&row), reason }).await?;
    told(tx, cx, id, "follow_up.called_off").await
}

/// The row, when the caller is the one who does it or may do everyone's; 403 when they only see it.
async fn acting(tx: &Tx<'_>, cx: &Context<'_>, reach: Reach, id: FollowUpId) -> Result<table::Model> {
    let row = rows::one(&***tx, cx, reach, id).await?;
    match cx.may(Action::CompleteFollowUps)? {
        Reach::All => Ok(row),
        Reach::Own if rows::is_actor(&***tx, cx, id).await? => Ok(row),
        Reach::Own => Err(Error::Forbidden),
    }
}

/// As it is after a change that was allowed: what came of it may have ended the caller's own part in the case.
async fn told(tx: Tx<'_>, cx: &Context<'_>, id: FollowUpId, code: &'static str) -> Result<FollowUp> {
    let after = one_whole(&**tx, cx, Reach::All, id).await?;
    let access = Access::new(AccessAction::Update, code, "follow_up", id.0).of(after.person_id);
    audit::record(&**tx, cx, &[access]).await?;
    tx.commit().await?;
    Ok(after)
}

async fn one_whole(
    db: &impl sea_orm::ConnectionTrait,
    cx: &Context<'_>,
    reach: Reach,
    id: FollowUpId,
) -> Result<FollowUp> {
    let row = rows::one(db, cx, reach, id).await?;
    rows::whole(db, cx, vec![row]).await?.pop().ok_or(Error::NotFound)
}

fn key(row: &table::Model) -> crate::protocols::Key {
    trajectories::key_of(&row.step, row.anchor_id, row.occurrence)
}

/// Looks at follow-ups whose moment has come: holds the jobs, lets time pass for their trajectories, settles, all in
/// one transaction. Answers how many were held; what was re-planned or taken by another is silently left.
pub async fn wake(app: &App, batch: &LeasedBatch) -> Result<usize> {
    let tx = app.db.begin_batch().await?;
    let woken = wake_batch(&tx, app, batch, None).await?;
    tx.commit(&*app.bell).await?;
    Ok(woken)
}

/// The same inside another transaction; what is announced for now goes into `hands`, where there are any.
pub(crate) async fn wake_batch(
    tx: &Writing,
    app: &App,
    batch: &LeasedBatch,
    mut hands: Option<&mut Hands>,
) -> Result<usize> {
    trajectories::lock_for(tx, batch).await?;
    let held = jobs::hold(tx, app, batch).await?;
    for (organisation, jobs) in jobs::by_organisation(&held) {
        let cx = app.worker_context(organisation);
        wake_in(tx, &cx, &jobs, hands.as_deref_mut()).await?;
    }
    Ok(held.len())
}

async fn wake_in(tx: &Writing, cx: &Context<'_>, claimed: &[&Claimed], hands: Option<&mut Hands>) -> Result<()> {
    let subjects: Vec<_> = claimed.iter().map(|job| FollowUpId(job.subject)).collect();
    let known = rows::trajectories_of(&**tx, cx, &subjects).await?;
    let mut ids: Vec<TrajectoryId> = known.iter().map(|row| row.trajectory_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let running = trajectories::settle_many(tx, cx, &ids, hands).await?;
    let settled: Vec<_> = claimed
        .iter()
        .map(|job| {
            let row = known.iter().find(|row| row.id.0 == job.subject);
            let next = row.and_then(|row| {
                let trajectory = running.iter().find(|one: &&Running| one.row().id == row.trajectory_id)?;
                trajectory.next_moment(&key(row))
            });
            (job.job, next.map_or(Outcome::Done, Outcome::Again))
        })
        .collect();
    jobs::settle(tx, cx.app, &settled).await
}

/// Adds a task for a role of the case's trajectory, once per `id`: a human does what no message may do (DOMAIN 7.5).
pub(crate) async fn add_task(
    tx: &Writing,
    cx: &Context<'_>,
    trajectory: TrajectoryId,
    task: (Uuid, &str, &str),
) -> Result<()> {
    let mut running = trajectories::load(tx, cx, trajectory).await?;
    trajectories::add_task(tx, cx, &mut running, task).await
}

/// What is still to be done in a case goes where the case went; what is over stays where it was done.
pub(crate) async fn move_open(tx: &Writing, cx: &Context<'_>, (case, unit): (CaseId, Option<UnitId>)) -> Result<()> {
    rows::move_open(tx, cx, (case, unit)).await
}
