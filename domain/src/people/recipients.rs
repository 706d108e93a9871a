//! What a message needs to know of its recipients, for many at once, without opening anything that is not used.

use std::collections::HashMap;

use chrono_tz::Tz;
use nazorg_entities::{DataKeyId, Instant, PersonId};
use sea_orm::ConnectionTrait;

use super::{
    contact_points::{self, ContactPoint},
    rows,
};
use crate::{Context, error::Result, secrets::place};

/// Someone a message may go to.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// Who.
    pub id: PersonId,
    /// The language they are written to in.
    pub language: String,
    /// Their own time zone.
    pub zone: Option<Tz>,
    /// Since when nobody may contact them.
    pub do_not_contact_at: Option<Instant>,
    /// Since when they are known to have died.
    pub deceased_at: Option<Instant>,
    /// Since when their data may only be kept.
    pub restricted_at: Option<Instant>,
    /// Since when nothing says who they are.
    pub erased_at: Option<Instant>,
    /// How to reach them: what has not ended, the preferred first.
    pub reachable: Vec<Reachable>,
}

/// A contact point whose address is still sealed; [`open_address`] opens it.
#[derive(Debug, Clone)]
pub struct Reachable {
    /// The contact point; its `address` is absent.
    pub point: ContactPoint,
    sealed: Vec<u8>,
    key: DataKeyId,
}

/// The recipients among `ids`, in two queries. Who is not there, is not the tenant's.
pub async fn recipients(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    ids: &[PersonId],
) -> Result<HashMap<PersonId, Recipient>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut keys = HashMap::new();
    let mut found = HashMap::new();
    for row in rows::many(db, cx, ids).await? {
        let rows::Row {
            id,
            key_id,
            name: _,
            language,
            zone,
            profession: _,
            do_not_contact_at,
            deceased_at,
            created_at: _,
            version: _,
            erased_at,
            restricted_at,
        } = row;
        keys.insert(id, key_id);
        let recipient = Recipient {
            id,
            language,
            zone,
            do_not_contact_at,
            deceased_at,
            restricted_at,
            erased_at,
            reachable: Vec::new(),
        };
        found.insert(id, recipient);
    }
    for (point, sealed) in contact_points::in_use(db, cx, ids).await? {
        if let (Some(recipient), Some(key)) = (found.get_mut(&point.person_id), keys.get(&point.person_id)) {
            recipient.reachable.push(Reachable { point, sealed, key: *key });
        }
    }
    Ok(found)
}

/// The address, at the moment it is used.
pub async fn open_address(cx: &Context<'_>, reachable: &Reachable) -> Result<String> {
    let key = cx.app.keys.one(reachable.key).await?;
    key.open_text(&place(contact_points::ADDRESS, reachable.point.id.0), &reachable.sealed)
}
