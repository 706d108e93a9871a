//! A text that breaks a rule does not load, in any language, and the fault tells its place.

use super::*;
use serde_json::{Map, Value, json};

/// Whether it is the breach that should be told.
type Told = fn(&Breach) -> bool;

/// What is told of a copy of a language's texts in which something was changed.
fn faults(language: Language, change: impl FnOnce(&mut Map<String, Value>)) -> Vec<TextFault> {
    let mut file: Map<String, Value> = serde_saphyr::from_str(language.file()).unwrap();
    change(&mut file);
    let file = serde_json::to_string(&file).unwrap();
    load_one(language, &file, &Revealing::load().unwrap()).err().unwrap_or_default()
}

fn append(file: &mut Map<String, Value>, (template, part): (&str, &str), more: &str) {
    let text = format!("{}{more}", file[template][part].as_str().unwrap());
    file[template][part] = json!(text);
}

/// Every fault is of this template of this language, and one is such a breach.
fn assert_told(faults: &[TextFault], (language, template): (Language, &str), breach: impl Fn(&Breach) -> bool) {
    let here = |fault: &&TextFault| fault.language == language.tag() && fault.template == template;
    assert_eq!(faults.iter().filter(here).count(), faults.len(), "{faults:?}");
    assert!(faults.iter().any(|fault| breach(&fault.breach)), "{language:?}: {faults:?}");
}

#[test]
fn an_unchanged_copy_loads() {
    for language in Language::ALL {
        assert_eq!(faults(language, |_| ()), []);
    }
}

#[test]
fn each_kind_of_breach_is_told_in_each_language_with_its_place() {
    let long = "x".repeat(161);
    let kinds: [(&str, Told); 8] = [
        (" Zie https://x.nl", |breach| matches!(breach, Breach::Link(link) if link == "https://x.nl")),
        (" Zie x.nl", |breach| matches!(breach, Breach::Link(link) if link == "x.nl")),
        (" a@b", |breach| matches!(breach, Breach::Link(link) if link == "a@b")),
        (&long, |breach| *breach == Breach::TooLong),
        (" ", |breach| *breach == Breach::Malformed),
        ("\nBcc: x", |breach| *breach == Breach::Malformed),
        ("{% if %}", |breach| matches!(breach, Breach::Unreadable(_))),
        ("{{ name }}", |breach| matches!(breach, Breach::Unreadable(_))),
    ];
    for language in Language::ALL {
        for (more, breach) in &kinds {
            let told = faults(language, |file| append(file, ("login", "text"), more));
            assert_told(&told, (language, "login"), breach);
            if *more != long {
                let told = faults(language, |file| append(file, ("stop", "subject"), more));
                assert_told(&told, (language, "stop"), breach);
            }
        }
    }
}

#[test]
fn a_file_that_lacks_a_text_or_has_one_too_many_is_refused() {
    for language in Language::ALL {
        let told = faults(language, |file| _ = file.remove("survey"));
        assert_told(&told, (language, "survey"), |breach| *breach == Breach::Missing);
        let told = faults(language, |file| _ = file.insert("more".to_owned(), json!({"subject": "x", "text": "x"})));
        assert_told(&told, (language, "more"), |breach| *breach == Breach::UnknownTemplate);
        let told = faults(language, |file| file["task"]["text"] = json!(""));
        assert_told(&told, (language, "task"), |breach| *breach == Breach::Malformed);
        for other in [json!({"subject": "x", "text": "x", "link": "x"}), json!({"text": "x"}), json!("x")] {
            let told = faults(language, |file| _ = file.insert("task".to_owned(), other));
            assert_told(&told, (language, "*"), |breach| matches!(breach, Breach::Unreadable(_)));
        }
    }
}

#[test]
fn what_reveals_or_asks_in_one_language_is_refused_in_the_texts_of_every_other() {
    let revealing =
        ["Uw herstelcoach", "Your RECOVERY", "Ваш психолог", "Для БЕЖЕНЦЕВ", "وللضحيّة", "SIĞINMA", "İNTİHAR"];
    let asking = ["Antwoord", "Reply", "Чекаємо відповіді", "Ждём ответа", "بانتظار الرد", "Yanıt", "CEVAP"];
    for language in Language::ALL {
        for (part, (reveals, asks)) in
            ["subject", "text"].into_iter().flat_map(|part| revealing.iter().zip(asking).map(move |of| (part, of)))
        {
            let told = faults(language, |file| append(file, ("checkin", part), &format!(". {reveals}")));
            assert_told(&told, (language, "checkin"), |breach| matches!(breach, Breach::Reveals(_)));
            let told = faults(language, |file| append(file, ("checkin", part), &format!(". {asks}")));
            assert_told(&told, (language, "checkin"), |breach| matches!(breach, Breach::AsksForReply(_)));
        }
    }
}

#[test]
fn no_text_has_a_field_it_was_not_given() {
    let fields =
        ["weekday", "date", "time", "count", "phone", "at", "zone", "name", "person", "programme", "reason", "score"];
    for language in Language::ALL {
        for (field, part) in fields.iter().flat_map(|field| ["subject", "text"].map(|part| (field, part))) {
            let given =
                |template: Template| super::fields(None).for_template(template, language.words()).contains_key(*field);
            let told = faults(language, |file| {
                for template in Template::ALL {
                    append(file, (template.as_str(), part), &format!("{{{{ {field} }}}}"));
                }
            });
            for template in Template::ALL {
                let unreadable = |fault: &TextFault| {
                    fault.template == template.as_str() && matches!(fault.breach, Breach::Unreadable(_))
                };
                assert_eq!(told.iter().any(unreadable), !given(*template), "{language:?} {template:?} {field}");
            }
        }
    }
}

#[test]
fn a_text_that_fits_today_and_not_on_the_longest_day_is_refused() {
    let short = Fields { at: Utc.with_ymd_and_hms(2026, 5, 1, 9, 30, 0).unwrap(), ..super::fields(None) };
    for language in Language::ALL {
        let day = format!("{} {}", language.words().weekday(short.at), language.words().date(short.at));
        let gsm7::Size { units, limit } = gsm7::size(&day);
        let source = "x".repeat(limit - units) + "{{ weekday }} {{ date }}";
        let told = faults(language, |file| file["appt"]["text"] = json!(source));
        assert_eq!(told, [TextFault::new(language, "appt", Breach::TooLong)]);
    }
}

#[test]
fn a_day_outside_the_gsm_alphabet_is_among_the_longest() {
    // `Cuma` leaves such a text 160 characters, `Çarşamba` 70.
    let source = "x".repeat(80) + " {{ weekday }}";
    let told = faults(Language::Tr, |file| file["appt.masked"]["text"] = json!(source));
    assert_eq!(told, [TextFault::new(Language::Tr, "appt.masked", Breach::TooLong)]);
}
