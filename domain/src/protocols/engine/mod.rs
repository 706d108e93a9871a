//! The engine: what a trajectory promises, as a pure function of its protocol, its inputs and the time.
//!
//! Production, preview and the ledger's check all run this. Time-driven changes are worked out moment by moment
//! in their nominal order, so that the result does not depend on how often, or how late, anyone looks.

mod effects;
mod ends;
mod follow_ups;
mod inputs;
mod time;

pub(super) use inputs::in_range;

use super::calendar::Surroundings;
use super::input::{Effect, Input, Refusal};
use super::language::{Protocol, Step};
use super::plan::Sight;
use super::state::{FollowUp, Key, State};
use chrono::{DateTime, Utc};

/// Brings the state to the input's moment, then lets the input happen.
///
/// # Errors
/// A [`Refusal`] when the input is not allowed; the state is unchanged then.
pub fn next(
    protocol: &Protocol,
    around: &Surroundings,
    state: &mut State,
    input: &Input,
) -> Result<Vec<Effect>, Refusal> {
    let mut draft = state.clone();
    let mut run = Run::new(protocol, around, &mut draft);
    run.take(input)?;
    let effects = run.effects;
    *state = draft;
    Ok(effects)
}

/// Works out everything that time brings up to and including a moment: what opens, falls due, is reminded,
/// escalated, repeated and given up. Earlier than `settled_until` nothing happens. Doing it in one go or in
/// many steps gives the same state.
pub fn advance(protocol: &Protocol, around: &Surroundings, state: &mut State, until: DateTime<Utc>) -> Vec<Effect> {
    let mut run = Run::new(protocol, around, state);
    run.until(until);
    run.effects
}

/// The state that a log of inputs leads to.
///
/// # Errors
/// The [`Refusal`] of the first input that is not allowed.
pub fn replay(
    protocol: &Protocol,
    around: &Surroundings,
    inputs: &[Input],
    until: DateTime<Utc>,
) -> Result<State, Refusal> {
    let mut state = State::default();
    let mut run = Run::new(protocol, around, &mut state);
    for input in inputs {
        run.take(input)?;
    }
    run.until(until);
    Ok(state)
}

/// When a follow-up must be looked at next: strictly after `settled_until`. `None`: nothing time-driven is left in it.
#[must_use]
pub fn next_moment(protocol: &Protocol, around: &Surroundings, state: &State, key: &Key) -> Option<DateTime<Utc>> {
    let follow_up = state.follow_ups.get(key)?;
    if state.paused_at.is_some() {
        return None;
    }
    time::next_at(Sight { protocol, around, state }, follow_up, state.settled_until)
}

/// One run of the engine over a state.
pub(super) struct Run<'a> {
    pub(super) protocol: &'a Protocol,
    pub(super) around: &'a Surroundings,
    pub(super) state: &'a mut State,
    pub(super) now: DateTime<Utc>,
    pub(super) effects: Vec<Effect>,
}

impl<'a> Run<'a> {
    pub(super) fn new(protocol: &'a Protocol, around: &'a Surroundings, state: &'a mut State) -> Self {
        let now = state.settled_until;
        Self { protocol, around, state, now, effects: Vec::new() }
    }

    /// Time up to the input, then the input.
    fn take(&mut self, input: &Input) -> Result<(), Refusal> {
        if input.at < self.state.settled_until {
            return Err(Refusal::OutOfOrder { settled_until: self.state.settled_until });
        }
        inputs::in_range(input.at)?;
        self.until(input.at);
        self.apply(&input.what)?;
        self.settle(time::Look::Everywhere);
        Ok(())
    }

    /// For a preview only: the input comes before what time brings at its very moment, so that an outcome given
    /// at the due moment is in time even where the window closes then.
    pub(super) fn take_in_time(&mut self, input: &Input) -> Result<(), Refusal> {
        self.until(input.at - chrono::TimeDelta::milliseconds(1));
        self.now = input.at;
        self.apply(&input.what)?;
        self.settle(time::Look::Everywhere);
        Ok(())
    }

    fn sight(&self) -> Sight<'_> {
        Sight { protocol: self.protocol, around: self.around, state: self.state }
    }

    fn step(&self, key: &Key) -> Option<&'a Step> {
        self.protocol.step(&key.step)
    }

    fn get(&mut self, key: &Key) -> Option<&mut FollowUp> {
        self.state.follow_ups.get_mut(key)
    }

    /// The keys of everything not final, of one step or of all.
    fn unfinished(&self, step: Option<&str>) -> Vec<Key> {
        let open = self.state.follow_ups.values().filter(|follow_up| !follow_up.status.is_final());
        let wanted = open.filter(|follow_up| step.is_none_or(|step| follow_up.key.step == step));
        wanted.map(|follow_up| follow_up.key.clone()).collect()
    }
}
