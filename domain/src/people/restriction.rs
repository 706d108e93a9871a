//! Restriction of processing (GDPR article 18): what is kept about a person may only be kept, for as long as its accuracy, its
//! lawfulness or an objection is being settled, or they need it for a claim.

use nazorg_entities::{AccessAction, Instant, PersonId};

use super::{Person, access, open_one, rows};
use crate::{
    Context, audit,
    error::{Error, Result, ViolationCode},
    events::{self, Event, Kind},
    policy::Action,
    retention,
};

/// Restricts: nothing is sent to them, as judged at the moment of sending; nothing about them is changed but what takes something
/// back; nothing of theirs is forgotten. What staff is to do goes on. 409 `person_restricted` when it is, `person_erased` after that.
pub async fn restrict(cx: &Context<'_>, id: PersonId) -> Result<Person> {
    change(cx, id, (Kind::PersonRestricted, Some(cx.now))).await
}

/// Lifts the restriction: the next message goes, and what was to be forgotten meanwhile is forgotten at once. What was not sent
/// stays unsent. 409 `person_not_restricted` when there is none.
pub async fn lift_restriction(cx: &Context<'_>, id: PersonId) -> Result<Person> {
    change(cx, id, (Kind::PersonRestrictionLifted, None)).await
}

async fn change(cx: &Context<'_>, id: PersonId, (kind, at): (Kind, Option<Instant>)) -> Result<Person> {
    let reach = cx.may(Action::ReadPeople)?;
    let tx = cx.begin().await?;
    crate::cases::lock_about(&tx, cx, id).await?;
    let row = rows::locked(&tx, cx, reach, id).await?;
    cx.may(Action::ManageRetention)?;
    let row = rows::unerased(row)?;
    match (row.restricted_at, at) {
        (Some(_), Some(_)) => return Err(rows::restricted()),
        (None, None) => {
            let detail = "Their data may be processed as ever.";
            return Err(Error::violation(ViolationCode::PersonNotRestricted, detail));
        }
        _ => {}
    }
    rows::restrict(&tx, &row, at).await?;
    match at {
        Some(_) => retention::wait(&tx, cx, id).await?,
        None => retention::go_on(&tx, cx, id).await?,
    }
    events::record(&tx, cx, [Event::new(kind, id.0)]);
    audit::record(&**tx, cx, &[access(AccessAction::Update, kind.as_str(), id)]).await?;
    let after = open_one(&**tx, cx, rows::one(&**tx, cx, reach, id).await?).await?;
    tx.commit().await?;
    Ok(after)
}
