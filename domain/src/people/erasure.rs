//! Erasing a person: everything that says who they are goes, and their key with it, so that no old backup of the data can be
//! read beside the current key store (DESIGN section 4). What refers to them refers to nobody.

use nazorg_entities::{AccessAction, PersonId};

use super::{Person, access, open_one, rows};
use crate::{
    Context, audit,
    error::{Error, Result, ViolationCode},
    events::{self, Event, Kind},
    policy::Action,
    retention::{self, Remains},
};

/// Erases a person: name, addresses, relations, consents and references at once, the key in the moment after that, owed by
/// a job. Nothing is sent to them any more. 409 `person_needed` while something open, held or to be kept by law is about
/// them, 409 `person_erased` the second time. A restriction does not stop it: it ends with what it kept.
pub async fn erase(cx: &Context<'_>, id: PersonId) -> Result<Person> {
    let reach = cx.may(Action::ReadPeople)?;
    let tx = cx.begin().await?;
    crate::cases::lock_about(&tx, cx, id).await?;
    let row = rows::locked(&tx, cx, reach, id).await?;
    cx.may(Action::ManageRetention)?;
    if row.erased_at.is_some() {
        return Err(Error::violation(ViolationCode::PersonErased, "The person was erased before."));
    }
    if let Some(why) = rows::needed(&tx, cx, id).await? {
        return Err(Error::violation(ViolationCode::PersonNeeded, why));
    }
    let (key, restricted) = (row.key_id, row.restricted_at.is_some());
    rows::erase(&tx, cx, &row).await?;
    if restricted {
        retention::go_on(&tx, cx, id).await?;
    }
    retention::leave(&tx, cx, (id.0, Remains::Key, Some(key))).await?;
    events::record(&tx, cx, [Event::new(Kind::PersonErased, id.0)]);
    audit::record(&**tx, cx, &[access(AccessAction::Delete, "person.erased", id)]).await?;
    let mut after = open_one(&**tx, cx, rows::one(&**tx, cx, reach, id).await?).await?;
    after.name = None;
    tx.commit().await?;
    Ok(after)
}
