//! The SQL of cases, assignments and notes.

pub(super) mod kept;
pub(super) mod named;

use std::{collections::HashMap, sync::Arc};

use nazorg_entities::{
    CaseId, DataKeyId, IncidentId, InvolvementId, PersonId, assignments, cases, follow_ups, notes, support_links,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
    sea_query::{Expr, ExprTrait, LockType, OnConflict, Query, SelectStatement},
};
use uuid::Uuid;

use super::{Assignment, Case, Filter, Note};
use crate::{
    Context,
    batch::one_of,
    database::Writing,
    error::{Error, Result},
    external_refs,
    policy::Reach,
    secrets::{Secret, place},
};

const NOTE: &str = "notes/text";

/// The only way this context starts a SELECT: the tenant's cases, or those that are the caller's own.
fn visible(cx: &Context<'_>, reach: Reach) -> Select<cases::Entity> {
    let all = cases::Entity::find().filter(cases::Column::OrganisationId.eq(cx.organisation));
    match reach {
        Reach::All => all,
        Reach::Own => all.filter(cases::Column::Id.in_subquery(visible_ids(cx))),
    }
}

/// The cases that are one's own: assigned to the person who acts, or with a follow-up handed to them that is not over.
pub(crate) fn visible_ids(cx: &Context<'_>) -> SelectStatement {
    let person = cx.caller.person;
    let assigned = assignments::Entity::find()
        .select_only()
        .column(assignments::Column::CaseId)
        .filter(assignments::Column::OrganisationId.eq(cx.organisation))
        .filter(assignments::Column::PersonId.eq(person))
        .filter(assignments::Column::EndedAt.is_null())
        .into_query();
    let handed = follow_ups::Entity::find()
        .select_only()
        .column(follow_ups::Column::CaseId)
        .filter(follow_ups::Column::OrganisationId.eq(cx.organisation))
        .filter(follow_ups::Column::AssignedPersonId.eq(person))
        .filter(follow_ups::Column::FinalAt.is_null())
        .into_query();
    Query::select()
        .column(cases::Column::Id)
        .from(cases::Entity)
        .and_where(Expr::col((cases::Entity, cases::Column::OrganisationId)).eq(cx.organisation))
        .cond_where(
            Condition::any().add(cases::Column::Id.in_subquery(assigned)).add(cases::Column::Id.in_subquery(handed)),
        )
        .take()
}

/// The cases about a person.
pub(crate) fn about_ids(cx: &Context<'_>, person: PersonId) -> SelectStatement {
    let about = visible(cx, Reach::All).filter(cases::Column::PersonId.eq(person));
    about.select_only().column(cases::Column::Id).into_query()
}

pub(super) async fn one(db: &impl ConnectionTrait, cx: &Context<'_>, reach: Reach, id: CaseId) -> Result<Case> {
    let row = visible(cx, reach).filter(cases::Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)?;
    whole(db, cx, vec![row]).await?.pop().ok_or(Error::NotFound)
}

/// Locks cases, in the order of their ids; what only refers to them does not wait for that. `trajectories::lock` says what comes before and
/// after.
pub(crate) async fn lock(tx: &Writing, ids: &[CaseId]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    lock_found(tx, cases::Entity::find().filter(one_of(&**tx, cases::Column::Id, ids.iter().copied()))).await
}

/// Locks the cases about a person, likewise.
pub(crate) async fn lock_about(tx: &Writing, cx: &Context<'_>, person: PersonId) -> Result<()> {
    lock_found(tx, visible(cx, Reach::All).filter(cases::Column::PersonId.eq(person))).await
}

