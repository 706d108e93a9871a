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

#[test]
fn a_persons_key_ends_with_the_role_it_is_for() {
    let given = |role, holds| Given { role, unit: None, holds };
    let (coordinator, supporter) = (Role::Coordinator, Role::Supporter);
    assert!(still(supporter, &[]), "who only stands in cases was never given a role");
    assert!(still(coordinator, &[given(coordinator, true)]));
    assert!(!still(coordinator, &[given(coordinator, false)]));
    assert!(!still(coordinator, &[given(coordinator, false), given(supporter, true)]), "another role is not this one");
    assert!(still(coordinator, &[given(coordinator, false), given(coordinator, true)]), "given anew");
    assert!(still(coordinator, &[given(supporter, true)]), "the key says so itself");
    assert!(!still(coordinator, &[given(supporter, false)]), "nobody works here any more");
}

#[test]
fn an_integration_acts_in_the_strongest_role_that_holds() {
    let given = |role, holds| Given { role, unit: None, holds };
    let all = [given(Role::Coordinator, false), given(Role::Reporter, true), given(Role::Supporter, true)];
    assert_eq!(strongest(&all), Some(Role::Supporter));
    assert_eq!(strongest(&all[..1]), None);
}
