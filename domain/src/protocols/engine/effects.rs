//! What an outcome sets off.

use super::Run;
use super::follow_ups::Origin;
use super::time::call_off;
use crate::protocols::calendar::{Shift, offset};
use crate::protocols::input::Effect;
use crate::protocols::language::{AfterMissed, Do, Outgoing, Recipient, Retry, Step};
use crate::protocols::state::{Announcement, Closed, FollowUp, Key, Plan, Stage, Status};
use uuid::Uuid;

/// Where effects come from: which follow-up, and through what.
pub(super) struct Cause<'a> {
    pub(super) key: &'a Key,
    /// The outcome's code, or `missed`.
    pub(super) code: &'a str,
}

impl Run<'_> {
    pub(super) fn perform(&mut self, effects: &[Do], cause: &Cause<'_>) {
        for effect in effects {
            match effect {
                Do::Activate(steps) => self.activate(steps, Some(cause.key)),
                Do::Restart(steps) => self.restart(steps, cause.key),
                Do::Cancel(steps) => self.cancel(steps),
                Do::Retry(retry) => self.retry(retry, cause),
                Do::Close(reason) => self.close(reason),
                Do::Reopen => self.reopen(),
                Do::Rematch(role) => self.rematch(role, cause.key),
                Do::Alert(to) => self.told(cause, "alert", &Outgoing { to: to.clone(), template: None }),
                Do::Message(message) => self.told(cause, "message", message),
                Do::SetStage(stage) => self.enter(stage),
                Do::Pause => self.pause(),
                Do::SetParam(params) => params.iter().for_each(|(param, value)| self.change_param(param, *value)),
                Do::Refer(to) => self.effects.push(Effect::Refer { to: to.clone(), follow_up: cause.key.clone() }),
                // Taken into account when the follow-up became final.
                Do::CountsAs(_) => {}
            }
        }
    }

    /// Begins steps that do not run. An effect of something that runs for one value or subject stays with that one.
    pub(super) fn activate(&mut self, steps: &[String], from: Option<&Key>) {
        let protocol = self.protocol;
        for step in steps.iter().filter_map(|name| protocol.step(name)) {
            for id in self.begun(step, from) {
                if self.running(step, id).is_empty() {
                    let round = self.last_round(step, id) + 1;
                    self.create(step, id, Origin { round, ..Origin::FIRST });
                }
            }
        }
    }

    fn restart(&mut self, steps: &[String], from: &Key) {
        let protocol = self.protocol;
        for step in steps.iter().filter_map(|name| protocol.step(name)) {
            for id in self.begun(step, Some(from)) {
                for key in self.running(step, id) {
                    self.finalise(&key, Status::Superseded, "restarted");
                }
                let origin = Origin { restarted_at: Some(self.now), round: self.last_round(step, id) + 1, turn: 1 };
                self.create(step, id, origin);
            }
        }
    }

    /// For whom a step begins: the one value or subject that the cause runs for, where the step runs for it too;
    /// otherwise everyone, and everyone who comes later.
    fn begun(&mut self, step: &Step, from: Option<&Key>) -> Vec<Option<Uuid>> {
        let all = self.instances(step);
        match from.map(|key| key.anchor_id).filter(|id| id.is_some() && all.contains(id)) {
            Some(id) => vec![id],
            None => {
                self.state.activated.insert(step.name.clone());
                all
            }
        }
    }

    fn running(&self, step: &Step, id: Option<Uuid>) -> Vec<Key> {
        let mut keys = self.unfinished(Some(&step.name));
        keys.retain(|key| key.anchor_id == id);
        keys
    }

    fn cancel(&mut self, steps: &[String]) {
        for step in steps {
            self.state.activated.remove(step);
            for key in self.unfinished(Some(step)) {
                self.finalise(&key, Status::Cancelled, "cancelled_by_outcome");
            }
        }
    }

    /// Another try, its window moved along; or what comes when the tries are used up.
    fn retry(&mut self, retry: &Retry, cause: &Cause<'_>) {
        let (Some(step), Some(old)) = (self.step(cause.key), self.state.follow_ups.get(cause.key).cloned()) else {
            return;
        };
        let Some(plan) = old.plan.clone().filter(|_| old.tries < retry.times && self.state.closed.is_none()) else {
            self.perform(&retry.then, cause);
            return;
        };
        let now = self.now;
        if let Some(old) = self.get(cause.key) {
            old.reason = Some("retried".to_owned());
            call_off(old, now, "retried");
        }
        let due_at = offset(now, Shift::new(retry.after).at(step.at), self.around);
        let by = due_at - plan.due_at;
        let moved = Plan {
            opens_at: plan.opens_at + by,
            closes_at: plan.closes_at + by,
            expires_at: plan.expires_at.map(|at| at + by),
            due_at,
            passed: Vec::new(),
        };
        let key = self.next_key(&step.name, cause.key.anchor_id);
        let follow_up = FollowUp { tries: old.tries + 1, fixed: true, ..renewed(&old, key.clone()) };
        self.state.follow_ups.insert(key.clone(), FollowUp { activated_at: now, ..follow_up });
        self.put(&key, Some(moved));
    }

    /// Tells someone something about a follow-up because of its outcome.
    fn told(&mut self, cause: &Cause<'_>, what: &str, message: &Outgoing) {
        let rule = format!("{what}:{}", cause.code);
        let now = self.now;
        let because = if cause.code == "missed" { "missed" } else { "outcome" };
        let Some(follow_up) = self.get(cause.key) else { return };
        let earlier = follow_up.announcements.iter().filter(|told| told.rule == rule).count();
        follow_up.announcements.push(Announcement {
            rule,
            nth: i32::try_from(earlier).unwrap_or(i32::MAX).saturating_add(1),
            to: message.to.clone(),
            at: now,
            nominal: None,
            because,
            template: message.template.clone(),
            called_off: None,
        });
    }

    fn rematch(&mut self, role: &str, key: &Key) {
        let own = self.state.follow_ups.get(key).map(|follow_up| follow_up.role.clone()).unwrap_or_default();
        let role = if role.is_empty() { own } else { role.to_owned() };
        self.effects.push(Effect::Rematch { role });
    }

    /// Closes the trajectory: what is open is called off, aftercare goes on.
    pub(super) fn close(&mut self, reason: &str) {
        if self.state.closed.is_some() {
            return;
        }
        self.state.closed = Some(Closed { reason: reason.to_owned(), at: self.now });
        self.state.paused_at = None;
        for key in self.unfinished(None) {
            if self.state.follow_ups.get(&key).is_some_and(|follow_up| !follow_up.after_close) {
                self.finalise(&key, Status::Cancelled, "case_closed");
            }
        }
        self.effects.push(Effect::Closed { reason: reason.to_owned() });
    }

    /// Opens a closed trajectory. An end rule that holds now closes it again only after having ceased to hold.
    pub(super) fn reopen(&mut self) {
        if self.state.closed.take().is_none() {
            return;
        }
        self.state.held_ends = self.holding_ends();
        self.effects.push(Effect::Reopened);
    }

    pub(super) fn pause(&mut self) {
        if self.state.paused_at.is_none() && self.state.closed.is_none() {
            self.state.paused_at = Some(self.now);
            self.effects.push(Effect::Paused);
        }
    }

    /// Begins a stage: what the old one (or this one's last time) left open is superseded.
    pub(super) fn enter(&mut self, stage: &str) {
        if self.state.closed.is_some() {
            return;
        }
        let protocol = self.protocol;
        let staged = protocol.steps.iter().filter(|step| step.stage.is_some());
        for step in staged {
            self.state.activated.remove(&step.name);
            for key in self.unfinished(Some(&step.name)) {
                self.finalise(&key, Status::Superseded, "stage_changed");
            }
        }
        let entry = self.state.stage.as_ref().map_or(0, |stage| stage.entry) + 1;
        self.state.stage = Some(Stage { name: stage.to_owned(), entered_at: self.now, entry });
        self.effects.push(Effect::StageEntered { stage: stage.to_owned() });
    }

    /// Counts what was missed in a row, and does what the step says when so many were.
    pub(super) fn missed(&mut self, step: &Step, key: &Key) {
        let Some(this) = self.state.follow_ups.get(key) else { return };
        let (round, entry) = (this.round, this.entry);
        let counts = |other: &&FollowUp| {
            let ended = matches!(other.status, Status::Done | Status::Declined | Status::Unreachable | Status::Expired);
            let same = other.round == round && other.entry == entry;
            same && ended && other.reason.as_deref() != Some("retried")
        };
        let missed = |other: &&FollowUp| matches!(other.status, Status::Unreachable | Status::Expired);
        let latest_first = self.state.series(&step.name, key.anchor_id).rev();
        let row = latest_first.filter(counts).take_while(missed).count();
        for rule in step.after_missed.iter().filter(|rule| rule.holds(row)) {
            self.perform(&rule.effects, &Cause { key, code: "missed" });
        }
    }
}

impl AfterMissed {
    /// Whether it holds when so many in a row were missed.
    fn holds(&self, row: usize) -> bool {
        usize::try_from(self.count)
            .is_ok_and(|count| row == count || (self.again && row > 0 && row.is_multiple_of(count)))
    }
}

/// The same promise again, with nothing of it kept yet.
fn renewed(old: &FollowUp, key: Key) -> FollowUp {
    FollowUp {
        key,
        status: Status::Waiting,
        outcome: None,
        reason: None,
        final_at: None,
        announcements: Vec::new(),
        acknowledged_at: None,
        next_at: None,
        ..old.clone()
    }
}

/// Who is told of a follow-up's outcome, as a word.
impl Recipient {
    /// The role this recipient stands for at a step: its actor's for `actor`, its own word otherwise.
    #[must_use]
    pub fn role_at<'a>(&'a self, actor: &'a str) -> &'a str {
        match self {
            Recipient::Actor => actor,
            other => other.as_str(),
        }
    }
}
