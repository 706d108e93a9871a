//! From one state to the next, as rows: what is planned or changed, what is announced or called off, and when each
//! follow-up must be looked at again. Computed purely, written in a handful of statements for any number.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use nazorg_entities::{Audience, FollowUpId, JobKind, MessageId, MessageStatus, follow_ups, messages};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, TryIntoModel, sea_query::Expr,
};
use uuid::Uuid;

use super::{Running, rows::key_text, rules};
use crate::{
    Context, batch,
    database::Writing,
    error::Result,
    events::{self, Event},
    jobs::{self, Claimed, Owed},
    protocols::{Announcement, FollowUp, Key, Recipient, State},
};

/// What is announced for now and done at once, by whoever lets the time pass.
#[derive(Default)]
pub(crate) struct Hands {
    /// The jobs, in hand from the start.
    pub(crate) claimed: Vec<Claimed>,
    /// Those of the messages that have no row yet: they are judged first, and written as what became of them.
    pub(crate) fresh: Vec<messages::Model>,
}

/// What is to be written.
#[derive(Default)]
pub(super) struct Changes {
    follow_ups: Vec<follow_ups::ActiveModel>,
    known: Vec<(FollowUpId, FollowUp)>,
    messages: Vec<messages::ActiveModel>,
    called_off: Vec<(FollowUpId, String, i32, String)>,
    owed: Vec<Owed>,
    not_owed: Vec<Uuid>,
    sends: Vec<Owed>,
    events: Vec<Event>,
}

/// Collects what differs between `before` and where the trajectory is now.
pub(super) fn between(cx: &Context<'_>, before: &State, running: &mut Running, changes: &mut Changes) {
    let after: BTreeMap<Key, FollowUp> = running.state().follow_ups.clone();
    let started = before.started_at.is_none();
    for (key, follow_up) in &after {
        let old = before.follow_ups.get(key);
        let id = match (running.follow_up_id(key), old) {
            (Some(id), _) => id,
            // A row that should be there and is not is the ledger's to tell, not ours to hide.
            (None, Some(_)) => continue,
            (None, None) => {
                let id = FollowUpId(cx.app.ids.next());
                running.remember(key, id);
                id
            }
        };
        if old.is_none_or(|old| rules::row_differs(old, follow_up)) {
            match old {
                None => changes.follow_ups.push(row(cx, running, id, follow_up)),
                Some(_) => changes.known.push((id, follow_up.clone())),
            }
            changes.events.extend(event(running, id, (old, follow_up), started));
        }
        announce(cx, running, (id, old, follow_up), changes);
        plan(running, (id, before, key), changes);
    }
}

/// When to look again: a job put or taken away where that moment changed.
fn plan(running: &Running, (id, before, key): (FollowUpId, &State, &Key), changes: &mut Changes) {
    let next = running.next_moment(key);
    let was = before
        .follow_ups
        .contains_key(key)
        .then(|| crate::protocols::next_moment(running.protocol(), running.around(), before, key))
        .flatten();
    match next {
        Some(due_at) if was != next => changes.owed.push(Owed { subject: id.0, due_at }),
        None if was.is_some() => changes.not_owed.push(id.0),
        _ => {}
    }
}

fn announce(
    cx: &Context<'_>,
    running: &Running,
    (id, old, follow_up): (FollowUpId, Option<&FollowUp>, &FollowUp),
    changes: &mut Changes,
) {
    for announcement in &follow_up.announcements {
        let known = old.and_then(|old| {
            old.announcements.iter().find(|known| known.rule == announcement.rule && known.nth == announcement.nth)
        });
        match (known, &announcement.called_off) {
            (None, _) => {
                let message = message(cx, running, id, (follow_up, announcement));
                if announcement.called_off.is_none()
                    && let Set(message) = message.id
                {
                    changes.sends.push(Owed { subject: message.0, due_at: announcement.at });
                }
                changes.messages.push(message);
            }
            (Some(known), Some(off)) if known.called_off.is_none() => {
                changes.called_off.push((id, announcement.rule.clone(), announcement.nth, off.reason.clone()));
            }
            _ => {}
        }
    }
}

