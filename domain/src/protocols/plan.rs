//! Placing a follow-up: from its step's anchor to its window, its turn and its alternatives.

use super::calendar::{Shift, Surroundings, moment, offset};
use super::duration::Offset;
use super::language::{Anchor, Every, IfPast, Protocol, Repeat, Step, Until};
use super::state::{FollowUp, Plan, State, Status};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// What placing needs to see.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) protocol: &'a Protocol,
    pub(super) around: &'a Surroundings,
    pub(super) state: &'a State,
}

/// The four bounds of a turn, as offsets from one moment.
#[derive(Clone, Copy)]
struct Bounds {
    offset: Offset,
    opens: Option<Offset>,
    closes: Option<Offset>,
    expires: Option<Offset>,
}

impl Sight<'_> {
    /// Where a follow-up lies; `None` while its anchor has no value.
    pub(super) fn plan(&self, step: &Step, follow_up: &FollowUp) -> Option<Plan> {
        if follow_up.fixed {
            return follow_up.plan.clone();
        }
        if let Some(at) = follow_up.restarted_at {
            return self.place(step, follow_up, at);
        }
        let base = self.anchor(&step.anchor, follow_up)?;
        let plan = self.place(step, follow_up, base)?;
        match &step.if_past {
            Some(past) if plan.closes_at.max(plan.due_at) <= follow_up.activated_at => {
                self.place_past(step, past, follow_up)
            }
            _ => Some(plan),
        }
    }

    /// When the turn after this one is due, if there is one.
    pub(super) fn next_due(&self, step: &Step, follow_up: &FollowUp) -> Option<DateTime<Utc>> {
        let repeat = step.repeat.as_ref()?;
        let base = self.base(step, follow_up)?;
        self.turn_due(step, repeat, (base, follow_up.turn.checked_add(1)?))
    }

    /// Whether a follow-up's turn is due at a moment.
    pub(super) fn is_due(&self, step: &Step, follow_up: &FollowUp, now: DateTime<Utc>) -> bool {
        let base = self.base(step, follow_up);
        let due = step
            .repeat
            .as_ref()
            .zip(base)
            .and_then(|(repeat, base)| self.turn_due(step, repeat, (base, follow_up.turn)));
        due.is_some_and(|due| due <= now)
    }

    /// The turn that is running at a moment: the last one whose successor is not due yet.
    pub(super) fn present_turn(&self, step: &Step, follow_up: &FollowUp, now: DateTime<Utc>) -> i32 {
        let (Some(repeat), Some(base)) = (step.repeat.as_ref(), self.base(step, follow_up)) else {
            return follow_up.turn;
        };
        let every = self.every(repeat).map_or(1, |every| every.nominal_seconds().max(1));
        // An estimate from below saves counting years of turns one by one.
        let passed =
            self.turn_due(step, repeat, (base, follow_up.turn)).map_or(0, |due| (now - due).num_seconds() / every);
        let leap = i32::try_from(passed * 9 / 10 - 10).unwrap_or(0).max(0);
        let mut turn = follow_up.turn.saturating_add(leap);
        if self.turn_due(step, repeat, (base, turn)).is_none_or(|due| due > now) {
            turn = follow_up.turn;
        }
        while self.turn_due(step, repeat, (base, turn.saturating_add(1))).is_some_and(|due| due <= now) {
            turn = turn.saturating_add(1);
        }
        turn
    }

    /// The moment an anchor stands for, seen from a follow-up.
    pub(super) fn anchor(&self, anchor: &Anchor, follow_up: &FollowUp) -> Option<DateTime<Utc>> {
        match anchor {
            Anchor::Started => self.state.started_at,
            Anchor::Closed => self.state.closed.as_ref().map(|closed| closed.at),
            Anchor::Activated => Some(follow_up.activated_at),
            Anchor::StageEntered => self.state.stage.as_ref().map(|stage| stage.entered_at),
            Anchor::FinalOf(step) => self.final_of(step, follow_up.key.anchor_id),
            Anchor::Named(name) => {
                let values = self.state.anchors.get(name)?;
                if self.protocol.is_many(name) {
                    values.get(&follow_up.key.anchor_id?).copied()
                } else {
                    values.values().next().copied()
                }
            }
        }
    }

    /// When the latest occurrence of a step became final: of the same subject where it has one.
    fn final_of(&self, step: &str, id: Option<Uuid>) -> Option<DateTime<Utc>> {
        let ended = |follow_up: &&FollowUp| {
            follow_up.status.is_final() && !matches!(follow_up.status, Status::Cancelled | Status::Superseded)
        };
        let shared = self.state.of_step(step).any(|follow_up| follow_up.key.anchor_id == id);
        let mine = self.state.of_step(step).filter(|follow_up| !shared || follow_up.key.anchor_id == id);
        let latest = mine.filter(ended).max_by_key(|follow_up| (follow_up.key.occurrence, follow_up.final_at));
        latest.and_then(|follow_up| follow_up.final_at)
    }

    /// The distance between two turns.
    pub(super) fn every(&self, repeat: &Repeat) -> Option<Offset> {
        match &repeat.every {
            Every::Fixed(every) => Some(*every),
            Every::Param(name) => {
                let own = self.state.params.get(name).copied();
                own.or_else(|| self.protocol.params.get(name).map(|param| param.default))
            }
        }
    }

    /// What the turns of a series are counted from. A retry keeps its place in the series.
    fn base(&self, step: &Step, follow_up: &FollowUp) -> Option<DateTime<Utc>> {
        follow_up.restarted_at.or_else(|| self.anchor(&step.anchor, follow_up))
    }

    /// When a turn is due, while the repetition lasts.
    fn turn_due(&self, step: &Step, repeat: &Repeat, (base, turn): (DateTime<Utc>, i32)) -> Option<DateTime<Utc>> {
        let due = offset(base, self.shift(step, self.bounds(step, turn)?.offset), self.around);
        let lasts = match repeat.until {
            Until::Closed => self.state.closed.is_none(),
            Until::Count(count) => turn <= count,
            Until::Within(limit) => due <= offset(base, Shift::new(limit).at(step.at), self.around),
        };
        (lasts && due < MAX).then_some(due)
    }

    fn bounds(&self, step: &Step, turn: i32) -> Option<Bounds> {
        let every = step.repeat.as_ref().and_then(|repeat| self.every(repeat));
        let first = Bounds {
            offset: step.offset.or(every)?,
            opens: step.window.opens,
            closes: step.window.closes,
            expires: step.expires,
        };
        let Some(every) = every else { return Some(first) };
        let later = |bound: Offset| bound.plus(every, turn - 1);
        Some(Bounds {
            offset: later(first.offset)?,
            opens: first.opens.and_then(later),
            closes: first.closes.and_then(later),
            expires: first.expires.and_then(later),
        })
    }

    fn place(&self, step: &Step, follow_up: &FollowUp, base: DateTime<Utc>) -> Option<Plan> {
        let bounds = self.bounds(step, follow_up.turn)?;
        Some(self.at(step, bounds, (base, follow_up.activated_at)))
    }

    fn place_past(&self, step: &Step, past: &IfPast, follow_up: &FollowUp) -> Option<Plan> {
        let base = self.anchor(&past.anchor, follow_up)?;
        let bounds = Bounds { offset: past.offset, opens: past.opens, closes: past.closes, expires: None };
        let mut plan = self.at(step, bounds, (base, follow_up.activated_at));
        // The step's own expiry is measured from the plan that was missed; it holds only where it still lies ahead.
        let own =
            step.expires.and_then(|expires| Some(self.bound(step, expires, self.anchor(&step.anchor, follow_up)?)));
        plan.expires_at = own.filter(|expires| *expires > plan.closes_at.max(plan.due_at));
        Some(plan)
    }

    fn at(&self, step: &Step, bounds: Bounds, (base, activated): (DateTime<Utc>, DateTime<Utc>)) -> Plan {
        let due = moment(base, self.shift(step, bounds.offset), self.around);
        let bound = |offset: Offset| self.bound(step, offset, base);
        Plan {
            opens_at: bounds.opens.map_or(activated, bound),
            closes_at: bounds.closes.map_or(due.at, bound),
            expires_at: bounds.expires.map(bound),
            due_at: due.at,
            passed: due.passed,
        }
    }

    fn shift(&self, step: &Step, offset: Offset) -> Shift {
        Shift::new(offset).at(step.at).roll(step.roll)
    }

    /// Window bounds take the step's time of day, but do not roll.
    pub(super) fn bound(&self, step: &Step, bound: Offset, base: DateTime<Utc>) -> DateTime<Utc> {
        offset(base, Shift::new(bound).at(step.at), self.around)
    }
}

/// Nothing is planned beyond the year 2400: a repetition has to end somewhere.
const MAX: DateTime<Utc> = match DateTime::from_timestamp(13_569_465_600, 0) {
    Some(at) => at,
    None => DateTime::<Utc>::MAX_UTC,
};
