//! What time brings: opening, falling due, reminding, escalating, repeating, giving up.

use super::Run;
use super::follow_ups::Origin;
use crate::protocols::announce::{Call, calls};
use crate::protocols::language::{Step, Unmet};
use crate::protocols::plan::Sight;
use crate::protocols::state::{Announcement, FollowUp, Key, Status};
use chrono::{DateTime, Utc};

/// Which follow-ups are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::protocols) enum Look {
    /// All of them: something happened.
    Everywhere,
    /// Those whose moment has come.
    WhereDue,
}

/// When time next changes a follow-up, after a moment.
pub(super) fn next_at(sight: Sight<'_>, follow_up: &FollowUp, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if follow_up.status.is_final() {
        return None;
    }
    let step = sight.protocol.step(&follow_up.key.step);
    let next_due = step.and_then(|step| sight.next_due(step, follow_up));
    let mut moments = vec![follow_up.expires_at, next_due];
    if follow_up.status == Status::Waiting {
        let judged = step.is_some_and(|step| step.unmet != Unmet::Wait);
        moments.push(follow_up.due_at.filter(|_| judged));
    } else {
        moments.extend([follow_up.opens_at, follow_up.due_at, follow_up.deadline()]);
        let calls = step.map(|step| calls(step, follow_up, sight.around)).unwrap_or_default();
        let open = calls.into_iter().filter(|call| !call.moot && !follow_up.has_announced(&call.rule));
        moments.extend(open.map(|call| Some(call.at)));
    }
    moments.into_iter().flatten().filter(|at| *at > after).min()
}

impl Run<'_> {
    /// Moment by moment, in order, up to and including a moment.
    pub(in crate::protocols) fn until(&mut self, until: DateTime<Utc>) {
        while let Some(at) = self.next_event().filter(|at| *at <= until) {
            self.now = at;
            self.settle(Look::WhereDue);
        }
        self.now = self.now.max(until);
        self.state.settled_until = self.now;
    }

    /// The earliest moment at which time changes anything.
    pub(in crate::protocols) fn next_event(&self) -> Option<DateTime<Utc>> {
        if self.state.paused_at.is_some() {
            return None;
        }
        self.state.follow_ups.values().filter_map(|follow_up| follow_up.next_at).min()
    }

    /// Works out the present moment until nothing changes any more.
    pub(in crate::protocols) fn settle(&mut self, look: Look) {
        let mut look = look;
        if look == Look::Everywhere {
            self.reconcile();
        }
        loop {
            let mut changed = false;
            for key in self.unfinished(None) {
                if look == Look::Everywhere || self.is_due(&key) {
                    changed |= self.refresh(&key);
                }
            }
            changed |= self.check_ends();
            if !changed {
                break;
            }
            self.reconcile();
            look = Look::Everywhere;
        }
        self.state.settled_until = self.now;
    }

    fn is_due(&self, key: &Key) -> bool {
        self.state.follow_ups.get(key).and_then(|follow_up| follow_up.next_at).is_some_and(|at| at <= self.now)
    }

    /// Brings one follow-up to the present moment. True when others may have to change with it.
    fn refresh(&mut self, key: &Key) -> bool {
        if self.state.paused_at.is_some() {
            self.hold(key);
            return false;
        }
        let changed = match self.waits_for(key) {
            Some(reason) => self.wait(key, reason),
            None => self.run(key),
        };
        let now = self.now;
        let next = self.state.follow_ups.get(key).and_then(|follow_up| next_at(self.sight(), follow_up, now));
        if let Some(follow_up) = self.get(key) {
            follow_up.next_at = next;
        }
        changed
    }

    /// What comes to be during a pause waits for its end.
    fn hold(&mut self, key: &Key) {
        if let Some(follow_up) = self.get(key)
            && follow_up.status == Status::Waiting
            && follow_up.reason.is_none()
        {
            follow_up.reason = Some("paused".to_owned());
        }
    }

    fn waits_for(&self, key: &Key) -> Option<&'static str> {
        let follow_up = self.state.follow_ups.get(key)?;
        let unmet = self.step(key).is_some_and(|step| step.needs_opt_in() && !self.state.opted_in.contains(&step.name));
        match &follow_up.plan {
            None => Some("anchor"),
            Some(_) => unmet.then_some("opt_in"),
        }
    }

    fn wait(&mut self, key: &Key, reason: &'static str) -> bool {
        let now = self.now;
        let Some(follow_up) = self.get(key) else { return false };
        if follow_up.status != Status::Waiting {
            call_off(follow_up, now, if reason == "opt_in" { "opted_out" } else { "moved" });
            follow_up.status = Status::Waiting;
        }
        follow_up.reason = Some(reason.to_owned());
        let follow_up = follow_up.clone();
        let reached = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= now);
        let Some(step) = self.step(key) else { return false };
        if reached(follow_up.expires_at) {
            self.finalise(key, Status::Expired, "expired");
            return true;
        }
        let judged = reason == "opt_in" && step.unmet != Unmet::Wait && reached(follow_up.due_at);
        if judged || reached(self.sight().next_due(step, &follow_up)) {
            self.finalise(key, Status::Skipped, reason);
            if judged && step.unmet == Unmet::Task {
                self.leave_task(step, key, "unmet");
            }
            self.plan_next_turn(step, &follow_up);
            return true;
        }
        false
    }

    fn run(&mut self, key: &Key) -> bool {
        let now = self.now;
        let Some(follow_up) = self.get(key) else { return false };
        if follow_up.status == Status::Waiting {
            follow_up.status = Status::Scheduled;
            follow_up.reason = None;
            follow_up.planned_at = now;
            if self.skip_if_late(key) {
                return true;
            }
        }
        self.announce(key);
        let Some(follow_up) = self.get(key) else { return false };
        follow_up.status = status_at(follow_up, now);
        let follow_up = follow_up.clone();
        let Some(step) = self.step(key) else { return false };
        let reached = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= now);
        let next_due = self.sight().next_due(step, &follow_up);
        let mut changed = false;
        if reached(follow_up.due_at) {
            changed |= self.plan_next_turn(step, &follow_up);
        }
        // A turn that was planned when the next one had come already was never anyone's to miss.
        let overtaken = next_due.is_some_and(|at| at <= follow_up.planned_at);
        if reached(next_due) && overtaken {
            self.finalise(key, Status::Superseded, "late");
            changed = true;
        } else if reached(follow_up.expires_at) || reached(next_due) {
            let reason = if reached(follow_up.expires_at) { "expired" } else { "next_occurrence" };
            self.plan_next_turn(step, &follow_up);
            self.finalise(key, Status::Expired, reason);
            self.missed(step, key);
            changed = true;
        }
        changed
    }

    /// Announces what has come, in the order of its moments.
    fn announce(&mut self, key: &Key) {
        let Some(step) = self.step(key) else { return };
        let (now, around) = (self.now, self.around);
        let Some(follow_up) = self.get(key) else { return };
        let mut due: Vec<Call> = calls(step, follow_up, around);
        due.retain(|call| !call.moot && call.at <= now && !follow_up.has_announced(&call.rule));
        due.sort_by_key(|call| call.at);
        for call in due {
            tell(follow_up, call);
        }
    }

    /// The next turn of a repetition, once. True when it was made.
    pub(super) fn plan_next_turn(&mut self, step: &Step, follow_up: &FollowUp) -> bool {
        let key = &follow_up.key;
        let follows = |other: &FollowUp| {
            other.round == follow_up.round && other.entry == follow_up.entry && other.turn > follow_up.turn
        };
        if step.repeat.is_none() || self.state.series(&step.name, key.anchor_id).rev().any(follows) {
            return false;
        }
        let Some(next_due) = self.sight().next_due(step, follow_up) else { return false };
        let late = next_due <= follow_up.planned_at;
        let turn = if late { self.sight().present_turn(step, follow_up, self.now) } else { follow_up.turn + 1 };
        let origin = Origin { restarted_at: follow_up.restarted_at, round: follow_up.round, turn };
        self.create(step, key.anchor_id, origin)
    }
}

