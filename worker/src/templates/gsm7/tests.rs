use super::*;

#[test]
fn the_basic_table_has_its_127_characters() {
    assert_eq!(BASIC.chars().count(), 127);
    assert_eq!(EXTENSION.chars().count(), 10);
}

#[test]
fn lengths_are_counted_as_a_telephone_does() {
    assert_eq!(septets("Herinnering"), Some(11));
    assert_eq!(septets("€ 5"), Some(4));
    assert_eq!(septets("één"), Some(3));
    assert_eq!(septets("ê"), None);
    assert_eq!(septets("ÇÖÜöü"), Some(5), "Turkish letters that are in the basic table");
    for turkish in ["ç", "ğ", "Ğ", "ı", "İ", "ş", "Ş"] {
        assert_eq!(septets(turkish), None, "{turkish}");
    }
    assert_eq!(size("Salı"), Size { units: 4, limit: UNITS });
    assert_eq!(size("ضحى\u{200e}"), Size { units: 4, limit: UNITS });
    assert!(fits(&"a".repeat(160)) && !fits(&"a".repeat(161)));
    assert!(fits(&"€".repeat(80)) && !fits(&"€".repeat(81)));
    assert!(fits(&"ж".repeat(70)) && !fits(&"ж".repeat(71)));
    assert!(fits(&"😀".repeat(35)) && !fits(&"😀".repeat(36)));
}