async fn lock_found(tx: &Writing, found: Select<cases::Entity>) -> Result<()> {
    if tx.get_database_backend() == DbBackend::Sqlite {
        return Ok(()); // on SQLite whoever writes is alone
    }
    let _: Vec<CaseId> = found
        .select_only()
        .column(cases::Column::Id)
        .order_by_asc(cases::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .into_tuple()
        .all(&**tx)
        .await?;
    Ok(())
}

/// A case of the tenant whoever asks, locked: for consequences inside a transaction.
pub(super) async fn any(tx: &Writing, cx: &Context<'_>, id: CaseId) -> Result<Case> {
    let found = visible(cx, Reach::All).filter(cases::Column::Id.eq(id));
    let row = found.lock(LockType::NoKeyUpdate).one(&**tx).await?;
    Ok(read(row.ok_or(Error::NotFound)?, Vec::new(), Vec::new()))
}

pub(super) async fn list(
    cx: &Context<'_>,
    reach: Reach,
    filter: &Filter,
    (after, limit): (Option<Uuid>, u64),
) -> Result<Vec<Case>> {
    let Filter { statuses, person_ids, unit_ids, opened_from, opened_until, external_ref, newest_first } = filter;
    let mut wanted = Condition::all()
        .add_option((!statuses.is_empty()).then(|| cases::Column::Status.is_in(statuses.clone())))
        .add_option((!person_ids.is_empty()).then(|| cases::Column::PersonId.is_in(person_ids.clone())))
        .add_option((!unit_ids.is_empty()).then(|| cases::Column::UnitId.is_in(unit_ids.clone())))
        .add_option(opened_from.map(|from| cases::Column::OpenedAt.gte(from)))
        .add_option(opened_until.map(|until| cases::Column::OpenedAt.lt(until)));
    if let Some(known) = external_ref {
        let subject = external_refs::find(&cx.db(), cx, external_refs::Kind::Case, known).await?;
        wanted = wanted.add(cases::Column::Id.eq(subject.map(CaseId)));
    }
    let found = visible(cx, reach).filter(wanted).limit(limit);
    let found = match (newest_first, after) {
        (true, None) => found.order_by_desc(cases::Column::Id),
        (true, Some(after)) => found.order_by_desc(cases::Column::Id).filter(cases::Column::Id.lt(after)),
        (false, None) => found.order_by_asc(cases::Column::Id),
        (false, Some(after)) => found.order_by_asc(cases::Column::Id).filter(cases::Column::Id.gt(after)),
    };
    let rows = found.all(&cx.db()).await?;
    whole(&cx.db(), cx, rows).await
}

/// Rows with their assignments and external references, two queries for any number.
async fn whole(db: &impl ConnectionTrait, cx: &Context<'_>, rows: Vec<cases::Model>) -> Result<Vec<Case>> {
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let mut assigned: HashMap<CaseId, Vec<Assignment>> = HashMap::new();
    let found = assignments::Entity::find()
        .filter(one_of(db, assignments::Column::CaseId, ids.iter().copied()))
        .filter(assignments::Column::EndedAt.is_null())
        .order_by_asc(assignments::Column::Role)
        .all(db)
        .await?;
    for row in found {
        let assignments::Model { id, organisation_id: _, case_id, role, person_id, assigned_at, ended_at: _ } = row;
        assigned.entry(case_id).or_default().push(Assignment { id, role, person_id, assigned_at });
    }
    let subjects: Vec<_> =
        rows.iter().filter_map(|row| Some(external_refs::Subject::case(row.id, row.key_id?))).collect();
    let mut refs = external_refs::of(db, cx, &subjects).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let assigned = assigned.remove(&row.id).unwrap_or_default();
            let refs = refs.remove(&row.id.0).unwrap_or_default();
            read(row, assigned, refs)
        })
        .collect())
}

fn read(row: cases::Model, assignments: Vec<Assignment>, external_refs: Vec<external_refs::ExternalRef>) -> Case {
    let cases::Model {
        id,
        organisation_id: _,
        key_id: _,
        number,
        person_id,
        unit_id,
        relation_id,
        record_profile,
        status,
        opened_at,
        closed_at,
        closed_reason,
        reopened_at,
        version,
        held_at,
        forgotten_at,
    } = row;
    Case {
        id,
        number,
        person_id,
        unit_id,
        relation_id,
        record_profile,
        status,
        opened_at,
        closed_at,
        closed_reason,
        reopened_at,
        held_at,
        forgotten_at,
        assignments,
        external_refs,
        version,
    }
}

pub(super) async fn insert(tx: &Writing, cx: &Context<'_>, case: &Case, key: Option<DataKeyId>) -> Result<()> {
    let Case {
        id,
        number,
        person_id,
        unit_id,
        relation_id,
        record_profile,
        status,
        opened_at,
        closed_at,
        closed_reason,
        reopened_at,
        held_at,
        forgotten_at,
        assignments,
        external_refs: _,
        version,
    } = case.clone();
    let row = cases::ActiveModel {
        id: Set(id),
        organisation_id: Set(cx.organisation),
        key_id: Set(key),
        number: Set(number),
        person_id: Set(person_id),
        unit_id: Set(unit_id),
        relation_id: Set(relation_id),
        record_profile: Set(record_profile),
        status: Set(status),
        opened_at: Set(opened_at),
        closed_at: Set(closed_at),
        closed_reason: Set(closed_reason),
        reopened_at: Set(reopened_at),
        version: Set(version),
        held_at: Set(held_at),
        forgotten_at: Set(forgotten_at),
    };
    tx.write(cases::Entity::insert(row).build(tx.get_database_backend())).await?;
    insert_assignments(tx, cx, id, &assignments).await
}

pub(super) async fn update(tx: &Writing, cx: &Context<'_>, after: &Case, expected: i32) -> Result<()> {
    let changed = cases::Entity::update_many()
        .col_expr(cases::Column::UnitId, Expr::value(after.unit_id))
        .col_expr(cases::Column::Status, Expr::value(after.status.as_str()))
        .col_expr(cases::Column::ClosedAt, Expr::value(after.closed_at))
        .col_expr(cases::Column::ClosedReason, Expr::value(after.closed_reason.clone()))
        .col_expr(cases::Column::ReopenedAt, Expr::value(after.reopened_at))
        .col_expr(cases::Column::HeldAt, Expr::value(after.held_at))
        .col_expr(cases::Column::Version, Expr::value(after.version))
        .filter(cases::Column::OrganisationId.eq(cx.organisation))
        .filter(cases::Column::Id.eq(after.id))
        .filter(cases::Column::Version.eq(expected))
        .exec(&**tx)
        .await?;
    if changed.rows_affected == 0 { Err(Error::Stale) } else { Ok(()) }
}

