//! Mail over SMTP, over a small pool of connections of our own.
//!
//! lettre's pooled transport answers "network error" for a connection that was refused and for one that was cut after the text had gone
//! out, and has no time limit on replies; whether a family may be texted again hangs on that difference. So we drive its connection
//! ourselves, command by command, and always know the phase (RFC 5321).

mod link;
mod pool;
mod settings;

pub use settings::{BadSmtpUrl, SmtpSettings};

use super::{Channel, Delivery, Outgoing, Reason, Sender};
use futures::future::BoxFuture;
use lettre::address::Envelope;
use link::{Failure, Phase};
use pool::Pool;
use std::time::Duration;
use tokio::time::timeout;

/// How long each part of a conversation may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// TCP, TLS, greeting, EHLO and AUTH together.
    pub connect: Duration,
    /// MAIL, RCPT and DATA together.
    pub envelope: Duration,
    /// The text and its reply.
    pub text: Duration,
}

impl Default for Patience {
    /// RFC 5321 would have ten minutes for the last reply alone; a batch has one for everything.
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), envelope: Duration::from_secs(10), text: Duration::from_secs(30) }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Smtp {
    sender: Sender,
    pool: Pool,
    patience: Patience,
}

impl Smtp {
    /// Connects only when used; holds at most `connections` open.
    #[must_use]
    pub fn new(settings: SmtpSettings, sender: Sender, connections: usize) -> Self {
        Self { sender, pool: Pool::new(settings, connections), patience: Patience::default() }
    }

    /// With other bounds on time.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Delivery {
        let Ok((envelope, bytes)) = self.sender.write(outgoing) else {
            return Delivery::unsent(Reason::of("address_invalid"), true);
        };
        let Some(_place) = self.pool.place(outgoing.begin_by).await else { return Delivery::NotBegun };
        match self.attempt(&envelope, &bytes, true).await {
            // A connection that had been idle was closed on the other side: nothing was said yet, so say it again on a new one.
            Err(Failure { phase: Phase::Stale, .. }) => self.attempt(&envelope, &bytes, false).await,
            other => other,
        }
        .unwrap_or_else(|failure| failure.delivery())
    }

    async fn attempt(&self, envelope: &Envelope, bytes: &[u8], reuse: bool) -> Result<Delivery, Failure> {
        let mut link = self.pool.link(reuse, self.patience.connect).await?;
        let said = timeout(self.patience.envelope, link.address(envelope)).await;
        match said.unwrap_or_else(|_| Err(Failure::silent(link.phase(Phase::Envelope)))) {
            Ok(()) => {}
            Err(failure) => {
                // An answer, even a no, leaves a connection that can be used again.
                if failure.reply.is_some_and(|reply| reply != 421) && link.reset().await {
                    self.pool.put_back(link);
                }
                return Err(failure);
            }
        }
        let taken = timeout(self.patience.text, link.text(bytes)).await;
        let provider_id = taken.unwrap_or_else(|_| Err(Failure::silent(Phase::Text)))?;
        self.pool.put_back(link);
        Ok(Delivery::Sent { provider_id })
    }
}

impl Channel for Smtp {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Delivery> {
        Box::pin(self.deliver(outgoing))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.pool.close())
    }
}
