//! When a trajectory is over.

use super::Run;
use crate::protocols::language::End;
use crate::protocols::state::{State, Status};
use std::collections::BTreeSet;

impl Run<'_> {
    /// Closes the trajectory when an end rule holds. True when it did.
    pub(super) fn check_ends(&mut self) -> bool {
        if self.state.closed.is_some() || self.state.started_at.is_none() {
            return false;
        }
        let holding = self.holding_ends();
        self.state.held_ends.retain(|place| holding.contains(place));
        let Some(place) = holding.difference(&self.state.held_ends).next() else { return false };
        let Some(rule) = self.protocol.end.get(*place) else { return false };
        self.close(&rule.close);
        true
    }

    /// The end rules that hold now, by place.
    pub(super) fn holding_ends(&self) -> BTreeSet<usize> {
        let rules = self.protocol.end.iter().enumerate();
        rules.filter(|(_, rule)| holds(self.state, rule)).map(|(place, _)| place).collect()
    }
}

fn holds(state: &State, rule: &End) -> bool {
    let final_all = |step: &String| {
        let mut of_step = state.of_step(step).peekable();
        of_step.peek().is_some() && of_step.all(|follow_up| follow_up.status.is_final())
    };
    let open = |step: &String| state.of_step(step).any(|follow_up| follow_up.is_open());
    rule.all_final.iter().all(final_all)
        && !rule.none_open.iter().any(open)
        && rule.outcome.iter().all(|(step, code)| last_outcome(state, step) == Some(code))
        && (!rule.referral_arrived || state.referral_arrived)
}

/// The outcome of the latest occurrence of a step that ended by one.
fn last_outcome<'a>(state: &'a State, step: &'a str) -> Option<&'a str> {
    let ended =
        state.of_step(step).filter(|follow_up| follow_up.outcome.is_some() && follow_up.status != Status::Superseded);
    ended.max_by_key(|follow_up| (follow_up.final_at, follow_up.key.occurrence))?.outcome.as_deref()
}
