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
fn every_text_in_every_language_as_it_is_read() {
    let with = fields(Some("0800-1234"));
    let expected = [
        (
            Template::Login,
            "Er staat een bericht voor u klaar. Log in om het te lezen.",
            "There is a message for you. Log in to read it.",
        ),
        (
            Template::Appointment,
            "Herinnering: u heeft een afspraak op dinsdag 24 november om 10:30. Verzetten? Bel 0800-1234.",
            "Reminder: you have an appointment on Tuesday 24 November at 10:30. Another time? Call 0800-1234.",
        ),
        (Template::AppointmentMasked, "Herinnering: afspraak dinsdag 10:30.", "Reminder: appointment Tuesday 10:30."),
        (
            Template::CheckIn,
            "We willen graag weten hoe het gaat. Wilt u inloggen of bellen met 0800-1234? Het hoeft niet.",
            "We would like to know how you are. Would you log in or call 0800-1234? You do not have to.",
        ),
        (
            Template::FamilyCheckIn,
            "Er staat een korte vraag voor u klaar. Log in als u wilt. U hoeft niets te doen.",
            "There is a short question for you. Log in if you like. You do not have to do anything.",
        ),
        (
            Template::FamilySupport,
            "Zorgen voor een ander kan zwaar zijn. Wilt u zelf even praten? Bel 0800-1234.",
            "Caring for someone else can be hard. Would you like to talk yourself? Call 0800-1234.",
        ),
        (
            Template::Task,
            "U heeft 3 taken die vandaag of morgen aflopen. Log in.",
            "You have 3 tasks that end today or tomorrow. Log in.",
        ),
        (Template::Overdue, "Er zijn 3 taken over de termijn. Log in.", "There are 3 tasks past their date. Log in."),
        (
            Template::Survey,
            "Er staat een korte vragenlijst klaar. Invullen is vrijwillig.",
            "There is a short questionnaire for you. Filling it in is voluntary.",
        ),
        (
            Template::Stop,
            "U krijgt geen berichten meer. Opnieuw beginnen kan via 0800-1234.",
            "You will get no more messages. To start again, call 0800-1234.",
        ),
    ];
    assert_eq!(expected.len(), Template::ALL.len());
    for (template, dutch, english) in expected {
        assert_eq!(text(Language::Nl, template, &with), dutch);
        assert_eq!(text(Language::En, template, &with), english);
    }
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
fn one_task_is_one_task() {
    let one = Fields { count: 1, ..fields(None) };
    assert_eq!(text(Language::Nl, Template::Task, &one), "U heeft 1 taak die vandaag of morgen afloopt. Log in.");
    assert_eq!(text(Language::En, Template::Overdue, &one), "There is 1 task past its date. Log in.");
}

#[test]
fn the_day_is_the_recipients() {
    let late = Fields { at: Utc.with_ymd_and_hms(2026, 11, 24, 23, 30, 0).unwrap(), ..fields(None) };
    assert_eq!(text(Language::Nl, Template::AppointmentMasked, &late), "Herinnering: afspraak woensdag 00:30.");
}

#[test]
fn a_language_we_lack_is_told_in_english() {
    assert_eq!(["nl", "nl-BE", "NL", "en-GB", "uk", "ar", ""].map(Language::of), {
        use Language::{En, Nl};
        [Nl, Nl, Nl, En, En, En, En]
    });
}

#[test]
fn a_text_that_breaks_a_rule_does_not_load_and_every_fault_is_told() {
    let file = Language::Nl
        .file()
        .replace("Er staat een bericht voor u klaar.", "Uw herstelcoach heeft een bericht, zie nazorg.nl.")
        .replace("{{ weekday }} {{ time }}", "{{ weekday }} {{ phone }}")
        .replace("survey:", "enquete:")
        .replace("Opnieuw beginnen kan", &"Opnieuw beginnen kan ".repeat(9));
    let faults = load_one(Language::Nl, &file).err().unwrap();
    let told: Vec<_> = faults.iter().map(|fault| (fault.template.as_str(), &fault.breach)).collect();
    assert!(told.contains(&("login", &Breach::Reveals("herstel".to_owned()))), "{told:?}");
    assert!(told.iter().any(|(name, breach)| *name == "login" && matches!(breach, Breach::Link(_))), "{told:?}");
    assert!(
        told.iter().any(|(name, breach)| *name == "appt.masked" && matches!(breach, Breach::Unreadable(_))),
        "{told:?}"
    );
    assert!(told.contains(&("enquete", &Breach::UnknownTemplate)), "{told:?}");
    assert!(told.contains(&("survey", &Breach::Missing)), "{told:?}");
    assert!(told.contains(&("stop", &Breach::TooLong)), "{told:?}");
}

#[test]
fn a_number_is_a_number() {
    assert!(Phone::parse("+31 6 1234 5678").is_some());
    for not in ["", "12", "bel mij", "0800-1234; https://x", "1234567890123456789012"] {
        assert_eq!(Phone::parse(not), None, "{not}");
    }
}
