//! What it changes that somebody saw a message.

use nazorg_entities::MessageStatus;

use super::NOT_DELIVERED;
use crate::error::{Error, Result, ViolationCode};

/// What is to be kept of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: that it was seen is known.
    Already,
    /// When it was seen.
    Now,
    /// The same, and that it was sent after all: what was seen has arrived, whatever was thought of it.
    Arrived,
}

/// What to make of the word that a message was seen; `acknowledged` is whether that was said before.
///
/// # Errors
/// `message_not_sent` of what never went out; unavailable for the moments between the provider's yes and its keeping.
pub fn seen(status: MessageStatus, reason: Option<&str>, acknowledged: bool) -> Result<Seen> {
    let not_sent = |detail: &str| Err(Error::violation(ViolationCode::MessageNotSent, detail));
    match (status, reason) {
        _ if acknowledged => Ok(Seen::Already),
        (MessageStatus::Sent, _) => Ok(Seen::Now),
        (MessageStatus::Unknown, _) | (MessageStatus::Failed, Some(NOT_DELIVERED)) => Ok(Seen::Arrived),
        (MessageStatus::Sending, _) => Err(Error::unavailable("the acknowledgement of what is just being sent")),
        (MessageStatus::Merged, _) => not_sent("Another message speaks for it; that one can be seen."),
        (MessageStatus::Pending, _) => not_sent("It was not sent yet; only a message that was sent can be seen."),
        (MessageStatus::Suppressed | MessageStatus::Expired | MessageStatus::Cancelled | MessageStatus::Failed, _) => {
            not_sent("It was never sent; only a message that was sent can be seen.")
        }
    }
}

#[cfg(test)]
mod tests;
