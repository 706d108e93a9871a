use super::*;

#[test]
fn a_contact_log_holds_no_note_and_a_support_file_does() {
    assert!(may_hold_notes("support_file").is_ok());
    for profile in ["contact_log", "tally", "", "unheard_of"] {
        assert!(may_hold_notes(profile).is_err(), "{profile}");
    }
}

#[test]
fn only_a_safety_file_protects_others() {
    let found = RecordProfile::WORDS.iter().filter(|(word, _)| protects_others(word)).map(|(word, _)| *word);
    assert_eq!(found.collect::<Vec<_>>(), ["safety_file"]);
}

#[test]
fn numbers_sort_as_they_were_given() {
    assert_eq!(number(2026, 42), "2026-000042");
    assert!(number(2026, 9) < number(2026, 10));
}
