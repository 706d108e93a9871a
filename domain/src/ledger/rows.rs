//! The ledger's SQL: buckets, and what is kept of a page of trajectories.

use std::collections::HashMap;

use nazorg_entities::{
    CaseId, FollowUpId, Instant, JobKind, TrajectoryId, cases, follow_ups, incidents, jobs, messages, remains,
    support_links, trajectories,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use super::{
    Bucket, Extent, Finding, Kept, Reason,
    rules::{KeptFollowUp, KeptJob, KeptMessage},
};
use crate::{Context, batch::one_of, error::Result, retention};

pub(super) async fn follow_up_buckets(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    extent: Extent,
) -> Result<Vec<Bucket>> {
    use follow_ups::Column as C;
    let Extent { case_id, from, until } = extent;
    let rows: Vec<(String, Option<String>, i64)> = follow_ups::Entity::find()
        .select_only()
        .column(C::Status)
        .column(C::Reason)
        .column_as(C::Id.count(), "count")
        .filter(C::OrganisationId.eq(cx.organisation))
        .filter(
            Condition::all()
                .add_option(case_id.map(|case| C::CaseId.eq(case)))
                .add_option(from.map(|from| C::CreatedAt.gte(from)))
                .add_option(until.map(|until| C::CreatedAt.lt(until))),
        )
        .group_by(C::Status)
        .group_by(C::Reason)
        .order_by_asc(C::Status)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(bucket).collect())
}

pub(super) async fn message_buckets(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    extent: Extent,
) -> Result<Vec<Bucket>> {
    use messages::Column as C;
    let Extent { case_id, from, until } = extent;
    let rows: Vec<(String, Option<String>, i64)> = messages::Entity::find()
        .select_only()
        .column(C::Status)
        .column(C::Reason)
        .column_as(C::Id.count(), "count")
        .filter(C::OrganisationId.eq(cx.organisation))
        .filter(
            Condition::all()
                .add_option(case_id.map(|case| C::CaseId.eq(case)))
                .add_option(from.map(|from| C::PlannedAt.gte(from)))
                .add_option(until.map(|until| C::PlannedAt.lt(until))),
        )
        .group_by(C::Status)
        .group_by(C::Reason)
        .order_by_asc(C::Status)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(bucket).collect())
}

fn bucket((status, reason, count): (String, Option<String>, i64)) -> Bucket {
    Bucket { status, reason, count }
}

pub(super) async fn trajectories(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    case: Option<CaseId>,
    (after, limit): (Option<TrajectoryId>, u64),
) -> Result<Vec<trajectories::Model>> {
    use trajectories::Column as C;
    let wanted =
        Condition::all().add_option(case.map(|case| C::CaseId.eq(case))).add_option(after.map(|after| C::Id.gt(after)));
    Ok(trajectories::Entity::find()
        .filter(C::OrganisationId.eq(cx.organisation))
        .filter(wanted)
        .order_by_asc(C::Id)
        .limit(limit)
        .all(db)
        .await?)
}

