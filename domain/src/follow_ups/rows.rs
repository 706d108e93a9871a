//! The SQL of follow-ups.

use std::collections::{BTreeMap, HashMap};

use nazorg_entities::{
    CaseId, FollowUpId, PersonId, ProtocolId, TrajectoryId, UnitId, absences, assignments, cases, follow_ups,
    roster_entries, trajectories, units,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select,
    sea_query::{CommonTableExpression, Expr, ExprTrait, Query, SelectStatement, UnionType, WithClause},
};

use super::{Filter, FollowUp, Place};
use crate::{
    Context,
    batch::one_of,
    database::Writing,
    error::{Error, Result},
    policy::Reach,
    protocol_versions,
    staff::{self, Wanted},
};

/// How this context starts a SELECT by many ids.
fn among(cx: &Context<'_>) -> Select<follow_ups::Entity> {
    follow_ups::Entity::find().filter(cx.ours(follow_ups::Column::OrganisationId))
}

/// The only other way: the tenant's, or those of one's own cases and those one is to do.
fn visible(cx: &Context<'_>, reach: Reach) -> Select<follow_ups::Entity> {
    let all = follow_ups::Entity::find().filter(follow_ups::Column::OrganisationId.eq(cx.organisation));
    match reach {
        Reach::All => all,
        Reach::Own => {
            let people: Vec<_> = cx.caller.person.into_iter().collect();
            all.filter(
                Condition::any()
                    .add(follow_ups::Column::CaseId.in_subquery(crate::cases::visible_ids(cx)))
                    .add(done_by(cx, &people)),
            )
        }
    }
}

/// Whoever is to do it: handed to them, assigned in the case, covering for one of those, or on the unit's roster where nobody in the case
/// is there for it: what somebody is helped with is not for all their colleagues.
fn done_by(cx: &Context<'_>, people: &[PersonId]) -> Condition {
    use follow_ups::Column as F;
    let col = |column: F| Expr::col((follow_ups::Entity, column));
    let covered = away(cx).filter(absences::Column::CoverPersonId.is_in(people.iter().copied())).into_query();
    let theirs = |column: Expr| {
        Condition::any().add(column.clone().is_in(people.iter().copied())).add(column.in_subquery(covered.clone()))
    };
    let assignee = Expr::col((assignments::Entity, assignments::Column::PersonId));
    let assigned = assigned(theirs(assignee.clone()));
    let somebody = assigned_and_there(cx, assignee);
    let rostered = rostered(cx, theirs(Expr::col((roster_entries::Entity, roster_entries::Column::PersonId))));
    let free = Condition::all().add(Expr::exists(rostered)).add(Expr::exists(somebody).not());
    Condition::any().add(theirs(col(F::AssignedPersonId))).add(
        Condition::all()
            .add(col(F::AssignedPersonId).is_null())
            .add(Condition::any().add(Expr::exists(assigned)).add(free)),
    )
}

/// Who is away now.
fn away(cx: &Context<'_>) -> Select<absences::Entity> {
    absences::Entity::find()
        .select_only()
        .column(absences::Column::PersonId)
        .filter(absences::Column::OrganisationId.eq(cx.organisation))
        .filter(absences::Column::FromAt.lte(cx.now))
        .filter(absences::Column::UntilAt.gt(cx.now))
}

/// Whether one of these fills a follow-up's role in its case.
fn assigned(these: Condition) -> SelectStatement {
    use assignments::Column as A;
    let of_follow_up =
        |ours: A, its: follow_ups::Column| Expr::col((assignments::Entity, ours)).equals(its.as_column_ref());
    Query::select()
        .expr(Expr::val(1))
        .from(assignments::Entity)
        .and_where(of_follow_up(A::CaseId, follow_ups::Column::CaseId))
        .and_where(of_follow_up(A::Role, follow_ups::Column::Role))
        .and_where(Expr::col((assignments::Entity, A::EndedAt)).is_null())
        .cond_where(these)
        .take()
}

/// Whether somebody does, and is there or covered for.
fn assigned_and_there(cx: &Context<'_>, assignee: Expr) -> SelectStatement {
    let covered = away(cx).filter(absences::Column::CoverPersonId.is_not_null()).into_query();
    let there = assignee.clone().in_subquery(away(cx).into_query()).not();
    assigned(Condition::any().add(there).add(assignee.in_subquery(covered)))
}

