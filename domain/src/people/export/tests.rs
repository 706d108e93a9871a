use super::*;

#[test]
fn a_copy_holds_so_much_of_a_kind_and_says_when_there_is_more() {
    let most = usize::try_from(MOST).unwrap();
    assert_eq!(bounded("notes", vec![(); most]).unwrap().len(), most);
    let Err(Error::Violation(no)) = bounded("notes", vec![(); most + 1]) else { panic!("it holds more") };
    assert_eq!(no.code, ViolationCode::ExportTooLarge);
    assert!(no.detail.contains("notes"), "{}", no.detail);
}
