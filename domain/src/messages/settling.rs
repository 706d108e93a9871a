//! The second transaction: what the provider said becomes what the row says.

use std::{collections::BTreeMap, time::Duration};

use nazorg_entities::{Audience, Instant, MessageId, MessageStatus, OrganisationId, messages};
use serde_json::json;

use super::{
    ToSend, rows,
    rules::{Ending, NOT_DELIVERED, Then},
    sending::{access, ended, finish, follow},
};
use crate::{
    App, Context, audit,
    database::Writing,
    error::Result,
    events::{self, Event, Kind},
    jobs::{self, Lease, Outcome},
    trajectories,
};

/// What came of sending one message.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// Which.
    pub message: ToSend,
    /// How far it got.
    pub result: Sending,
}

impl Delivered {
    fn is_taken(&self) -> bool {
        matches!(self.result, Sending::Taken { .. })
    }
}

/// How far a message got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sending {
    /// The provider took it.
    Taken {
        /// What the provider calls it.
        provider_id: Option<String>,
    },
    /// The provider certainly did not take it.
    NotTaken {
        /// Why, with the provider's number: for the ledger.
        reason: String,
        /// The same without the number: for the job.
        code: &'static str,
        /// How long to wait before the next try; `None`: there is none.
        retry: Option<Duration>,
    },
    /// It may have been taken.
    Perhaps {
        /// Why.
        reason: String,
        /// For the job.
        code: &'static str,
        /// How long to wait before staff is sent it again; `None`: it is not.
        retry: Option<Duration>,
    },
    /// It was not begun: no attempt was made.
    NotBegun,
}

