//! A legal hold: nothing of a held case is forgotten until the hold is lifted (DOMAIN 10.12).

use nazorg_entities::{AccessAction, CaseId, CaseStatus, Instant};

use super::{Case, kept, rows, visible_one};
use crate::{
    Context,
    error::{Error, Result, ViolationCode},
    events::Kind,
    policy::Action,
    retention,
};

/// Holds a case: its retention stops, and the person it is about cannot be erased. 409 `case_held` when it is.
pub async fn hold(cx: &Context<'_>, id: CaseId) -> Result<Case> {
    change(cx, id, (Kind::CaseHeld, Some(cx.now))).await
}

/// Lifts the hold: what was due meanwhile happens at once. 409 `case_not_held` when there is none.
pub async fn lift_hold(cx: &Context<'_>, id: CaseId) -> Result<Case> {
    change(cx, id, (Kind::CaseHoldLifted, None)).await
}

async fn change(cx: &Context<'_>, id: CaseId, (kind, held_at): (Kind, Option<Instant>)) -> Result<Case> {
    let reach = cx.may(Action::ReadCases)?;
    let tx = cx.begin().await?;
    let before = visible_one(&**tx, cx, reach, id).await?;
    cx.may(Action::ManageRetention)?;
    match (before.held_at, held_at) {
        (Some(_), Some(_)) => return Err(Error::violation(ViolationCode::CaseHeld, "The case is held already.")),
        (None, None) => return Err(Error::violation(ViolationCode::CaseNotHeld, "The case is not held.")),
        _ => {}
    }
    let expected = before.version;
    let after = Case { held_at, version: expected + 1, ..before };
    rows::update(&tx, cx, &after, expected).await?;
    if held_at.is_some() {
        retention::release(&tx, id).await?;
    } else if after.status == CaseStatus::Closed {
        retention::owe(&tx, cx, id).await?;
    }
    kept(&tx, cx, &after, (kind, AccessAction::Update)).await?;
    tx.commit().await?;
    Ok(after)
}
