//! The SQL of incidents.

use std::collections::HashMap;

use nazorg_entities::{
    CaseId, DataKeyId, IncidentId, Instant, InvolvementId, PersonId, SupportOffered, UnitId, incidents, involvements,
    jobs, support_links,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, FromQueryResult, Order, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{CaseStatement, Expr, Func, Query, SelectStatement},
};
use uuid::Uuid;

use super::{Incident, IncidentFilter, Involvement, SupportOffer, rules};
use crate::{
    Context,
    database::Writing,
    error::{Error, Result},
    external_refs::{self, Subject},
    jobs::LeasedBatch,
    policy::Reach,
};

/// How this context starts a SELECT by many ids.
fn among(cx: &Context<'_>) -> Select<incidents::Entity> {
    incidents::Entity::find().filter(cx.ours(incidents::Column::OrganisationId))
}

/// The only other way: the tenant's incidents, or those this client reported.
fn visible(cx: &Context<'_>, reach: Reach) -> Select<incidents::Entity> {
    let all = incidents::Entity::find().filter(incidents::Column::OrganisationId.eq(cx.organisation));
    match reach {
        Reach::All => all,
        Reach::Own => all.filter(incidents::Column::ReportedBy.eq(cx.caller.key())),
    }
}

/// Those involved, of incidents that were seen before.
fn visible_involved(cx: &Context<'_>) -> Select<involvements::Entity> {
    involvements::Entity::find().filter(involvements::Column::OrganisationId.eq(cx.organisation))
}

/// The incidents that are one's own: those this client reported.
pub(crate) fn visible_ids(cx: &Context<'_>) -> SelectStatement {
    visible(cx, Reach::Own).select_only().column(incidents::Column::Id).into_query()
}

pub(super) async fn list(
    cx: &Context<'_>,
    (reach, filter): (Reach, &IncidentFilter),
    after: Option<(Instant, Uuid)>,
    limit: u64,
) -> Result<Vec<Incident>> {
    use incidents::Column as C;
    let IncidentFilter { units, event_classes, reported_from, reported_until, oldest_first } = filter;
    let order = if *oldest_first { Order::Asc } else { Order::Desc };
    let beyond = after.map(|(at, id)| {
        let (later, same) = match oldest_first {
            true => (C::ReportedAt.gt(at), C::Id.gt(id)),
            false => (C::ReportedAt.lt(at), C::Id.lt(id)),
        };
        Condition::any().add(later).add(Condition::all().add(C::ReportedAt.eq(at)).add(same))
    });
    let narrowed = Condition::all()
        .add_option((!units.is_empty()).then(|| C::UnitId.is_in(units.iter().copied())))
        .add_option((!event_classes.is_empty()).then(|| C::EventClass.is_in(event_classes.iter().cloned())))
        .add_option(reported_from.map(|from| C::ReportedAt.gte(from)))
        .add_option(reported_until.map(|until| C::ReportedAt.lt(until)))
        .add_option(beyond);
    let found = visible(cx, reach)
        .filter(narrowed)
        .order_by(C::ReportedAt, order.clone())
        .order_by(C::Id, order)
        .limit(limit)
        .all(&cx.db())
        .await?;
    whole(cx, found).await
}

/// Rows with what other systems call them, in a fixed number of queries for any number.
async fn whole(cx: &Context<'_>, found: Vec<incidents::Model>) -> Result<Vec<Incident>> {
    let subjects: Vec<_> = found.iter().map(|row| Subject::incident(row.id, row.key_id)).collect();
    let mut refs = external_refs::of(&cx.db(), cx, &subjects).await?;
    let with_refs = |row: incidents::Model| {
        let external_refs = refs.remove(&row.id.0).unwrap_or_default();
        Incident { external_refs, ..read(row) }
    };
    Ok(found.into_iter().map(with_refs).collect())
}

/// One incident with what other systems call it.
pub(super) async fn one_whole(cx: &Context<'_>, reach: Reach, id: IncidentId) -> Result<Incident> {
    let found = visible(cx, reach).filter(incidents::Column::Id.eq(id)).one(&cx.db()).await?;
    whole(cx, found.into_iter().collect()).await?.pop().ok_or(Error::NotFound)
}

