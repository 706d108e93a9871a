//! The SQL of organisations and units.

use std::collections::HashMap;

use nazorg_entities::{DataKeyId, OrganisationId, UnitId, organisations, units};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QueryResult, QuerySelect,
    Select, Statement, Value,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

use super::{Organisation, Unit};
use crate::{
    App, Context,
    database::Writing,
    error::{Error, Result},
    protocols::Surroundings,
};

pub(super) async fn insert(tx: &Writing, row: organisations::Model) -> Result<()> {
    organisations::Entity::insert(row.into_active_model()).exec_without_returning(&**tx).await?;
    Ok(())
}

pub(super) async fn all(app: &App) -> Result<Vec<(OrganisationId, String)>> {
    Ok(organisations::Entity::find()
        .select_only()
        .columns([organisations::Column::Id, organisations::Column::Name])
        .order_by_asc(organisations::Column::Id)
        .into_tuple()
        .all(app.db.reader())
        .await?)
}

pub(super) async fn own(db: &impl ConnectionTrait, id: OrganisationId) -> Result<Organisation> {
    let row = organisations::Entity::find_by_id(id).one(db).await?.ok_or(Error::NotFound)?;
    let organisations::Model { id, key_id: _, name, zone, calendar, created_at, version, restored_at } = row;
    Ok(Organisation {
        id,
        name,
        zone: zone.parse().map_err(Error::internal)?,
        calendar: serde_json::from_value(calendar).map_err(Error::internal)?,
        created_at,
        version,
        restored_at,
    })
}

pub(super) async fn key_id(db: &impl ConnectionTrait, id: OrganisationId) -> Result<DataKeyId> {
    organisations::Entity::find_by_id(id)
        .select_only()
        .column(organisations::Column::KeyId)
        .into_tuple()
        .one(db)
        .await?
        .ok_or(Error::NotFound)
}

pub(super) async fn update(tx: &Writing, after: &Organisation, expected: i32) -> Result<()> {
    let calendar = serde_json::to_value(&after.calendar).map_err(Error::internal)?;
    let changed = organisations::Entity::update_many()
        .col_expr(organisations::Column::Name, Expr::value(after.name.clone()))
        .col_expr(organisations::Column::Zone, Expr::value(after.zone.name()))
        .col_expr(organisations::Column::Calendar, Expr::value(calendar))
        .col_expr(organisations::Column::Version, Expr::value(after.version))
        .filter(organisations::Column::Id.eq(after.id))
        .filter(organisations::Column::Version.eq(expected))
        .exec(&**tx)
        .await?;
    if changed.rows_affected == 0 { Err(Error::Stale) } else { Ok(()) }
}

