//! The SQL of trajectories and their inputs.

use std::collections::HashMap;

use nazorg_entities::{
    CaseId, FollowUpId, JobKind, PersonId, TrajectoryId, TrajectoryStatus, UnitId, cases, follow_ups, jobs, messages,
    protocols, trajectories, trajectory_inputs,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
};
use uuid::Uuid;

use crate::{
    Context,
    batch::one_of,
    database::Writing,
    error::{Error, Result},
    jobs::LeasedBatch,
    protocols::{Input, Key},
};

/// How this context starts a SELECT by many ids.
fn among(cx: &Context<'_>) -> Select<trajectories::Entity> {
    trajectories::Entity::find().filter(cx.ours(trajectories::Column::OrganisationId))
}

/// The only other way: the tenant's. Who may see one may see its case, which is asked besides.
fn visible(cx: &Context<'_>) -> Select<trajectories::Entity> {
    trajectories::Entity::find().filter(trajectories::Column::OrganisationId.eq(cx.organisation))
}

pub(super) async fn one(db: &impl ConnectionTrait, cx: &Context<'_>, id: TrajectoryId) -> Result<trajectories::Model> {
    visible(cx).filter(trajectories::Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)
}

/// Rows for writing, locked in the order of their ids so that two batches never wait for each other in a ring.
pub(super) async fn locked(tx: &Writing, cx: &Context<'_>, ids: &[TrajectoryId]) -> Result<Vec<trajectories::Model>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(500) {
        let rows = among(cx)
            .filter(one_of(&**tx, trajectories::Column::Id, chunk.iter().copied()))
            .order_by_asc(trajectories::Column::Id)
            .lock_exclusive();
        found.extend(rows.all(&**tx).await?);
    }
    Ok(found)
}

/// Locks the trajectories that leased jobs are about, and their cases. Every verb locks a trajectory before its jobs; a worker that claimed
/// its jobs first would run into them half-way.
pub(crate) async fn lock_for(tx: &Writing, batch: &LeasedBatch) -> Result<()> {
    let subjects = jobs::Entity::find()
        .select_only()
        .column(jobs::Column::Subject)
        .filter(one_of(&**tx, jobs::Column::Id, batch.leases.iter().map(|lease| lease.id)))
        .into_query();
    let of = match batch.kind {
        JobKind::FollowUp => follow_ups::Entity::find()
            .select_only()
            .column(follow_ups::Column::TrajectoryId)
            .filter(follow_ups::Column::Id.in_subquery(subjects))
            .into_query(),
        JobKind::Message => messages::Entity::find()
            .select_only()
            .column(messages::Column::TrajectoryId)
            .filter(messages::Column::Id.in_subquery(subjects))
            .into_query(),
        JobKind::IncidentLink | JobKind::CaseRetention | JobKind::Remains => return Ok(()),
    };
    // The ids first: a lock in the order of a plan that changes with the statistics would be no order.
    let ids: Vec<TrajectoryId> = trajectories::Entity::find()
        .select_only()
        .column(trajectories::Column::Id)
        .filter(trajectories::Column::Id.in_subquery(of))
        .into_tuple()
        .all(&**tx)
        .await?;
    lock(tx, &ids).await
}

/// Locks trajectories, then the cases they run in.
///
/// This is the one order in which rows are locked that several transactions may want: trajectories, cases, what hangs below them (jobs,
/// follow-ups, messages), persons; several of a kind in the order of their ids. Whoever may need a case of its trajectories later on, for a
/// closing that time brings or a task that follows, takes it here: after persons it would be too late, since another batch may hold that
/// case and wait for these persons.
pub(crate) async fn lock(tx: &Writing, ids: &[TrajectoryId]) -> Result<()> {
    lock_alone(tx, ids).await?;
    let cases = cases_of(tx, ids).await?;
    crate::cases::lock(tx, &cases).await
}

/// The cases that trajectories run in.
pub(super) async fn cases_of(tx: &Writing, ids: &[TrajectoryId]) -> Result<Vec<CaseId>> {
    if ids.is_empty() || tx.get_database_backend() == DbBackend::Sqlite {
        return Ok(Vec::new()); // nobody locks them there
    }
    Ok(trajectories::Entity::find()
        .select_only()
        .column(trajectories::Column::CaseId)
        .filter(one_of(&**tx, trajectories::Column::Id, ids.iter().copied()))
        .into_tuple()
        .all(&**tx)
        .await?)
}

