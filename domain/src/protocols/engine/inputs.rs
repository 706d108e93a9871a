//! Letting one thing happen, or refusing it.

use super::Run;
use super::effects::Cause;
use super::follow_ups::{Origin, Task};
use crate::protocols::duration::Offset;
use crate::protocols::input::{AnchorValue, Refusal, What};
use crate::protocols::language::{Anchor, Do, Every, ForEach, Protocol, Stacking, Step};
use crate::protocols::state::{FollowUp, Key, Stage, Status};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use uuid::Uuid;

const EARLIEST: i64 = -2_208_988_800; // 1900-01-01
const LATEST: i64 = 7_258_118_400; // 2200-01-01

/// The outcomes of a task beside the protocol, and what they mean.
const TASK_OUTCOMES: [(&str, Status); 4] = [
    ("declined", Status::Declined),
    ("done", Status::Done),
    ("skipped", Status::Skipped),
    ("unreachable", Status::Unreachable),
];

/// Moments outside the years 1900 to 2200 are mistakes.
pub(in crate::protocols) fn in_range(at: DateTime<Utc>) -> Result<(), Refusal> {
    if (EARLIEST..LATEST).contains(&at.timestamp()) { Ok(()) } else { Err(Refusal::MomentOutOfRange) }
}

impl Run<'_> {
    pub(super) fn apply(&mut self, what: &What) -> Result<(), Refusal> {
        if let What::Started { anchors, params, subjects } = what {
            return self.start(anchors, params, subjects);
        }
        if self.state.started_at.is_none() {
            return Err(Refusal::NotStarted);
        }
        match what {
            What::Started { .. } => Ok(()),
            What::AnchorSet { anchor, id, at } => self.set_anchor(anchor, *id, *at),
            What::AnchorRemoved { anchor, id } => self.remove_anchor(anchor, *id),
            What::Outcome { follow_up, code } => self.outcome(follow_up, code),
            What::OptedIn { steps } => self.opt(steps, true),
            What::OptedOut { steps } => self.opt(steps, false),
            What::Rescheduled { follow_up, due_at } => self.reschedule(follow_up, *due_at),
            What::CalledOff { follow_up, reason } => self.call_off_by_hand(follow_up, reason),
            What::Acknowledged { follow_up } => self.acknowledge(follow_up),
            What::Activated { steps } => self.activate_by_hand(steps),
            What::Closed { reason } => self.open().map(|()| self.close(reason)),
            What::Reopened => self.reopen_by_hand(),
            What::TaskAdded { id, code, role, due_at } => self.task(format!("task:{code}"), *id, (role, *due_at)),
            What::ReferralArrived => self.referral_arrived(),
            What::StageSet { stage } => self.set_stage(stage),
            What::ParamSet { param, value } => self.set_param(param, *value),
            What::SubjectAdded { subject, id } => self.subject(*subject, *id, true),
            What::SubjectRemoved { subject, id } => self.subject(*subject, *id, false),
            What::Paused => self.pause_by_hand(),
            What::Resumed => self.resume(),
            What::Superseded => self.supersede(),
            What::Ended { reason } => self.end(reason),
        }
    }

    fn open(&self) -> Result<(), Refusal> {
        match &self.state.closed {
            Some(closed) => Err(Refusal::TrajectoryClosed { reason: closed.reason.clone() }),
            None => Ok(()),
        }
    }

    fn start(
        &mut self,
        anchors: &BTreeMap<String, Vec<AnchorValue>>,
        params: &BTreeMap<String, Offset>,
        subjects: &BTreeMap<ForEach, Vec<Uuid>>,
    ) -> Result<(), Refusal> {
        if self.state.started_at.is_some() {
            return Err(Refusal::AlreadyStarted);
        }
        let given = |name: &str| anchors.get(name).is_some_and(|values| !values.is_empty());
        let missing: Vec<String> =
            self.protocol.required_anchors().filter(|name| !given(name)).map(str::to_owned).collect();
        if !missing.is_empty() {
            return Err(Refusal::AnchorMissing { anchors: missing });
        }
        self.state.started_at = Some(self.now);
        for (anchor, values) in anchors {
            known_anchor(self.protocol, anchor)?;
            for value in values {
                self.keep_anchor(anchor, value.id, value.at)?;
            }
        }
        for (param, value) in params {
            bounded(self.protocol, param, *value)?;
            self.state.params.insert(param.clone(), *value);
        }
        for (subject, ids) in subjects {
            self.state.subjects.insert(*subject, ids.iter().copied().collect());
        }
        self.state.stage =
            self.protocol.stages.first().map(|name| Stage { name: name.clone(), entered_at: self.now, entry: 1 });
        Ok(())
    }

    fn keep_anchor(&mut self, anchor: &str, id: Uuid, at: DateTime<Utc>) -> Result<(), Refusal> {
        in_range(at)?;
        let many = self.protocol.is_many(anchor);
        let values = self.state.anchors.entry(anchor.to_owned()).or_default();
        if !many && values.keys().any(|other| *other != id) {
            return Err(Refusal::AnchorNotMany { anchor: anchor.to_owned() });
        }
        values.insert(id, at);
        Ok(())
    }

    fn set_anchor(&mut self, anchor: &str, id: Uuid, at: DateTime<Utc>) -> Result<(), Refusal> {
        known_anchor(self.protocol, anchor)?;
        let used = |step: &Step| step.after_close && step.anchor == Anchor::Named(anchor.to_owned());
        if !self.protocol.steps.iter().any(used) {
            self.open()?;
        }
        self.keep_anchor(anchor, id, at)
    }

    fn remove_anchor(&mut self, anchor: &str, id: Uuid) -> Result<(), Refusal> {
        known_anchor(self.protocol, anchor)?;
        let values = self.state.anchors.get_mut(anchor);
        let Some(values) = values.filter(|values| values.contains_key(&id)) else {
            return Err(Refusal::UnknownAnchorValue { anchor: anchor.to_owned() });
        };
        let optional = self.protocol.anchors.get(anchor).is_some_and(|rule| rule.optional);
        if !optional && values.len() == 1 {
            return Err(Refusal::AnchorMissing { anchors: vec![anchor.to_owned()] });
        }
        values.remove(&id);
        Ok(())
    }

    /// The follow-up, if something may still happen to it.
    fn unfinished_one(&self, key: &Key) -> Result<&FollowUp, Refusal> {
        let follow_up = self.state.follow_ups.get(key).ok_or_else(|| Refusal::UnknownFollowUp { key: key.clone() })?;
        if follow_up.status.is_final() {
            return Err(Refusal::AlreadyFinal { status: follow_up.status });
        }
        Ok(follow_up)
    }

    /// The same, if it is planned as well.
    fn planned_one(&self, key: &Key) -> Result<&FollowUp, Refusal> {
        let follow_up = self.unfinished_one(key)?;
        if follow_up.status == Status::Waiting {
            return Err(Refusal::Waiting { reason: follow_up.reason.clone().unwrap_or_else(|| "anchor".to_owned()) });
        }
        Ok(follow_up)
    }

    fn outcome(&mut self, key: &Key, code: &str) -> Result<(), Refusal> {
        let follow_up = self.planned_one(key)?.clone();
        let Some(step) = self.step(key) else { return self.task_outcome(key, code) };
        let Some(effects) = step.outcomes.get(code) else {
            return Err(Refusal::UnknownOutcome { allowed: step.outcomes.keys().cloned().collect() });
        };
        self.in_time(step, &follow_up, code)?;
        let counted =
            effects.iter().find_map(|effect| if let Do::CountsAs(status) = effect { Some(*status) } else { None });
        let status = counted.unwrap_or_else(|| usual_status(code));
        self.record(key, code, status);
        self.plan_next_turn(step, &follow_up);
        self.perform(effects, &Cause { key, code });
        let retried =
            self.state.follow_ups.get(key).is_some_and(|follow_up| follow_up.reason.as_deref() == Some("retried"));
        if status == Status::Unreachable && !retried {
            self.missed(step, key);
        }
        Ok(())
    }

    fn record(&mut self, key: &Key, code: &str, status: Status) {
        self.finalise(key, status, "");
        if let Some(follow_up) = self.get(key) {
            follow_up.outcome = Some(code.to_owned());
        }
    }

    fn task_outcome(&mut self, key: &Key, code: &str) -> Result<(), Refusal> {
        let Some((_, status)) = TASK_OUTCOMES.iter().find(|(name, _)| *name == code) else {
            return Err(Refusal::UnknownOutcome {
                allowed: TASK_OUTCOMES.iter().map(|(name, _)| (*name).to_owned()).collect(),
            });
        };
        self.record(key, code, *status);
        Ok(())
    }

    /// Not before the window opens, unless this may be said at any time, and not before what the step's guards say of it.
    fn in_time(&self, step: &Step, follow_up: &FollowUp, code: &str) -> Result<(), Refusal> {
        let guards = step
            .guards
            .iter()
            .filter(|guard| guard.outcomes.is_empty() || guard.outcomes.iter().any(|own| own == code));
        let guarded = guards.filter_map(|guard| {
            let anchor = guard.anchor.as_ref().unwrap_or(&step.anchor);
            Some(self.sight().bound(step, guard.not_before, self.sight().anchor(anchor, follow_up)?))
        });
        let window = follow_up.opens_at.filter(|_| !step.any_time.iter().any(|own| own == code));
        let opens_at = guarded.chain(window).max();
        match opens_at {
            Some(opens_at) if self.now < opens_at => Err(Refusal::TooEarly { opens_at }),
            _ => Ok(()),
        }
    }

    fn opt(&mut self, steps: &[String], wanted: bool) -> Result<(), Refusal> {
        let asking = self.protocol.steps.iter().filter(|step| step.needs_opt_in()).map(|step| step.name.clone());
        let named = if steps.is_empty() { asking.collect() } else { steps.to_vec() };
        for name in &named {
            let step = self.known_step(name)?;
            if !step.needs_opt_in() {
                return Err(Refusal::NoOptIn { step: name.clone() });
            }
        }
        for name in named {
            if wanted {
                self.state.opted_in.insert(name);
            } else {
                self.state.opted_in.remove(&name);
            }
        }
        Ok(())
    }

    fn known_step(&self, name: &str) -> Result<&Step, Refusal> {
        self.protocol.step(name).ok_or_else(|| Refusal::UnknownStep { step: name.to_owned() })
    }

    fn reschedule(&mut self, key: &Key, due_at: DateTime<Utc>) -> Result<(), Refusal> {
        in_range(due_at)?;
        let follow_up = self.planned_one(key)?;
        let (Some(opens_at), Some(closes_at)) = (follow_up.opens_at, follow_up.closes_at) else {
            return Err(Refusal::Waiting { reason: "anchor".to_owned() });
        };
        if due_at < opens_at || due_at > closes_at {
            return Err(Refusal::OutsideWindow { opens_at, closes_at });
        }
        let now = self.now;
        if let Some(follow_up) = self.get(key).filter(|follow_up| follow_up.due_at != Some(due_at)) {
            follow_up.due_at = Some(due_at);
            follow_up.planned_at = now;
            self.call_off_moved(key);
        }
        Ok(())
    }

    fn call_off_by_hand(&mut self, key: &Key, reason: &str) -> Result<(), Refusal> {
        let follow_up = self.unfinished_one(key)?.clone();
        self.finalise(key, Status::Cancelled, reason);
        if let Some(step) = self.step(key) {
            self.plan_next_turn(step, &follow_up);
        }
        Ok(())
    }

    fn acknowledge(&mut self, key: &Key) -> Result<(), Refusal> {
        self.unfinished_one(key)?;
        let now = self.now;
        if let Some(follow_up) = self.get(key) {
            follow_up.acknowledged_at = Some(now);
        }
        Ok(())
    }

    fn activate_by_hand(&mut self, steps: &[String]) -> Result<(), Refusal> {
        self.open()?;
        for name in steps {
            self.known_step(name)?;
        }
        self.activate(steps, None);
        Ok(())
    }

    fn reopen_by_hand(&mut self) -> Result<(), Refusal> {
        if self.state.closed.is_none() {
            return Err(Refusal::NotClosed);
        }
        self.reopen();
        Ok(())
    }

    fn task(&mut self, name: String, id: Uuid, (role, due_at): (&str, DateTime<Utc>)) -> Result<(), Refusal> {
        in_range(due_at)?;
        let key = Key { step: name, anchor_id: Some(id), occurrence: 1 };
        if self.state.follow_ups.contains_key(&key) {
            return Err(Refusal::TaskExists);
        }
        let after_close = self.state.closed.is_some();
        self.add_task(Task { key, role: role.to_owned(), due_at, after_close });
        Ok(())
    }

    fn referral_arrived(&mut self) -> Result<(), Refusal> {
        self.open()?;
        self.state.referral_arrived = true;
        Ok(())
    }

    fn set_stage(&mut self, stage: &str) -> Result<(), Refusal> {
        self.open()?;
        if !self.protocol.stages.iter().any(|name| name == stage) {
            return Err(Refusal::UnknownStage { stage: stage.to_owned() });
        }
        self.enter(stage);
        Ok(())
    }

    /// The series in this rhythm go on from the first turn of the new one that still lies ahead.
    fn set_param(&mut self, param: &str, value: Offset) -> Result<(), Refusal> {
        self.open()?;
        bounded(self.protocol, param, value)?;
        self.change_param(param, value);
        Ok(())
    }

    /// The steps in this rhythm go on in the new one; what is not final of them is planned anew.
    pub(super) fn change_param(&mut self, param: &str, value: Offset) {
        self.state.params.insert(param.to_owned(), value);
        let protocol = self.protocol;
        let follows =
            |step: &&Step| step.repeat.as_ref().is_some_and(|repeat| repeat.every == Every::Param(param.to_owned()));
        for step in protocol.steps.iter().filter(follows) {
            for id in self.instances(step) {
                self.change_rhythm(step, id);
            }
        }
    }

    /// One new series in the place of whatever is unfinished of the old one.
    fn change_rhythm(&mut self, step: &Step, id: Option<Uuid>) {
        let unfinished: Vec<_> =
            self.state.series(&step.name, id).filter(|one| !one.status.is_final()).cloned().collect();
        let Some(last) = unfinished.last() else { return };
        for old in &unfinished {
            self.finalise(&old.key, Status::Superseded, "rhythm_changed");
        }
        let first = FollowUp { turn: 1, ..last.clone() };
        let present = self.sight().present_turn(step, &first, self.now);
        let passed = self.sight().is_due(step, &FollowUp { turn: present, ..first.clone() }, self.now);
        let turn = if passed { present + 1 } else { present };
        self.create(step, id, Origin { restarted_at: first.restarted_at, round: first.round + 1, turn });
    }

    fn subject(&mut self, subject: ForEach, id: Uuid, joins: bool) -> Result<(), Refusal> {
        self.open()?;
        let ids = self.state.subjects.entry(subject).or_default();
        if joins {
            ids.insert(id);
        } else {
            ids.remove(&id);
        }
        Ok(())
    }

    fn pause_by_hand(&mut self) -> Result<(), Refusal> {
        self.open()?;
        if self.state.paused_at.is_some() {
            return Err(Refusal::AlreadyPaused);
        }
        self.pause();
        Ok(())
    }

    fn resume(&mut self) -> Result<(), Refusal> {
        if self.state.paused_at.take().is_none() {
            return Err(Refusal::NotPaused);
        }
        let now = self.now;
        for key in self.unfinished(None) {
            if let Some(follow_up) = self.get(&key) {
                follow_up.planned_at = now;
            }
        }
        Ok(())
    }

    fn supersede(&mut self) -> Result<(), Refusal> {
        self.open()?;
        if self.protocol.stacking != Stacking::ReAnchor {
            return Err(Refusal::StackingNotAllowed);
        }
        for key in self.unfinished(None) {
            self.finalise(&key, Status::Superseded, "re_anchored");
        }
        self.close("superseded");
        Ok(())
    }

    /// Nothing that was called off here has a next turn, and nothing that was activated begins anew.
    fn end(&mut self, reason: &str) -> Result<(), Refusal> {
        self.state.activated.clear();
        for key in self.unfinished(None) {
            self.finalise(&key, Status::Cancelled, reason);
        }
        self.close(reason);
        Ok(())
    }
}

fn known_anchor(protocol: &Protocol, anchor: &str) -> Result<(), Refusal> {
    if protocol.anchors.contains_key(anchor) {
        Ok(())
    } else {
        Err(Refusal::UnknownAnchor { anchor: anchor.to_owned() })
    }
}

fn bounded(protocol: &Protocol, param: &str, value: Offset) -> Result<(), Refusal> {
    let rule = protocol.params.get(param).ok_or_else(|| Refusal::UnknownParam { param: param.to_owned() })?;
    if rule.allows(value) {
        Ok(())
    } else {
        Err(Refusal::ParamOutOfBounds { param: param.to_owned(), min: rule.min, max: rule.max })
    }
}

/// What an outcome usually means. "No answer" is never recorded as fine, and never as declined.
fn usual_status(code: &str) -> Status {
    match code {
        "declined" | "declined_final" | "refused" => Status::Declined,
        "no_response" | "no_answer" | "unreachable" | "not_reached" | "no_show" | "contact_lost" => Status::Unreachable,
        _ => Status::Done,
    }
}
