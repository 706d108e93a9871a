//! What a reply means: a wish to stop, told by a closed list, or something a human must read on the telephone it came to.

use crate::{error::Result, input::Checks, people::contact_points::rules::is_e164};

/// The whole of a reply that says: send me nothing more. Not among them is what would cancel an appointment instead, such as "cancel",
/// "annuleren" or "отменить", nor a word that asks for help in another language, such as the Turkish "red".
const STOP: &[&str] = &[
    // Dutch
    "stop",
    "stoppen",
    "stop aub",
    "graag stoppen",
    "afmelden",
    "afgemeld",
    "meld mij af",
    "meld me af",
    "uitschrijven",
    "schrijf mij uit",
    "schrijf me uit",
    "geen berichten meer",
    "geen sms meer",
    // English
    "stop all",
    "stopall",
    "stop please",
    "please stop",
    "unsubscribe",
    "opt out",
    "optout",
    "end",
    "quit",
    "no more messages",
    // Ukrainian
    "стоп",
    "зупинити",
    "припинити",
    "припиніть",
    "відписатися",
    "відписатись",
    "відпишіть мене",
    // Russian
    "остановить",
    "прекратить",
    "прекратите",
    "отписаться",
    "отпишите меня",
    "отписка",
    // Arabic
    "توقف",
    "توقفوا",
    "قف",
    "وقف",
    "أوقف",
    "إيقاف",
    "ستوب",
    "إلغاء الاشتراك",
    // Turkish
    "dur",
    "durdur",
    "durdurun",
    "ret",
    "abonelikten çık",
    "üyelikten çık",
    "mesaj göndermeyin",
    "mesaj istemiyorum",
];

/// A reply comes from a telephone number in E.164.
pub fn check(from: &str) -> Result<()> {
    let mut checks = Checks::default();
    let detail = "This is not a telephone number in E.164, such as +31612345678.";
    checks.must(is_e164(from), "/from", ("bad_format", detail));
    checks.done()
}

/// Whether this is a wish to be sent nothing more: the whole text, in any case, with whatever signs around and between its words,
/// once or several times.
#[must_use]
pub fn is_stop(text: &str) -> bool {
    let mut words = words(text);
    words.dedup();
    STOP.iter().any(|stop| self::words(stop) == words)
}

/// The words of a text, plain.
fn words(text: &str) -> Vec<String> {
    let letters: String = text.chars().flat_map(char::to_lowercase).filter_map(plain).collect();
    letters.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A letter without what is written above or below it, as telephones leave it out; `None` for what is no letter of its own: combining
/// marks, Arabic vowel signs and the line that stretches a word, and the unseen marks of direction.
fn plain(letter: char) -> Option<char> {
    Some(match letter {
        '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{640}' => return None,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => return None,
        'ç' => 'c',
        'ğ' => 'g',
        'ı' => 'i',
        'ö' => 'o',
        'ş' => 's',
        'ü' => 'u',
        'ё' => 'е',
        'й' => 'и',
        'ї' => 'і',
        'أ' | 'إ' | 'آ' => 'ا',
        other => other,
    })
}

#[cfg(test)]
mod tests;
