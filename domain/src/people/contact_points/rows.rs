//! The SQL of contact points.

use chrono::NaiveTime;
use nazorg_entities::{ContactPointId, Instant, PersonId, contact_points, persons};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select, sea_query::Expr,
};
use uuid::Uuid;

use super::{ContactPoint, Window};
use crate::{
    Context,
    batch::one_of,
    database::Writing,
    error::{Error, Result},
    people::rows::of_own_cases,
    policy::Reach,
};

/// A time of day as kept.
const TIME: &str = "%H:%M";

/// A contact point with its address still sealed.
type Row = (ContactPoint, Vec<u8>);

/// The only way this context starts a SELECT: the tenant's, or those of persons of one's own cases.
fn visible(cx: &Context<'_>, reach: Reach) -> Select<contact_points::Entity> {
    let all = contact_points::Entity::find().filter(contact_points::Column::OrganisationId.eq(cx.organisation));
    match reach {
        Reach::All => all,
        Reach::Own => all.filter(contact_points::Column::PersonId.in_subquery(of_own_cases(cx))),
    }
}

/// Those of `found` who can be reached at the address with this index.
pub(in crate::people) fn reached_by(
    found: Select<persons::Entity>,
    cx: &Context<'_>,
    index: Vec<u8>,
) -> Select<persons::Entity> {
    let owners = visible(cx, Reach::All)
        .select_only()
        .column(contact_points::Column::PersonId)
        .filter(contact_points::Column::AddressIndex.eq(index))
        .filter(contact_points::Column::EndedAt.is_null())
        .into_query();
    found.filter(persons::Column::Id.in_subquery(owners))
}

/// What has not ended at the address with this index, or only since, and whose it is; and whether it is in use.
pub(super) async fn at(
    tx: &Writing,
    cx: &Context<'_>,
    index: Vec<u8>,
    since: Instant,
) -> Result<Vec<(ContactPointId, PersonId, bool)>> {
    use contact_points::Column as C;
    let found = visible(cx, Reach::All)
        .select_only()
        .columns([C::Id, C::PersonId])
        .expr(C::EndedAt.is_null())
        .filter(C::AddressIndex.eq(index))
        .filter(Condition::any().add(C::EndedAt.is_null()).add(C::EndedAt.gt(since)));
    Ok(found.into_tuple().all(&**tx).await?)
}

pub(super) async fn of(cx: &Context<'_>, person: PersonId, after: Option<Uuid>, limit: u64) -> Result<Vec<Row>> {
    let mut found = visible(cx, Reach::All)
        .filter(contact_points::Column::PersonId.eq(person))
        .order_by_asc(contact_points::Column::Id)
        .limit(limit);
    if let Some(after) = after {
        found = found.filter(contact_points::Column::Id.gt(after));
    }
    found.all(&cx.db()).await?.into_iter().map(read).collect()
}

/// What has not ended of these persons, the preferred first.
pub(in crate::people) async fn in_use(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    persons: &[PersonId],
) -> Result<Vec<Row>> {
    let found = contact_points::Entity::find()
        .filter(cx.ours(contact_points::Column::OrganisationId))
        .filter(one_of(db, contact_points::Column::PersonId, persons.iter().copied()))
        .filter(contact_points::Column::EndedAt.is_null())
        .order_by_asc(contact_points::Column::Preference)
        .order_by_asc(contact_points::Column::Id)
        .all(db)
        .await?;
    found.into_iter().map(read).collect()
}

pub(super) async fn one(db: &impl ConnectionTrait, cx: &Context<'_>, reach: Reach, id: ContactPointId) -> Result<Row> {
    read(visible(cx, reach).filter(contact_points::Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)?)
}

pub(super) async fn insert(
    tx: &Writing,
    cx: &Context<'_>,
    new: &ContactPoint,
    (sealed, index): (Vec<u8>, Vec<u8>),
) -> Result<()> {
    let ContactPoint {
        id,
        person_id,
        channel,
        address: _,
        safe,
        verified_at,
        expires_at,
        allowed,
        voicemail,
        contact_mode,
        preference,
        ended_at,
        created_at,
        version,
    } = new.clone();
    let row = contact_points::ActiveModel {
        id: Set(id),
        organisation_id: Set(cx.organisation),
        person_id: Set(person_id),
        channel: Set(channel),
        address_enc: Set(sealed),
        address_index: Set(index),
        safe: Set(safe),
        verified_at: Set(verified_at),
        expires_at: Set(expires_at),
        allowed_from: Set(allowed.map(|window| write(window.from))),
        allowed_until: Set(allowed.map(|window| write(window.until))),
        voicemail: Set(voicemail),
        contact_mode: Set(contact_mode),
        preference: Set(preference),
        ended_at: Set(ended_at),
        created_at: Set(created_at),
        version: Set(version),
    };
    contact_points::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

pub(super) async fn update(tx: &Writing, cx: &Context<'_>, after: &ContactPoint) -> Result<()> {
    use contact_points::Column as C;
    let changed = contact_points::Entity::update_many()
        .col_expr(C::Safe, Expr::value(after.safe.as_str()))
        .col_expr(C::VerifiedAt, Expr::value(after.verified_at))
        .col_expr(C::ExpiresAt, Expr::value(after.expires_at))
        .col_expr(C::AllowedFrom, Expr::value(after.allowed.map(|window| write(window.from))))
        .col_expr(C::AllowedUntil, Expr::value(after.allowed.map(|window| write(window.until))))
        .col_expr(C::Voicemail, Expr::value(after.voicemail.as_str()))
        .col_expr(C::ContactMode, Expr::value(after.contact_mode.as_str()))
        .col_expr(C::Preference, Expr::value(after.preference))
        .col_expr(C::EndedAt, Expr::value(after.ended_at))
        .col_expr(C::Version, Expr::value(after.version))
        .filter(C::OrganisationId.eq(cx.organisation))
        .filter(C::Id.eq(after.id))
        .filter(C::Version.eq(after.version - 1))
        .exec(&**tx)
        .await?;
    if changed.rows_affected == 0 { Err(Error::Stale) } else { Ok(()) }
}

fn write(time: NaiveTime) -> String {
    time.format(TIME).to_string()
}

fn read(row: contact_points::Model) -> Result<Row> {
    let contact_points::Model {
        id,
        organisation_id: _,
        person_id,
        channel,
        address_enc,
        address_index: _,
        safe,
        verified_at,
        expires_at,
        allowed_from,
        allowed_until,
        voicemail,
        contact_mode,
        preference,
        ended_at,
        created_at,
        version,
    } = row;
    let time = |text: String| NaiveTime::parse_from_str(&text, TIME).map_err(Error::internal);
    let (from, until) = (allowed_from.map(time).transpose()?, allowed_until.map(time).transpose()?);
    let point = ContactPoint {
        id,
        person_id,
        channel,
        address: None,
        safe,
        verified_at,
        expires_at,
        allowed: from.zip(until).map(|(from, until)| Window { from, until }),
        voicemail,
        contact_mode,
        preference,
        ended_at,
        created_at,
        version,
    };
    Ok((point, address_enc))
}
