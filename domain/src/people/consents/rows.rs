//! The SQL of consents.

use std::collections::HashMap;

use nazorg_entities::{ConsentId, PersonId, consents};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select, sea_query::Expr,
};
use uuid::Uuid;

use super::Consent;
use crate::{
    Context,
    batch::one_of,
    database::Writing,
    error::{Error, Result},
    people::rows::of_own_cases,
    policy::Reach,
};

/// How this context starts a SELECT by many persons.
fn among(cx: &Context<'_>) -> Select<consents::Entity> {
    consents::Entity::find().filter(cx.ours(consents::Column::OrganisationId))
}

/// The only other way: the tenant's, or those of persons of one's own cases.
fn visible(cx: &Context<'_>, reach: Reach) -> Select<consents::Entity> {
    let all = consents::Entity::find().filter(consents::Column::OrganisationId.eq(cx.organisation));
    match reach {
        Reach::All => all,
        Reach::Own => all.filter(consents::Column::PersonId.in_subquery(of_own_cases(cx))),
    }
}

pub(in crate::people) async fn of(
    cx: &Context<'_>,
    person: PersonId,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Consent>> {
    let mut found = visible(cx, Reach::All)
        .filter(consents::Column::PersonId.eq(person))
        .order_by_asc(consents::Column::Id)
        .limit(limit);
    if let Some(after) = after {
        found = found.filter(consents::Column::Id.gt(after));
    }
    found.all(&cx.db()).await?.into_iter().map(read).collect()
}

/// All that was not revoked of these persons, in one query; [`super::rules::covers`] judges them.
pub async fn of_many(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    persons: &[PersonId],
) -> Result<HashMap<PersonId, Vec<Consent>>> {
    let rows = among(cx)
        .filter(one_of(db, consents::Column::PersonId, persons.iter().copied()))
        .filter(consents::Column::RevokedAt.is_null())
        .order_by_asc(consents::Column::Id)
        .all(db)
        .await?;
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows {
        found.entry(row.person_id).or_default().push(read(row)?);
    }
    Ok(found)
}

/// What these persons agreed to for a purpose, towards a person, a kind of party or (neither) the organisation itself, and neither took
/// back nor outlived, locked.
pub(super) async fn standing(
    tx: &Writing,
    cx: &Context<'_>,
    persons: &[PersonId],
    (purpose, (person, party)): (&str, (Option<PersonId>, Option<&str>)),
) -> Result<Vec<Consent>> {
    use consents::Column as C;
    let found = among(cx)
        .filter(C::PersonId.is_in(persons.iter().copied()))
        .filter(C::Purpose.eq(purpose))
        .filter(person.map_or(C::RecipientPersonId.is_null(), |person| C::RecipientPersonId.eq(person)))
        .filter(party.map_or(C::Recipient.is_null(), |party| C::Recipient.eq(party)))
        .filter(C::RevokedAt.is_null())
        .filter(Condition::any().add(C::ValidUntil.is_null()).add(C::ValidUntil.gt(cx.now)))
        .order_by_asc(C::Id)
        .lock_exclusive()
        .all(&**tx)
        .await?;
    found.into_iter().map(read).collect()
}

pub(super) async fn one(db: &impl ConnectionTrait, cx: &Context<'_>, reach: Reach, id: ConsentId) -> Result<Consent> {
    read(visible(cx, reach).filter(consents::Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)?)
}

pub(super) async fn insert(tx: &Writing, cx: &Context<'_>, new: &Consent) -> Result<()> {
    let Consent {
        id,
        person_id,
        purpose,
        recipient_person_id,
        recipient,
        items,
        legal_basis,
        given_by,
        valid_from,
        valid_until,
        revoked_at,
        created_at,
        version,
    } = new.clone();
    let row = consents::ActiveModel {
        id: Set(id),
        organisation_id: Set(cx.organisation),
        person_id: Set(person_id),
        purpose: Set(purpose),
        recipient_person_id: Set(recipient_person_id),
        recipient: Set(recipient),
        items: Set(serde_json::to_value(items).map_err(Error::internal)?),
        legal_basis: Set(legal_basis),
        given_by: Set(given_by),
        valid_from: Set(valid_from),
        valid_until: Set(valid_until),
        revoked_at: Set(revoked_at),
        created_at: Set(created_at),
        version: Set(version),
    };
    consents::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

pub(super) async fn revoke(tx: &Writing, cx: &Context<'_>, after: &Consent) -> Result<()> {
    let changed = consents::Entity::update_many()
        .col_expr(consents::Column::RevokedAt, Expr::value(after.revoked_at))
        .col_expr(consents::Column::Version, Expr::value(after.version))
        .filter(consents::Column::OrganisationId.eq(cx.organisation))
        .filter(consents::Column::Id.eq(after.id))
        .filter(consents::Column::Version.eq(after.version - 1))
        .exec(&**tx)
        .await?;
    if changed.rows_affected == 0 { Err(Error::Stale) } else { Ok(()) }
}

fn read(row: consents::Model) -> Result<Consent> {
    let consents::Model {
        id,
        organisation_id: _,
        person_id,
        purpose,
        recipient_person_id,
        recipient,
        items,
        legal_basis,
        given_by,
        valid_from,
        valid_until,
        revoked_at,
        created_at,
        version,
    } = row;
    let items = serde_json::from_value(items).map_err(Error::internal)?;
    Ok(Consent {
        id,
        person_id,
        purpose,
        recipient_person_id,
        recipient,
        items,
        legal_basis,
        given_by,
        valid_from,
        valid_until,
        revoked_at,
        created_at,
        version,
    })
}
