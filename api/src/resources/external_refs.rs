//! What other systems call our objects.

use nazorg_domain::external_refs::ExternalRef;
use poem_openapi::Object;

use crate::types::Word;

/// What another system calls an object. Unique per organisation, kind of object and system.
#[derive(Debug, Object)]
#[oai(rename = "ExternalRef", rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct ExternalRefView {
    /// The other system, a word: `hr_system`.
    system: Word,
    /// What it calls our object; compared exactly.
    #[oai(validator(min_length = 1, max_length = 200))]
    value: String,
}

impl From<ExternalRef> for ExternalRefView {
    fn from(one: ExternalRef) -> Self {
        let ExternalRef { system, value } = one;
        Self { system: Word(system), value }
    }
}

impl From<ExternalRefView> for ExternalRef {
    fn from(view: ExternalRefView) -> Self {
        let ExternalRefView { system, value } = view;
        Self { system: system.into(), value }
    }
}
