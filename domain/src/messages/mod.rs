//! Messages: one notification to one recipient over one channel. They are planned by a trajectory, judged at the moment of
//! sending, and accounted for in the ledger; the recipient's system may say that one was seen.

mod facts;
mod merged;
mod returning;
mod rows;
pub mod rules;
mod sending;
mod settling;
mod templates;

use nazorg_entities::{
    AccessAction, Audience, CaseId, ChannelKind, FollowUpId, Instant, MessageId, MessageStatus, PersonId, TrajectoryId,
    messages as table,
};
use serde_json::json;
use uuid::Uuid;

pub(crate) use merged::speak_for_themselves;
pub use returning::report_delivery;
pub(crate) use returning::{ANSWERS_WITHIN, replied};
pub use sending::{ToSend, take, wake_and_take};
pub use settling::{Delivered, Sending, settle};
pub use templates::Template;

use crate::{
    Context,
    audit::{self, Access},
    database::Writing,
    error::{Error, Result},
    events::{self, Event, Kind},
    policy::{Action, Reach},
    trajectories,
};
use rules::Seen;

/// A message, without its text: that is its template's.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id; a mail's `Message-ID` begins with it.
    pub id: MessageId,
    /// In which case.
    pub case_id: CaseId,
    /// In which trajectory.
    pub trajectory_id: TrajectoryId,
    /// About which follow-up.
    pub follow_up_id: FollowUpId,
    /// The role it is for.
    pub to_role: String,
    /// Why it was announced.
    pub because: String,
    /// For whom.
    pub audience: Audience,
    /// With which text.
    pub template: String,
    /// When it was to go.
    pub planned_at: Instant,
    /// Its bucket in the ledger.
    pub status: MessageStatus,
    /// Why it was not sent, or not yet.
    pub reason: Option<String>,
    /// To whom, once that was resolved.
    pub recipient_id: Option<PersonId>,
    /// Over which channel.
    pub channel: Option<ChannelKind>,
    /// Which message speaks for it.
    pub merged_into: Option<MessageId>,
    /// When it was sent.
    pub sent_at: Option<Instant>,
    /// When it was reported to have arrived.
    pub delivered_at: Option<Instant>,
    /// When it was seen.
    pub acknowledged_at: Option<Instant>,
    /// When it was first answered.
    pub replied_at: Option<Instant>,
    /// Since when nothing changes any more.
    pub final_at: Option<Instant>,
    /// Row version.
    pub version: i32,
}

/// Which messages a list holds.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only in these states.
    pub statuses: Vec<MessageStatus>,
    /// Only in these cases.
    pub case_ids: Vec<CaseId>,
    /// Only about these follow-ups.
    pub follow_up_ids: Vec<FollowUpId>,
    /// Only to these persons.
    pub recipient_ids: Vec<PersonId>,
}

/// Messages in order of their ids, after one.
pub async fn list(cx: &Context<'_>, filter: &Filter, after: Option<Uuid>, limit: u64) -> Result<Vec<Message>> {
    let reach = cx.may(Action::ReadMessages)?;
    let found = rows::list(cx, reach, filter, (after, limit)).await?;
    let seen: Vec<_> = found.iter().filter_map(|row| seen(row, "message.listed")).collect();
    audit::seen(cx, &seen).await?;
    Ok(found.into_iter().map(Message::from_row).collect())
}

/// One message.
pub async fn read(cx: &Context<'_>, id: MessageId) -> Result<Message> {
    let reach = cx.may(Action::ReadMessages)?;
    let row = rows::one(&cx.db(), cx, reach, id).await?;
    audit::seen(cx, &seen(&row, "message.read").into_iter().collect::<Vec<_>>()).await?;
    Ok(Message::from_row(row))
}

/// What was to be sent in the cases about a person, for the copy that is given to them.
pub(crate) async fn kept_about(cx: &Context<'_>, person: PersonId, limit: u64) -> Result<Vec<Message>> {
    Ok(rows::about(cx, person, limit).await?.into_iter().map(Message::from_row).collect())
}