/// Locks trajectories without their cases, for whoever locks these in a way of its own.
pub(crate) async fn lock_alone(tx: &Writing, ids: &[TrajectoryId]) -> Result<()> {
    if ids.is_empty() || tx.get_database_backend() == DbBackend::Sqlite {
        return Ok(()); // on SQLite whoever writes is alone
    }
    let _: Vec<TrajectoryId> = trajectories::Entity::find()
        .select_only()
        .column(trajectories::Column::Id)
        .filter(one_of(&**tx, trajectories::Column::Id, ids.iter().copied()))
        .order_by_asc(trajectories::Column::Id)
        .lock_exclusive()
        .into_tuple()
        .all(&**tx)
        .await?;
    Ok(())
}

/// Locks everything that runs in a case, and the case.
pub(crate) async fn lock_of_case(tx: &Writing, cx: &Context<'_>, case: CaseId) -> Result<()> {
    let ids = of_case(&**tx, cx, case).await?;
    lock(tx, &ids).await
}

/// Locks everything that runs in the cases about a person, and these cases; answers what runs.
pub(crate) async fn lock_about(tx: &Writing, cx: &Context<'_>, person: PersonId) -> Result<Vec<TrajectoryId>> {
    let ids: Vec<TrajectoryId> = visible(cx)
        .select_only()
        .column(trajectories::Column::Id)
        .filter(trajectories::Column::CaseId.in_subquery(crate::cases::about_ids(cx, person)))
        .order_by_asc(trajectories::Column::Id)
        .into_tuple()
        .all(&**tx)
        .await?;
    lock_alone(tx, &ids).await?;
    crate::cases::lock_about(tx, cx, person).await?;
    Ok(ids)
}

pub(super) async fn insert(tx: &Writing, row: &trajectories::Model) -> Result<()> {
    tx.write(trajectories::Entity::insert(row.clone().into_active_model()).build(tx.get_database_backend())).await
}

pub(super) async fn of_case(db: &impl ConnectionTrait, cx: &Context<'_>, case: CaseId) -> Result<Vec<TrajectoryId>> {
    Ok(visible(cx)
        .select_only()
        .column(trajectories::Column::Id)
        .filter(trajectories::Column::CaseId.eq(case))
        .order_by_asc(trajectories::Column::Id)
        .into_tuple()
        .all(db)
        .await?)
}

/// The trajectories of the cases about a person, oldest first.
pub(super) async fn about(cx: &Context<'_>, person: PersonId, limit: u64) -> Result<Vec<trajectories::Model>> {
    Ok(visible(cx)
        .filter(trajectories::Column::CaseId.in_subquery(crate::cases::about_ids(cx, person)))
        .order_by_asc(trajectories::Column::Id)
        .limit(limit)
        .all(&cx.db())
        .await?)
}

pub(super) async fn open_of_case(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    case: CaseId,
) -> Result<Vec<TrajectoryId>> {
    Ok(visible(cx)
        .select_only()
        .column(trajectories::Column::Id)
        .filter(trajectories::Column::CaseId.eq(case))
        .filter(trajectories::Column::Status.eq(TrajectoryStatus::Active))
        .into_tuple()
        .all(db)
        .await?)
}

/// The active trajectories of a person on any version of a protocol. By way of the person's cases, of which there are few; a statistic
/// that is behind must not lead over all trajectories that run.
pub(super) async fn running_for(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    person: PersonId,
    protocol: &str,
) -> Result<Vec<TrajectoryId>> {
    let theirs: Vec<CaseId> = cases::Entity::find()
        .select_only()
        .column(cases::Column::Id)
        .filter(cases::Column::OrganisationId.eq(cx.organisation))
        .filter(cases::Column::PersonId.eq(person))
        .into_tuple()
        .all(db)
        .await?;
    if theirs.is_empty() {
        return Ok(Vec::new());
    }
    let versions = protocols::Entity::find()
        .select_only()
        .column(protocols::Column::Id)
        .filter(protocols::Column::OrganisationId.eq(cx.organisation))
        .filter(protocols::Column::Name.eq(protocol))
        .into_query();
    Ok(among(cx)
        .select_only()
        .column(trajectories::Column::Id)
        .filter(trajectories::Column::Status.eq(TrajectoryStatus::Active))
        .filter(one_of(db, trajectories::Column::CaseId, theirs))
        .filter(trajectories::Column::ProtocolId.in_subquery(versions))
        .into_tuple()
        .all(db)
        .await?)
}

