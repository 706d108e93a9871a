//! A message as mail (RFC 5322).

use super::Outgoing;
use lettre::address::{Address, Envelope};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, header};
use std::time::SystemTime;

/// From whom mail comes: neutral, since a phone on a table shows it.
#[derive(Clone, Debug)]
pub struct Sender {
    mailbox: Mailbox,
}

/// An address, the sender's or the recipient's, that is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a mail address")]
pub struct NoAddress;

impl Sender {
    /// From an address and a display name (empty for none).
    ///
    /// # Errors
    /// [`NoAddress`].
    pub fn new(address: &str, name: &str) -> Result<Self, NoAddress> {
        let address: Address = address.parse().map_err(|_| NoAddress)?;
        let name = (!name.trim().is_empty()).then(|| name.trim().to_owned());
        Ok(Self { mailbox: Mailbox::new(name, address) })
    }

    pub(super) fn domain(&self) -> &str {
        self.mailbox.email.domain()
    }

    /// The `Message-ID`: of the row, so that a second attempt is the same message to whoever gets both.
    pub(super) fn message_id(&self, outgoing: &Outgoing) -> String {
        format!("<{}@{}>", outgoing.id, self.domain())
    }

    /// The envelope and the bytes; pure ASCII, whatever the text.
    pub(super) fn write(&self, outgoing: &Outgoing) -> Result<(Envelope, Vec<u8>), NoAddress> {
        let to: Address = outgoing.to.trim().parse().map_err(|_| NoAddress)?;
        let message = Message::builder()
            .from(self.mailbox.clone())
            .to(Mailbox::new(None, to))
            .subject(outgoing.subject.clone())
            .date(SystemTime::from(outgoing.at))
            .message_id(Some(self.message_id(outgoing)))
            .raw_header(value("Auto-Submitted", "auto-generated")) // RFC 3834: no out-of-office in return
            .raw_header(value("Content-Language", outgoing.language))
            .header(header::ContentType::TEXT_PLAIN)
            .body(outgoing.text.clone())
            .map_err(|_| NoAddress)?;
        Ok((message.envelope().clone(), message.formatted()))
    }
}

fn value(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

#[cfg(test)]
pub(super) mod tests;
