use super::*;

fn watched(address: &RedisAddress) -> (Vec<String>, String, String) {
    let Address::Watched { sentinels, master, reached } = &*address.0 else { panic!("a fixed address") };
    (sentinels.iter().map(|one| one.addr().to_string()).collect(), master.clone(), format!("{reached:?}"))
}

#[test]
fn sentinels_are_asked_for_the_master_that_the_url_names() {
    let sentinels = ["one", "two:1234", "rediss://:CANARY@three"];
    let address = RedisAddress::parse("rediss://user:CANARY@my_Master/2", &sentinels).unwrap();
    let (sentinels, master, reached) = watched(&address);
    assert_eq!(sentinels, ["one:26379", "two:1234", "three:26379"]);
    assert_eq!(master, "my_Master");
    assert!(reached.contains("Secure") && reached.contains("db: 2"), "{reached}");
    assert!(!format!("{address:?}").contains("CANARY"));
}

#[test]
fn what_is_no_sentinel_is_told_without_showing_it() {
    for (url, sentinel) in [
        ("redis://master:6379", "one"),
        ("redis://master/CANARY", "one"),
        ("redis://master", "http://CANARY"),
        ("redis://master", "redis://:CANARY@one/3"),
        ("redis://master", "CANARY one"),
        ("redis+unix:///CANARY", "one"),
    ] {
        let fault = RedisAddress::parse(url, &[sentinel]).unwrap_err();
        assert!(!fault.contains("CANARY"), "{fault}");
    }
}
