//! Words that no text may hold: `templates/revealing.yaml`, one list per language, each checked against the texts of all.

use super::{Breach, Language, TextFault};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The list of one language as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    anywhere: bool,
    stems: Vec<String>,
    words: Vec<String>,
    asks: Vec<String>,
}

/// Where in a text a word counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the start of a word.
    Start,
    /// Anywhere, also inside a word.
    Anywhere,
    /// As a whole word.
    Whole,
}

struct Entry {
    listed: String,
    folded: String,
    place: Place,
    breach: fn(String) -> Breach,
}

/// All lists.
pub(super) struct Revealing(Vec<Entry>);

impl Revealing {
    /// The words of the file that comes with the texts.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) fn load() -> Result<Self, TextFault> {
        Self::read(include_str!("../../templates/revealing.yaml"))
    }

    /// Reads the lists: one for each language we have texts in, each with stems and with words that ask for a reply.
    ///
    /// # Errors
    /// The first thing that is wrong with the file.
    pub(super) fn read(file: &str) -> Result<Self, TextFault> {
        let mut lists: BTreeMap<String, List> =
            serde_saphyr::from_str(file).map_err(|error| TextFault::of_words(error.to_string()))?;
        let mut entries = Vec::new();
        for language in Language::ALL.map(Language::tag) {
            let list = lists.remove(language).ok_or_else(|| TextFault::of_words(format!("no list for {language}")))?;
            if list.stems.is_empty() || list.asks.is_empty() {
                return Err(TextFault::of_words(format!("an empty list for {language}")));
            }
            let stem = if list.anywhere { Place::Anywhere } else { Place::Start };
            add(&mut entries, list.stems, (stem, Breach::Reveals))?;
            add(&mut entries, list.words, (Place::Whole, Breach::Reveals))?;
            add(&mut entries, list.asks, (stem, Breach::AsksForReply))?;
        }
        match lists.into_keys().next() {
            Some(other) => Err(TextFault::of_words(format!("a list for {other}, in which there are no texts"))),
            None => Ok(Self(entries)),
        }
    }

    /// Every listed word the text holds.
    pub(super) fn found_in(&self, text: &str) -> Vec<Breach> {
        let text = fold(text);
        self.0.iter().filter(|entry| entry.stands_in(&text)).map(|entry| (entry.breach)(entry.listed.clone())).collect()
    }
}

/// Languages share words ("trauma"): the first to list one lists it for all.
fn add(
    entries: &mut Vec<Entry>,
    words: Vec<String>,
    (place, breach): (Place, fn(String) -> Breach),
) -> Result<(), TextFault> {
    for listed in words {
        let folded = fold(&listed);
        if folded.trim().is_empty() || folded.trim() != folded {
            return Err(TextFault::of_words(format!("{listed:?} is no word")));
        }
        if !entries.iter().any(|known| known.folded == folded && known.place == place) {
            entries.push(Entry { listed, folded, place, breach });
        }
    }
    Ok(())
}

impl Entry {
    fn stands_in(&self, text: &str) -> bool {
        text.match_indices(&self.folded).any(|(at, found)| {
            let starts = !text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
            let ends = !text[at + found.len()..].chars().next().is_some_and(char::is_alphanumeric);
            match self.place {
                Place::Anywhere => true,
                Place::Start => starts,
                Place::Whole => starts && ends,
            }
        })
    }
}

/// A text as it is compared. Lower-case, without what is not seen as a letter: marks above letters (one of them is what lower-casing leaves of
/// `İ`), Arabic vowels, the line that stretches a word, and whatever has no width. `ı` is `i`, since lower-casing `I` says so too.
fn fold(text: &str) -> String {
    let letters = text.chars().flat_map(char::to_lowercase);
    letters.filter(|c| !is_unseen(*c)).map(one_shape).collect()
}

fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{61c}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Letters that are written one for the other.
fn one_shape(c: char) -> char {
    match c {
        'ı' => 'i',
        'ё' => 'е',
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ؤ' => 'و',
        'ئ' | 'ى' => 'ي',
        'ة' => 'ه',
        '’' | 'ʼ' => '\'',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

#[cfg(test)]
mod tests {
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
        let all =
            Language::ALL.map(|language| (language, CONCEPTS.iter().find(|(known, _)| *known == language).unwrap()));
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
        for text in [
            "De boten zijn er, en de robot ook.",
            "Sizin için",
            "Puanlama yok mu? Yasemin",
            "Балкон",
            "موعدكم يوم الثلاثاء",
        ] {
            assert!(!reveals(text), "{text}");
        }
    }

    #[test]
    fn a_malformed_file_is_refused() {
        let file = include_str!("../../templates/revealing.yaml");
        for (broken, told) in [
            (file.replace("tr:\n", "fa:\n"), "no list for tr"),
            (format!("{file}fa: {{stems: [x], words: [], asks: [x]}}\n"), "a list for fa, in which there are no texts"),
            (format!("{file}  more: []\n"), "more"),
            (file.replace("  asks: [antwoord", "  asks: [' ', antwoord"), "is no word"),
            (file.replace("  asks: [antwoord", "  reply: [antwoord"), "reply"),
            (
                file.replace("  asks: [antwoord, beantwoord, reageer, stuur terug]", "  asks: []"),
                "an empty list for nl",
            ),
            (file.replace("nl:\n", "nl: [\n"), ""),
        ] {
            assert_ne!(broken, file);
            let fault = Revealing::read(&broken).err().unwrap().to_string();
            assert!(fault.starts_with("text */revealing: Unreadable(") && fault.contains(told), "{told}: {fault}");
        }
    }
}