pub(super) async fn one(db: &impl ConnectionTrait, cx: &Context<'_>, reach: Reach, id: IncidentId) -> Result<Incident> {
    visible(cx, reach).filter(incidents::Column::Id.eq(id)).one(db).await?.map(read).ok_or(Error::NotFound)
}

pub(super) async fn of(db: &impl ConnectionTrait, cx: &Context<'_>, id: IncidentId) -> Result<Vec<Involvement>> {
    let found = visible_involved(cx)
        .filter(involvements::Column::IncidentId.eq(id))
        .order_by_asc(involvements::Column::Id)
        .all(db)
        .await?;
    Ok(found.into_iter().map(read_involvement).collect())
}

pub(super) async fn involvement(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    incident: IncidentId,
    id: InvolvementId,
) -> Result<Involvement> {
    let found = visible_involved(cx)
        .filter(involvements::Column::IncidentId.eq(incident))
        .filter(involvements::Column::Id.eq(id))
        .one(db)
        .await?;
    found.map(read_involvement).ok_or(Error::NotFound)
}

/// Where a person was involved, with the incident, the earliest known first; nothing any more once the link is cut.
pub(crate) async fn about(cx: &Context<'_>, person: PersonId, limit: u64) -> Result<Vec<(Incident, Involvement)>> {
    let found = visible_involved(cx)
        .filter(involvements::Column::PersonId.eq(person))
        .order_by_asc(involvements::Column::Id)
        .limit(limit)
        .all(&cx.db())
        .await?;
    let ids = found.iter().map(|row| row.incident_id);
    let known = among(cx).filter(incidents::Column::Id.is_in(ids)).all(&cx.db()).await?;
    let known: HashMap<_, _> = known.into_iter().map(|row| (row.id, read(row))).collect();
    let pairs = found.into_iter().filter_map(|row| Some((known.get(&row.incident_id)?.clone(), read_involvement(row))));
    Ok(pairs.collect())
}

/// The incident of an involvement and its person, where the tenant has it.
pub(crate) async fn involved(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    id: InvolvementId,
) -> Result<Option<(Incident, Option<PersonId>)>> {
    let found = visible_involved(cx).filter(involvements::Column::Id.eq(id)).one(db).await?;
    let Some(involvement) = found.map(read_involvement) else { return Ok(None) };
    let incident = one(db, cx, Reach::All, involvement.incident_id).await?;
    Ok(Some((incident, involvement.person_id)))
}

/// The incidents that leased jobs are about, and those involved in them, locked in that order, which is the verbs' own.
pub(super) async fn lock_for(tx: &Writing, batch: &LeasedBatch) -> Result<()> {
    if tx.get_database_backend() == DbBackend::Sqlite {
        return Ok(());
    }
    let subjects = jobs::Entity::find()
        .select_only()
        .column(jobs::Column::Subject)
        .filter(jobs::Column::Id.is_in(batch.leases.iter().map(|lease| lease.id)))
        .into_query();
    involvements::Entity::find()
        .filter(involvements::Column::IncidentId.in_subquery(subjects.clone()))
        .order_by_asc(involvements::Column::Id)
        .lock_exclusive()
        .all(&**tx)
        .await?;
    incidents::Entity::find()
        .filter(incidents::Column::Id.in_subquery(subjects))
        .order_by_asc(incidents::Column::Id)
        .lock_exclusive()
        .all(&**tx)
        .await?;
    Ok(())
}

/// When each of these was reported.
pub(super) async fn reported(tx: &Writing, cx: &Context<'_>, ids: &[IncidentId]) -> Result<Vec<(IncidentId, Instant)>> {
    let found = among(cx).filter(incidents::Column::Id.is_in(ids.iter().copied())).all(&**tx).await?;
    Ok(found.into_iter().map(|row| (row.id, row.reported_at)).collect())
}

