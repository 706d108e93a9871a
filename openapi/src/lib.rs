//! The contract: the document as it is checked in, and what is generated from it.
//!
//! `openapi/openapi.json` is what clients are generated from and what a change is compared with. It is written by the
//! code and never by hand: `openapi/generate` rewrites it and the clients; the test here fails while it is stale.

/// The published document, as text: what `/v1/openapi.json` serves and `nazorg openapi` prints.
pub fn document() -> String {
    nazorg_api::document_text().to_owned()
}

#[cfg(test)]
mod tests;
