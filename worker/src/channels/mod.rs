//! The ways out. A channel says how far a message got, exactly: whether it may be tried again depends on that and on nothing else.

mod mime;
mod outbox;
mod rested;
mod sms;
mod smtp;

pub use mime::Sender;
pub use outbox::Outbox;
pub(crate) use rested::Rested;
pub use sms::{BadSmsSettings, Sms, SmsSettings};
pub use smtp::{BadSmtpUrl, Patience, Smtp, SmtpSettings};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use nazorg_domain::entities::{ChannelKind, MessageId, OrganisationId};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A message on its way out.
#[derive(Clone)]
pub struct Outgoing {
    /// The message's row; its `Message-ID` is made of it and so the same at every attempt.
    pub id: MessageId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Over which channel.
    pub channel: ChannelKind,
    /// The recipient's address or number.
    pub to: String,
    /// The subject line, for channels that have one.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The language of both (BCP 47).
    pub language: &'static str,
    /// Which template it was made from.
    pub template: &'static str,
    /// The moment for its `Date`, wall time.
    pub at: DateTime<Utc>,
    /// When it has not begun by then it is not begun at all ([`Delivery::NotBegun`]).
    pub begin_by: Instant,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Ids and codes only: a log line never holds an address or a text.
        f.debug_struct("Outgoing").field("id", &self.id).field("template", &self.template).finish_non_exhaustive()
    }
}

/// How far it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The provider has taken it.
    Sent {
        /// What the provider calls it, where it says so.
        provider_id: Option<String>,
    },
    /// The provider certainly has not taken it.
    KnownUnsent {
        /// How long the provider asks to wait, where it does.
        retry_after: Option<Duration>,
        /// Why.
        reason: Reason,
        /// Trying again would be answered in the same way.
        permanent: bool,
    },
    /// It may have been taken: a time-out, a cut or a missing reply once the text had begun to go out.
    Unknown {
        /// Why.
        reason: Reason,
    },
    /// There was no room for it in time. It costs no attempt.
    NotBegun,
}

impl Delivery {
    fn unsent(reason: Reason, permanent: bool) -> Self {
        Self::KnownUnsent { retry_after: None, reason, permanent }
    }
}

/// Why it was not, or may not have been, delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// A stable code.
    pub code: &'static str,
    /// The provider's number, such as 451.
    pub reply: Option<u16>,
}

impl Reason {
    const fn of(code: &'static str) -> Self {
        Self { code, reply: None }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reply {
            None => f.write_str(self.code),
            Some(reply) => write!(f, "{}_{reply}", self.code),
        }
    }
}

/// One way out.
pub trait Channel: Send + Sync {
    /// Sends one message. Never fails and never hangs: it answers within a minute of `begin_by`.
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Delivery>;

    /// Lets go of what it holds open.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// The way out for each kind of address.
#[derive(Clone)]
pub struct Channels {
    /// For mail.
    pub email: Arc<dyn Channel>,
    /// For text messages.
    pub sms: Arc<dyn Channel>,
}

impl fmt::Debug for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Channels { .. }")
    }
}

impl Channels {
    /// Sends over the message's own channel.
    pub async fn send(&self, outgoing: &Outgoing) -> Delivery {
        let channel = match outgoing.channel {
            ChannelKind::Email => &self.email,
            ChannelKind::Sms => &self.sms,
        };
        let delivery = channel.send(outgoing).await;
        let word = match &delivery {
            Delivery::Sent { .. } => "sent",
            Delivery::KnownUnsent { permanent: false, .. } => "unsent",
            Delivery::KnownUnsent { permanent: true, .. } => "refused",
            Delivery::Unknown { .. } => "unknown",
            Delivery::NotBegun => "not_begun",
        };
        metrics::counter!("nazorg_deliveries_total", "channel" => outgoing.channel.as_str(), "result" => word)
            .increment(1);
        delivery
    }

    /// Lets go of everything.
    pub async fn close(&self) {
        self.email.close().await;
        self.sms.close().await;
    }
}
