//! The SQL of API keys.

use nazorg_entities::{ApiKeyId, Instant, Json, OrganisationId, PersonId, Role, UnitId, api_keys, memberships};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::Expr,
};
use uuid::Uuid;

use super::{ApiKey, rules};
use crate::{
    App, Context,
    database::Writing,
    error::{Error, Result},
    policy::Scope,
};

/// The only way this context starts a SELECT: the tenant's keys.
fn visible(cx: &Context<'_>) -> Select<api_keys::Entity> {
    api_keys::Entity::find().filter(api_keys::Column::OrganisationId.eq(cx.organisation))
}

pub(super) async fn insert(tx: &Writing, cx: &Context<'_>, key: &ApiKey, secret_hash: Vec<u8>) -> Result<()> {
    let ApiKey { id, name, role, scopes, person_id, hint, expires_at, revoked_at, created_at, version } = key.clone();
    let row = api_keys::ActiveModel {
        id: Set(id),
        organisation_id: Set(cx.organisation),
        name: Set(name),
        role: Set(role),
        scopes: Set(serde_json::to_value(scopes).map_err(Error::internal)?),
        person_id: Set(person_id),
        secret_hash: Set(secret_hash),
        hint: Set(hint),
        expires_at: Set(expires_at),
        revoked_at: Set(revoked_at),
        created_at: Set(created_at),
        version: Set(version),
    };
    api_keys::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

pub(super) async fn list(cx: &Context<'_>, after: Option<Uuid>, limit: u64) -> Result<Vec<ApiKey>> {
    let mut found = visible(cx).order_by_asc(api_keys::Column::Id).limit(limit);
    if let Some(after) = after {
        found = found.filter(api_keys::Column::Id.gt(after));
    }
    found.all(&cx.db()).await?.into_iter().map(read).collect()
}

pub(super) async fn one(db: &impl ConnectionTrait, cx: &Context<'_>, id: ApiKeyId) -> Result<ApiKey> {
    read(visible(cx).filter(api_keys::Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)?)
}

pub(super) async fn revoke(tx: &Writing, cx: &Context<'_>, key: &ApiKey) -> Result<()> {
    let changed = api_keys::Entity::update_many()
        .col_expr(api_keys::Column::RevokedAt, Expr::value(key.revoked_at))
        .col_expr(api_keys::Column::Version, Expr::value(key.version))
        .filter(api_keys::Column::OrganisationId.eq(cx.organisation))
        .filter(api_keys::Column::Id.eq(key.id))
        .filter(api_keys::Column::Version.eq(key.version - 1))
        .exec(&**tx)
        .await?;
    if changed.rows_affected == 0 { Err(Error::Stale) } else { Ok(()) }
}

/// Before the tenant is known: the one look-up that is not by organisation.
pub(super) async fn by_secret(app: &App, secret_hash: &[u8]) -> Result<Option<api_keys::Model>> {
    Ok(api_keys::Entity::find()
        .filter(api_keys::Column::SecretHash.eq(secret_hash.to_vec()))
        .one(app.db.reader())
        .await?)
}

/// Everything a person was ever given here: the role, the unit, and whether it holds now.
pub(super) async fn memberships(
    app: &App,
    organisation: OrganisationId,
    person: PersonId,
) -> Result<Vec<rules::Given>> {
    use memberships::Column as C;
    let now = app.clock.now();
    let found: Vec<(Role, Option<UnitId>, Instant, Option<Instant>)> = memberships::Entity::find()
        .select_only()
        .columns([C::Role, C::UnitId, C::StartedAt, C::EndedAt])
        .filter(C::OrganisationId.eq(organisation))
        .filter(C::PersonId.eq(person))
        .into_tuple()
        .all(app.db.reader())
        .await?;
    let given = |(role, unit, from, until): (_, _, Instant, Option<Instant>)| rules::Given {
        role,
        unit,
        holds: from <= now && until.is_none_or(|at| at > now),
    };
    Ok(found.into_iter().map(given).collect())
}

pub(super) fn scopes(json: &Json) -> Result<Vec<Scope>> {
    serde_json::from_value(json.clone()).map_err(Error::internal)
}

fn read(row: api_keys::Model) -> Result<ApiKey> {
    let api_keys::Model {
        id,
        organisation_id: _,
        name,
        role,
        scopes,
        person_id,
        secret_hash: _,
        hint,
        expires_at,
        revoked_at,
        created_at,
        version,
    } = row;
    let scopes = self::scopes(&scopes)?;
    Ok(ApiKey { id, name, role, scopes, person_id, hint, expires_at, revoked_at, created_at, version })
}
