//! Pure rules about trajectories, and how the engine's refusals are told.

use std::collections::BTreeMap;

use nazorg_entities::Audience;

use crate::{
    error::{Error, Result, ViolationCode},
    events::Kind,
    input::Checks,
    protocols::{Announcement, FollowUp, Offset, Protocol, Refusal, Status},
};

/// A case holds what its record profile allows; a protocol with another profile needs another case (DOMAIN 7.2).
pub fn same_profile(case: &str, protocol: &Protocol) -> Result<()> {
    if case == protocol.record_profile.as_str() {
        return Ok(());
    }
    let detail = format!("The case is a {case}, the protocol a {}.", protocol.record_profile.as_str());
    Err(Error::violation(ViolationCode::RecordProfileDiffers, detail))
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let code = match &refusal {
            Refusal::TrajectoryClosed { .. } => ViolationCode::TrajectoryClosed,
            Refusal::AlreadyFinal { .. } => ViolationCode::AlreadyFinal,
            Refusal::Waiting { .. } => ViolationCode::NotYetPlanned,
            Refusal::TooEarly { .. } => ViolationCode::TooEarly,
            Refusal::OutsideWindow { .. } => ViolationCode::OutsideWindow,
            Refusal::UnknownOutcome { .. } => ViolationCode::UnknownOutcome,
            Refusal::UnknownAnchor { .. } | Refusal::UnknownAnchorValue { .. } | Refusal::AnchorNotMany { .. } => {
                ViolationCode::UnknownAnchor
            }
            Refusal::UnknownParam { .. } => ViolationCode::UnknownParam,
            Refusal::ParamOutOfBounds { .. } => ViolationCode::ParamOutOfBounds,
            _ => ViolationCode::NotAllowedNow,
        };
        Self::violation(code, sentence(&refusal.to_string()))
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// What is given of the person's own rhythm at the start, every error together: durations, and each parameter once.
pub fn params(given: Vec<(String, String)>) -> Result<BTreeMap<String, Offset>> {
    let mut checks = Checks::default();
    let mut found = BTreeMap::new();
    for (place, (param, value)) in given.into_iter().enumerate() {
        match value.parse::<Offset>() {
            Err(_) => {
                checks.refuse(format!("/params/{place}/value"), "bad_format", "The value is a duration such as P2W.");
            }
            Ok(value) => {
                let fresh = found.insert(param, value).is_none();
                checks.must(
                    fresh,
                    &format!("/params/{place}/param"),
                    ("duplicate", "The parameter stands here twice."),
                );
            }
        }
    }
    checks.done().map(|()| found)
}

/// At the start, what the engine misses is missing from the body.
#[must_use]
pub fn at_start(error: Error) -> Error {
    match error {
        Error::Violation(violation)
            if matches!(violation.code, ViolationCode::UnknownAnchor | ViolationCode::NotAllowedNow) =>
        {
            Error::field("/anchors", violation.code.as_str(), violation.detail)
        }
        other => other,
    }
}

/// Whether a follow-up's row would read differently.
#[must_use]
pub fn row_differs(old: &FollowUp, new: &FollowUp) -> bool {
    let seen = |one: &FollowUp| {
        (
            (one.status, one.role.clone(), one.outcome.clone(), one.reason.clone()),
            (one.opens_at, one.due_at, one.closes_at, one.expires_at, one.final_at),
        )
    };
    seen(old) != seen(new)
}

/// What the feed tells of a change; what the start planned goes without saying.
#[must_use]
pub fn event_kind(old: Option<&FollowUp>, new: &FollowUp, started: bool) -> Option<Kind> {
    let Some(old) = old else { return (!started).then_some(Kind::FollowUpPlanned) };
    if new.status.is_final() && !old.status.is_final() {
        return Some(Kind::FollowUpEnded);
    }
    if new.due_at != old.due_at {
        return Some(if old.due_at.is_none() { Kind::FollowUpPlanned } else { Kind::FollowUpMoved });
    }
    let late = |status| matches!(status, Status::Overdue | Status::Escalated);
    (late(new.status) && !late(old.status)).then_some(Kind::FollowUpOverdue)
}

/// The template of a message: the one the protocol names, else by whom it is for and why (DOMAIN 7.6).
#[must_use]
pub fn template(announcement: &Announcement, audience: Audience) -> String {
    let named = announcement.template.as_deref();
    let fallback = match audience {
        Audience::Staff if announcement.rule.starts_with("escalate") => "overdue",
        Audience::Staff => "task",
        Audience::Person => "checkin",
        Audience::Family => "family.checkin",
    };
    named.unwrap_or(fallback).to_owned()
}
