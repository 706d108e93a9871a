//! Pure rules about consents.

use nazorg_entities::{Instant, PersonId};

use super::{Consent, NewConsent};
use crate::{error::Result, input::Checks};

/// How many items one consent may name.
pub const MOST_ITEMS: usize = 50;

/// Words only, towards one party, for a time that is not over.
pub fn check(new: &NewConsent, now: Instant) -> Result<()> {
    let NewConsent { purpose, recipient_person_id, recipient, items, legal_basis, given_by, valid_from, valid_until } =
        new;
    let mut checks = Checks::default();
    checks.word("/purpose", purpose);
    checks.word("/legalBasis", legal_basis);
    checks.word("/givenBy", given_by);
    if let Some(recipient) = recipient {
        checks.word("/recipient", recipient);
        let one = recipient_person_id.is_none();
        checks.must(one, "/recipient", ("conflict", "A consent is towards one: a person or a kind of party."));
    }
    checks.must(items.len() <= MOST_ITEMS, "/items", ("too_many", "At most 50 items."));
    for (at, item) in items.iter().enumerate() {
        checks.word(&format!("/items/{at}"), item);
    }
    if let Some(until) = valid_until {
        let begins = valid_from.unwrap_or(now);
        checks.must(*until > begins.max(now), "/validUntil", ("in_the_past", "The consent would never hold."));
    }
    checks.done()
}

/// Whether a consent holds at a moment.
#[must_use]
pub fn holds(consent: &Consent, now: Instant) -> bool {
    consent.revoked_at.is_none_or(|at| now < at)
        && consent.valid_from <= now
        && consent.valid_until.is_none_or(|until| now < until)
}

/// Whether a consent covers telling `recipient` (`None`: the organisation itself) something for a purpose, now.
#[must_use]
pub fn covers(consent: &Consent, purpose: &str, recipient: Option<PersonId>, now: Instant) -> bool {
    let towards = match recipient {
        Some(_) => consent.recipient_person_id == recipient,
        None => consent.recipient_person_id.is_none() && consent.recipient.is_none(),
    };
    consent.purpose == purpose && towards && holds(consent, now)
}

/// Whether `other`, for the same purpose and towards the same party, falls with `revoked`: that one holds, and this one is about nothing more.
/// No items is all that the purpose needs.
#[must_use]
pub fn falls_with(revoked: &Consent, other: &Consent, now: Instant) -> bool {
    let no_more = other.items.iter().all(|item| revoked.items.contains(item)) && !other.items.is_empty();
    other.id != revoked.id && holds(revoked, now) && (revoked.items.is_empty() || no_more)
}

#[cfg(test)]
mod tests;
