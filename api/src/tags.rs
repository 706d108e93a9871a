//! The chapters of the document: every operation belongs to exactly one.

use poem_openapi::Tags;

/// A chapter.
#[derive(Tags)]
pub(crate) enum Tag {
    /// Departments, stations, reception locations: the places of an organisation, one below the other.
    Units,
}
