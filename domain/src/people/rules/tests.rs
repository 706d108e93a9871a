use super::*;

#[test]
fn a_language_is_a_tag() {
    for good in ["nl", "en", "uk", "ru", "ar-SY", "tr", "ti", "fa", "zh-Hans", "nl-NL"] {
        assert!(is_language(good), "{good}");
    }
    for bad in ["", "n", "Nederlands", "NL", "nl_NL", "nl-", "n1"] {
        assert!(!is_language(bad), "{bad}");
    }
}

#[test]
fn a_moment_is_kept_while_it_holds() {
    let at = |second| chrono::DateTime::from_timestamp(second, 0).unwrap();
    assert_eq!(since(None, Some(true), at(5)), Some(at(5)));
    assert_eq!(since(Some(at(1)), Some(true), at(5)), Some(at(1)));
    assert_eq!(since(Some(at(1)), None, at(5)), Some(at(1)));
    assert_eq!(since(Some(at(1)), Some(false), at(5)), None);
}

#[test]
fn an_empty_search_finds_nobody() {
    assert!(search(&Search::default()).is_err());
    assert!(search(&Search { name: Some("Anna".into()), ..Search::default() }).is_ok());
}
