use super::*;

#[test]
fn a_sealed_value_opens_only_in_its_place_and_under_its_key() {
    let key = Secret::random().unwrap();
    let (here, there) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let sealed = key.seal_text(&place("persons/name", here), "Anna").unwrap();
    assert_eq!(key.open_text(&place("persons/name", here), &sealed).unwrap(), "Anna");
    assert!(key.open_text(&place("persons/name", there), &sealed).is_err());
    assert!(key.open_text(&place("notes/text", here), &sealed).is_err());
    assert!(Secret::random().unwrap().open_text(&place("persons/name", here), &sealed).is_err());
    assert!(key.open_text(&place("persons/name", here), &sealed[..10]).is_err());
}

#[test]
fn the_blind_index_forgives_case_and_spacing_and_nothing_else() {
    let key = Secret::random().unwrap();
    assert_eq!(key.blind("a", " Anna  de Vries ").unwrap(), key.blind("a", "anna de vries").unwrap());
    assert_ne!(key.blind("a", "anna").unwrap(), key.blind("a", "anne").unwrap());
    assert_ne!(key.blind("a", "anna").unwrap(), key.blind("b", "anna").unwrap());
}