pub(super) async fn insert_assignments(tx: &Writing, cx: &Context<'_>, case: CaseId, new: &[Assignment]) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let rows = new.iter().cloned().map(|Assignment { id, role, person_id, assigned_at }| assignments::ActiveModel {
        id: Set(id),
        organisation_id: Set(cx.organisation),
        case_id: Set(case),
        role: Set(role),
        person_id: Set(person_id),
        assigned_at: Set(assigned_at),
        ended_at: Set(None),
    });
    tx.write(assignments::Entity::insert_many(rows).build(tx.get_database_backend())).await
}

pub(super) async fn end_assignments(tx: &Writing, cx: &Context<'_>, case: CaseId, role: &str) -> Result<()> {
    assignments::Entity::update_many()
        .col_expr(assignments::Column::EndedAt, Expr::value(Some(cx.now)))
        .filter(assignments::Column::OrganisationId.eq(cx.organisation))
        .filter(assignments::Column::CaseId.eq(case))
        .filter(assignments::Column::Role.eq(role))
        .filter(assignments::Column::EndedAt.is_null())
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Writes the link between incident and case; `false` when the involvement has a case already.
pub(super) async fn link(
    tx: &Writing,
    cx: &Context<'_>,
    (id, incident, involvement, case): (Uuid, IncidentId, InvolvementId, CaseId),
) -> Result<bool> {
    let row = support_links::ActiveModel {
        id: Set(id),
        organisation_id: Set(cx.organisation),
        incident_id: Set(incident),
        involvement_id: Set(involvement),
        case_id: Set(case),
        created_at: Set(cx.now),
    };
    let once = OnConflict::column(support_links::Column::InvolvementId).do_nothing().to_owned();
    let written = support_links::Entity::insert(row).on_conflict(once).exec_without_returning(&**tx).await?;
    Ok(written == 1)
}

/// The case's own key; the fresh one becomes it when it had none.
pub(super) async fn key(
    tx: &Writing,
    cx: &Context<'_>,
    case: CaseId,
    (fresh, secret): (DataKeyId, Arc<Secret>),
) -> Result<(DataKeyId, Arc<Secret>)> {
    let found = visible(cx, Reach::All).filter(cases::Column::Id.eq(case));
    let row = found.lock(LockType::NoKeyUpdate).one(&**tx).await?;
    if let Some(key) = row.ok_or(Error::NotFound)?.key_id {
        return Ok((key, cx.app.keys.one(key).await?));
    }
    cases::Entity::update_many()
        .col_expr(cases::Column::KeyId, Expr::value(Some(fresh)))
        .filter(cases::Column::Id.eq(case))
        .exec(&**tx)
        .await?;
    Ok((fresh, secret))
}

pub(super) async fn insert_note(tx: &Writing, cx: &Context<'_>, note: &Note, key: &Secret) -> Result<()> {
    let Note { id, case_id, author_id, text, created_at } = note;
    let row = notes::ActiveModel {
        id: Set(*id),
        organisation_id: Set(cx.organisation),
        case_id: Set(*case_id),
        author_id: Set(*author_id),
        text_enc: Set(key.seal_text(&place(NOTE, id.0), text)?),
        created_at: Set(*created_at),
    };
    notes::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

pub(super) async fn notes(cx: &Context<'_>, case: CaseId, after: Option<Uuid>, limit: u64) -> Result<Vec<Note>> {
    let row = visible(cx, Reach::All).filter(cases::Column::Id.eq(case)).one(&cx.db()).await?;
    let Some(key) = row.ok_or(Error::NotFound)?.key_id else { return Ok(Vec::new()) };
    // Destroyed, where an old backup of the data stands beside the keys as they are: what nobody can open any more is left out.
    let Some(key) = cx.app.keys.many(&[key]).await?.remove(&key) else { return Ok(Vec::new()) };
    let mut found = notes::Entity::find()
        .filter(notes::Column::OrganisationId.eq(cx.organisation))
        .filter(notes::Column::CaseId.eq(case))
        .order_by_asc(notes::Column::Id)
        .limit(limit);
    if let Some(after) = after {
        found = found.filter(notes::Column::Id.gt(after));
    }
    let rows = found.all(&cx.db()).await?;
    rows.into_iter()
        .map(|notes::Model { id, organisation_id: _, case_id, author_id, text_enc, created_at }| {
            Ok(Note { id, case_id, author_id, text: key.open_text(&place(NOTE, id.0), &text_enc)?, created_at })
        })
        .collect()
}
