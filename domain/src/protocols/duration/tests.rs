use super::*;

#[test]
fn what_the_language_accepts_comes_back_in_its_shortest_form() {
    let pairs = [
        ("PT24H", "PT24H"),
        ("PT15M", "PT15M"),
        ("PT90M", "PT1H30M"),
        ("PT0S", "PT0S"),
        ("-PT4H", "-PT4H"),
        ("P14D", "P14D"),
        ("P6W", "P42D"),
        ("P3M", "P3M"),
        ("P1Y", "P12M"),
        ("P1Y6M", "P18M"),
        ("P1M15D", "P1M15D"),
        ("-P1M2D", "-P1M2D"),
        ("P0D", "P0D"),
        ("P5BD", "P5BD"),
        ("-P2BD", "-P2BD"),
        ("P0BD", "P0BD"),
        ("P1W2D", "P9D"),
    ];
    for (text, expected) in pairs {
        let offset: Offset = text.parse().unwrap();
        assert_eq!(offset.to_string(), expected, "{text}");
        assert_eq!(expected.parse::<Offset>().unwrap(), offset);
    }
}

#[test]
fn what_it_refuses() {
    for text in [
        "", "P", "PT", "P1", "1D", "P1X", "PT1D", "P1.5D", "P-1D", "+P1D", "p1d", "P1D1M", "P1D1D", "P BD", "PBD",
        "P１D",
    ] {
        assert_eq!(text.parse::<Offset>(), Err(OffsetError::Malformed), "{text}");
    }
    for text in ["P1DT2H", "P1M2BD", "P1YT0S"] {
        assert_eq!(text.parse::<Offset>(), Err(OffsetError::Mixed), "{text}");
    }
    for text in ["P101Y", "P99999999999999999999D", "PT999999999H", "P2601BD"] {
        assert_eq!(text.parse::<Offset>(), Err(OffsetError::TooLarge), "{text}");
    }
}

#[test]
fn turns_add_up_unit_by_unit() {
    let quarter: Offset = "P3M".parse().unwrap();
    assert_eq!("P14D".parse::<Offset>().unwrap().plus(quarter, 2).unwrap().to_string(), "P6M14D");
    assert_eq!(Offset::ZERO.plus(quarter, 3).unwrap().to_string(), "P9M");
    assert_eq!("PT1H".parse::<Offset>().unwrap().plus(quarter, 1), None);
}