fn row(cx: &Context<'_>, running: &Running, id: FollowUpId, follow_up: &FollowUp) -> follow_ups::ActiveModel {
    let trajectory = running.row();
    let step = running.protocol().step(&follow_up.key.step);
    follow_ups::ActiveModel {
        id: Set(id),
        organisation_id: Set(cx.organisation),
        case_id: Set(trajectory.case_id),
        trajectory_id: Set(trajectory.id),
        unit_id: Set(running.unit_id()),
        key: Set(key_text(&follow_up.key)),
        step: Set(follow_up.key.step.clone()),
        anchor_id: Set(follow_up.key.anchor_id),
        occurrence: Set(follow_up.key.occurrence),
        role: Set(follow_up.role.clone()),
        action: Set(step.map_or("task", |step| step.action.as_str()).to_owned()),
        status: Set(follow_up.status.as_str().to_owned()),
        opens_at: Set(follow_up.opens_at),
        due_at: Set(follow_up.due_at),
        closes_at: Set(follow_up.closes_at),
        expires_at: Set(follow_up.expires_at),
        outcome: Set(follow_up.outcome.clone()),
        reason: Set(follow_up.reason.clone()),
        final_at: Set(follow_up.final_at),
        assigned_person_id: Set(None),
        created_at: Set(cx.now),
        version: Set(1),
    }
}

fn message(
    cx: &Context<'_>,
    running: &Running,
    id: FollowUpId,
    (follow_up, announcement): (&FollowUp, &Announcement),
) -> messages::ActiveModel {
    let trajectory = running.row();
    let to_role = match &announcement.to {
        Recipient::Actor => follow_up.role.clone(),
        other => other.as_str().to_owned(),
    };
    let audience = match to_role.as_str() {
        "person" => Audience::Person,
        "close_one" => Audience::Family,
        _ => Audience::Staff,
    };
    let off = announcement.called_off.as_ref();
    messages::ActiveModel {
        id: Set(MessageId(cx.app.ids.next())),
        organisation_id: Set(cx.organisation),
        case_id: Set(trajectory.case_id),
        trajectory_id: Set(trajectory.id),
        follow_up_id: Set(id),
        rule: Set(announcement.rule.clone()),
        nth: Set(announcement.nth),
        to_role: Set(to_role),
        because: Set(announcement.because.to_owned()),
        audience: Set(audience),
        template: Set(rules::template(announcement, audience)),
        planned_at: Set(announcement.at),
        status: Set(if off.is_some() { MessageStatus::Cancelled } else { MessageStatus::Pending }),
        reason: Set(off.map(|off| off.reason.clone())),
        recipient_id: Set(None),
        channel: Set(None),
        contact_point_id: Set(None),
        merged_into: Set(None),
        provider_id: Set(None),
        sent_at: Set(None),
        delivered_at: Set(None),
        acknowledged_at: Set(None),
        replied_at: Set(None),
        final_at: Set(off.map(|off| off.at)),
        created_at: Set(cx.now),
        version: Set(1),
    }
}

/// What the feed tells of a follow-up: what the start planned goes without saying.
fn event(
    running: &Running,
    id: FollowUpId,
    (old, follow_up): (Option<&FollowUp>, &FollowUp),
    started: bool,
) -> Option<Event> {
    let kind = rules::event_kind(old, follow_up, started)?;
    let event = Event::new(kind, id.0).of_case(running.row().case_id);
    Some(event.with(serde_json::json!({ "status": follow_up.status.as_str(), "step": follow_up.key.step })))
}

