use super::*;

/// What must be found, per language, in forms as they stand in sentences: of aftercare, recovery, a victim, trauma, mental health,
/// psych…, abuse, violence, a refugee, asylum, a coach, a patient, a client, an incident, suicide, therapy, addiction, a diagnosis,
/// a crisis, a score.
const CONCEPTS: [(Language, &str); 6] = [
    (
        Language::Nl,
        "Nazorg / HERSTELCOACH / Slachtofferhulp / traumatisch / geestelijke gezondheid / psycholoog / misbruikt / geweldsincident / \
         vluchtelingen / asielzoeker / coach / patiënten / cliënt / incidenten / suïcidaal, zelfmoord / therapeut / verslavingszorg / \
         diagnoses / crisis / score",
    ),
    (
        Language::En,
        "Aftercare / recovery / VICTIMS / trauma / mental health / psychologist / abused / violent / refugees / asylum / coaching / \
         patient / clients / incident / suicidal / therapist / addiction / diagnosis / crisis / score",
    ),
    (
        Language::Uk,
        "Подальша підтримка / одужання, відновлення / ЖЕРТВИ / травматичний / ментальне здоров’я / психологом / зловживання / \
         насильству / біженців / притулку / коучем / пацієнтка / клієнтам / інциденту / суїцид, самогубство / терапію / залежності / \
         діагноз / кризовий / бали",
    ),
    (
        Language::Ru,
        "Сопровождение / выздоровление, восстановление / ЖЕРТВЫ / травма / ментальное здоровье / психологом / злоупотребление / \
         насилию / беженцам / убежища / коучем / пациентка / клиентов / инцидента / суицид, самоубийство / терапии / зависимости / \
         диагноз / кризисный / баллов",
    ),
    (
        Language::Ar,
        "للرعاية اللاحقة / والتعافي / الضحايا، كضحيّة / بالصَّدمة / الصحة العقلية / النفسيّة / الإساءة / بالعنف / اللاجئين / واللجوء / \
         المدرّب / للمرضى، المريض / العميل / الحـــادث / الانتحار / بالعلاج / والإدمان / التشخيص / الأزمة / درجتكم",
    ),
    (
        Language::Tr,
        "Bakım / İYİLEŞME / MAĞDUR, kurbanlar / TRAVMA / RUH SAĞLIĞI, ruhsal / psikolojik / istismarı / ŞİDDET / mülteciler / SIĞINMA, \
         iltica / koçunuz / HASTA / danışanlar / olayın / İNTİHAR / terapiniz / BAĞIMLILIK / teşhisi, tanı / krizi / puanınız",
    ),
];

fn reveals(text: &str) -> bool {
    Revealing::load().unwrap().found_in(text).iter().any(|breach| matches!(breach, Breach::Reveals(_)))
}

#[test]
fn every_concept_is_found_in_every_language_as_it_is_written() {
    let all = Language::ALL.map(|language| (language, CONCEPTS.iter().find(|(known, _)| *known == language).unwrap()));
    for (language, (_, forms)) in all {
        assert_eq!(forms.split('/').count(), 20, "{language:?}");
        for form in forms.split(['/', ',', '،']) {
            assert!(reveals(form.trim()), "{form} is not found");
        }
    }
}

#[test]
fn what_asks_for_a_reply_is_found_in_every_language() {
    for text in [
        "Beantwoord dit bericht.",
        "Please reply.",
        "Дайте відповідь, будь ласка.",
        "Ответьте, пожалуйста.",
        "يرجى الرد على هذه الرسالة.",
        "Lütfen YANITLAYIN.",
    ] {
        let found = Revealing::load().unwrap().found_in(text);
        assert!(found.iter().any(|breach| matches!(breach, Breach::AsksForReply(_))), "{text}");
    }
}

#[test]
fn neither_case_nor_marks_nor_what_is_not_seen_hides_a_word() {
    for text in [
        "HERSTEL",
        "her\u{ad}stel",
        "veilig\u{a0}thuis",
        "SUÏCIDE",
        "patie\u{308}nt",
        "ضَحِيَّة",
        "ض\u{200d}حية",
        "لِلاكتئاب",
    ] {
        assert!(reveals(text), "{text}");
    }
    for text in
        ["De boten zijn er, en de robot ook.", "Sizin için", "Puanlama yok mu? Yasemin", "Балкон", "موعدكم يوم الثلاثاء"]
    {
        assert!(!reveals(text), "{text}");
    }
}

#[test]
fn a_malformed_file_is_refused() {
    let file = include_str!("../../../templates/revealing.yaml");
    for (broken, told) in [
        (file.replace("tr:\n", "fa:\n"), "no list for tr"),
        (format!("{file}fa: {{stems: [x], words: [], asks: [x]}}\n"), "a list for fa, in which there are no texts"),
        (format!("{file}  more: []\n"), "more"),
        (file.replace("  asks: [antwoord", "  asks: [' ', antwoord"), "is no word"),
        (file.replace("  asks: [antwoord", "  reply: [antwoord"), "reply"),
        (file.replace("  asks: [antwoord, beantwoord, reageer, stuur terug]", "  asks: []"), "an empty list for nl"),
        (file.replace("nl:\n", "nl: [\n"), ""),
    ] {
        assert_ne!(broken, file);
        let fault = Revealing::read(&broken).err().unwrap().to_string();
        assert!(fault.starts_with("text */revealing: Unreadable(") && fault.contains(told), "{told}: {fault}");
    }
}
