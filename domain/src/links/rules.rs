//! What a link is made of: a message, an end, and a seal over everything it is bound to. Nothing of it is kept anywhere.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta};
use nazorg_entities::{FollowUpId, Instant, MessageId, OrganisationId, PersonId};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::{error::Result, secrets::Secret};

/// A link works no longer than this after its message was sent, whatever its follow-up allows.
pub const AT_MOST: TimeDelta = TimeDelta::days(14);
/// The characters of a token: what it costs a text message is known beforehand.
pub const LENGTH: usize = 48;
const MESSAGE: usize = 16;
const END: usize = 4;
const SEAL: usize = 16;

/// Everything a link is bound to: it is no link to anything else, for anybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Whose.
    pub organisation: OrganisationId,
    /// In which message it stands.
    pub message: MessageId,
    /// What the message is about.
    pub follow_up: FollowUpId,
    /// To whom the message goes.
    pub recipient: PersonId,
    /// When it stops working, in whole minutes.
    pub until: Instant,
}

/// A token that reads as one; whether it is one only its seal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// The message it says it stands in.
    pub message: MessageId,
    /// When it says it stops working.
    pub until: Instant,
    seal: [u8; SEAL],
}

/// When a link stops working: with its follow-up, and fourteen days after it was sent at the latest.
#[must_use]
pub fn until(now: Instant, expires_at: Option<Instant>) -> Instant {
    let latest = now + AT_MOST;
    let until = expires_at.map_or(latest, |at| at.min(latest));
    DateTime::from_timestamp(until.timestamp().div_euclid(60) * 60, 0).unwrap_or(until)
}

/// The token of a link: base64url of message, end and seal.
pub fn write(key: &Secret, bound: &Bound) -> Result<String> {
    let mut bytes = Vec::with_capacity(MESSAGE + END + SEAL);
    bytes.extend(bound.message.0.as_bytes());
    bytes.extend(minutes(bound.until).to_be_bytes());
    bytes.extend(seal(key, bound)?);
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Reads a token; `None` when it is none.
#[must_use]
pub fn read(token: &str) -> Option<Read> {
    if token.len() != LENGTH {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (message, rest) = bytes.split_first_chunk::<MESSAGE>()?;
    let (end, rest) = rest.split_first_chunk::<END>()?;
    let until = DateTime::from_timestamp(i64::from(u32::from_be_bytes(*end)) * 60, 0)?;
    Some(Read { message: MessageId(Uuid::from_bytes(*message)), until, seal: rest.try_into().ok()? })
}

/// Whether a token was written for this, with one of these keys; told in the same time for every token.
pub fn fits(keys: &[Secret], read: &Read, bound: &Bound) -> Result<bool> {
    let mut found = false;
    for key in keys {
        found |= bool::from(seal(key, bound)?.ct_eq(&read.seal));
    }
    Ok(found & (read.message == bound.message) & (read.until == bound.until))
}

fn seal(key: &Secret, bound: &Bound) -> Result<Vec<u8>> {
    let Bound { organisation, message, follow_up, recipient, until } = bound;
    let mut all = Vec::with_capacity(4 * MESSAGE + END);
    for id in [organisation.0, message.0, follow_up.0, recipient.0] {
        all.extend(id.as_bytes());
    }
    all.extend(minutes(*until).to_be_bytes());
    let mut mac = key.mac(&all)?;
    mac.truncate(SEAL);
    Ok(mac)
}

/// Minutes since 1970, enough for eight thousand years.
fn minutes(at: Instant) -> u32 {
    u32::try_from(at.timestamp().div_euclid(60)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
