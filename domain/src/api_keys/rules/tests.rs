use super::*;

#[test]
fn a_key_is_recognised_and_one_wrong_letter_is_not() {
    let key = write_key(&[7; 24]);
    assert!(well_formed(&key));
    assert!(!well_formed(&key.replace("07", "08")));
    assert!(!well_formed(&format!("{key}0")));
    assert!(!well_formed("nzg_live_é"));
    assert!(!well_formed(""));
}
