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
mod tests {
    use super::*;
    use crate::error::Error;

    fn one(system: &str, value: &str) -> ExternalRef {
        ExternalRef { system: system.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn each_system_once_and_a_value_is_a_line() {
        assert!(check(&[one("hr", "17"), one("vim", "17")]).is_ok());
        assert!(check(&[]).is_ok());
        let Err(Error::Invalid(errors)) = check(&[one("hr", "17"), one("hr", "a\nb")]) else { panic!("accepted") };
        let told: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), &*error.code)).collect();
        assert_eq!(told, [("/externalRefs/1/system", "duplicate"), ("/externalRefs/1/value", "bad_format")]);
    }
}
