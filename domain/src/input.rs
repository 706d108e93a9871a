//! Checking what came in: every error of a request is told together (API section 2).

use crate::error::{Error, FieldError, Result};

/// The longest word of a vocabulary that grows.
pub const WORD: usize = 60;

/// Collects what is wrong with an input.
#[derive(Debug, Default)]
pub struct Checks(Vec<FieldError>);

impl Checks {
    /// Refuses a field.
    pub fn refuse(&mut self, pointer: impl Into<String>, code: &'static str, detail: &'static str) {
        self.0.push(FieldError::body(pointer, code, detail));
    }

    /// Refuses a field unless something holds.
    pub fn must(&mut self, holds: bool, pointer: &str, error: (&'static str, &'static str)) {
        if !holds {
            self.refuse(pointer, error.0, error.1);
        }
    }

    /// A short text in one line: not blank, at most `longest` characters, no control characters.
    pub fn line(&mut self, pointer: &str, text: &str, longest: usize) {
        self.must(!text.trim().is_empty(), pointer, ("required", "This must not be blank."));
        self.must(text.chars().count() <= longest, pointer, ("too_long", "This is too long."));
        self.must(!text.chars().any(char::is_control), pointer, ("bad_format", "Control characters are not allowed."));
    }

    /// A word of a vocabulary that grows: `line_manager`. No sentence fits in one, so nobody's story does.
    pub fn word(&mut self, pointer: &str, word: &str) {
        let detail = "This must be a word: lower-case letters, digits and underscores, a letter first, at most 60.";
        self.must(is_word(word), pointer, ("bad_format", detail));
    }

    /// All errors together, if there are any.
    pub fn done(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }
}

/// Whether a text is a word as vocabularies have them.
#[must_use]
pub fn is_word(text: &str) -> bool {
    text.len() <= WORD
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests;
