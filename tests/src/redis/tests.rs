use super::*;

#[test]
fn forgets_on_a_restart_and_shows_what_it_holds() {
    let mut server = Redis::start();
    server.command(&["SET", "key", "CANARY-value"]).unwrap();
    assert!(server.dump().windows(12).any(|bytes| bytes == b"CANARY-value"));
    server.restart();
    assert_eq!(server.command(&["DBSIZE"]).unwrap(), ":0");
    server.flush();
}
