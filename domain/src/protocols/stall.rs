//! Whether a trajectory has come to nothing while it is open.

use super::language::{Anchor, Protocol};
use super::state::{FollowUp, State, Status};

/// Whether an open trajectory has nothing planned and waits for nothing that may still come. What waits for the closing, or
/// for the end of something that does, is no way on: nothing but a closing by hand would ever bring it.
#[must_use]
pub fn stalled(protocol: &Protocol, state: &State) -> bool {
    state.closed.is_none() && !state.follow_ups.values().any(|one| goes_on(protocol, state, one))
}

/// Whether a follow-up is planned, or waits for what may come before the closing.
fn goes_on(protocol: &Protocol, state: &State, follow_up: &FollowUp) -> bool {
    if follow_up.status.is_final() {
        return false;
    }
    let step = protocol.step(&follow_up.key.step);
    let Some(step) = step.filter(|_| follow_up.status == Status::Waiting && follow_up.plan.is_none()) else {
        return true;
    };
    match &step.anchor {
        Anchor::Closed => false,
        // Steps never wait for each other in a circle: the check refuses that.
        Anchor::FinalOf(other) => state.of_step(other).any(|other| goes_on(protocol, state, other)),
        _ => true,
    }
}
