use super::*;

#[test]
fn a_wish_to_stop_is_understood_in_each_language_however_it_is_written() {
    let written = [
        "STOP",
        " stop.",
        "Stop!!",
        "\u{ab}stop\u{bb}",
        "stop stop",
        "S\u{200e}top \u{1f64f}",
        "Afmelden",
        "OPT-OUT",
        "Unsubscribe",
        "СТОП",
        "Відписатися",
        "отпишите меня",
        "توقف",
        "\u{200f}تـوقـف.",
        "ايقاف",
        "إيقاف",
        "الغاء الاشتراك",
        "DUR",
        "Üyelikten Çık",
        "ÜYELİKTEN ÇIK",
        "uyelikten cik",
        "Mesaj istemiyorum!",
    ];
    for text in written {
        assert!(is_stop(text), "{text:?}");
    }
    for stop in STOP {
        assert!(is_stop(stop) && is_stop(&stop.to_uppercase()), "{stop:?}");
    }
}

#[test]
fn what_says_more_or_something_else_is_for_a_human() {
    let written = [
        "",
        "...",
        "stoppen met werken lukt niet",
        "ik wil niet dat het stopt",
        "non stop",
        "nonstop",
        "cancel",
        "annuleren",
        "iptal",
        "отменить",
        "help",
        "red",
        "red mij",
        "ja",
        "1",
        "stop stoppen",
    ];
    for text in written {
        assert!(!is_stop(text), "{text:?}");
    }
}
