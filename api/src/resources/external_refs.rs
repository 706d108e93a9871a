//! What other systems call our objects.

use nazorg_domain::external_refs::ExternalRef;
use poem_openapi::Object;

/// What another system calls an object. Unique per organisation, kind of object and system.
#[derive(Debug, Object)]
#[oai(rename = "ExternalRef", rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct ExternalRefView {
    /// The other system, a word: `hr_system`.
    #[oai(validator(pattern = "^[a-z][a-z0-9_]{0,59}$"))]
    system: String,
    /// What it calls our object; compared exactly.
    #[oai(validator(min_length = 1, max_length = 200))]
    value: String,
}

impl From<ExternalRef> for ExternalRefView {
    fn from(one: ExternalRef) -> Self {
        let ExternalRef { system, value } = one;
        Self { system, value }
    }
}

impl From<ExternalRefView> for ExternalRef {
    fn from(view: ExternalRefView) -> Self {
        let ExternalRefView { system, value } = view;
        Self { system, value }
    }
}
