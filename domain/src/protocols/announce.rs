//! Which announcements a step's rules call for, and when.

use super::calendar::{Shift, Surroundings, offset};
use super::duration::Offset;
use super::language::{Action, Outgoing, Recipient, Remind, RemindWhen, Step};
use super::state::FollowUp;
use chrono::{DateTime, NaiveTime, Utc};

/// One rule of a step, worked out for a follow-up.
pub(super) struct Call {
    pub(super) rule: String,
    pub(super) to: Recipient,
    /// The moment the rule itself gives: when this changes, what was announced is called off and announced anew.
    pub(super) nominal: DateTime<Utc>,
    /// When it is announced: not before the present plan was made.
    pub(super) at: DateTime<Utc>,
    pub(super) because: &'static str,
    pub(super) template: Option<String>,
    /// It is not worth saying: it came too late, or was seen to.
    pub(super) moot: bool,
}

/// Every timed announcement of a planned follow-up, reached or not.
pub(super) fn calls(step: &Step, follow_up: &FollowUp, around: &Surroundings) -> Vec<Call> {
    let (Some(due), Some(deadline)) = (follow_up.due_at, follow_up.deadline()) else { return Vec::new() };
    let since = follow_up.planned_at;
    let call = |rule: String, to: &Recipient, (nominal, because): (DateTime<Utc>, &'static str)| Call {
        rule,
        to: to.clone(),
        nominal,
        at: nominal.max(since),
        because,
        template: None,
        moot: false,
    };
    let mut calls = Vec::new();
    for (place, to) in step.announce.iter().enumerate() {
        let rule = format!("announce:{place}");
        let moved = follow_up.announcements.iter().any(|told| told.rule == rule);
        let because = if moved { "moved" } else { "scheduled" };
        calls.push(Call { at: since, ..call(rule, to, (due, because)) });
    }
    for (place, remind) in step.remind.iter().enumerate() {
        if let Some(when) = reminder(remind, follow_up, around) {
            // "In four hours" has no meaning any more for what is due already.
            let moot = matches!(remind.when, RemindWhen::BeforeDue(_)) && due <= since;
            calls.push(Call { moot, ..call(format!("remind:{place}"), &remind.to, when) });
        }
    }
    if let Some(message) = message(step) {
        calls
            .push(Call { template: message.template, ..call("message".to_owned(), &message.to, (due, "message_due")) });
    }
    for (place, escalate) in step.escalate.iter().enumerate() {
        let when = shifted(deadline, escalate.after_close, None, around);
        let moot = escalate.unless_acknowledged && follow_up.is_acknowledged();
        calls.push(Call { moot, ..call(format!("escalate:{place}"), &escalate.to, (when, "after_close")) });
    }
    calls
}

/// What a step of `action: message` sends at its due moment: to the person, unless it says otherwise.
pub(super) fn message(step: &Step) -> Option<Outgoing> {
    let default = || Outgoing { to: Recipient::Person, template: None };
    (step.action == Action::Message).then(|| step.message.clone().unwrap_or_else(default))
}

fn reminder(remind: &Remind, follow_up: &FollowUp, around: &Surroundings) -> Option<(DateTime<Utc>, &'static str)> {
    let due = follow_up.due_at?;
    match remind.when {
        RemindWhen::BeforeDue(by) => Some((shifted(due, by.negated(), remind.at, around), "before_due")),
        RemindWhen::AfterDue(by) => Some((shifted(due, by, remind.at, around), "after_due")),
        RemindWhen::Opens => follow_up.opens_at.map(|at| (at, "at_opens")),
        RemindWhen::Due => Some((due, "at_due")),
        RemindWhen::Closes => follow_up.deadline().map(|at| (at, "at_closes")),
    }
}

fn shifted(from: DateTime<Utc>, by: Offset, at: Option<NaiveTime>, around: &Surroundings) -> DateTime<Utc> {
    offset(from, Shift::new(by).at(at), around)
}
