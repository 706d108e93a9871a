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
mod tests {
    use super::*;
    use chrono::{TimeZone, Utc};
    use nazorg_domain::entities::{ChannelKind, MessageId};
    use uuid::Uuid;

    fn outgoing(to: &str) -> Outgoing {
        Outgoing {
            id: MessageId(Uuid::from_u128(7)),
            channel: ChannelKind::Email,
            to: to.to_owned(),
            subject: "Bericht voor één".to_owned(),
            text: "Zorgen voor één ander.".to_owned(),
            language: "nl",
            template: "login",
            at: Utc.with_ymd_and_hms(2026, 11, 24, 9, 30, 0).unwrap(),
            begin_by: tokio::time::Instant::now(),
        }
    }

    #[test]
    fn the_mail_is_ascii_dated_and_bears_the_rows_id() {
        let sender = Sender::new("nazorg@example.org", "Nazorg").unwrap();
        let (envelope, bytes) = sender.write(&outgoing("anna@example.net")).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.is_ascii());
        assert_eq!(envelope.to()[0].to_string(), "anna@example.net");
        for line in [
            "Message-ID: <00000000-0000-0000-0000-000000000007@example.org>",
            "Date: Tue, 24 Nov 2026 09:30:00 +0000",
            "Auto-Submitted: auto-generated",
            "From: Nazorg <nazorg@example.org>",
            "To: anna@example.net",
        ] {
            assert!(text.contains(&format!("{line}\r\n")), "{line} in\n{text}");
        }
    }

    #[test]
    fn an_address_that_is_none_is_refused_and_injects_nothing() {
        let sender = Sender::new("nazorg@example.org", "").unwrap();
        for to in ["", "anna", "anna@", "a@b.nl\r\nBcc: c@d.nl", "a@b.nl, c@d.nl", "<a@b.nl> RCPT TO:<c@d.nl>"] {
            assert_eq!(sender.write(&outgoing(to)).err(), Some(NoAddress), "{to}");
        }
    }
}