/// What is kept of these trajectories: three queries for any number of them.
pub(super) async fn kept(db: &impl ConnectionTrait, ids: &[TrajectoryId]) -> Result<HashMap<TrajectoryId, Kept>> {
    let mut found: HashMap<TrajectoryId, Kept> = HashMap::new();
    let mut subjects: HashMap<Uuid, TrajectoryId> = HashMap::new();
    let rows = follow_ups::Entity::find()
        .filter(one_of(db, follow_ups::Column::TrajectoryId, ids.iter().copied()))
        .all(db)
        .await?;
    for row in rows {
        subjects.insert(row.id.0, row.trajectory_id);
        found.entry(row.trajectory_id).or_default().follow_ups.push(KeptFollowUp {
            id: row.id,
            key: row.key,
            unit: row.unit_id,
            status: row.status,
            role: row.role,
            moments: [row.opens_at, row.due_at, row.closes_at, row.expires_at, row.final_at],
            outcome: row.outcome,
        });
    }
    type Row = (nazorg_entities::MessageId, TrajectoryId, FollowUpId, String, i32, nazorg_entities::MessageStatus);
    let rows: Vec<Row> = messages::Entity::find()
        .select_only()
        .columns([
            messages::Column::Id,
            messages::Column::TrajectoryId,
            messages::Column::FollowUpId,
            messages::Column::Rule,
            messages::Column::Nth,
            messages::Column::Status,
        ])
        .filter(one_of(db, messages::Column::TrajectoryId, ids.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    for (id, trajectory, follow_up, rule, nth, status) in rows {
        subjects.insert(id.0, trajectory);
        found.entry(trajectory).or_default().messages.push(KeptMessage { id, follow_up, rule, nth, status });
    }
    let wanted: Vec<_> = subjects.keys().copied().collect();
    for chunk in wanted.chunks(500) {
        let rows: Vec<(Uuid, Instant, Option<Instant>)> = jobs::Entity::find()
            .select_only()
            .columns([jobs::Column::Subject, jobs::Column::DueAt, jobs::Column::GivenUpAt])
            .filter(one_of(db, jobs::Column::Subject, chunk.iter().copied()))
            .into_tuple()
            .all(db)
            .await?;
        for (subject, due_at, given_up_at) in rows {
            let Some(trajectory) = subjects.get(&subject) else { continue };
            let job = KeptJob { due_at, given_up: given_up_at.is_some() };
            found.entry(*trajectory).or_default().jobs.insert(subject, job);
        }
    }
    Ok(found)
}

/// Jobs that wake nothing, and follow-ups and messages that stand in no trajectory.
pub(super) async fn orphans(db: &impl ConnectionTrait, cx: &Context<'_>, case: Option<CaseId>) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    let running = || {
        trajectories::Entity::find()
            .select_only()
            .column(trajectories::Column::Id)
            .filter(trajectories::Column::OrganisationId.eq(cx.organisation))
            .into_query()
    };
    let lost: Vec<Uuid> = follow_ups::Entity::find()
        .select_only()
        .column(follow_ups::Column::Id)
        .filter(follow_ups::Column::OrganisationId.eq(cx.organisation))
        .filter(follow_ups::Column::TrajectoryId.not_in_subquery(running()))
        .filter(Condition::all().add_option(case.map(|case| follow_ups::Column::CaseId.eq(case))))
        .into_tuple()
        .all(db)
        .await?;
    found.extend(lost.into_iter().map(|id| Finding::new(Reason::WithoutTrajectory, id)));
    let lost: Vec<Uuid> = messages::Entity::find()
        .select_only()
        .column(messages::Column::Id)
        .filter(messages::Column::OrganisationId.eq(cx.organisation))
        .filter(messages::Column::TrajectoryId.not_in_subquery(running()))
        .filter(Condition::all().add_option(case.map(|case| messages::Column::CaseId.eq(case))))
        .into_tuple()
        .all(db)
        .await?;
    found.extend(lost.into_iter().map(|id| Finding::new(Reason::WithoutTrajectory, id)));
    found.extend(links_without_job(db, cx, case).await?);
    if case.is_none() {
        found.extend(forgetting(db, cx).await?);
        for kind in JobKind::all() {
            found.extend(jobs_without(db, cx, kind).await?);
        }
    }
    Ok(found)
}

async fn jobs_without(db: &impl ConnectionTrait, cx: &Context<'_>, kind: JobKind) -> Result<Vec<Finding>> {
    let subjects = match kind {
        JobKind::FollowUp => follow_ups::Entity::find()
            .select_only()
            .column(follow_ups::Column::Id)
            .filter(follow_ups::Column::OrganisationId.eq(cx.organisation))
            .into_query(),
        JobKind::Message => messages::Entity::find()
            .select_only()
            .column(messages::Column::Id)
            .filter(messages::Column::OrganisationId.eq(cx.organisation))
            .into_query(),
        JobKind::IncidentLink => incidents::Entity::find()
            .select_only()
            .column(incidents::Column::Id)
            .filter(incidents::Column::OrganisationId.eq(cx.organisation))
            .into_query(),
        JobKind::CaseRetention => cases::Entity::find()
            .select_only()
            .column(cases::Column::Id)
            .filter(cases::Column::OrganisationId.eq(cx.organisation))
            .into_query(),
        JobKind::Remains => remains::Entity::find()
            .select_only()
            .column(remains::Column::Id)
            .filter(remains::Column::OrganisationId.eq(cx.organisation))
            .into_query(),
    };
    let lost: Vec<Uuid> = jobs::Entity::find()
        .select_only()
        .column(jobs::Column::Subject)
        .filter(jobs::Column::OrganisationId.eq(cx.organisation))
        .filter(jobs::Column::Kind.eq(kind))
        .filter(jobs::Column::Subject.not_in_subquery(subjects))
        .into_tuple()
        .all(db)
        .await?;
    Ok(lost.into_iter().map(|id| Finding::new(Reason::JobWithoutSubject, id)).collect())
}

/// Links between an incident and its support that nobody is going to cut.
async fn links_without_job(db: &impl ConnectionTrait, cx: &Context<'_>, case: Option<CaseId>) -> Result<Vec<Finding>> {
    let owed = jobs::Entity::find()
        .select_only()
        .column(jobs::Column::Subject)
        .filter(jobs::Column::OrganisationId.eq(cx.organisation))
        .filter(jobs::Column::Kind.eq(JobKind::IncidentLink))
        .filter(jobs::Column::GivenUpAt.is_null())
        .into_query();
    let lost: Vec<Uuid> = support_links::Entity::find()
        .select_only()
        .column(support_links::Column::CaseId)
        .filter(support_links::Column::OrganisationId.eq(cx.organisation))
        .filter(support_links::Column::IncidentId.not_in_subquery(owed))
        .filter(Condition::all().add_option(case.map(|case| support_links::Column::CaseId.eq(case))))
        .into_tuple()
        .all(db)
        .await?;
    Ok(lost.into_iter().map(|id| Finding::new(Reason::LinkWithoutJob, id)).collect())
}

/// What should be forgotten and nobody is going to, and cases that went without being counted.
async fn forgetting(db: &impl ConnectionTrait, cx: &Context<'_>) -> Result<Vec<Finding>> {
    let owed = jobs::Entity::find()
        .select_only()
        .column(jobs::Column::Subject)
        .filter(jobs::Column::OrganisationId.eq(cx.organisation))
        .filter(jobs::Column::Kind.eq(JobKind::Remains))
        .filter(jobs::Column::GivenUpAt.is_null())
        .into_query();
    let left: Vec<Uuid> = remains::Entity::find()
        .select_only()
        .column(remains::Column::Id)
        .filter(remains::Column::OrganisationId.eq(cx.organisation))
        .filter(remains::Column::Id.not_in_subquery(owed))
        .into_tuple()
        .all(db)
        .await?;
    let kept = retention::without_job(db, cx).await?;
    let counted = retention::counted(db, cx).await?;
    Ok(left
        .into_iter()
        .map(|id| Finding::new(Reason::RemainsWithoutJob, id))
        .chain(kept.into_iter().map(|case| Finding::new(Reason::RetentionWithoutJob, case.0)))
        .chain((!counted).then(|| Finding::new(Reason::TallyDiffers, cx.organisation.0)))
        .collect())
}