/// What becomes of a message and its job.
enum Fate {
    Sent(Option<String>),
    Again { reason: String, code: &'static str, after: Duration },
    Back,
    Ended(Ending),
}

/// Staff at least once, others at most once: the one place where that is decided.
fn fate(audience: Audience, result: Sending) -> Fate {
    let staff = audience == Audience::Staff;
    let end = |status, reason, then| Fate::Ended(Ending { status, reason, then });
    match result {
        Sending::Taken { provider_id } => Fate::Sent(provider_id),
        Sending::NotBegun => Fate::Back,
        Sending::NotTaken { reason, code, retry: Some(after) } => Fate::Again { reason, code, after },
        Sending::NotTaken { reason, retry: None, .. } => {
            end(MessageStatus::Failed, reason, if staff { Then::Alarm } else { Then::Task(NOT_DELIVERED) })
        }
        Sending::Perhaps { reason, code, retry: Some(after) } if staff => Fate::Again { reason, code, after },
        Sending::Perhaps { reason, .. } => {
            end(MessageStatus::Unknown, reason, if staff { Then::Alarm } else { Then::Task("delivery_unknown") })
        }
    }
}

/// Settles what was sent. A message that another worker has taken over meanwhile is that worker's: it is left as it is.
pub async fn settle(app: &App, delivered: Vec<Delivered>) -> Result<()> {
    // What was taken concerns nothing but its own row and job. What was not may leave a task in its trajectory.
    let untaken = delivered.iter().filter(|one| !one.is_taken());
    let about: Vec<_> = untaken.map(|one| one.message.trajectory).collect();
    let mut by_organisation: BTreeMap<OrganisationId, Vec<Delivered>> = BTreeMap::new();
    for one in delivered {
        by_organisation.entry(one.message.organisation).or_default().push(one);
    }
    let tx = app.db.begin_batch().await?;
    trajectories::lock(&tx, &about).await?;
    let mut back = Vec::new();
    for (organisation, delivered) in by_organisation {
        let cx = app.worker_context(organisation);
        back.append(&mut settle_in(&tx, &cx, delivered).await?);
    }
    tx.commit(&*app.bell).await?;
    if back.is_empty() { Ok(()) } else { jobs::hand_back(app, &back).await }
}

/// Answers the jobs that are handed back untouched.
async fn settle_in(tx: &Writing, cx: &Context<'_>, delivered: Vec<Delivered>) -> Result<Vec<Lease>> {
    // The jobs before the messages, as whoever takes these does. One that another worker took over has another version by now.
    let done: Vec<_> =
        delivered.iter().filter(|one| one.is_taken()).map(|one| (one.message.job, Outcome::Done)).collect();
    jobs::settle(tx, cx.app, &done).await?;
    let ids: Vec<MessageId> = delivered.iter().map(|one| one.message.id).collect();
    let mut rows: BTreeMap<MessageId, messages::Model> =
        rows::locked(tx, cx, &ids).await?.into_iter().map(|row| (row.id, row)).collect();
    let untaken = delivered.iter().filter(|one| !one.is_taken()).filter_map(|one| rows.get(&one.message.id));
    let follow_ups = rows::follow_ups(tx, cx, &untaken.map(|row| row.follow_up_id).collect::<Vec<_>>()).await?;
    let (mut settled, mut back, mut changed, mut endings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for Delivered { message, result } in delivered {
        let ours = |row: &messages::Model| row.status == MessageStatus::Sending && row.version == message.version;
        let Some(mut row) = rows.remove(&message.id).filter(ours) else {
            tracing::warn!(code = "message_taken_over", message_id = %message.id, "its settling is refused");
            continue;
        };
        row.version += 1;
        match fate(message.audience, result) {
            Fate::Sent(provider_id) => sent(&mut row, provider_id, cx.now),
            Fate::Again { reason, code, after } => {
                (row.status, row.reason, row.sent_at) = (MessageStatus::Pending, Some(reason), None);
                settled.push((message.job, Outcome::Retry { after, error: code }));
            }
            Fate::Back => {
                (row.status, row.reason, row.sent_at) = (MessageStatus::Pending, None, None);
                back.push(message.job);
            }
            Fate::Ended(ending) => {
                finish(&mut row, &ending, cx.now);
                let role = follow_ups.get(&row.follow_up_id).map_or("coordinator", |one| one.role.as_str());
                endings.push((ended(&row, role), ending));
                settled.push((message.job, Outcome::Done));
            }
        }
        changed.push(row);
    }
    tell(tx, cx, &changed).await?;
    rows::save(tx, changed).await?;
    follow(tx, cx, endings).await?;
    jobs::settle(tx, cx.app, &settled).await?;
    Ok(back)
}

fn sent(row: &mut messages::Model, provider_id: Option<String>, now: Instant) {
    row.status = MessageStatus::Sent;
    row.reason = None;
    row.provider_id = provider_id;
    row.final_at = Some(now);
}

/// The events of what was sent, and for persons and families who was reached, for their own overview (DOMAIN 10.17). What someone close
/// was sent stands in the overview of the person it is about, too: that it was, not to whom (DOMAIN 7.4). Their own case is their own.
async fn tell(tx: &Writing, cx: &Context<'_>, changed: &[messages::Model]) -> Result<()> {
    let sent = || changed.iter().filter(|row| row.status == MessageStatus::Sent);
    let happened = sent().map(|row| {
        let told = json!({ "template": row.template, "channel": row.channel });
        Event::new(Kind::MessageSent, row.id.0).of_case(row.case_id).with(told)
    });
    events::record(tx, cx, happened.collect::<Vec<_>>());
    let reached = sent().filter(|row| row.audience != Audience::Staff);
    let mut accesses: Vec<_> =
        reached.filter_map(|row| Some(access("message.sent", row.id, row.recipient_id?))).collect();
    let to_close_ones: Vec<_> = sent().filter(|row| row.audience == Audience::Family).collect();
    if !to_close_ones.is_empty() {
        let about = rows::cases(tx, cx, &to_close_ones.iter().map(|row| row.case_id).collect::<Vec<_>>()).await?;
        let told = to_close_ones.iter().filter_map(|row| Some((row.id, about.get(&row.case_id)?.person)));
        accesses.extend(told.map(|(message, person)| access("message.sent_to_close_one", message, person)));
    }
    audit::record(&**tx, cx, &accesses).await
}
