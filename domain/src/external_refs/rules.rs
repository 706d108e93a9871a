//! Pure rules about external references.

use std::collections::HashSet;

use super::ExternalRef;
use crate::{error::Result, input::Checks};

/// The longest value.
pub const LONGEST: usize = 200;
/// How many references one object may be given at once.
pub const MOST: usize = 20;

/// Each system once, a word; each value one short line.
pub fn check(refs: &[ExternalRef]) -> Result<()> {
    let mut checks = Checks::default();
    checks.must(refs.len() <= MOST, "/externalRefs", ("too_many", "At most 20 references."));
    let mut seen = HashSet::new();
    for (at, ExternalRef { system, value }) in refs.iter().enumerate() {
        let pointer = format!("/externalRefs/{at}/system");
        checks.word(&pointer, system);
        checks.must(seen.insert(system), &pointer, ("duplicate", "Each system may be named once."));
        checks.line(&format!("/externalRefs/{at}/value"), value, LONGEST);
    }
    checks.done()
}

#[cfg(test)]
mod tests;
