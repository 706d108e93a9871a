//! The protocol language, its time semantics, the engine and the preview. All of it pure: no database, no clock.
//!
//! A protocol is read once ([`parse`]), a trajectory's inputs are kept in order, and everything it promises is
//! worked out from them ([`next`], [`advance`], [`replay`]). The reference is `docs/protocol-language.md`.

mod announce;
mod built_in;
mod calendar;
mod check;
mod document;
mod duration;
mod engine;
mod faults;
mod holidays;
mod input;
mod language;
mod plan;
mod preview;
mod stall;
mod state;

pub use built_in::{BuiltIn, built_in};
pub(crate) use calendar::instant;
pub use calendar::{Calendar, Closure, Day, Moment, Roll, Shift, Surroundings, moment, offset};
pub use check::KINDS;
pub use document::MAX_TEXT;
pub use duration::{Offset, OffsetError};
pub use engine::{advance, next, next_moment, replay};
pub use faults::{Fault, FaultCode};
pub use holidays::{Holiday, Holidays};
pub use input::{AnchorValue, Effect, Input, Refusal, What};
pub use language::*;
pub use preview::{
    OutcomeGiven, Preview, PreviewFollowUp, PreviewMessage, PreviewRequest, PreviewUntil, parse_outcome_argument,
    preview,
};
pub use stall::stalled;
pub use state::{Announcement, CalledOff, Closed, FollowUp, Key, Plan, Stage, State, Status};

/// Reads a protocol from YAML or JSON and checks all of it.
///
/// # Errors
/// Every mistake at once, each with its place, a stable code, and what was expected.
pub fn parse(text: &str) -> Result<Protocol, Vec<Fault>> {
    let (document, mut faults) = document::read(text).map_err(|fault| vec![fault])?;
    if faults.is_empty() {
        return check::check(document);
    }
    faults.extend(check::read(&document).1);
    Err(faults)
}

#[cfg(test)]
mod tests;