/// Takes the keys from these incidents; answers them, to be destroyed.
pub(super) async fn take_keys(tx: &Writing, cx: &Context<'_>, ids: &[IncidentId]) -> Result<Vec<DataKeyId>> {
    let keys: Vec<Option<DataKeyId>> = among(cx)
        .select_only()
        .column(incidents::Column::KeyId)
        .filter(incidents::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(&**tx)
        .await?;
    incidents::Entity::update_many()
        .col_expr(incidents::Column::KeyId, Expr::value(None::<Uuid>))
        .filter(incidents::Column::OrganisationId.eq(cx.organisation))
        .filter(incidents::Column::Id.is_in(ids.iter().copied()))
        .exec(&**tx)
        .await?;
    Ok(keys.into_iter().flatten().collect())
}

/// No case of theirs is known any more, nor who was involved: a person would lead from the one to the other.
pub(super) async fn unlink(tx: &Writing, cx: &Context<'_>, ids: &[IncidentId]) -> Result<()> {
    support_links::Entity::delete_many()
        .filter(support_links::Column::OrganisationId.eq(cx.organisation))
        .filter(support_links::Column::IncidentId.is_in(ids.iter().copied()))
        .exec(&**tx)
        .await?;
    involvements::Entity::update_many()
        .col_expr(involvements::Column::PersonId, Expr::value(None::<Uuid>))
        .col_expr(involvements::Column::Version, Expr::col(involvements::Column::Version).add(1))
        .filter(involvements::Column::OrganisationId.eq(cx.organisation))
        .filter(involvements::Column::IncidentId.is_in(ids.iter().copied()))
        .filter(involvements::Column::PersonId.is_not_null())
        .exec(&**tx)
        .await?;
    for id in ids {
        touch(tx, cx, *id).await?;
    }
    Ok(())
}

pub(super) async fn is_involved(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    incident: IncidentId,
    person: PersonId,
) -> Result<bool> {
    Ok(visible_involved(cx)
        .filter(involvements::Column::IncidentId.eq(incident))
        .filter(involvements::Column::PersonId.eq(person))
        .count(db)
        .await?
        > 0)
}

/// The involvement a case answers.
pub(super) async fn linked(tx: &Writing, cx: &Context<'_>, case: CaseId) -> Result<Option<Involvement>> {
    let link = support_links::Entity::find()
        .select_only()
        .column(support_links::Column::InvolvementId)
        .filter(support_links::Column::OrganisationId.eq(cx.organisation))
        .filter(support_links::Column::CaseId.eq(case))
        .into_query();
    let found = visible_involved(cx).filter(involvements::Column::Id.in_subquery(link)).one(&**tx).await?;
    Ok(found.map(read_involvement))
}

pub(super) async fn insert(tx: &Writing, cx: &Context<'_>, new: &Incident, key: Option<DataKeyId>) -> Result<()> {
    let Incident {
        id,
        unit_id,
        event_class,
        severity,
        event_at,
        reported_at,
        reported_by,
        external_refs: _,
        created_at,
        version,
    } = new.clone();
    let row = incidents::ActiveModel {
        id: Set(id),
        organisation_id: Set(cx.organisation),
        unit_id: Set(unit_id),
        event_class: Set(event_class),
        severity: Set(severity),
        event_at: Set(event_at),
        reported_at: Set(reported_at),
        reported_by: Set(reported_by),
        created_at: Set(created_at),
        version: Set(version),
        key_id: Set(key),
    };
    incidents::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

pub(super) async fn insert_involved(tx: &Writing, cx: &Context<'_>, new: &[Involvement]) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let rows = new.iter().cloned().map(|one| {
        let Involvement { id, incident_id, person_id, unit_id, profession, support_offered, created_at, version } = one;
        involvements::ActiveModel {
            id: Set(id),
            organisation_id: Set(cx.organisation),
            incident_id: Set(incident_id),
            person_id: Set(person_id),
            unit_id: Set(unit_id),
            profession: Set(profession),
            support_offered: Set(support_offered),
            created_at: Set(created_at),
            version: Set(version),
        }
    });
    involvements::Entity::insert_many(rows).exec_without_returning(&**tx).await?;
    Ok(())
}

pub(super) async fn update_involvement(tx: &Writing, cx: &Context<'_>, after: &Involvement) -> Result<()> {
    let changed = involvements::Entity::update_many()
        .col_expr(involvements::Column::SupportOffered, Expr::value(after.support_offered.as_str()))
        .col_expr(involvements::Column::Version, Expr::value(after.version))
        .filter(involvements::Column::OrganisationId.eq(cx.organisation))
        .filter(involvements::Column::Id.eq(after.id))
        .filter(involvements::Column::Version.eq(after.version - 1))
        .exec(&**tx)
        .await?;
    if changed.rows_affected == 0 { Err(Error::Stale) } else { Ok(()) }
}

