//! The SQL of protocol versions.

use nazorg_entities::{ProtocolId, ProtocolStatus, protocols};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::Expr,
};
use uuid::Uuid;

use super::{Filter, ProtocolVersion};
use crate::{
    Context,
    database::Writing,
    error::{Error, Result},
};

/// The only way this context starts a SELECT: the tenant's versions.
fn visible(cx: &Context<'_>) -> Select<protocols::Entity> {
    protocols::Entity::find().filter(protocols::Column::OrganisationId.eq(cx.organisation))
}

pub(super) async fn one(db: &impl ConnectionTrait, cx: &Context<'_>, id: ProtocolId) -> Result<ProtocolVersion> {
    let row = visible(cx).filter(protocols::Column::Id.eq(id)).one(db).await?;
    row.map(Into::into).ok_or(Error::NotFound)
}

/// Where a version stands, without its text.
pub(super) async fn status(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    id: ProtocolId,
) -> Result<Option<ProtocolStatus>> {
    let found = visible(cx).select_only().column(protocols::Column::Status).filter(protocols::Column::Id.eq(id));
    Ok(found.into_tuple().one(db).await?)
}

/// The highest version number of a name, 0 without one.
pub(super) async fn latest(db: &impl ConnectionTrait, cx: &Context<'_>, name: &str) -> Result<i32> {
    let newest = visible(cx)
        .filter(protocols::Column::Name.eq(name))
        .order_by_desc(protocols::Column::Number)
        .limit(1)
        .one(db)
        .await?;
    Ok(newest.map_or(0, |row| row.number))
}

pub(super) async fn list(
    cx: &Context<'_>,
    filter: &Filter,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<ProtocolVersion>> {
    let Filter { names, statuses } = filter;
    let mut found = visible(cx).order_by_asc(protocols::Column::Id).limit(limit);
    if !names.is_empty() {
        found = found.filter(protocols::Column::Name.is_in(names.clone()));
    }
    if !statuses.is_empty() {
        found = found.filter(protocols::Column::Status.is_in(statuses.clone()));
    }
    if let Some(after) = after {
        found = found.filter(protocols::Column::Id.gt(after));
    }
    Ok(found.all(&cx.db()).await?.into_iter().map(Into::into).collect())
}

pub(super) async fn insert(tx: &Writing, cx: &Context<'_>, version: &ProtocolVersion) -> Result<()> {
    let ProtocolVersion {
        id,
        name,
        number,
        status,
        kind,
        record_profile,
        text,
        derived_from,
        created_at,
        published_at,
        retired_at,
        version,
    } = version.clone();
    let row = protocols::ActiveModel {
        id: Set(id),
        organisation_id: Set(cx.organisation),
        name: Set(name),
        number: Set(number),
        status: Set(status),
        kind: Set(kind),
        record_profile: Set(record_profile),
        text: Set(text),
        derived_from: Set(derived_from),
        created_at: Set(created_at),
        published_at: Set(published_at),
        retired_at: Set(retired_at),
        version: Set(version),
    };
    protocols::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

pub(super) async fn update(tx: &Writing, cx: &Context<'_>, after: &ProtocolVersion, expected: i32) -> Result<()> {
    let after = after.clone();
    let changed = protocols::Entity::update_many()
        .col_expr(protocols::Column::Status, Expr::value(after.status.as_str()))
        .col_expr(protocols::Column::Kind, Expr::value(after.kind))
        .col_expr(protocols::Column::RecordProfile, Expr::value(after.record_profile))
        .col_expr(protocols::Column::Text, Expr::value(after.text))
        .col_expr(protocols::Column::PublishedAt, Expr::value(after.published_at))
        .col_expr(protocols::Column::RetiredAt, Expr::value(after.retired_at))
        .col_expr(protocols::Column::Version, Expr::value(after.version))
        .filter(protocols::Column::OrganisationId.eq(cx.organisation))
        .filter(protocols::Column::Id.eq(after.id))
        .filter(protocols::Column::Version.eq(expected))
        .exec(&**tx)
        .await?;
    if changed.rows_affected == 0 { Err(Error::Stale) } else { Ok(()) }
}
