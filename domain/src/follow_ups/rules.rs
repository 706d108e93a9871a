//! Pure rules about follow-ups.

use crate::{
    error::{Error, Result, ViolationCode},
    protocols::Status,
};

/// Whether the offer reached the person: any answer is one, silence is not (DOMAIN 3.2).
#[must_use]
pub fn was_answered(action: &str, code: &str) -> bool {
    action == "offer" && code != "no_response" && code != "unreachable"
}

/// What is final never changes.
pub fn not_final(status: &str) -> Result<()> {
    let found = Status::WORDS.iter().find(|(word, _)| *word == status);
    match found {
        Some((_, status)) if status.is_final() => {
            Err(Error::violation(ViolationCode::AlreadyFinal, "The follow-up is already final."))
        }
        _ => Ok(()),
    }
}