/// Adds an announcement to a follow-up.
fn tell(follow_up: &mut FollowUp, call: Call) {
    let earlier = follow_up.announcements.iter().filter(|told| told.rule == call.rule).count();
    follow_up.announcements.push(Announcement {
        nth: i32::try_from(earlier).unwrap_or(i32::MAX).saturating_add(1),
        rule: call.rule,
        to: call.to,
        at: call.at,
        nominal: Some(call.nominal),
        because: call.because,
        template: call.template,
        called_off: None,
    });
}

/// Where a planned follow-up stands at a moment.
fn status_at(follow_up: &FollowUp, now: DateTime<Utc>) -> Status {
    let reached = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= now);
    let escalated =
        follow_up.announcements.iter().any(|told| told.rule.starts_with("escalate:") && told.called_off.is_none());
    if escalated {
        Status::Escalated
    } else if reached(follow_up.deadline()) {
        Status::Overdue
    } else if reached(follow_up.due_at) {
        Status::Due
    } else if reached(follow_up.opens_at) {
        Status::Open
    } else {
        Status::Scheduled
    }
}

/// Calls off whatever a follow-up's own rules announced. What an outcome told (an alert, a message) stays told.
pub(super) fn call_off(follow_up: &mut FollowUp, now: DateTime<Utc>, reason: &str) {
    let holding = follow_up.announcements.iter_mut().filter(|told| told.nominal.is_some() && told.called_off.is_none());
    for told in holding {
        told.called_off = Some(crate::protocols::state::CalledOff { at: now, reason: reason.to_owned() });
    }
}
