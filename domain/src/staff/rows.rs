//! The SQL of staff.

use nazorg_entities::{
    AbsenceId, CaseId, MembershipId, PersonId, RosterEntryId, UnitId, absences, assignments, memberships,
    roster_entries,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    absences::{Absence, AbsenceFilter},
    memberships::{Membership, MembershipFilter},
    rosters::{RosterEntry, RosterFilter},
};
use crate::{
    Context,
    batch::one_of,
    database::Writing,
    error::{Error, Result},
};

/// The only ways this context starts a SELECT: the tenant's.
mod visible {
    use super::*;

    pub(super) fn memberships(cx: &Context<'_>) -> Select<memberships::Entity> {
        memberships::Entity::find().filter(memberships::Column::OrganisationId.eq(cx.organisation))
    }

    pub(super) fn roster_entries(cx: &Context<'_>) -> Select<roster_entries::Entity> {
        roster_entries::Entity::find().filter(roster_entries::Column::OrganisationId.eq(cx.organisation))
    }

    pub(super) fn absences(cx: &Context<'_>) -> Select<absences::Entity> {
        absences::Entity::find().filter(absences::Column::OrganisationId.eq(cx.organisation))
    }

    pub(super) fn assignments(cx: &Context<'_>) -> Select<assignments::Entity> {
        assignments::Entity::find().filter(cx.ours(assignments::Column::OrganisationId))
    }
}

/// Holds now, or no more.
fn holds(cx: &Context<'_>, ended: impl ColumnTrait, current: bool) -> Condition {
    let holds = Condition::any().add(ended.is_null()).add(ended.gt(cx.now));
    if current { holds } else { holds.not() }
}

/// Any of these; none named is all.
fn any_of<T: Into<sea_orm::Value> + Clone>(
    column: impl ColumnTrait,
    wanted: &[T],
) -> Option<sea_orm::sea_query::SimpleExpr> {
    (!wanted.is_empty()).then(|| column.is_in(wanted.iter().cloned()))
}

