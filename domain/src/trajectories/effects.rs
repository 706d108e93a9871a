//! What follows outside the trajectory's own rows: a closing, a reopening, a rematch, a referral to be made.

use serde_json::json;

use super::Running;
use crate::{
    Context, cases,
    database::Writing,
    error::{Error, Result},
    events::{self, Event, Kind},
    protocols::{Effect, State},
};

/// What is left to be done to the trajectory itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Follows {
    Nothing,
    /// It may not be open.
    CloseAgain,
}

/// Follows the effects of an input, and a closing that time brought.
pub(super) async fn follow(
    tx: &Writing,
    cx: &Context<'_>,
    (before, running): (&State, &Running),
    effects: &[Effect],
) -> Result<Follows> {
    if !effects.is_empty() || before.closed != running.state().closed {
        tx.flush().await?;
    }
    let (id, case) = (running.row().id, running.row().case_id);
    for effect in effects {
        match effect {
            Effect::Closed { .. } | Effect::Reopened => {}
            Effect::Rematch { role } => cases::end_assignments(tx, cx, case, role).await?,
            Effect::Refer { to, follow_up: _ } => {
                let event = Event::new(Kind::TrajectoryChanged, id.0).of_case(case);
                events::record(tx, cx, [event.with(json!({ "refer": to }))]);
            }
            Effect::StageEntered { stage } => {
                let event = Event::new(Kind::TrajectoryChanged, id.0).of_case(case);
                events::record(tx, cx, [event.with(json!({ "stage": stage }))]);
            }
            Effect::Paused => {
                let event = Event::new(Kind::TrajectoryChanged, id.0).of_case(case);
                events::record(tx, cx, [event.with(json!({ "paused": true }))]);
            }
        }
    }
    match (&before.closed, &running.state().closed) {
        (None, Some(closed)) => {
            let event = Event::new(Kind::TrajectoryClosed, id.0).of_case(case);
            events::record(tx, cx, [event.with(json!({ "reason": closed.reason }))]);
            cases::close_when_all_closed(tx, cx, case, &closed.reason).await?;
        }
        (Some(_), None) => match cases::reopen_with_trajectory(tx, cx, case).await {
            Err(Error::Violation(_)) => return Ok(Follows::CloseAgain),
            other => other?,
        },
        _ => {}
    }
    Ok(Follows::Nothing)
}
