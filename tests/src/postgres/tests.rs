use super::*;

#[test]
fn survives_a_restart_and_a_kill_on_the_same_port() {
    let mut server = Postgres::durable();
    let url = server.url();
    assert!(server.answers());
    server.restart();
    server.kill();
    assert!(!server.answers());
    server.start_again();
    assert!(server.answers());
    assert_eq!(server.url(), url);
    assert!(server.dump().contains("PostgreSQL database dump"));
}
