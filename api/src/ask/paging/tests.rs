use super::{encode, open, seal};

#[test]
fn a_cursor_opens_only_where_it_was_sealed_and_unharmed() {
    let key = [7; 32];
    let position = vec!["2027-01-01T00:00:00.000Z".to_owned(), "x".to_owned()];
    let cursor = seal(&key, b"listUnits", &position);
    assert_eq!(open(&key, b"listUnits", &cursor), Some(position));
    assert_eq!(open(&key, b"listCases", &cursor), None);
    assert_eq!(open(&[8; 32], b"listUnits", &cursor), None);
    for at in 0..cursor.len() {
        let mut harmed = cursor.clone().into_bytes();
        harmed[at] = if harmed[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(open(&key, b"listUnits", &String::from_utf8_lossy(&harmed)), None, "at {at}");
    }
    assert_eq!(open(&key, b"listUnits", ""), None);
}

#[test]
fn a_query_is_encoded_for_the_link() {
    assert_eq!(encode("a b&c=é"), "a%20b%26c%3D%C3%A9");
}
