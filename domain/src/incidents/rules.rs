//! Pure rules about incidents.

use chrono::TimeDelta;
use nazorg_entities::{Instant, SupportOffered};

use super::{NewIncident, NewInvolvement};
use crate::{error::Result, external_refs, input::Checks};

/// The kinds of event (DOMAIN 12.4). The list grows; clients take words they do not know for `other`.
pub const EVENT_CLASSES: &[&str] = &[
    "fatality",
    "child_involved",
    "colleague_injured",
    "violence",
    "medical_incident",
    "suicide",
    "mass_casualty",
    "threat",
    "complaint_or_discipline",
    "own_request",
    "accumulation",
    "secondary_trauma",
    "flight_and_war",
    "domestic_violence",
    "other",
];
/// How many involved one report may name; more are added one by one.
pub const MOST_INVOLVED: usize = 200;
/// How long an incident and the support that came of it stay linked, from the report on (DESIGN section 4, DOMAIN 9.3).
pub const LINKED: TimeDelta = TimeDelta::days(30);
/// How far another system's clock may be ahead of ours.
const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// An incident that can be reported at `now`.
pub fn incident(new: &NewIncident, now: Instant) -> Result<()> {
    let NewIncident { unit_id: _, event_class, severity, event_at, reported_at, involved, external_refs } = new;
    let mut checks = Checks::default();
    let known = EVENT_CLASSES.contains(&event_class.as_str());
    checks.must(known, "/eventClass", ("unknown", "This is no kind of event; `other` is."));
    if let Some(severity) = severity {
        checks.word("/severity", severity);
    }
    let ahead = ("in_the_future", "This has not happened yet.");
    checks.must(*event_at <= now + AHEAD, "/eventAt", ahead);
    if let Some(reported_at) = reported_at {
        checks.must(*reported_at <= now + AHEAD, "/reportedAt", ahead);
        let order = ("before_event", "It cannot be reported before it happened.");
        checks.must(event_at <= reported_at, "/reportedAt", order);
    }
    checks.must(involved.len() <= MOST_INVOLVED, "/involved", ("too_many", "At most 200 in one report."));
    for (index, one) in involved.iter().enumerate() {
        check_involvement(&mut checks, &format!("/involved/{index}"), one);
    }
    checks.done()?;
    external_refs::rules::check(external_refs)
}

/// When the link between an incident and its support is cut.
#[must_use]
pub fn unlinked_at(reported_at: Instant) -> Instant {
    reported_at + LINKED
}

/// Someone involved who can be added.
pub fn involvement(new: &NewInvolvement) -> Result<()> {
    let mut checks = Checks::default();
    check_involvement(&mut checks, "", new);
    checks.done()
}

fn check_involvement(checks: &mut Checks, at: &str, new: &NewInvolvement) {
    let NewInvolvement { person_id, person_ref, unit_id: _, profession, support_offered: _ } = new;
    if let Some(profession) = profession {
        checks.word(&format!("{at}/profession"), profession);
    }
    let one = person_id.is_none() || person_ref.is_none();
    let twice = ("conflict", "Name a person by id or by reference, not both.");
    checks.must(one, &format!("{at}/personRef"), twice);
    if let Some(known_as) = person_ref {
        checks.word(&format!("{at}/personRef/system"), &known_as.system);
        checks.line(&format!("{at}/personRef/value"), &known_as.value, external_refs::rules::LONGEST);
    }
}

/// How offers add up, as the database folds them: one "no" is no, else one "unknown" is unknown.
#[must_use]
pub const fn weight(offered: SupportOffered) -> i32 {
    match offered {
        SupportOffered::No => 0,
        SupportOffered::Unknown => 1,
        SupportOffered::Yes => 2,
    }
}

/// The offer behind a weight.
#[must_use]
pub const fn of_weight(weight: i32) -> SupportOffered {
    match weight {
        0 => SupportOffered::No,
        2 => SupportOffered::Yes,
        _ => SupportOffered::Unknown,
    }
}

#[cfg(test)]
mod tests;