pub(super) async fn insert_membership(tx: &Writing, cx: &Context<'_>, new: &Membership) -> Result<()> {
    let Membership { id, person_id, role, unit_id, started_at, ended_at, version } = new.clone();
    let row = memberships::ActiveModel {
        id: Set(id),
        organisation_id: Set(cx.organisation),
        person_id: Set(person_id),
        role: Set(role),
        unit_id: Set(unit_id),
        started_at: Set(started_at),
        ended_at: Set(ended_at),
        version: Set(version),
    };
    memberships::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

/// Every membership a person ever had.
pub(super) async fn of_person(cx: &Context<'_>, person: PersonId) -> Result<Vec<memberships::Model>> {
    Ok(visible::memberships(cx).filter(memberships::Column::PersonId.eq(person)).all(&cx.db()).await?)
}

pub(super) async fn memberships(
    cx: &Context<'_>,
    filter: &MembershipFilter,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Membership>> {
    use memberships::Column as C;
    let MembershipFilter { persons, roles, units, current } = filter;
    let narrowed = Condition::all()
        .add_option(any_of(C::PersonId, persons))
        .add_option(any_of(C::Role, roles))
        .add_option(any_of(C::UnitId, units))
        .add_option(current.map(|current| holds(cx, C::EndedAt, current)))
        .add_option(after.map(|after| C::Id.gt(after)));
    let found = visible::memberships(cx).filter(narrowed).order_by_asc(C::Id).limit(limit).all(&cx.db()).await?;
    Ok(found.into_iter().map(read_membership).collect())
}

pub(super) async fn membership(db: &impl ConnectionTrait, cx: &Context<'_>, id: MembershipId) -> Result<Membership> {
    let found = visible::memberships(cx).filter(memberships::Column::Id.eq(id)).one(db).await?;
    found.map(read_membership).ok_or(Error::NotFound)
}

pub(super) async fn end_membership(tx: &Writing, cx: &Context<'_>, after: &Membership) -> Result<()> {
    let changed = memberships::Entity::update_many()
        .col_expr(memberships::Column::EndedAt, Expr::value(after.ended_at))
        .col_expr(memberships::Column::Version, Expr::value(after.version))
        .filter(memberships::Column::OrganisationId.eq(cx.organisation))
        .filter(memberships::Column::Id.eq(after.id))
        .filter(memberships::Column::Version.eq(after.version - 1))
        .exec(&**tx)
        .await?;
    if changed.rows_affected == 0 { Err(Error::Stale) } else { Ok(()) }
}

fn read_membership(row: memberships::Model) -> Membership {
    let memberships::Model { id, organisation_id: _, person_id, role, unit_id, started_at, ended_at, version } = row;
    Membership { id, person_id, role, unit_id, started_at, ended_at, version }
}

pub(super) async fn insert_roster_entry(tx: &Writing, cx: &Context<'_>, new: &RosterEntry) -> Result<()> {
    let RosterEntry { id, unit_id, role, person_id, position, started_at, ended_at, version } = new.clone();
    let row = roster_entries::ActiveModel {
        id: Set(id),
        organisation_id: Set(cx.organisation),
        unit_id: Set(unit_id),
        role: Set(role),
        person_id: Set(person_id),
        position: Set(position),
        started_at: Set(started_at),
        ended_at: Set(ended_at),
        version: Set(version),
    };
    roster_entries::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

pub(super) async fn roster_entries(
    cx: &Context<'_>,
    filter: &RosterFilter,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<RosterEntry>> {
    use roster_entries::Column as C;
    let RosterFilter { persons, roles, units, current } = filter;
    let narrowed = Condition::all()
        .add_option(any_of(C::PersonId, persons))
        .add_option(any_of(C::Role, roles))
        .add_option(any_of(C::UnitId, units))
        .add_option(current.map(|current| holds(cx, C::EndedAt, current)))
        .add_option(after.map(|after| C::Id.gt(after)));
    let found = visible::roster_entries(cx).filter(narrowed).order_by_asc(C::Id).limit(limit).all(&cx.db()).await?;
    Ok(found.into_iter().map(read_roster_entry).collect())
}

pub(super) async fn roster_entry(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    id: RosterEntryId,
) -> Result<RosterEntry> {
    let found = visible::roster_entries(cx).filter(roster_entries::Column::Id.eq(id)).one(db).await?;
    found.map(read_roster_entry).ok_or(Error::NotFound)
}

pub(super) async fn end_roster_entry(tx: &Writing, cx: &Context<'_>, after: &RosterEntry) -> Result<()> {
    let changed = roster_entries::Entity::update_many()
        .col_expr(roster_entries::Column::EndedAt, Expr::value(after.ended_at))
        .col_expr(roster_entries::Column::Version, Expr::value(after.version))
        .filter(roster_entries::Column::OrganisationId.eq(cx.organisation))
        .filter(roster_entries::Column::Id.eq(after.id))
        .filter(roster_entries::Column::Version.eq(after.version - 1))
        .exec(&**tx)
        .await?;
    if changed.rows_affected == 0 { Err(Error::Stale) } else { Ok(()) }
}

fn read_roster_entry(row: roster_entries::Model) -> RosterEntry {
    let roster_entries::Model {
        id,
        organisation_id: _,
        unit_id,
        role,
        person_id,
        position,
        started_at,
        ended_at,
        version,
    } = row;
    RosterEntry { id, unit_id, role, person_id, position, started_at, ended_at, version }
}

pub(super) async fn insert_absence(tx: &Writing, cx: &Context<'_>, new: &Absence) -> Result<()> {
    let Absence { id, person_id, cover_person_id, from, until, created_at, version } = new.clone();
    let row = absences::ActiveModel {
        id: Set(id),
        organisation_id: Set(cx.organisation),
        person_id: Set(person_id),
        cover_person_id: Set(cover_person_id),
        from_at: Set(from),
        until_at: Set(until),
        created_at: Set(created_at),
        version: Set(version),
    };
    absences::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

pub(super) async fn absences(
    cx: &Context<'_>,
    filter: &AbsenceFilter,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Absence>> {
    use absences::Column as C;
    let AbsenceFilter { persons, from, until } = filter;
    let narrowed = Condition::all()
        .add_option(any_of(C::PersonId, persons))
        .add_option(from.map(|from| C::UntilAt.gt(from)))
        .add_option(until.map(|until| C::FromAt.lt(until)))
        .add_option(after.map(|after| C::Id.gt(after)));
    let found = visible::absences(cx).filter(narrowed).order_by_asc(C::Id).limit(limit).all(&cx.db()).await?;
    Ok(found.into_iter().map(read_absence).collect())
}

pub(super) async fn absence(db: &impl ConnectionTrait, cx: &Context<'_>, id: AbsenceId) -> Result<Absence> {
    let found = visible::absences(cx).filter(absences::Column::Id.eq(id)).one(db).await?;
    found.map(read_absence).ok_or(Error::NotFound)
}

pub(super) async fn end_absence(tx: &Writing, cx: &Context<'_>, after: &Absence) -> Result<()> {
    let changed = absences::Entity::update_many()
        .col_expr(absences::Column::UntilAt, Expr::value(after.until))
        .col_expr(absences::Column::Version, Expr::value(after.version))
        .filter(absences::Column::OrganisationId.eq(cx.organisation))
        .filter(absences::Column::Id.eq(after.id))
        .filter(absences::Column::Version.eq(after.version - 1))
        .exec(&**tx)
        .await?;
    if changed.rows_affected == 0 { Err(Error::Stale) } else { Ok(()) }
}

fn read_absence(row: absences::Model) -> Absence {
    let absences::Model { id, organisation_id: _, person_id, cover_person_id, from_at, until_at, created_at, version } =
        row;
    Absence { id, person_id, cover_person_id, from: from_at, until: until_at, created_at, version }
}

/// Who is assigned to these roles of these cases, the latest first.
pub(super) async fn assigned(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    cases: &[CaseId],
    roles: &[String],
) -> Result<Vec<(CaseId, String, PersonId)>> {
    use assignments::Column as C;
    Ok(visible::assignments(cx)
        .select_only()
        .columns([C::CaseId, C::Role, C::PersonId])
        .filter(one_of(db, C::CaseId, cases.iter().copied()))
        .filter(one_of(db, C::Role, roles.iter().cloned()))
        .filter(C::EndedAt.is_null())
        .order_by_desc(C::AssignedAt)
        .order_by_desc(C::Id)
        .into_tuple()
        .all(db)
        .await?)
}

/// Who stands on the rosters for these roles now, the lowest position first.
pub(super) async fn roster(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    roles: &[String],
) -> Result<Vec<(Option<UnitId>, String, PersonId)>> {
    use roster_entries::Column as C;
    Ok(visible::roster_entries(cx)
        .select_only()
        .columns([C::UnitId, C::Role, C::PersonId])
        .filter(one_of(db, C::Role, roles.iter().cloned()))
        .filter(C::StartedAt.lte(cx.now))
        .filter(holds(cx, C::EndedAt, true))
        .order_by_asc(C::Position)
        .order_by_asc(C::Id)
        .into_tuple()
        .all(db)
        .await?)
}

/// Who is away now, and who covers.
pub(super) async fn away(db: &impl ConnectionTrait, cx: &Context<'_>) -> Result<Vec<(PersonId, Option<PersonId>)>> {
    use absences::Column as C;
    Ok(visible::absences(cx)
        .select_only()
        .columns([C::PersonId, C::CoverPersonId])
        .filter(C::FromAt.lte(cx.now))
        .filter(C::UntilAt.gt(cx.now))
        .order_by_asc(C::Id)
        .into_tuple()
        .all(db)
        .await?)
}