/// Writes it all. What is announced for now goes into `hands`, a batch at most, where there are any; else through the queue. `quiet`:
/// nothing else follows, and so nothing that could call a message off before it has a row.
pub(super) async fn write(
    tx: &Writing,
    cx: &Context<'_>,
    changes: Changes,
    (hands, quiet): (Option<&mut Hands>, bool),
) -> Result<()> {
    let Changes { follow_ups, known, mut messages, called_off, owed, not_owed, mut sends, events: happened } = changes;
    batch::insert(tx, &follow_ups, None).await?;
    rewrite(tx, known).await?;
    call_off(tx, cx, &called_off).await?;
    jobs::put(tx, cx, JobKind::FollowUp, &owed).await?;
    jobs::remove(tx, JobKind::FollowUp, &not_owed).await?;
    if let Some(hands) = hands {
        let (mut now, later): (Vec<_>, Vec<_>) = sends.into_iter().partition(|one| one.due_at <= cx.now);
        sends = now.split_off(now.len().min(jobs::BATCH.saturating_sub(hands.claimed.len())));
        sends.extend(later);
        hands.claimed.extend(jobs::put_in_hand(tx, cx, JobKind::Message, &now).await?);
        if quiet {
            let now: HashSet<Uuid> = now.into_iter().map(|one| one.subject).collect();
            let taken: Vec<_>;
            (taken, messages) = messages.into_iter().partition(|one| now.contains(&one.id.as_ref().0));
            for message in taken {
                hands.fresh.push(message.try_into_model()?);
            }
        }
    }
    batch::insert(tx, &messages, None).await?;
    jobs::put(tx, cx, JobKind::Message, &sends).await?;
    events::record(tx, cx, happened);
    Ok(())
}

/// Known rows take over where their follow-ups are now, but for who they were handed to.
async fn rewrite(tx: &Writing, known: Vec<(FollowUpId, FollowUp)>) -> Result<()> {
    const COLUMNS: [&str; 10] =
        ["id", "role", "status", "opens_at", "due_at", "closes_at", "expires_at", "outcome", "reason", "final_at"];
    let rows = known.into_iter().map(|(id, one)| {
        vec![
            id.into(),
            one.role.into(),
            one.status.as_str().into(),
            one.opens_at.into(),
            one.due_at.into(),
            one.closes_at.into(),
            one.expires_at.into(),
            one.outcome.into(),
            one.reason.into(),
            one.final_at.into(),
        ]
    });
    batch::update(tx, ("follow_ups", &COLUMNS), rows.collect()).await
}

/// What was announced and not sent yet is not sent; what is on its way or gone stays what it is.
async fn call_off(tx: &Writing, cx: &Context<'_>, off: &[(FollowUpId, String, i32, String)]) -> Result<()> {
    use messages::Column as C;
    let mut gone: Vec<Uuid> = Vec::new();
    for (follow_up, rule, nth, reason) in off {
        let pending: Vec<MessageId> = messages::Entity::find()
            .select_only()
            .column(C::Id)
            .filter(C::FollowUpId.eq(*follow_up))
            .filter(C::Rule.eq(rule.as_str()))
            .filter(C::Nth.eq(*nth))
            .filter(C::Status.eq(MessageStatus::Pending))
            .into_tuple()
            .all(&**tx)
            .await?;
        if pending.is_empty() {
            continue;
        }
        messages::Entity::update_many()
            .col_expr(C::Status, Expr::value(MessageStatus::Cancelled.as_str()))
            .col_expr(C::Reason, Expr::value(reason.as_str()))
            .col_expr(C::FinalAt, Expr::value(Some::<DateTime<Utc>>(cx.now)))
            .col_expr(C::Version, Expr::col(C::Version).add(1))
            .filter(C::Id.is_in(pending.clone()))
            .exec(&**tx)
            .await?;
        gone.extend(pending.into_iter().map(|id| id.0));
    }
    jobs::remove(tx, JobKind::Message, &gone).await?;
    crate::messages::speak_for_themselves(tx, cx, &gone.into_iter().map(MessageId).collect::<Vec<_>>()).await
}