/// Whether a roster on which `theirs` stand holds for a follow-up: the organisation's, its unit's, or one of a unit above that.
fn rostered(cx: &Context<'_>, theirs: Condition) -> SelectStatement {
    use roster_entries::Column as R;
    let reached = "reached";
    let mut held = Query::select()
        .columns([R::Role, R::UnitId])
        .from(roster_entries::Entity)
        .and_where(Expr::col((roster_entries::Entity, R::OrganisationId)).eq(cx.organisation))
        .and_where(Expr::col((roster_entries::Entity, R::EndedAt)).is_null())
        .cond_where(theirs)
        .take();
    let below = Query::select()
        .column((reached, R::Role))
        .column((units::Entity, units::Column::Id))
        .from(reached)
        .inner_join(units::Entity, Expr::col((units::Entity, units::Column::ParentId)).equals((reached, R::UnitId)))
        .take();
    // Each unit once, so that one which hangs below itself ends it.
    let all = held.union(UnionType::Distinct, below).take();
    let all = CommonTableExpression::new().query(all).columns([R::Role, R::UnitId]).table_name(reached).to_owned();
    let unit = Expr::col((reached, R::UnitId));
    Query::select()
        .expr(Expr::val(1))
        .from(reached)
        .and_where(Expr::col((reached, R::Role)).equals(follow_ups::Column::Role.as_column_ref()))
        .cond_where(
            Condition::any().add(unit.clone().is_null()).add(unit.equals(follow_ups::Column::UnitId.as_column_ref())),
        )
        .with_cte(WithClause::new().recursive(true).cte(all).to_owned())
        .take()
}

pub(super) async fn one(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    reach: Reach,
    id: FollowUpId,
) -> Result<follow_ups::Model> {
    visible(cx, reach).filter(follow_ups::Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)
}

/// Whether the person who acts is the one who does this follow-up.
pub(super) async fn is_actor(db: &impl ConnectionTrait, cx: &Context<'_>, id: FollowUpId) -> Result<bool> {
    let people: Vec<_> = cx.caller.person.into_iter().collect();
    let found = visible(cx, Reach::All).filter(follow_ups::Column::Id.eq(id)).filter(done_by(cx, &people));
    Ok(found.count(db).await? > 0)
}

pub(super) async fn list(
    cx: &Context<'_>,
    reach: Reach,
    filter: &Filter,
    (after, limit): (Option<Place>, u64),
) -> Result<Vec<follow_ups::Model>> {
    use follow_ups::Column as C;
    let Filter { statuses, actor_ids, case_ids, trajectory_ids, unit_ids, due_from, due_until } = filter;
    let by_coming = !case_ids.is_empty() || !trajectory_ids.is_empty();
    let wanted = Condition::all()
        .add_option((!statuses.is_empty()).then(|| C::Status.is_in(statuses.clone())))
        .add_option((!case_ids.is_empty()).then(|| C::CaseId.is_in(case_ids.clone())))
        .add_option((!trajectory_ids.is_empty()).then(|| C::TrajectoryId.is_in(trajectory_ids.clone())))
        .add_option((!unit_ids.is_empty()).then(|| C::UnitId.is_in(unit_ids.clone())))
        .add_option(due_from.map(|from| C::DueAt.gte(from)))
        .add_option(due_until.map(|until| C::DueAt.lt(until)))
        .add_option((!actor_ids.is_empty()).then(|| done_by(cx, actor_ids)))
        .add_option((!by_coming).then(|| C::DueAt.is_not_null()));
    let found = visible(cx, reach).filter(wanted).limit(limit);
    let found = match (by_coming, after) {
        (true, after) => {
            found.order_by_asc(C::Id).filter(Condition::all().add_option(after.map(|place| C::Id.gt(place.id))))
        }
        (false, after) => {
            found.order_by_asc(C::DueAt).order_by_asc(C::Id).filter(Condition::all().add_option(after.map(|place| {
                Condition::any()
                    .add(C::DueAt.gt(place.due_at))
                    .add(Condition::all().add(C::DueAt.eq(place.due_at)).add(C::Id.gt(place.id)))
            })))
        }
    };
    Ok(found.all(&cx.db()).await?)
}

/// The follow-ups of the cases about a person, in the order they came to be.
pub(super) async fn kept_about(cx: &Context<'_>, person: PersonId, limit: u64) -> Result<Vec<follow_ups::Model>> {
    Ok(visible(cx, Reach::All)
        .filter(follow_ups::Column::CaseId.in_subquery(crate::cases::about_ids(cx, person)))
        .order_by_asc(follow_ups::Column::Id)
        .limit(limit)
        .all(&cx.db())
        .await?)
}