/// The inputs of each trajectory, in order.
pub(super) async fn inputs(
    db: &impl ConnectionTrait,
    ids: &[TrajectoryId],
) -> Result<HashMap<TrajectoryId, Vec<Input>>> {
    let mut found: HashMap<TrajectoryId, Vec<Input>> = HashMap::new();
    for chunk in ids.chunks(500) {
        let rows = trajectory_inputs::Entity::find()
            .filter(one_of(db, trajectory_inputs::Column::TrajectoryId, chunk.iter().copied()))
            .order_by_asc(trajectory_inputs::Column::TrajectoryId)
            .order_by_asc(trajectory_inputs::Column::Position)
            .all(db)
            .await?;
        for trajectory_inputs::Model { trajectory_id, position, organisation_id: _, at, what } in rows {
            let what = serde_json::from_value(what).map_err(Error::internal)?;
            let known = found.entry(trajectory_id).or_default();
            // What is missing need not change where things stand today; it is missing all the same.
            if usize::try_from(position) != Ok(known.len() + 1) {
                return Err(Error::internal(format!("the log of {trajectory_id} has a hole before {position}")));
            }
            known.push(Input { at, what });
        }
    }
    Ok(found)
}

pub(super) async fn append(
    tx: &Writing,
    cx: &Context<'_>,
    id: TrajectoryId,
    (position, input): (i32, &Input),
) -> Result<()> {
    let row = trajectory_inputs::ActiveModel {
        trajectory_id: Set(id),
        position: Set(position),
        organisation_id: Set(cx.organisation),
        at: Set(input.at),
        what: Set(serde_json::to_value(&input.what).map_err(Error::internal)?),
    };
    tx.write(trajectory_inputs::Entity::insert(row).build(tx.get_database_backend())).await
}

/// Which row is which follow-up.
pub(super) async fn keys(
    db: &impl ConnectionTrait,
    ids: &[TrajectoryId],
) -> Result<HashMap<TrajectoryId, HashMap<String, FollowUpId>>> {
    let mut found: HashMap<TrajectoryId, HashMap<String, FollowUpId>> = HashMap::new();
    for chunk in ids.chunks(500) {
        let rows: Vec<(TrajectoryId, String, FollowUpId)> = follow_ups::Entity::find()
            .select_only()
            .columns([follow_ups::Column::TrajectoryId, follow_ups::Column::Key, follow_ups::Column::Id])
            .filter(one_of(db, follow_ups::Column::TrajectoryId, chunk.iter().copied()))
            .into_tuple()
            .all(db)
            .await?;
        for (trajectory, key, id) in rows {
            found.entry(trajectory).or_default().insert(key, id);
        }
    }
    Ok(found)
}

/// The units of the cases.
pub(super) async fn units(db: &impl ConnectionTrait, ids: &[CaseId]) -> Result<HashMap<CaseId, Option<UnitId>>> {
    let rows: Vec<(CaseId, Option<UnitId>)> = cases::Entity::find()
        .select_only()
        .columns([cases::Column::Id, cases::Column::UnitId])
        .filter(one_of(db, cases::Column::Id, ids.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Keeps how far trajectories have come, in one statement for any number; each row's version is one above the kept one's, which guards
/// against anyone in between.
pub(super) async fn update(tx: &Writing, changed: Vec<trajectories::Model>) -> Result<()> {
    const COLUMNS: [&str; 6] = ["id", "status", "settled_until", "closed_at", "closed_reason", "version"];
    let rows = changed.into_iter().map(|row| {
        vec![
            row.id.into(),
            row.status.as_str().into(),
            row.settled_until.into(),
            row.closed_at.into(),
            row.closed_reason.into(),
            row.version.into(),
        ]
    });
    crate::batch::update(tx, ("trajectories", &COLUMNS), rows.collect()).await
}

/// A key as one column: `step/anchor value/occurrence`.
pub(crate) fn key_text(key: &Key) -> String {
    let Key { step, anchor_id, occurrence } = key;
    let anchor = anchor_id.map(|id| id.to_string()).unwrap_or_default();
    format!("{step}/{anchor}/{occurrence}")
}

/// The key a follow-up's row stands for.
pub(crate) fn key_of(step: &str, anchor_id: Option<Uuid>, occurrence: i32) -> Key {
    Key { step: step.to_owned(), anchor_id, occurrence }
}
