//! The SQL of persons.

mod erasing;

use std::collections::HashMap;

use chrono_tz::Tz;
use nazorg_entities::{DataKeyId, Instant, PersonId, cases, persons};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
    sea_query::{Expr, LockType, SelectStatement},
};
use uuid::Uuid;

use super::Person;
use crate::{
    Context,
    batch::one_of,
    database::Writing,
    error::{Error, Result, ViolationCode},
    external_refs::ExternalRef,
    policy::Reach,
};
pub(super) use erasing::{erase, locked, needed, traceless};

/// Locks persons, before what is known of them is judged for a message or changed: what was taken back, is not agreed to when a message is
/// marked after that, and two workers do not each find room for the last one of a week. The last in the order of locks
/// (`trajectories::lock`), before what belongs to a person.
pub(crate) async fn hold(tx: &Writing, ids: &[PersonId]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let _: Vec<PersonId> = persons::Entity::find()
        .select_only()
        .column(persons::Column::Id)
        .filter(one_of(&**tx, persons::Column::Id, ids.iter().copied()))
        .order_by_asc(persons::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .into_tuple()
        .all(&**tx)
        .await?;
    Ok(())
}

/// Whoever asks for a person because of what they are about to write waits for an erasure under way, and an erasure for them: what refers to
/// somebody is there before it looks, or refused. Others who refer to them do not wait. In the order of locks as [`hold`].
const STAYS: LockType = LockType::KeyShare;

/// A person as kept.
pub(super) struct Row {
    pub(super) id: PersonId,
    pub(super) key_id: DataKeyId,
    pub(super) name: Vec<u8>,
    pub(super) language: String,
    pub(super) zone: Option<Tz>,
    pub(super) profession: Option<String>,
    pub(super) do_not_contact_at: Option<Instant>,
    pub(super) deceased_at: Option<Instant>,
    pub(super) created_at: Instant,
    pub(super) version: i32,
    pub(super) erased_at: Option<Instant>,
    pub(super) restricted_at: Option<Instant>,
}

impl Row {
    /// The person, with what had to be opened.
    pub(super) fn into_person(self, name: Option<String>, external_refs: Vec<ExternalRef>) -> Person {
        let Self {
            id,
            key_id: _,
            name: _,
            language,
            zone,
            profession,
            do_not_contact_at,
            deceased_at,
            created_at,
            version,
            erased_at,
            restricted_at,
        } = self;
        Person {
            id,
            name,
            language,
            zone,
            profession,
            do_not_contact_at,
            deceased_at,
            external_refs,
            restricted_at,
            created_at,
            erased_at,
            version,
        }
    }
}

/// How this context starts a SELECT by many ids.
fn among(cx: &Context<'_>) -> Select<persons::Entity> {
    persons::Entity::find().filter(cx.ours(persons::Column::OrganisationId))
}

/// The only other way to start a SELECT of persons: the tenant's, or those of one's own cases.
pub(super) fn visible(cx: &Context<'_>, reach: Reach) -> Select<persons::Entity> {
    let all = persons::Entity::find().filter(persons::Column::OrganisationId.eq(cx.organisation));
    match reach {
        Reach::All => all,
        Reach::Own => all.filter(persons::Column::Id.in_subquery(of_own_cases(cx))),
    }
}

/// The persons of one's own cases.
pub(super) fn of_own_cases(cx: &Context<'_>) -> SelectStatement {
    cases::Entity::find()
        .select_only()
        .column(cases::Column::PersonId)
        .filter(cases::Column::OrganisationId.eq(cx.organisation))
        .filter(cases::Column::Id.in_subquery(crate::cases::visible_ids(cx)))
        .into_query()
}

/// Whether the tenant has this person, who then stays; who was erased can be named no more.
pub async fn exists(tx: &Writing, cx: &Context<'_>, id: PersonId) -> Result<bool> {
    Ok(known(tx, cx, &[id]).await?.contains_key(&id))
}

/// Whether the tenant has this person, or had before they were erased.
pub async fn existed(db: &impl ConnectionTrait, cx: &Context<'_>, id: PersonId) -> Result<bool> {
    Ok(visible(cx, Reach::All).filter(persons::Column::Id.eq(id)).count(db).await? > 0)
}

/// Those of `ids` the tenant has and who were not erased, each with since when their data may only be kept (GDPR article 18); who is there
/// stays until the transaction ends.
pub async fn known(tx: &Writing, cx: &Context<'_>, ids: &[PersonId]) -> Result<HashMap<PersonId, Option<Instant>>> {
    let found: Vec<(PersonId, Option<Instant>)> = among(cx)
        .select_only()
        .columns([persons::Column::Id, persons::Column::RestrictedAt])
        .filter(one_of(&**tx, persons::Column::Id, ids.iter().copied()))
        .filter(persons::Column::ErasedAt.is_null())
        .lock(STAYS)
        .into_tuple()
        .all(&**tx)
        .await?;
    Ok(found.into_iter().collect())
}

/// Those with this name.
pub(super) fn named(found: Select<persons::Entity>, index: Vec<u8>) -> Select<persons::Entity> {
    found.filter(persons::Column::NameIndex.eq(index))
}

/// Only this one, or nobody.
pub(super) fn being(found: Select<persons::Entity>, id: Option<Uuid>) -> Select<persons::Entity> {
    found.filter(persons::Column::Id.eq(id))
}

pub(super) async fn page(
    cx: &Context<'_>,
    found: Select<persons::Entity>,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Row>> {
    let mut found = found.order_by_asc(persons::Column::Id).limit(limit);
    if let Some(after) = after {
        found = found.filter(persons::Column::Id.gt(after));
    }
    found.all(&cx.db()).await?.into_iter().map(read).collect()
}

pub(super) async fn list(cx: &Context<'_>, reach: Reach, after: Option<Uuid>, limit: u64) -> Result<Vec<Row>> {
    page(cx, visible(cx, reach), after, limit).await
}

pub(super) async fn one(db: &impl ConnectionTrait, cx: &Context<'_>, reach: Reach, id: PersonId) -> Result<Row> {
    read(visible(cx, reach).filter(persons::Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)?)
}

/// One person who was not erased, and stays until the transaction ends; 409 `person_erased` otherwise.
pub(super) async fn present(tx: &Writing, cx: &Context<'_>, reach: Reach, id: PersonId) -> Result<Row> {
    let found = visible(cx, reach).filter(persons::Column::Id.eq(id)).lock(STAYS).one(&**tx).await?;
    unerased(read(found.ok_or(Error::NotFound)?)?)
}

/// The person, unless they were erased: 409 `person_erased`.
pub(super) fn unerased(row: Row) -> Result<Row> {
    match row.erased_at {
        None => Ok(row),
        Some(_) => Err(Error::violation(ViolationCode::PersonErased, "Nothing is kept of them any more.")),
    }
}

/// One person whose data may be changed: present, and not restricted; 409 `person_erased` or `person_restricted` otherwise.
pub(super) async fn changeable(tx: &Writing, cx: &Context<'_>, reach: Reach, id: PersonId) -> Result<Row> {
    let row = present(tx, cx, reach, id).await?;
    match row.restricted_at {
        None => Ok(row),
        Some(_) => Err(restricted()),
    }
}

/// What is kept of a restricted person is not changed.
pub(crate) fn restricted() -> Error {
    let detail = "The processing of their data is restricted: it is kept as it is until the restriction is lifted.";
    Error::violation(ViolationCode::PersonRestricted, detail)
}

/// Those of `ids` the tenant has.
pub(super) async fn many(db: &impl ConnectionTrait, cx: &Context<'_>, ids: &[PersonId]) -> Result<Vec<Row>> {
    let found = among(cx).filter(one_of(db, persons::Column::Id, ids.iter().copied())).all(db).await?;
    found.into_iter().map(read).collect()
}

pub(super) async fn insert(
    tx: &Writing,
    cx: &Context<'_>,
    new: &Person,
    (key, (name, name_index)): (DataKeyId, (Vec<u8>, Vec<u8>)),
) -> Result<()> {
    let Person {
        id,
        name: _,
        language,
        zone,
        profession,
        do_not_contact_at,
        deceased_at,
        external_refs: _,
        restricted_at,
        created_at,
        erased_at,
        version,
    } = new.clone();
    let row = persons::ActiveModel {
        id: Set(id),
        organisation_id: Set(cx.organisation),
        key_id: Set(key),
        name_enc: Set(name),
        name_index: Set(name_index),
        language: Set(language),
        zone: Set(zone.map(|zone| zone.name().to_owned())),
        profession: Set(profession),
        do_not_contact_at: Set(do_not_contact_at),
        deceased_at: Set(deceased_at),
        created_at: Set(created_at),
        version: Set(version),
        erased_at: Set(erased_at),
        restricted_at: Set(restricted_at),
    };
    persons::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

pub(super) async fn update(
    tx: &Writing,
    cx: &Context<'_>,
    after: &Person,
    (name, name_index): (Vec<u8>, Vec<u8>),
) -> Result<()> {
    use persons::Column as C;
    let changed = persons::Entity::update_many()
        .col_expr(C::NameEnc, Expr::value(name))
        .col_expr(C::NameIndex, Expr::value(name_index))
        .col_expr(C::Language, Expr::value(after.language.clone()))
        .col_expr(C::Zone, Expr::value(after.zone.map(|zone| zone.name())))
        .col_expr(C::Profession, Expr::value(after.profession.clone()))
        .col_expr(C::DoNotContactAt, Expr::value(after.do_not_contact_at))
        .col_expr(C::DeceasedAt, Expr::value(after.deceased_at))
        .col_expr(C::Version, Expr::value(after.version))
        .filter(C::OrganisationId.eq(cx.organisation))
        .filter(C::Id.eq(after.id))
        .filter(C::Version.eq(after.version - 1))
        .exec(&**tx)
        .await?;
    if changed.rows_affected == 0 { Err(Error::Stale) } else { Ok(()) }
}

/// Since when what is kept may only be kept; `None` lifts that. The row is locked.
pub(super) async fn restrict(tx: &Writing, row: &Row, at: Option<Instant>) -> Result<()> {
    use persons::Column as C;
    persons::Entity::update_many()
        .col_expr(C::RestrictedAt, Expr::value(at))
        .col_expr(C::Version, Expr::value(row.version + 1))
        .filter(C::Id.eq(row.id))
        .exec(&**tx)
        .await?;
    Ok(())
}

fn read(row: persons::Model) -> Result<Row> {
    let persons::Model {
        id,
        organisation_id: _,
        key_id,
        name_enc,
        name_index: _,
        language,
        zone,
        profession,
        do_not_contact_at,
        deceased_at,
        created_at,
        version,
        erased_at,
        restricted_at,
    } = row;
    let zone = zone.map(|zone| zone.parse().map_err(Error::internal)).transpose()?;
    Ok(Row {
        id,
        key_id,
        name: name_enc,
        language,
        zone,
        profession,
        do_not_contact_at,
        deceased_at,
        created_at,
        version,
        erased_at,
        restricted_at,
    })
}