/// Rows with what their protocol, case and the rosters say besides: a fixed number of queries for any number of rows.
pub(super) async fn whole(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    rows: Vec<follow_ups::Model>,
) -> Result<Vec<FollowUp>> {
    let about = about(db, cx, &rows).await?;
    let wanted: Vec<_> = rows
        .iter()
        .filter(|row| row.assigned_person_id.is_none())
        .map(|row| Wanted { case: row.case_id, unit: row.unit_id, role: row.role.clone() })
        .collect();
    let resolved = staff::resolve(db, cx, &wanted).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let Some((protocol, person_id)) = about.get(&row.trajectory_id) else { continue };
        let protocol = protocol_versions::ready(db, cx, *protocol).await?;
        let step = protocol.step(&row.step);
        let follow_ups::Model {
            id,
            organisation_id: _,
            case_id,
            trajectory_id,
            unit_id,
            key: _,
            step: name,
            anchor_id,
            occurrence,
            role,
            action,
            status,
            opens_at,
            due_at,
            closes_at,
            expires_at,
            outcome,
            reason,
            final_at,
            assigned_person_id,
            created_at: _,
            version,
        } = row;
        let actor_id = assigned_person_id
            .or_else(|| resolved.get(&Wanted { case: case_id, unit: unit_id, role: role.clone() }).copied().flatten());
        found.push(FollowUp {
            id,
            case_id,
            trajectory_id,
            person_id: *person_id,
            unit_id,
            title: step.map(|step| step.title.clone()).unwrap_or_default(),
            outcomes: step.map(|step| step.outcomes.keys().cloned().collect()).unwrap_or_default(),
            step: name,
            anchor_id,
            occurrence,
            role,
            actor_id,
            action,
            status,
            opens_at,
            due_at,
            closes_at,
            expires_at,
            outcome,
            reason,
            final_at,
            version,
        });
    }
    Ok(found)
}

/// Per trajectory its protocol version and the person supported.
async fn about(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    rows: &[follow_ups::Model],
) -> Result<HashMap<TrajectoryId, (ProtocolId, PersonId)>> {
    let ids: BTreeMap<TrajectoryId, ()> = rows.iter().map(|row| (row.trajectory_id, ())).collect();
    let query: SelectStatement = Query::select()
        .columns([
            (trajectories::Entity, trajectories::Column::Id),
            (trajectories::Entity, trajectories::Column::ProtocolId),
        ])
        .column((cases::Entity, cases::Column::PersonId))
        .from(trajectories::Entity)
        .inner_join(
            cases::Entity,
            Expr::col((cases::Entity, cases::Column::Id)).equals((trajectories::Entity, trajectories::Column::CaseId)),
        )
        .and_where(cx.ours(trajectories::Column::OrganisationId))
        .and_where(one_of(db, trajectories::Column::Id, ids.into_keys()))
        .take();
    let found = db.query_all(&query).await?;
    found
        .iter()
        .map(|row| Ok((row.try_get("", "id")?, (row.try_get("", "protocol_id")?, row.try_get("", "person_id")?))))
        .collect()
}

pub(super) async fn hand_to(tx: &Writing, cx: &Context<'_>, id: FollowUpId, person: PersonId) -> Result<()> {
    use follow_ups::Column as C;
    follow_ups::Entity::update_many()
        .col_expr(C::AssignedPersonId, Expr::value(Some(person)))
        .col_expr(C::Version, Expr::col(C::Version).add(1))
        .filter(C::OrganisationId.eq(cx.organisation))
        .filter(C::Id.eq(id))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// The unit of everything in a case that is not final.
pub(super) async fn move_open(tx: &Writing, cx: &Context<'_>, (case, unit): (CaseId, Option<UnitId>)) -> Result<()> {
    use follow_ups::Column as C;
    follow_ups::Entity::update_many()
        .col_expr(C::UnitId, Expr::value(unit))
        .col_expr(C::Version, Expr::col(C::Version).add(1))
        .filter(C::OrganisationId.eq(cx.organisation))
        .filter(C::CaseId.eq(case))
        .filter(C::FinalAt.is_null())
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Which trajectories these follow-ups stand in.
pub(super) async fn trajectories_of(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    ids: &[FollowUpId],
) -> Result<Vec<follow_ups::Model>> {
    Ok(among(cx).filter(one_of(db, follow_ups::Column::Id, ids.iter().copied())).all(db).await?)
}