pub(super) async fn set_restored(tx: &Writing, cx: &Context<'_>) -> Result<()> {
    organisations::Entity::update_many()
        .col_expr(organisations::Column::RestoredAt, Expr::value(Some(cx.now)))
        .col_expr(organisations::Column::Version, Expr::col(organisations::Column::Version).add(1))
        .filter(organisations::Column::Id.eq(cx.organisation))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// The only way this context starts a SELECT of units: the tenant's.
fn visible(organisation: OrganisationId) -> Select<units::Entity> {
    units::Entity::find().filter(units::Column::OrganisationId.eq(organisation))
}

/// Where a unit (`$2`) hangs in its organisation (`$1`), up to the nearest with a calendar of its own: what [`AROUND`] is read beside.
/// A parent that comes round ends the way up.
pub(crate) const UP: &str = "WITH RECURSIVE up (id, parent_id, calendar, height) AS ( \
    SELECT id, parent_id, calendar, 0 FROM units WHERE organisation_id = $1 AND id = $2 \
    UNION ALL SELECT units.id, units.parent_id, units.calendar, up.height + 1 FROM up \
    JOIN units ON units.id = up.parent_id WHERE up.calendar IS NULL AND up.height < 100)";

/// What [`around`] reads, of the organisation's row.
pub(crate) const AROUND: &str = "organisations.zone, organisations.calendar, (SELECT COUNT(*) FROM up) AS units, \
    (SELECT up.calendar FROM up WHERE up.calendar IS NOT NULL ORDER BY up.height LIMIT 1) AS nearest";

/// The zone and calendar that hold in a unit: its own calendar, else the nearest above it, else the organisation's. 404 when there is no
/// such unit.
pub(crate) fn around(row: &QueryResult, unit: Option<UnitId>) -> Result<Surroundings> {
    if unit.is_some() && row.try_get::<i64>("", "units")? == 0 {
        return Err(Error::NotFound);
    }
    let nearest: Option<serde_json::Value> = row.try_get("", "nearest")?;
    let calendar = nearest.map_or_else(|| row.try_get("", "calendar"), Ok)?;
    let zone: String = row.try_get("", "zone")?;
    Ok(Surroundings {
        zone: zone.parse().map_err(Error::internal)?,
        calendar: serde_json::from_value(calendar).map_err(Error::internal)?,
    })
}

pub(super) async fn surroundings(
    db: &impl ConnectionTrait,
    organisation: OrganisationId,
    unit: Option<UnitId>,
) -> Result<Surroundings> {
    let sql = format!("{UP} SELECT {AROUND} FROM organisations WHERE organisations.id = $1");
    let values: Vec<Value> = vec![organisation.into(), unit.into()];
    let row = db.query_one_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    around(&row.ok_or(Error::NotFound)?, unit)
}

pub(super) async fn parents(
    db: &impl ConnectionTrait,
    organisation: OrganisationId,
) -> Result<HashMap<UnitId, Option<UnitId>>> {
    let found: Vec<(UnitId, Option<UnitId>)> = visible(organisation)
        .select_only()
        .columns([units::Column::Id, units::Column::ParentId])
        .into_tuple()
        .all(db)
        .await?;
    Ok(found.into_iter().collect())
}

pub(super) async fn list_units(cx: &Context<'_>, after: Option<Uuid>, limit: u64) -> Result<Vec<Unit>> {
    let mut found = visible(cx.organisation).order_by_asc(units::Column::Id).limit(limit);
    if let Some(after) = after {
        found = found.filter(units::Column::Id.gt(after));
    }
    found.all(&cx.db()).await?.into_iter().map(Unit::from_row).collect()
}

pub(super) async fn unit(db: &impl ConnectionTrait, cx: &Context<'_>, id: UnitId) -> Result<Unit> {
    let row = visible(cx.organisation).filter(units::Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)?;
    Unit::from_row(row)
}

pub(super) async fn insert_unit(tx: &Writing, cx: &Context<'_>, unit: &Unit) -> Result<()> {
    let Unit { id, parent_id, name, kind, calendar, ended_at, created_at, version } = unit.clone();
    let row = units::ActiveModel {
        id: Set(id),
        organisation_id: Set(cx.organisation),
        parent_id: Set(parent_id),
        name: Set(name),
        kind: Set(kind),
        calendar: Set(calendar.map(serde_json::to_value).transpose().map_err(Error::internal)?),
        ended_at: Set(ended_at),
        created_at: Set(created_at),
        version: Set(version),
    };
    units::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

pub(super) async fn update_unit(tx: &Writing, cx: &Context<'_>, after: &Unit, expected: i32) -> Result<()> {
    let calendar = after.calendar.as_ref().map(serde_json::to_value).transpose().map_err(Error::internal)?;
    let changed = units::Entity::update_many()
        .col_expr(units::Column::ParentId, Expr::value(after.parent_id))
        .col_expr(units::Column::Name, Expr::value(after.name.clone()))
        .col_expr(units::Column::Kind, Expr::value(after.kind.clone()))
        .col_expr(units::Column::Calendar, Expr::value(calendar))
        .col_expr(units::Column::EndedAt, Expr::value(after.ended_at))
        .col_expr(units::Column::Version, Expr::value(after.version))
        .filter(units::Column::OrganisationId.eq(cx.organisation))
        .filter(units::Column::Id.eq(after.id))
        .filter(units::Column::Version.eq(expected))
        .exec(&**tx)
        .await?;
    if changed.rows_affected == 0 { Err(Error::Stale) } else { Ok(()) }
}
