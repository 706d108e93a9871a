//! Pure rules about cases.

use nazorg_entities::{CaseStatus, Instant, PersonId, RelationId};

use super::Case;
use crate::{
    error::{Error, FieldError, Result, ViolationCode},
    people::relations::Relation,
    protocols::{Protocol, RecordProfile, Subject},
};

/// The case, closed.
#[must_use]
pub fn closed(case: Case, reason: &str, now: Instant) -> Case {
    Case {
        status: CaseStatus::Closed,
        closed_at: Some(now),
        closed_reason: Some(reason.to_owned()),
        version: case.version + 1,
        ..case
    }
}

/// The case, open again.
#[must_use]
pub fn reopened(case: Case, now: Instant) -> Case {
    Case {
        status: CaseStatus::Open,
        closed_at: None,
        closed_reason: None,
        reopened_at: Some(now),
        version: case.version + 1,
        ..case
    }
}

/// Whether a note may be kept at all (DOMAIN 7.2): we cannot leak what we never stored.
pub fn may_hold_notes(record_profile: &str) -> Result<()> {
    let profile = RecordProfile::WORDS.iter().find(|(word, _)| *word == record_profile);
    match profile {
        Some((_, RecordProfile::SupportFile | RecordProfile::CareFile | RecordProfile::SafetyFile)) => Ok(()),
        _ => {
            let detail = format!("A {record_profile} holds who met when, with an outcome code, and no free text.");
            Err(Error::violation(ViolationCode::RecordProfileForbidsNotes, detail))
        }
    }
}

/// Whether what is written in it protects somebody else's rights: then a restriction does not stand in the way (GDPR article 18, second
/// paragraph).
#[must_use]
pub fn protects_others(record_profile: &str) -> bool {
    record_profile == RecordProfile::SafetyFile.as_str()
}

/// Whether a case on this protocol may be about `person`, resting on this relation: someone close has one in which they are the
/// other, that has not ended; a person has none.
pub fn rests_on(protocol: &Protocol, (person, relation): (PersonId, Option<&Relation>)) -> Result<()> {
    let no = |code, detail: &str| Err(Error::field("/relationId", code, detail));
    match (protocol.subject, relation) {
        (Subject::Person, None) => Ok(()),
        (Subject::Person, Some(_)) => no("conflict", "The protocol is not about someone close."),
        (Subject::CloseOne, None) => no("required", "The protocol is about someone close: to whom are they?"),
        (Subject::CloseOne, Some(one)) if one.other_person_id != person => {
            no("conflict", "The relation is with somebody else.")
        }
        (Subject::CloseOne, Some(one)) if one.ended_at.is_some() => no("ended", "The relation has ended."),
        (Subject::CloseOne, Some(_)) => Ok(()),
    }
}

/// Whether a trajectory on this protocol may run in a case that rests on a relation, or on none.
pub fn same_subject(relation: Option<RelationId>, protocol: &Protocol) -> Result<()> {
    if relation.is_some() == (protocol.subject == Subject::CloseOne) {
        return Ok(());
    }
    let detail = "A case is about someone close, or it is not; a protocol about the other needs a case of its own.";
    Err(Error::violation(ViolationCode::SubjectDiffers, detail))
}

/// Roles the protocol does not know, each an error of its own.
pub fn roles_exist<'a>(protocol: &Protocol, roles: impl Iterator<Item = &'a str>) -> Vec<FieldError> {
    roles
        .enumerate()
        .filter(|(_, role)| !protocol.roles.iter().any(|known| known == role))
        .map(|(place, _)| {
            let detail = format!("The protocol's roles are {}.", protocol.roles.join(", "));
            FieldError::body(format!("/assignments/{place}/role"), "unknown", detail)
        })
        .collect()
}

/// A case number for humans.
#[must_use]
pub fn number(year: i32, place: i32) -> String {
    format!("{year}-{place:06}")
}

#[cfg(test)]
mod tests;
