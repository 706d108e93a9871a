use nazorg_entities::ConsentId;
use uuid::Uuid;

use super::*;

fn at(hours: i64) -> Instant {
    chrono::DateTime::from_timestamp(hours * 3600, 0).unwrap()
}

fn consent() -> Consent {
    Consent {
        id: ConsentId(Uuid::nil()),
        person_id: PersonId(Uuid::from_u128(1)),
        purpose: "inform_family".to_owned(),
        recipient_person_id: Some(PersonId(Uuid::from_u128(2))),
        recipient: None,
        items: vec![],
        legal_basis: "consent".to_owned(),
        given_by: "self".to_owned(),
        valid_from: at(1),
        valid_until: Some(at(9)),
        revoked_at: None,
        created_at: at(0),
        version: 1,
    }
}

#[test]
fn it_holds_from_until_and_not_after_it_was_revoked() {
    assert!(!holds(&consent(), at(0)));
    assert!(holds(&consent(), at(1)));
    assert!(!holds(&consent(), at(9)));
    assert!(!holds(&Consent { revoked_at: Some(at(5)), ..consent() }, at(5)));
    assert!(holds(&Consent { revoked_at: Some(at(5)), ..consent() }, at(4)), "what held then, held then");
}

#[test]
fn what_was_agreed_twice_falls_with_one_that_holds_and_only_what_is_no_more_than_that() {
    let items = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
    let one = |name, items| Consent { id: ConsentId(Uuid::from_u128(name)), items, ..consent() };
    let (all, both) = (one(1, items(&[])), one(2, items(&["address", "dates"])));
    let dates = one(3, items(&["dates"]));
    for (revoked, other, falls) in
        [(&all, &both, true), (&both, &dates, true), (&dates, &both, false), (&both, &all, false), (&all, &all, false)]
    {
        assert_eq!(falls_with(revoked, other, at(2)), falls, "{revoked:?} {other:?}");
    }
    assert!(!falls_with(&all, &both, at(0)), "one that has not begun takes nothing with it");
}

#[test]
fn it_covers_one_purpose_towards_one() {
    let daughter = Some(PersonId(Uuid::from_u128(2)));
    assert!(covers(&consent(), "inform_family", daughter, at(2)));
    assert!(!covers(&consent(), "research", daughter, at(2)));
    assert!(!covers(&consent(), "inform_family", Some(PersonId(Uuid::from_u128(3))), at(2)));
    assert!(!covers(&consent(), "inform_family", None, at(2)));
}
