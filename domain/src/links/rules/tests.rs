use super::*;

fn bound() -> Bound {
    Bound {
        organisation: OrganisationId(Uuid::from_u128(1)),
        message: MessageId(Uuid::from_u128(2)),
        follow_up: FollowUpId(Uuid::from_u128(3)),
        recipient: PersonId(Uuid::from_u128(4)),
        until: "2026-12-01T08:00:00Z".parse().unwrap(),
    }
}

fn accepted(keys: &[Secret], token: &str, bound: &Bound) -> bool {
    read(token).is_some_and(|read| fits(keys, &read, bound).unwrap())
}

#[test]
fn a_token_is_one_for_what_it_was_written_for_and_for_nothing_else() {
    let key = [Secret::random().unwrap()];
    let token = write(&key[0], &bound()).unwrap();
    assert_eq!(token.len(), LENGTH);
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')), "{token}");
    assert!(accepted(&key, &token, &bound()));
    let other = Uuid::from_u128(9);
    for wrong in [
        Bound { organisation: OrganisationId(other), ..bound() },
        Bound { message: MessageId(other), ..bound() },
        Bound { follow_up: FollowUpId(other), ..bound() },
        Bound { recipient: PersonId(other), ..bound() },
        Bound { until: bound().until + TimeDelta::minutes(1), ..bound() },
    ] {
        assert!(!accepted(&key, &token, &wrong), "{wrong:?}");
    }
    assert!(!accepted(&[Secret::random().unwrap()], &token, &bound()), "another installation's key");
    assert!(!accepted(&[], &token, &bound()));
}

#[test]
fn the_last_master_key_is_still_known_while_it_is_changed() {
    let (old, new) = (Secret::random().unwrap(), Secret::random().unwrap());
    let token = write(&old, &bound()).unwrap();
    assert!(accepted(&[new, old], &token, &bound()));
}

#[test]
fn no_letter_of_a_token_can_be_another() {
    let key = [Secret::random().unwrap()];
    let token = write(&key[0], &bound()).unwrap();
    for place in 0..token.len() {
        let mut letters = token.clone().into_bytes();
        letters[place] = if letters[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(letters).unwrap();
        // What it says of itself is bound as well: a later end is another token.
        let said = read(&changed).map(|read| Bound { message: read.message, until: read.until, ..bound() });
        assert!(!said.is_some_and(|said| accepted(&key, &changed, &said)), "{place}");
    }
    for not in ["", "x", &token[1..], &format!("{token}A"), &format!("{}=", &token[1..]), &"é".repeat(24)] {
        assert_eq!(read(not), None, "{not}");
    }
}

#[test]
fn it_ends_with_its_follow_up_and_after_fourteen_days() {
    let now: Instant = "2026-12-01T08:00:30Z".parse().unwrap();
    let at = |text: &str| text.parse::<Instant>().unwrap();
    assert_eq!(until(now, None), at("2026-12-15T08:00:00Z"));
    assert_eq!(until(now, Some(at("2026-12-03T09:00:59Z"))), at("2026-12-03T09:00:00Z"));
    assert_eq!(until(now, Some(at("2027-12-03T09:00:00Z"))), at("2026-12-15T08:00:00Z"));
}
