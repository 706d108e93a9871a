use super::*;

#[test]
fn the_banner_shows_the_key_only_when_there_is_one() {
    let key = FirstKey { organisation: uuid::Uuid::nil().into(), secret: "nzg_live_x".to_owned() };
    assert!(banner("http://localhost:1", Some(&key)).contains("curl -H 'Authorization: Bearer nzg_live_x'"));
    assert!(!banner("http://localhost:1", None).contains("key"));
}
