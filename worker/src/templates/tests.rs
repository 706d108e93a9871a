mod broken;
mod rendered;

use super::*;
use chrono::{TimeZone, Utc};
use chrono_tz::Europe::Amsterdam;

fn fields(phone: Option<&str>) -> Fields {
    Fields {
        at: Utc.with_ymd_and_hms(2026, 11, 24, 9, 30, 0).unwrap(),
        zone: Amsterdam,
        count: 3,
        phone: phone.map(|number| Phone::parse(number).unwrap()),
    }
}

fn text(language: Language, template: Template, fields: &Fields) -> String {
    Texts::load().unwrap().render(language, template, fields).unwrap().text
}

#[test]
fn without_a_number_the_text_still_reads() {
    let without = fields(None);
    assert_eq!(
        text(Language::Nl, Template::CheckIn, &without),
        "We willen graag weten hoe het gaat. Wilt u inloggen? Het hoeft niet."
    );
    assert_eq!(text(Language::Nl, Template::Stop, &without), "U krijgt geen berichten meer.");
}

#[test]
fn a_text_message_has_the_link_only_where_all_of_it_fits_and_a_mail_always() {
    let texts = Texts::load().unwrap();
    let longest = Links::at(&format!("https://{}", "x".repeat(Links::LONGEST - 8 - 3 - nazorg_domain::links::LENGTH)));
    let shortest = Links::at("https://a.nl/").unwrap();
    let token = "A".repeat(nazorg_domain::links::LENGTH);
    for link in [longest.unwrap().link(&token), shortest.link(&token)] {
        for (language, template) in
            Language::ALL.iter().flat_map(|language| Template::ALL.iter().map(move |of| (*language, *of)))
        {
            for fields in fields::worst_cases(language.words()) {
                let plain = texts.render(language, template, &fields).unwrap();
                let sms = texts.with_link(language, plain.clone(), (ChannelKind::Sms, &link)).text;
                assert!(gsm7::fits(&sms), "{sms}");
                assert!(sms == plain.text || sms == format!("{} {link}", plain.text), "{sms}");
                let mail = texts.with_link(language, plain, (ChannelKind::Email, &link)).text;
                assert!(mail.lines().any(|line| line == link), "{mail}");
            }
        }
    }
    let task = texts.render(Language::Nl, Template::Task, &Fields { count: 1, ..fields(None) }).unwrap();
    let with = texts.with_link(Language::Nl, task, (ChannelKind::Sms, &shortest.link(&token))).text;
    assert!(with.ends_with(&shortest.link(&token)), "there is room for a short one: {with}");
}

#[test]
fn a_link_begins_at_an_address_and_nothing_else() {
    assert_eq!(Links::at("https://a.nl/").unwrap().link("x"), "https://a.nl/l/x");
    assert_eq!(Links::at("https://a.nl/aftercare").unwrap().link("x"), "https://a.nl/aftercare/l/x");
    let long = format!("https://{}", "x".repeat(300));
    for not in
        ["", "a.nl", "ftp://a.nl", "https://a.nl/?x=", "https://a.nl/#", "https://u@a.nl", "https://a. nl", &long]
    {
        assert_eq!(Links::at(not), None, "{not}");
    }
}

#[test]
fn one_task_is_one_task() {
    let one = Fields { count: 1, ..fields(None) };
    assert_eq!(text(Language::Nl, Template::Task, &one), "U heeft 1 taak die vandaag of morgen afloopt. Log in.");
    assert_eq!(text(Language::En, Template::Overdue, &one), "There is 1 task past its date. Log in.");
}

#[test]
fn the_day_is_the_recipients_in_their_zone_and_their_language() {
    let late = Fields { at: Utc.with_ymd_and_hms(2026, 11, 24, 23, 30, 0).unwrap(), ..fields(None) };
    let read = Language::ALL.map(|language| text(language, Template::AppointmentMasked, &late));
    let expected = [
        "Herinnering: afspraak woensdag 00:30.",
        "Reminder: appointment Wednesday 00:30.",
        "Нагадування про зустріч: середа, 00:30.",
        "Напоминание о встрече: среда, 00:30.",
        "تذكير: موعد يوم الأربعاء الساعة 00:30.",
        "Hatırlatma: Çarşamba günü saat 00:30 için randevu var.",
    ];
    assert_eq!(read, expected);
    let in_honolulu = Fields { zone: chrono_tz::Pacific::Honolulu, ..late };
    assert_eq!(
        text(Language::Uk, Template::Appointment, &in_honolulu),
        "Нагадування про зустріч: вівторок, 24 листопада, 13:30."
    );
}

#[test]
fn a_tag_is_understood_by_its_primary_subtag_and_a_language_we_lack_is_told_in_english() {
    for (tags, language) in [
        (["nl", "nl-BE", "NL"], Language::Nl),
        (["en", "en-GB", "en-150"], Language::En),
        (["uk", "uk-UA", "uk-Cyrl"], Language::Uk),
        (["ru", "ru-UA", "ru-Cyrl-RU"], Language::Ru),
        (["ar", "ar-SY", "AR-MA"], Language::Ar),
        (["tr", "tr_TR", "tr-Latn"], Language::Tr),
        (["ti", "fa-AF", ""], Language::En),
        (["trk", "arz", "n"], Language::En),
    ] {
        assert_eq!(tags.map(Language::of), [language; 3], "{tags:?}");
    }
}

#[test]
fn a_number_in_arabic_keeps_its_order_and_no_other_text_has_marks() {
    let texts = Texts::load().unwrap();
    for (language, template) in
        Language::ALL.iter().flat_map(|language| Template::ALL.iter().map(move |of| (*language, *of)))
    {
        let text = texts.render(language, template, &fields(Some("0800-1234"))).unwrap().text;
        let marks = text
            .chars()
            .filter(|c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
        let named = text.contains("0800-1234");
        assert_eq!(marks.count(), usize::from(named && language == Language::Ar), "{text}");
        assert!(!named || language != Language::Ar || text.ends_with("\u{200e}0800-1234"), "{text}");
    }
}

#[test]
fn a_number_is_a_number() {
    assert!(Phone::parse("+31 6 1234 5678").is_some());
    for not in ["", "12", "bel mij", "0800-1234; https://x", "1234567890123456789012"] {
        assert_eq!(Phone::parse(not), None, "{not}");
    }
}
