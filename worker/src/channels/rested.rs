//! A channel that is left alone for a while when its provider does not answer. Each message to a provider that hangs takes a worker's hand
//! for its whole time-out, and to a person or family it ends as a question for a coach: of hundreds due at once, only the first few
//! should find out. The others are certainly unsent, and tried again as the table of attempts says.

use super::{Channel, Delivery, Outgoing, Reason};
use futures::future::BoxFuture;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// After how many deliveries in a row without any answer the provider counts as away.
const SILENT: u32 = 8;
/// How long it is left alone; then one message at a time finds out whether it is back.
const REST: Duration = Duration::from_secs(15);

/// A channel that rests.
pub(crate) struct Rested<C> {
    channel: C,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    silent: u32,
    until: Option<Instant>,
}

impl State {
    /// Whether a message may go now. The first one after a rest begins the next.
    fn admits(&mut self, now: Instant) -> bool {
        match self.until {
            Some(until) if now < until => false,
            Some(_) => {
                self.until = Some(now + REST);
                true
            }
            None => true,
        }
    }

    fn learns(&mut self, delivery: &Delivery, now: Instant) {
        match answered(delivery) {
            None => {}
            Some(true) => *self = Self::default(),
            Some(false) => {
                self.silent += 1;
                if self.silent >= SILENT {
                    self.until = Some(now + REST);
                }
            }
        }
    }
}

/// Whether the provider said anything; `None` where it was not asked.
fn answered(delivery: &Delivery) -> Option<bool> {
    match delivery {
        Delivery::Sent { .. } => Some(true),
        Delivery::NotBegun | Delivery::KnownUnsent { permanent: true, reason: Reason { reply: None, .. }, .. } => None,
        Delivery::KnownUnsent { reason, .. } | Delivery::Unknown { reason } => Some(reason.reply.is_some()),
    }
}

impl<C: Channel> Rested<C> {
    /// Around a channel that is thought to be there.
    pub(crate) fn new(channel: C) -> Self {
        Self { channel, state: Mutex::default() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sent(&self, outgoing: &Outgoing) -> Delivery {
        if !self.state().admits(Instant::now()) {
            return Delivery::unsent(Reason::of("channel_silent"), false);
        }
        let delivery = self.channel.send(outgoing).await;
        let mut state = self.state();
        let rested = state.until.is_some();
        state.learns(&delivery, Instant::now());
        match (rested, state.until.is_some()) {
            (false, true) => {
                tracing::warn!(code = "channel_silent", channel = outgoing.channel.as_str(), "left alone for a while");
            }
            (true, false) => {
                tracing::info!(code = "channel_back", channel = outgoing.channel.as_str(), "it answers again");
            }
            _ => {}
        }
        delivery
    }
}

impl<C: Channel> Channel for Rested<C> {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Delivery> {
        Box::pin(self.sent(outgoing))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.channel.close()
    }
}

#[cfg(test)]
mod tests;
