//! `/docs`: the document as one readable page.

use poem::Response;

/// The page.
pub(crate) fn page() -> Response {
    crate::html::Page::new("nazorg", "<p>…</p>").respond()
}
