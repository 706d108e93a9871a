//! The rules of DOMAIN 7.6 that a machine can check, on a text with the worst filling: a phone on a table shows it to anyone.

use super::{Language, Rendered, gsm7, revealing::Revealing};
use std::fmt;

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breach {
    /// The template has no text in this language.
    Missing,
    /// There is no such template.
    UnknownTemplate,
    /// It cannot be read or rendered: a syntax error, or a field that is not its template's.
    Unreadable(String),
    /// It says what this is about.
    Reveals(String),
    /// It holds something a telephone makes a link of.
    Link(String),
    /// It asks for a reply.
    AsksForReply(String),
    /// It does not fit in one SMS.
    TooLong,
    /// It is empty, or has a line break where a header would break.
    Malformed,
}

/// A fault with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFault {
    /// In which language; `*` for what is common to all.
    pub language: &'static str,
    /// In which template; `*` for the whole file.
    pub template: String,
    /// What.
    pub breach: Breach,
}

impl TextFault {
    pub(super) fn new(language: Language, template: &str, breach: Breach) -> Self {
        Self { language: language.tag(), template: template.to_owned(), breach }
    }

    /// Of `revealing.yaml`.
    pub(super) fn of_words(detail: String) -> Self {
        Self { language: "*", template: "revealing".to_owned(), breach: Breach::Unreadable(detail) }
    }
}

impl fmt::Display for TextFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "text {}/{}: {:?}", self.language, self.template, self.breach)
    }
}

impl std::error::Error for TextFault {}

/// Everything that is wrong with a rendered text.
pub(super) fn breaches(revealing: &Revealing, rendered: &Rendered) -> Vec<Breach> {
    let Rendered { subject, text } = rendered;
    let mut found = Vec::new();
    for part in [subject, text] {
        if part.trim().is_empty() || part.trim() != part || part.contains(['\n', '\r']) {
            found.push(Breach::Malformed);
        }
        found.extend(revealing.found_in(part));
        let lower = part.to_lowercase();
        found.extend(
            lower.split_whitespace().filter(|token| is_link(token)).map(|token| Breach::Link(token.to_owned())),
        );
    }
    if !gsm7::fits(text) {
        found.push(Breach::TooLong);
    }
    found
}

/// An address, or anything with a dot between letters, which telephones turn into a link. `10.30` is a time.
fn is_link(token: &str) -> bool {
    let inner = token.trim_matches(|c: char| !c.is_alphanumeric());
    let dotted = inner.split_once('.').is_some_and(|(_, after)| after.starts_with(char::is_alphabetic));
    token.contains("://") || token.contains('@') || inner.starts_with("www") || dotted
}

#[cfg(test)]
mod tests;
