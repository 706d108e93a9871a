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
mod tests;
