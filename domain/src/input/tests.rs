use super::*;

#[test]
fn a_word_holds_no_sentence() {
    assert!(is_word("line_manager"));
    assert!(is_word("psh2"));
    for bad in ["", "2nd", "_x", "Line", "line manager", "lijn-manager", "naïef", &"x".repeat(61)] {
        assert!(!is_word(bad), "{bad}");
    }
}

#[test]
fn all_errors_are_told_together() {
    let mut checks = Checks::default();
    checks.line("/name", " \n", 3);
    checks.line("/other", "four", 3);
    checks.word("/kind", "Kind");
    let Err(Error::Invalid(errors)) = checks.done() else { panic!("nothing refused") };
    let told: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), &*error.code)).collect();
    let expected = [("/name", "required"), ("/name", "bad_format"), ("/other", "too_long"), ("/kind", "bad_format")];
    assert_eq!(told, expected);
}
