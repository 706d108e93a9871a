//! The SQL of retention.

pub(super) mod pseudonym;
pub(super) mod remains;
pub(super) mod tally;

use std::collections::HashMap;

use nazorg_entities::{
    CaseId, CaseStatus, Instant, JobKind, MessageStatus, PersonId, TrajectoryId, assignments, cases, external_refs,
    follow_ups, jobs, messages, notes, persons, support_links, trajectories, trajectory_inputs,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, SelectStatement},
};
use uuid::Uuid;

use super::rules::Facts;
use crate::{
    Context,
    database::Writing,
    error::{Error, Result},
    jobs::LeasedBatch,
    protocol_versions,
};

/// The closed ones that are still what they were.
fn whole(found: Select<cases::Entity>) -> Select<cases::Entity> {
    found.filter(cases::Column::Status.eq(CaseStatus::Closed)).filter(cases::Column::ForgottenAt.is_null())
}

/// How this context starts a SELECT by many ids.
fn among(cx: &Context<'_>) -> Select<cases::Entity> {
    whole(cases::Entity::find().filter(cx.ours(cases::Column::OrganisationId)))
}

/// The only other way: the tenant's closed cases that are still what they were.
fn visible(cx: &Context<'_>) -> Select<cases::Entity> {
    whole(cases::Entity::find().filter(cases::Column::OrganisationId.eq(cx.organisation)))
}

pub(super) async fn cases(db: &impl ConnectionTrait, cx: &Context<'_>, ids: &[CaseId]) -> Result<Vec<cases::Model>> {
    Ok(among(cx).filter(cases::Column::Id.is_in(ids.iter().copied())).all(db).await?)
}

