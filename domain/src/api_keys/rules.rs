//! Pure rules about keys.

use nazorg_entities::{Instant, Role, UnitId};
use sha2::{Digest, Sha256};

use super::NewApiKey;
use crate::error::{Error, FieldError, Result};

const PREFIX: &str = "nzg_live_";
const SECRET: usize = 48;
const CHECKSUM: usize = 8;

/// The key as it is shown: prefix, secret, checksum, so that a mistyped or leaked key is recognised without a query.
#[must_use]
pub fn write_key(random: &[u8; 24]) -> String {
    let secret = hex(random);
    format!("{PREFIX}{secret}{}", checksum(&secret))
}

/// Whether a text can be a key at all.
#[must_use]
pub fn well_formed(text: &str) -> bool {
    text.strip_prefix(PREFIX)
        .filter(|rest| rest.len() == SECRET + CHECKSUM && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .and_then(|rest| rest.split_at_checked(SECRET))
        .is_some_and(|(secret, sum)| checksum(secret) == sum)
}

fn checksum(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes())[..CHECKSUM / 2])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A supporter and a line manager are someone; an expiry lies ahead.
pub fn check(new: &NewApiKey, wall: Instant) -> Result<()> {
    let mut errors = Vec::new();
    if matches!(new.role, Role::Supporter | Role::LineManager) && new.person_id.is_none() {
        errors.push(FieldError::body("/personId", "required", "A key of this role belongs to a person."));
    }
    if new.role == Role::Integration && new.person_id.is_some() {
        errors.push(FieldError::body("/personId", "forbidden", "An integration names its user per request."));
    }
    if new.expires_at.is_some_and(|at| at <= wall) {
        errors.push(FieldError::body("/expiresAt", "in_the_past", "The key would never work."));
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

/// An access role somebody was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Which.
    pub role: Role,
    /// A line manager's unit.
    pub unit: Option<UnitId>,
    /// Whether it holds now.
    pub holds: bool,
}

/// The role that reaches furthest of those that hold; administering settings gives way to support work.
#[must_use]
pub fn strongest(given: &[Given]) -> Option<Role> {
    given.iter().filter(|one| one.holds).map(|one| one.role).min_by_key(|role| match role {
        Role::Coordinator => 0,
        Role::Supporter => 1,
        Role::Reporter => 2,
        Role::LineManager => 3,
        Role::Quality => 4,
        Role::Admin => 5,
        Role::Integration => 6,
    })
}

/// Whether the key of somebody who was given these still opens what `role` may: whoever was given that role must hold it, whoever was given
/// others one of those, and who was never given any never needed one.
#[must_use]
pub fn still(role: Role, given: &[Given]) -> bool {
    let of_role = given.iter().any(|one| one.role == role);
    given.is_empty() || given.iter().any(|one| one.holds && (one.role == role || !of_role))
}

#[cfg(test)]
mod tests;
