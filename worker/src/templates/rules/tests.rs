use super::*;

fn of(text: &str) -> Vec<Breach> {
    breaches(&Revealing::load().unwrap(), &Rendered { subject: "Bericht".to_owned(), text: text.to_owned() })
}

#[test]
fn a_neutral_text_passes() {
    assert_eq!(of("Herinnering: afspraak dinsdag 10:00. Bel 0800-1234."), []);
    assert_eq!(of("Er zijn 3 taken over de termijn. Log in."), []);
}

#[test]
fn a_text_that_reveals_is_found_in_any_case_and_only_at_the_start_of_a_word() {
    assert_eq!(of("Uw HERSTELCOACH wacht."), [Breach::Reveals("herstel".to_owned())]);
    assert_eq!(of("Bel Veilig Thuis."), [Breach::Reveals("veilig thuis".to_owned())]);
    assert_eq!(of("Uw BOT is er."), [Breach::Reveals("bot".to_owned())]);
    assert_eq!(of("De boten zijn er, en de robot ook."), []);
    assert_eq!(of("Uw score is 3."), [Breach::Reveals("score".to_owned())]);
}

#[test]
fn links_and_questions_for_a_reply_are_found() {
    for link in [
        "Zie https://x.nl/a.",
        "Zie www.voorbeeld.nl.",
        "Zie voorbeeld.nl!",
        "Mail a@b.nl",
        "Див. пример.укр",
        "انظر موقع.شبكة",
    ] {
        assert!(of(link).iter().any(|breach| matches!(breach, Breach::Link(_))), "{link}");
    }
    assert_eq!(of("Beantwoord dit bericht."), [Breach::AsksForReply("beantwoord".to_owned())]);
    assert_eq!(of("Om 10.30 uur."), []);
}

#[test]
fn a_text_longer_than_one_sms_is_found() {
    assert_eq!(of(&"a".repeat(161)), [Breach::TooLong]);
    assert_eq!(of(&format!("ж{}", "a".repeat(70))), [Breach::TooLong]);
}