pub(super) async fn closed(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<cases::Model>> {
    let mut found = visible(cx).order_by_asc(cases::Column::Id).limit(limit);
    if let Some(after) = after {
        found = found.filter(cases::Column::Id.gt(after));
    }
    Ok(found.all(db).await?)
}

/// The tenant's closed cases about a person.
pub(super) async fn about(tx: &Writing, cx: &Context<'_>, person: PersonId) -> Result<Vec<cases::Model>> {
    Ok(visible(cx).filter(cases::Column::PersonId.eq(person)).all(&**tx).await?)
}

/// Since when those of these cases' persons whose data may only be kept are restricted.
pub(super) async fn restricted(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    found: &[cases::Model],
) -> Result<HashMap<PersonId, Instant>> {
    use persons::Column as C;
    let known: Vec<(PersonId, Option<Instant>)> = persons::Entity::find()
        .select_only()
        .columns([C::Id, C::RestrictedAt])
        .filter(cx.ours(C::OrganisationId))
        .filter(C::Id.is_in(found.iter().map(|case| case.person_id)))
        .filter(C::RestrictedAt.is_not_null())
        .into_tuple()
        .all(db)
        .await?;
    Ok(known.into_iter().filter_map(|(person, at)| Some((person, at?))).collect())
}

/// Closed cases that are not held and that no job looks at.
pub(super) async fn without_job(db: &impl ConnectionTrait, cx: &Context<'_>) -> Result<Vec<cases::Model>> {
    let looked_at = jobs::Entity::find()
        .select_only()
        .column(jobs::Column::Subject)
        .filter(jobs::Column::OrganisationId.eq(cx.organisation))
        .filter(jobs::Column::Kind.eq(JobKind::CaseRetention))
        .filter(jobs::Column::GivenUpAt.is_null())
        .into_query();
    Ok(visible(cx)
        .filter(cases::Column::HeldAt.is_null())
        .filter(cases::Column::Id.not_in_subquery(looked_at))
        .all(db)
        .await?)
}

/// Locks the cases that leased jobs are about, their trajectories first, as every verb does.
pub(super) async fn lock_for(tx: &Writing, batch: &LeasedBatch) -> Result<()> {
    let subjects = jobs::Entity::find()
        .select_only()
        .column(jobs::Column::Subject)
        .filter(jobs::Column::Id.is_in(batch.leases.iter().map(|lease| lease.id)))
        .into_query();
    let ids: Vec<TrajectoryId> = trajectories::Entity::find()
        .select_only()
        .column(trajectories::Column::Id)
        .filter(trajectories::Column::CaseId.in_subquery(subjects.clone()))
        .into_tuple()
        .all(&**tx)
        .await?;
    crate::trajectories::lock_alone(tx, &ids).await?;
    let _: Vec<CaseId> = cases::Entity::find()
        .select_only()
        .column(cases::Column::Id)
        .filter(cases::Column::Id.in_subquery(subjects))
        .order_by_asc(cases::Column::Id)
        .lock_exclusive()
        .into_tuple()
        .all(&**tx)
        .await?;
    Ok(())
}

/// What is known of these cases, in four queries for any number.
pub(super) async fn facts(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    found: &[cases::Model],
) -> Result<HashMap<CaseId, Facts>> {
    let ids: Vec<_> = found.iter().map(|case| case.id).collect();
    let mut facts: HashMap<CaseId, Facts> = found
        .iter()
        .filter_map(|case| {
            let closed_at = case.closed_at?;
            Some((case.id, Facts { closed_at, last_at: None, unfinished: false, rules: Vec::new() }))
        })
        .collect();
    let running = trajectories::Entity::find()
        .filter(trajectories::Column::CaseId.is_in(ids.iter().copied()))
        .order_by_asc(trajectories::Column::Id)
        .all(db)
        .await?;
    for row in running {
        let protocol = protocol_versions::ready(db, cx, row.protocol_id).await?;
        let around = serde_json::from_value(row.surroundings).map_err(Error::internal)?;
        if let Some(facts) = facts.get_mut(&row.case_id) {
            facts.rules.push((protocol.retention, around));
        }
    }
    for (case, final_at) in ends(db, &ids).await? {
        let Some(facts) = facts.get_mut(&case) else { continue };
        facts.unfinished |= final_at.is_none();
        facts.last_at = facts.last_at.max(final_at);
    }
    for case in talking(db, &ids).await? {
        if let Some(facts) = facts.get_mut(&case) {
            facts.unfinished = true;
        }
    }
    Ok(facts)
}

/// When the follow-ups of these cases ended.
async fn ends(db: &impl ConnectionTrait, ids: &[CaseId]) -> Result<Vec<(CaseId, Option<Instant>)>> {
    Ok(follow_ups::Entity::find()
        .select_only()
        .columns([follow_ups::Column::CaseId, follow_ups::Column::FinalAt])
        .filter(follow_ups::Column::CaseId.is_in(ids.iter().copied()))
        .into_tuple()
        .all(db)
        .await?)
}

/// Those of these cases that something is still to be sent about.
async fn talking(db: &impl ConnectionTrait, ids: &[CaseId]) -> Result<Vec<CaseId>> {
    Ok(messages::Entity::find()
        .select_only()
        .column(messages::Column::CaseId)
        .filter(messages::Column::CaseId.is_in(ids.iter().copied()))
        .filter(messages::Column::Status.is_in([MessageStatus::Pending, MessageStatus::Sending]))
        .distinct()
        .into_tuple()
        .all(db)
        .await?)
}

/// Everything that stands for a case in the data, in the order the tables lean on each other.
pub(super) async fn remove(tx: &Writing, cx: &Context<'_>, case: CaseId) -> Result<()> {
    let db = &**tx;
    let follow_ups_of = || {
        follow_ups::Entity::find()
            .select_only()
            .column(follow_ups::Column::Id)
            .filter(follow_ups::Column::CaseId.eq(case))
            .into_query()
    };
    let messages_of = messages::Entity::find()
        .select_only()
        .column(messages::Column::Id)
        .filter(messages::Column::CaseId.eq(case))
        .into_query();
    no_jobs(tx, messages_of).await?;
    no_jobs(tx, follow_ups_of()).await?;
    messages::Entity::delete_many().filter(messages::Column::CaseId.eq(case)).exec(db).await?;
    follow_ups::Entity::delete_many().filter(follow_ups::Column::CaseId.eq(case)).exec(db).await?;
    let running = trajectories::Entity::find()
        .select_only()
        .column(trajectories::Column::Id)
        .filter(trajectories::Column::CaseId.eq(case))
        .into_query();
    trajectory_inputs::Entity::delete_many()
        .filter(trajectory_inputs::Column::TrajectoryId.in_subquery(running))
        .exec(db)
        .await?;
    trajectories::Entity::delete_many().filter(trajectories::Column::CaseId.eq(case)).exec(db).await?;
    assignments::Entity::delete_many().filter(assignments::Column::CaseId.eq(case)).exec(db).await?;
    support_links::Entity::delete_many().filter(support_links::Column::CaseId.eq(case)).exec(db).await?;
    words(tx, case).await?;
    cases::Entity::delete_many()
        .filter(cases::Column::OrganisationId.eq(cx.organisation))
        .filter(cases::Column::Id.eq(case))
        .exec(db)
        .await?;
    Ok(())
}

async fn no_jobs(tx: &Writing, subjects: SelectStatement) -> Result<()> {
    jobs::Entity::delete_many().filter(jobs::Column::Subject.in_subquery(subjects)).exec(&**tx).await?;
    Ok(())
}

/// What a case holds in words: notes, and what other systems call it.
async fn words(tx: &Writing, case: CaseId) -> Result<()> {
    notes::Entity::delete_many().filter(notes::Column::CaseId.eq(case)).exec(&**tx).await?;
    external_refs::Entity::delete_many().filter(external_refs::Column::SubjectId.eq(case.0)).exec(&**tx).await?;
    Ok(())
}

/// The case stays, without its words and what sealed them.
pub(super) async fn forget_words(tx: &Writing, case: &cases::Model) -> Result<()> {
    words(tx, case.id).await?;
    cases::Entity::update_many()
        .col_expr(cases::Column::KeyId, Expr::value(None::<Uuid>))
        .col_expr(cases::Column::Version, Expr::value(case.version + 1))
        .filter(cases::Column::Id.eq(case.id))
        .exec(&**tx)
        .await?;
    Ok(())
}