/// The incident's version rises.
pub(super) async fn touch(tx: &Writing, cx: &Context<'_>, id: IncidentId) -> Result<()> {
    incidents::Entity::update_many()
        .col_expr(incidents::Column::Version, Expr::col(incidents::Column::Version).add(1))
        .filter(incidents::Column::OrganisationId.eq(cx.organisation))
        .filter(incidents::Column::Id.eq(id))
        .exec(&**tx)
        .await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct OfferRow {
    incident_id: IncidentId,
    unit_id: UnitId,
    weight: i32,
}

/// Offers per incident and unit, in that order; `units` narrows to those of a line manager. Nobody's unit is the nil id.
pub(super) async fn offers(
    cx: &Context<'_>,
    units: Option<Vec<UnitId>>,
    after: Option<(IncidentId, Option<UnitId>)>,
    limit: u64,
) -> Result<Vec<SupportOffer>> {
    let none = UnitId(Uuid::nil());
    let (incident, unit, weight) = (Expr::col("incident_id"), Expr::col("unit_id"), Expr::col("weight"));
    let beyond = after.map(|(at, of)| {
        let same = Condition::all().add(incident.clone().eq(at)).add(unit.clone().gt(of.unwrap_or(none)));
        Condition::any().add(incident.clone().gt(at)).add(same)
    });
    let mut query = Query::select();
    query
        .columns(["incident_id", "unit_id"])
        .expr_as(Func::min(weight), "weight")
        .from_subquery(weighed(cx, none), "weighed")
        .cond_where(Condition::all().add_option(units.map(|units| unit.is_in(units))).add_option(beyond))
        .group_by_columns(["incident_id", "unit_id"])
        .order_by("incident_id", Order::Asc)
        .order_by("unit_id", Order::Asc)
        .limit(limit);
    let db = cx.db();
    let found = OfferRow::find_by_statement(db.get_database_backend().build(&query)).all(&db).await?;
    Ok(found
        .into_iter()
        .map(|OfferRow { incident_id, unit_id, weight }| SupportOffer {
            incident_id,
            unit_id: (unit_id != none).then_some(unit_id),
            support_offered: rules::of_weight(weight),
        })
        .collect())
}

/// Each involvement's incident, unit and weight. Grouped one level up: PostgreSQL does not see that two expressions with
/// parameters of their own are the same.
fn weighed(cx: &Context<'_>, none: UnitId) -> SelectStatement {
    use involvements::Column as C;
    let unit = Func::coalesce([
        Expr::col((involvements::Entity, C::UnitId)),
        Expr::col((incidents::Entity, incidents::Column::UnitId)),
        Expr::value(none),
    ]);
    let weights = SupportOffered::all().fold(CaseStatement::new(), |weights, offered| {
        weights.case(Expr::col((involvements::Entity, C::SupportOffered)).eq(offered.as_str()), rules::weight(offered))
    });
    let joined = Expr::col((incidents::Entity, incidents::Column::Id)).equals((involvements::Entity, C::IncidentId));
    Query::select()
        .expr_as(Expr::col((involvements::Entity, C::IncidentId)), "incident_id")
        .expr_as(unit, "unit_id")
        .expr_as(weights, "weight")
        .from(involvements::Entity)
        .inner_join(incidents::Entity, joined)
        .and_where(Expr::col((involvements::Entity, C::OrganisationId)).eq(cx.organisation))
        .take()
}

fn read(row: incidents::Model) -> Incident {
    let incidents::Model {
        id,
        organisation_id: _,
        unit_id,
        event_class,
        severity,
        event_at,
        reported_at,
        reported_by,
        created_at,
        version,
        key_id: _,
    } = row;
    Incident {
        id,
        unit_id,
        event_class,
        severity,
        event_at,
        reported_at,
        reported_by,
        external_refs: Vec::new(),
        created_at,
        version,
    }
}

fn read_involvement(row: involvements::Model) -> Involvement {
    let involvements::Model {
        id,
        organisation_id: _,
        incident_id,
        person_id,
        unit_id,
        profession,
        support_offered,
        created_at,
        version,
    } = row;
    Involvement { id, incident_id, person_id, unit_id, profession, support_offered, created_at, version }
}
