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