/// What a person was sent as someone close, in cases that are another's.
pub(crate) async fn received_elsewhere(cx: &Context<'_>, person: PersonId, limit: u64) -> Result<Vec<Message>> {
    Ok(rows::received_elsewhere(cx, person, limit).await?.into_iter().map(Message::from_row).collect())
}

/// It was seen: once, by the recipient or by whoever may see all. Saying so again changes nothing. What nobody knew the end of, or was
/// reported as lost, was sent after all. Where it told staff of a follow-up, rungs of its ladder that say `unless: acknowledged` stay
/// silent. 409 `message_not_sent` of what never went out; unavailable while it is being handed over.
pub async fn acknowledge(cx: &Context<'_>, id: MessageId) -> Result<Message> {
    let reach = cx.may(Action::ReadMessages)?;
    let tx = cx.begin().await?;
    let found = rows::one(&**tx, cx, reach, id).await?;
    let allowed = cx.may(Action::AcknowledgeMessages)?;
    let mut row = returning::in_hand(&tx, cx, found).await?;
    if allowed == Reach::Own && row.recipient_id != cx.caller.person {
        return Err(Error::Forbidden);
    }
    let seen = rules::seen(row.status, row.reason.as_deref(), row.acknowledged_at.is_some())?;
    if seen != Seen::Already {
        row = keep_seen(&tx, cx, (row, seen)).await?;
    }
    tx.commit().await?;
    Ok(Message::from_row(row))
}

async fn keep_seen(tx: &Writing, cx: &Context<'_>, (mut row, seen): (table::Model, Seen)) -> Result<table::Model> {
    let told = json!({ "was": row.status.as_str() });
    if seen == Seen::Arrived {
        row.sent_at = row.sent_at.or(Some(cx.now));
        (row.status, row.reason, row.final_at) = (MessageStatus::Sent, None, Some(cx.now));
    }
    row.acknowledged_at = Some(cx.now);
    row.version += 1;
    rows::save(tx, vec![row.clone()]).await?;
    if row.audience == Audience::Staff {
        trajectories::acknowledged(tx, cx, (row.trajectory_id, row.follow_up_id)).await?;
    }
    let happened = Event::new(Kind::MessageAcknowledged, row.id.0).of_case(row.case_id).with(told);
    events::record(tx, cx, [happened]);
    let access = Access::new(AccessAction::Update, "message.acknowledged", "message", row.id.0);
    audit::record(&**tx, cx, &[of_recipient(access, &row)]).await?;
    Ok(row)
}

/// Looking at a message to a person or family is looking at that person's data.
fn seen(row: &table::Model, code: &'static str) -> Option<Access> {
    let person = row.recipient_id.filter(|_| row.audience != Audience::Staff)?;
    Some(Access::new(AccessAction::Read, code, "message", row.id.0).of(person))
}

fn of_recipient(access: Access, row: &table::Model) -> Access {
    match row.recipient_id {
        Some(person) => access.of(person),
        None => access,
    }
}

impl Message {
    fn from_row(row: table::Model) -> Self {
        let table::Model {
            id,
            organisation_id: _,
            case_id,
            trajectory_id,
            follow_up_id,
            rule: _,
            nth: _,
            to_role,
            because,
            audience,
            template,
            planned_at,
            status,
            reason,
            recipient_id,
            channel,
            contact_point_id: _,
            merged_into,
            provider_id: _,
            sent_at,
            delivered_at,
            acknowledged_at,
            replied_at,
            final_at,
            created_at: _,
            version,
        } = row;
        Self {
            id,
            case_id,
            trajectory_id,
            follow_up_id,
            to_role,
            because,
            audience,
            template,
            planned_at,
            status,
            reason,
            recipient_id,
            channel,
            merged_into,
            // While it is being sent the row holds when that began.
            sent_at: sent_at.filter(|_| status != MessageStatus::Sending),
            delivered_at,
            acknowledged_at,
            replied_at,
            final_at,
            version,
        }
    }
}
