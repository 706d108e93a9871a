//! Pure rules about ways to reach a person (DOMAIN 7.5).

use chrono::{NaiveTime, TimeDelta};
use nazorg_entities::{ChannelKind, Instant, Safe};

use super::{ContactPoint, ContactPointChange, NewContactPoint, ended};
use crate::{error::Result, input::Checks, people::rules::ADDRESS};

/// How long what a person said of a contact point's safety holds, unless agreed otherwise (DOMAIN 7.5).
pub const SAFETY_HOLDS: TimeDelta = TimeDelta::days(90);
/// The last preference.
pub const LAST_PREFERENCE: i32 = 100;

/// A part of the day, half-open; one that ends before it begins runs over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// From when.
    pub from: NaiveTime,
    /// Until when; not the same as `from`.
    pub until: NaiveTime,
}

impl Window {
    /// Whether a time of day lies in it.
    #[must_use]
    pub fn contains(&self, time: NaiveTime) -> bool {
        if self.from < self.until {
            (self.from..self.until).contains(&time)
        } else {
            time >= self.from || time < self.until
        }
    }
}

/// A contact point that can be used at all.
pub fn check(new: &NewContactPoint, now: Instant) -> Result<()> {
    let mut checks = Checks::default();
    check_expiry(&mut checks, new.expires_at, now);
    match new.channel {
        ChannelKind::Email => {
            checks.must(is_email(&new.address), "/address", ("bad_format", "This is not an e-mail address."));
        }
        ChannelKind::Sms => {
            let detail = "This is not a telephone number in E.164, such as +31612345678.";
            checks.must(is_e164(&new.address), "/address", ("bad_format", detail));
        }
    }
    if let Some(Window { from, until }) = new.allowed {
        checks.must(from != until, "/allowedUntil", EMPTY);
    }
    check_preference(&mut checks, new.preference);
    checks.done()
}

const EMPTY: (&str, &str) = ("empty_window", "The window would never or always be open.");

fn check_preference(checks: &mut Checks, preference: i32) {
    let fits = (0..=LAST_PREFERENCE).contains(&preference);
    checks.must(fits, "/preference", ("out_of_range", "A preference lies between 0 and 100."));
}

fn check_expiry(checks: &mut Checks, expires_at: Option<Instant>, now: Instant) {
    let ahead = expires_at.is_none_or(|at| at > now);
    checks.must(ahead, "/expiresAt", ("in_the_past", "It would have expired already."));
}

/// When the person was asked, and until when what they said holds: yes and no are answers, unknown is none.
pub fn asked(safe: Safe, expires_at: Option<Instant>, now: Instant) -> Result<(Option<Instant>, Option<Instant>)> {
    let mut checks = Checks::default();
    check_expiry(&mut checks, expires_at, now);
    checks.done()?;
    match safe {
        Safe::Yes | Safe::No => Ok((Some(now), Some(expires_at.unwrap_or(now + SAFETY_HOLDS)))),
        Safe::Unknown => Ok((None, None)),
    }
}

/// Whether a message may go this way to someone whose safety matters: marked as safe, and not too long ago.
#[must_use]
pub fn is_safe(point: &ContactPoint, now: Instant) -> bool {
    point.safe == Safe::Yes && point.expires_at.is_some_and(|at| now < at)
}

/// Only what has not ended changes.
pub fn in_use(point: ContactPoint) -> Result<ContactPoint> {
    if point.ended_at.is_some() { Err(ended()) } else { Ok(point) }
}

/// The contact point after a change.
pub fn changed(before: ContactPoint, change: ContactPointChange) -> Result<ContactPoint> {
    let before = in_use(before)?;
    let ContactPointChange { allowed_from, allowed_until, voicemail, contact_mode, preference } = change;
    let from = allowed_from.unwrap_or(before.allowed.map(|window| window.from));
    let until = allowed_until.unwrap_or(before.allowed.map(|window| window.until));
    let mut checks = Checks::default();
    let both = "A window has a beginning and an end.";
    checks.must(from.is_some() || until.is_none(), "/allowedFrom", ("required", both));
    checks.must(until.is_some() || from.is_none(), "/allowedUntil", ("required", both));
    checks.must(from.is_none() || from != until, "/allowedUntil", EMPTY);
    let preference = preference.unwrap_or(before.preference);
    check_preference(&mut checks, preference);
    checks.done()?;
    Ok(ContactPoint {
        allowed: from.zip(until).map(|(from, until)| Window { from, until }),
        voicemail: voicemail.unwrap_or(before.voicemail),
        contact_mode: contact_mode.unwrap_or(before.contact_mode),
        preference,
        ..before
    })
}

/// An address that mail systems can take: one local part without spaces, a domain with a dot, no tricks.
#[must_use]
pub fn is_email(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~.-".contains(&byte);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    address.len() <= ADDRESS
        && (1..=64).contains(&local.len())
        && local.bytes().all(plain)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && domain.contains('.')
        && domain.split('.').all(label)
}

/// A number as E.164 writes it: a plus, then 8 to 15 digits, the first not 0.
#[must_use]
pub fn is_e164(address: &str) -> bool {
    address.strip_prefix('+').is_some_and(|digits| {
        (8..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests;
