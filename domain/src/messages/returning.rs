//! What comes back of a message that was sent: whether it arrived, and that it was answered. What was answered never comes here.

use chrono::TimeDelta;
use nazorg_entities::{
    AccessAction, Audience, ContactPointId, Instant, MessageId, MessageStatus, PersonId, messages as table,
};
use serde_json::json;

use super::{
    of_recipient, rows,
    rules::{self, Ending, Heard, NOT_DELIVERED, Report, Then},
    sending::{Ended, ended, follow, then},
};
use crate::{
    Context,
    audit::{self, Access},
    database::Writing,
    error::{Error, Result},
    events::{self, Event, Kind},
    policy::{Action, Reach},
    staff, trajectories,
};

/// So long after a message what comes from its number is an answer to it.
pub(crate) const ANSWERS_WITHIN: TimeDelta = TimeDelta::days(14);

/// A gateway says what became of a message it took. The same said again changes nothing. 409 `message_not_sent` of what no gateway took,
/// `delivery_contradicted` when it is known to have arrived; unavailable while its sending is not kept yet.
pub async fn report_delivery(
    cx: &Context<'_>,
    id: MessageId,
    (report, gateway_reason): (Report, Option<String>),
) -> Result<()> {
    cx.may(Action::RelayTexts)?;
    rules::report(report, gateway_reason.as_deref())?;
    let tx = cx.begin().await?;
    let found = rows::one(&**tx, cx, Reach::All, id).await?;
    let row = in_hand(&tx, cx, found).await?;
    match rules::heard(row.status, row.reason.as_deref(), row.delivered_at.is_some(), report)? {
        Heard::Known => {}
        Heard::Arrived => arrived(&tx, cx, row).await?,
        Heard::Lost => lost(&tx, cx, row, gateway_reason).await?,
    }
    tx.commit().await
}

/// The message locked, its trajectory before it, as every verb does.
pub(super) async fn in_hand(tx: &Writing, cx: &Context<'_>, found: table::Model) -> Result<table::Model> {
    trajectories::lock(tx, &[found.trajectory_id]).await?;
    rows::locked(tx, cx, &[found.id]).await?.pop().ok_or(Error::NotFound)
}

async fn arrived(tx: &Writing, cx: &Context<'_>, mut row: table::Model) -> Result<()> {
    let told = json!({ "channel": row.channel, "was": row.status.as_str() });
    if row.status != MessageStatus::Sent {
        row.sent_at = row.sent_at.or(Some(cx.now));
        row.final_at = Some(cx.now);
    }
    (row.status, row.reason, row.delivered_at) = (MessageStatus::Sent, None, Some(cx.now));
    row.version += 1;
    let happened = Event::new(Kind::MessageDelivered, row.id.0).of_case(row.case_id).with(told);
    events::record(tx, cx, [happened]);
    keep(tx, cx, row, "message.delivered").await
}

async fn lost(tx: &Writing, cx: &Context<'_>, mut row: table::Model, gateway_reason: Option<String>) -> Result<()> {
    let then = if row.audience == Audience::Staff { Then::Alarm } else { Then::Task(NOT_DELIVERED) };
    let ending = Ending { status: MessageStatus::Failed, reason: NOT_DELIVERED.to_owned(), then };
    // When it was sent stays: it was.
    (row.status, row.reason) = (ending.status, Some(ending.reason.clone()));
    row.final_at = Some(cx.now);
    row.version += 1;
    let ended = Ended { gateway_reason, ..about(tx, cx, &row).await? };
    keep(tx, cx, row, "message.not_delivered").await?;
    follow(tx, cx, vec![(ended, ending)]).await
}

/// A message with the role that does its follow-up.
async fn about(tx: &Writing, cx: &Context<'_>, row: &table::Model) -> Result<Ended> {
    let follow_ups = rows::follow_ups(tx, cx, &[row.follow_up_id]).await?;
    let role = follow_ups.get(&row.follow_up_id).map_or(staff::rules::COORDINATOR, |one| one.role.as_str());
    Ok(ended(row, role))
}

async fn keep(tx: &Writing, cx: &Context<'_>, row: table::Model, code: &'static str) -> Result<()> {
    let access = of_recipient(Access::new(AccessAction::Update, code, "message", row.id.0), &row);
    rows::save(tx, vec![row]).await?;
    audit::record(&**tx, cx, &[access]).await
}

/// Something came from where these persons can be reached: the first time it leaves a task `replied` for whoever does the follow-up of
/// the latest message that went there. Answers whether there is such a message.
pub(crate) async fn replied(tx: &Writing, cx: &Context<'_>, at: (&[ContactPointId], &[PersonId])) -> Result<bool> {
    let since: Instant = cx.now - ANSWERS_WITHIN;
    let Some(found) = rows::last_to(tx, cx, at, since).await? else { return Ok(false) };
    let mut row = in_hand(tx, cx, found).await?;
    if row.replied_at.is_some() {
        return Ok(true);
    }
    row.replied_at = Some(cx.now);
    row.version += 1;
    let about = about(tx, cx, &row).await?;
    let happened = Event::new(Kind::MessageReplied, row.id.0).of_case(row.case_id);
    keep(tx, cx, row, "message.replied").await?;
    let alarm = then(tx, cx, &about, (Then::Task("replied"), "replied")).await?;
    events::record(tx, cx, [happened].into_iter().chain(alarm));
    Ok(true)
}
