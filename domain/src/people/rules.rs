//! Pure rules about persons.

use nazorg_entities::Instant;

use super::{NewPerson, Person, PersonChange, Search};
use crate::{
    error::Result,
    external_refs::{self, ExternalRef},
    input::Checks,
};

/// The longest name.
pub const NAME: usize = 200;
/// The longest address: an e-mail address (RFC 5321, section 4.5.3.1).
pub const ADDRESS: usize = 254;
/// The language of who names none.
pub const LANGUAGE: &str = "nl";
/// The longest language tag (RFC 5646, section 4.4.1).
const LANGUAGE_TAG: usize = 35;

/// A person who can be registered.
pub fn person(new: &NewPerson) -> Result<()> {
    let NewPerson { name, language, zone: _, profession, external_refs } = new;
    let mut checks = Checks::default();
    checks.line("/name", name, NAME);
    check_language(&mut checks, language.as_deref());
    check_profession(&mut checks, profession.as_deref());
    checks.done()?;
    external_refs::rules::check(external_refs)
}

/// A person who can be registered or brought up to date under what another system calls them.
pub fn upsert(known_as: &ExternalRef, new: &NewPerson) -> Result<()> {
    person(new)?;
    let mut checks = Checks::default();
    checks.word("/externalRef/system", &known_as.system);
    checks.line("/externalRef/value", &known_as.value, external_refs::rules::LONGEST);
    checks.done()
}

/// What can be changed.
pub fn change(change: &PersonChange) -> Result<()> {
    let PersonChange { name, language, zone: _, profession, do_not_contact: _, deceased: _ } = change;
    let mut checks = Checks::default();
    if let Some(name) = name {
        checks.line("/name", name, NAME);
    }
    check_language(&mut checks, language.as_deref());
    check_profession(&mut checks, profession.as_ref().and_then(|profession| profession.as_deref()));
    checks.done()
}

/// A search names something.
pub fn search(search: &Search) -> Result<()> {
    let Search { name, address, external_ref } = search;
    let mut checks = Checks::default();
    let something = name.is_some() || address.is_some() || external_ref.is_some();
    checks.must(something, "", ("required", "Name a name, an address or an external reference."));
    if let Some(name) = name {
        checks.line("/name", name, NAME);
    }
    if let Some(address) = address {
        checks.line("/address", address, ADDRESS);
    }
    checks.done()
}

/// The person after a change.
#[must_use]
pub fn changed(before: Person, change: PersonChange, now: Instant) -> Person {
    let PersonChange { name, language, zone, profession, do_not_contact, deceased } = change;
    Person {
        name: name.or(before.name),
        language: language.unwrap_or(before.language),
        zone: zone.unwrap_or(before.zone),
        profession: profession.unwrap_or(before.profession),
        do_not_contact_at: since(before.do_not_contact_at, do_not_contact, now),
        deceased_at: since(before.deceased_at, deceased, now),
        ..before
    }
}

/// The members in which two states of a person differ, as published.
#[must_use]
pub fn differing(before: &Person, after: &Person) -> Vec<&'static str> {
    [
        ("name", before.name != after.name),
        ("language", before.language != after.language),
        ("zone", before.zone != after.zone),
        ("profession", before.profession != after.profession),
        ("doNotContactAt", before.do_not_contact_at != after.do_not_contact_at),
        ("deceasedAt", before.deceased_at != after.deceased_at),
    ]
    .into_iter()
    .filter_map(|(member, differs)| differs.then_some(member))
    .collect()
}

/// A moment beside a yes or no: set once, kept while it stays so.
fn since(before: Option<Instant>, holds: Option<bool>, now: Instant) -> Option<Instant> {
    match holds {
        None => before,
        Some(false) => None,
        Some(true) => before.or(Some(now)),
    }
}

/// What another system tells of a person: what it leaves out stays as it is.
#[must_use]
pub fn as_told(new: NewPerson) -> PersonChange {
    let NewPerson { name, language, zone, profession, external_refs: _ } = new;
    PersonChange {
        name: Some(name),
        language,
        zone: zone.map(Some),
        profession: profession.map(Some),
        do_not_contact: None,
        deceased: None,
    }
}

fn check_language(checks: &mut Checks, language: Option<&str>) {
    let detail = "This must be a language tag such as nl, en or zh-Hans.";
    checks.must(language.is_none_or(is_language), "/language", ("bad_format", detail));
}

fn check_profession(checks: &mut Checks, profession: Option<&str>) {
    if let Some(profession) = profession {
        checks.word("/profession", profession);
    }
}

/// The shape of a BCP 47 tag: a language of two or three letters, then subtags.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    tag.len() <= LANGUAGE_TAG
        && (2..=3).contains(&primary.len())
        && primary.bytes().all(|byte| byte.is_ascii_lowercase())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests;
