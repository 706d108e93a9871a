//! Making, placing and ending follow-ups.

use super::Run;
use super::time::call_off;
use crate::protocols::announce::{calls, message};
use crate::protocols::calendar::{Shift, offset};
use crate::protocols::duration::Offset;
use crate::protocols::language::{Anchor, Late, Step};
use crate::protocols::state::{CalledOff, FollowUp, Key, Plan, Status};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// Messages to a person or family that are later than this are not sent any more (PROTOCOLS section 4).
const TOO_LATE_TO_SEND: TimeDelta = TimeDelta::hours(48);

/// A protocol in which a step sets itself off again and again ends here: thirty-eight years of every week.
const MOST_OCCURRENCES: i32 = 2_000;

/// Where a follow-up comes from.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    /// Measured from here instead of from the step's anchor.
    pub(super) restarted_at: Option<DateTime<Utc>>,
    /// Which series of turns.
    pub(super) round: i32,
    /// Which turn.
    pub(super) turn: i32,
}

impl Origin {
    pub(super) const FIRST: Origin = Origin { restarted_at: None, round: 1, turn: 1 };
}

impl Run<'_> {
    /// Makes what should exist, drops what has lost its ground, and places everything that is not final.
    /// What ends here may be what others wait for, so it goes on until nothing ends.
    pub(super) fn reconcile(&mut self) {
        loop {
            let mut ended = false;
            let protocol = self.protocol;
            for step in &protocol.steps {
                self.make_missing(step);
                ended |= self.drop_groundless(step);
            }
            for key in self.unfinished(None) {
                ended |= self.place(&key);
            }
            if !ended {
                return;
            }
        }
    }

    fn make_missing(&mut self, step: &Step) {
        let begun = step.active || self.state.activated.contains(&step.name);
        let stage = self.state.stage.as_ref();
        let staged = step.stage.as_deref().is_none_or(|name| stage.is_some_and(|stage| stage.name == name));
        if self.state.started_at.is_none() || !begun || !staged {
            return;
        }
        for id in self.instances(step) {
            let entry = self.entry(step);
            // A value that was removed and is set again begins again.
            let gone = |follow_up: &FollowUp| follow_up.reason.as_deref() == Some("anchor_removed");
            let here = |follow_up: &FollowUp| follow_up.entry == entry && !gone(follow_up);
            if !self.state.series(&step.name, id).rev().any(here) {
                let round = self.last_round(step, id) + 1;
                self.create(step, id, Origin { round, ..Origin::FIRST });
            }
        }
    }

    /// The latest series of turns of a step for one value or subject; 0 when there was none.
    pub(super) fn last_round(&self, step: &Step, id: Option<Uuid>) -> i32 {
        self.state.series(&step.name, id).next_back().map_or(0, |follow_up| follow_up.round)
    }

    /// Stage entries so far for a step that belongs to a stage; steps of all stages know no entries.
    fn entry(&self, step: &Step) -> i32 {
        let entry = self.state.stage.as_ref().map_or(0, |stage| stage.entry);
        if step.stage.is_some() { entry } else { 0 }
    }

    /// The values or subjects a step runs for: one of its own for each, or a single one.
    pub(super) fn instances(&self, step: &Step) -> Vec<Option<Uuid>> {
        if let Some(subject) = step.for_each {
            return self.state.subjects.get(&subject).into_iter().flatten().copied().map(Some).collect();
        }
        match &step.anchor {
            Anchor::Named(name) if self.protocol.is_many(name) => {
                self.state.anchors.get(name).into_iter().flat_map(|values| values.keys()).copied().map(Some).collect()
            }
            _ => vec![None],
        }
    }

    fn drop_groundless(&mut self, step: &Step) -> bool {
        let instances = self.instances(step);
        let mut ended = false;
        for key in self.unfinished(Some(&step.name)) {
            let hopeless = self.state.closed.is_some() && !self.can_still_come(step, &key);
            if !instances.contains(&key.anchor_id) {
                self.finalise(&key, Status::Cancelled, "anchor_removed");
                ended = true;
            } else if hopeless {
                self.finalise(&key, Status::Cancelled, "case_closed");
                ended = true;
            }
        }
        ended
    }

    /// After the close nobody waits for an anchor that nothing will bring any more.
    fn can_still_come(&self, step: &Step, key: &Key) -> bool {
        let Some(follow_up) = self.state.follow_ups.get(key) else { return false };
        if self.sight().plan(step, follow_up).is_some() {
            return true;
        }
        match &step.anchor {
            Anchor::FinalOf(other) => !self.unfinished(Some(other)).is_empty(),
            _ => false,
        }
    }

    /// A new occurrence. False when the trajectory is closed to it, or there were too many.
    pub(super) fn create(&mut self, step: &Step, id: Option<Uuid>, origin: Origin) -> bool {
        if self.state.closed.is_some() && !step.after_close {
            return false;
        }
        let key = self.next_key(&step.name, id);
        if key.occurrence > MOST_OCCURRENCES {
            return false;
        }
        let mut follow_up = blank(key.clone(), step.actor.clone(), self.now);
        follow_up.after_close = step.after_close;
        follow_up.entry = self.entry(step);
        follow_up.restarted_at = origin.restarted_at;
        follow_up.round = origin.round;
        follow_up.turn = origin.turn;
        if origin.turn == 1 {
            follow_up.turn = self.sight().present_turn(step, &follow_up, self.now);
        }
        self.state.follow_ups.insert(key.clone(), follow_up);
        self.place(&key);
        true
    }

    pub(super) fn next_key(&self, step: &str, id: Option<Uuid>) -> Key {
        let last = self.state.series(step, id).next_back().map_or(0, |follow_up| follow_up.key.occurrence);
        Key { step: step.to_owned(), anchor_id: id, occurrence: last + 1 }
    }

    /// Puts a follow-up where its anchor now says. True when that ended it.
    fn place(&mut self, key: &Key) -> bool {
        let Some(step) = self.step(key) else { return false };
        let Some(follow_up) = self.state.follow_ups.get(key) else { return false };
        let plan = self.sight().plan(step, follow_up);
        if plan == follow_up.plan {
            return false;
        }
        self.put(key, plan);
        let waiting = self.state.follow_ups.get(key).is_none_or(|follow_up| follow_up.status == Status::Waiting);
        !waiting && self.skip_if_late(key)
    }

    /// Takes over a plan, and calls off what was announced for moments that have changed.
    pub(super) fn put(&mut self, key: &Key, plan: Option<Plan>) {
        let now = self.now;
        let Some(follow_up) = self.get(key) else { return };
        follow_up.opens_at = plan.as_ref().map(|plan| plan.opens_at);
        follow_up.due_at = plan.as_ref().map(|plan| plan.due_at);
        follow_up.closes_at = plan.as_ref().map(|plan| plan.closes_at);
        follow_up.expires_at = plan.as_ref().and_then(|plan| plan.expires_at);
        follow_up.plan = plan;
        follow_up.planned_at = now;
        self.call_off_moved(key);
    }

    pub(super) fn call_off_moved(&mut self, key: &Key) {
        let (now, around) = (self.now, self.around);
        let Some(step) = self.step(key) else { return };
        let Some(follow_up) = self.get(key) else { return };
        let calls = calls(step, follow_up, around);
        for told in &mut follow_up.announcements {
            let holds = calls.iter().any(|call| call.rule == told.rule && Some(call.nominal) == told.nominal);
            if told.nominal.is_some() && told.called_off.is_none() && !holds {
                told.called_off = Some(CalledOff { at: now, reason: "moved".to_owned() });
            }
        }
    }

    /// What is planned when its time has gone by is done at once, or skipped, as the step says. True when skipped.
    pub(super) fn skip_if_late(&mut self, key: &Key) -> bool {
        let Some(step) = self.step(key) else { return false };
        let Some(follow_up) = self.state.follow_ups.get(key) else { return false };
        let passed = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= self.now);
        let private = message(step).is_some_and(|message| message.to.is_private());
        let too_late_to_send = private && passed(follow_up.due_at.map(|due| due + TOO_LATE_TO_SEND));
        let late = match step.late {
            Some(Late::Run) => None,
            Some(Late::Skip) if !private => passed(follow_up.deadline()).then_some(false),
            Some(Late::Task) if !private => passed(follow_up.deadline()).then_some(true),
            Some(Late::Skip | Late::Task) | None => too_late_to_send.then_some(true),
        };
        let late = late.or(passed(follow_up.expires_at).then_some(false));
        let Some(leaves_task) = late else { return false };
        let follow_up = follow_up.clone();
        self.finalise(key, Status::Skipped, "late");
        self.plan_next_turn(step, &follow_up);
        if leaves_task {
            self.leave_task(step, key, "late");
        }
        true
    }

    /// A task in the place of something that was skipped: due by the end of the next working day.
    pub(super) fn leave_task(&mut self, step: &Step, key: &Key, why: &str) {
        let fallback = || self.protocol.roles.first().cloned().unwrap_or_default();
        let role = if step.actor == "person" { fallback() } else { step.actor.clone() };
        let due = offset(self.now, Shift::new(Offset::Business { days: 1 }), self.around);
        let name = format!("task:{why}:{}", step.name);
        let task = Task { key: self.next_key(&name, key.anchor_id), role, due_at: due, after_close: step.after_close };
        self.add_task(task);
    }

    /// A follow-up beside the protocol: open now, never moved.
    pub(super) fn add_task(&mut self, task: Task) {
        let mut follow_up = blank(task.key.clone(), task.role, self.now);
        follow_up.after_close = task.after_close;
        follow_up.fixed = true;
        let plan = Plan {
            opens_at: self.now,
            due_at: task.due_at,
            closes_at: task.due_at,
            expires_at: None,
            passed: Vec::new(),
        };
        self.state.follow_ups.insert(task.key.clone(), follow_up);
        self.put(&task.key, Some(plan));
    }

    /// Ends a follow-up. What a cancelled or superseded one had announced no longer holds.
    pub(super) fn finalise(&mut self, key: &Key, status: Status, reason: &str) {
        let now = self.now;
        let Some(follow_up) = self.get(key) else { return };
        if follow_up.status.is_final() {
            return;
        }
        if matches!(status, Status::Cancelled | Status::Superseded | Status::Skipped) {
            call_off(follow_up, now, reason);
        }
        follow_up.status = status;
        follow_up.final_at = Some(now);
        follow_up.reason = (!reason.is_empty()).then(|| reason.to_owned());
        follow_up.next_at = None;
    }
}

/// A task to be added.
pub(super) struct Task {
    pub(super) key: Key,
    pub(super) role: String,
    pub(super) due_at: DateTime<Utc>,
    pub(super) after_close: bool,
}

fn blank(key: Key, role: String, now: DateTime<Utc>) -> FollowUp {
    FollowUp {
        key,
        status: Status::Waiting,
        role,
        opens_at: None,
        due_at: None,
        closes_at: None,
        expires_at: None,
        outcome: None,
        reason: None,
        final_at: None,
        announcements: Vec::new(),
        after_close: false,
        activated_at: now,
        planned_at: now,
        plan: None,
        fixed: false,
        restarted_at: None,
        turn: 1,
        tries: 0,
        round: 1,
        entry: 0,
        acknowledged_at: None,
        next_at: None,
    }
}
