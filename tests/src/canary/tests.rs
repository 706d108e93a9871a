use super::*;
use crate::service::Leg;

#[test]
fn a_canary_in_a_file_is_found() {
    let ground = Ground::new(Leg::Embedded);
    let data = ground.dir.path().join("data");
    fs::create_dir_all(data.join("outbox")).unwrap();
    fs::write(data.join("outbox/one.eml"), "Dear CANARY-Anna").unwrap();
    assert_nowhere(&ground, "", &["CANARY-Anna"]);
    fs::write(data.join("nazorg.db"), "x 43414e4152592d416e6e61 x").unwrap();
    let found = std::panic::catch_unwind(|| assert_nowhere(&ground, "", &["CANARY-Anna"]));
    assert!(found.is_err());
}
