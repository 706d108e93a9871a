//! Erasing a person: everything that says who they are goes, and their key with it, so that no old backup of the data can be
//! read beside the current key store (DESIGN section 4). So do the words of their closed cases. What refers to them refers to nobody.

use nazorg_entities::{AccessAction, PersonId};

use super::{Person, access, open_one, rows};
use crate::{
    Context, audit,
    error::{Error, Result, ViolationCode},
    events::{self, Event, Kind},
    policy::Action,
    retention::{self, Remains},
    trajectories,
};

/// Erases a person: name, addresses, relations, consents and references at once, notes and references of their closed cases too, the keys in
/// the moment after that, owed by jobs. What was still to come in those cases is called off: nothing is sent to them any more. 409 `person_needed` while something open, held or to be kept by law is about
/// them, 409 `person_erased` the second time. A restriction does not stop it: it ends with what it kept.
pub async fn erase(cx: &Context<'_>, id: PersonId) -> Result<Person> {
    let reach = cx.may(Action::ReadPeople)?;
    let tx = cx.begin().await?;
    let running = trajectories::lock_about(&tx, cx, id).await?;
    rows::traceless(&tx, cx, id).await?;
    let row = rows::locked(&tx, cx, reach, id).await?;
    cx.may(Action::ManageRetention)?;
    if row.erased_at.is_some() {
        return Err(Error::violation(ViolationCode::PersonErased, "The person was erased before."));
    }
    if let Some(why) = rows::needed(&tx, cx, id).await? {
        return Err(Error::violation(ViolationCode::PersonNeeded, why));
    }
    let key = row.key_id;
    trajectories::end(&tx, cx, (&running, ViolationCode::PersonErased.as_str())).await?;
    rows::erase(&tx, cx, &row).await?;
    retention::forget_words(&tx, cx, id).await?;
    retention::go_on(&tx, cx, id).await?;
    retention::leave(&tx, cx, (id.0, Remains::Key, Some(key))).await?;
    events::record(&tx, cx, [Event::new(Kind::PersonErased, id.0)]);
    audit::record(&**tx, cx, &[access(AccessAction::Delete, "person.erased", id)]).await?;
    let mut after = open_one(&**tx, cx, rows::one(&**tx, cx, reach, id).await?).await?;
    after.name = None;
    tx.commit().await?;
    Ok(after)
}
