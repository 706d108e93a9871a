//! The contract: the document as it is checked in, and what is generated from it.
//!
//! `openapi/openapi.json` is what clients are generated from and what a change is compared with. It is written by the
//! code and never by hand: `openapi/generate` rewrites it and the clients; the test here fails while it is stale.

/// The published document, as text: what `/v1/openapi.json` serves and `nazorg openapi` prints.
pub fn document() -> String {
    nazorg_api::document_text().to_owned()
}

#[cfg(test)]
mod tests {
    /// With `NAZORG_REWRITE=1` in the environment the checked-in document is rewritten instead.
    #[test]
    fn the_checked_in_document_is_what_the_code_publishes() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
        let published = super::document();
        if std::env::var_os("NAZORG_REWRITE").is_some() {
            std::fs::write(&path, published).expect("openapi.json can be written");
            return;
        }
        let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
        let differs = checked_in.lines().zip(published.lines()).position(|(old, new)| old != new);
        assert!(checked_in == published, "openapi.json is stale from line {differs:?} on: run openapi/generate");
    }
}
