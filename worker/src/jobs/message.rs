//! Messages whose moment has come: judged and marked in one transaction, sent outside any, settled in another.

use super::Hands;
use crate::backoff;
use crate::channels::{Delivery, Outgoing};
use crate::queue::Place;
use crate::relay::bounded;
use crate::templates::{Fields, Language, Rendered};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use nazorg_domain::error::{Error, Result};
use nazorg_domain::jobs::{self, Lease, LeasedBatch};
use nazorg_domain::messages::{self, Delivered, Sending, ToSend};
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

/// What has not begun by then goes back: the whole batch has a minute.
const BEGIN_WITHIN: Duration = Duration::from_secs(8);
/// How often what was sent is settled while the rest of the batch is still under way.
const SETTLE_EVERY: Duration = Duration::from_millis(500);
/// When no more than so many of a batch still wait for their receiver, the batch steps aside for another.
const FEW: usize = 10;
/// How often the leases are renewed while sending; they hold for twenty-five seconds.
pub(crate) const KEEP_EVERY: Duration = Duration::from_secs(10);
/// The pauses between attempts to settle: some forty seconds in all. After that the leases lapse, and what was sent to a person is a
/// question for a coach.
const SETTLE_PAUSES: [Duration; 6] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(6),
    Duration::from_secs(10),
    Duration::from_secs(20),
];

/// The first transaction: what may go is marked.
pub(crate) async fn take(hands: &Hands, batch: &LeasedBatch) -> Result<Vec<ToSend>> {
    messages::take(&hands.app, batch).await
}

/// Sends what was marked and settles it. Nothing here is tried as a whole again: each message has its own end. The leases are renewed for
/// the first time after `keep_after`.
pub(crate) async fn send_all(hands: &Hands, marked: Vec<ToSend>, (place, keep_after): (Option<&Place>, Duration)) {
    if marked.is_empty() {
        return;
    }
    let leases: Vec<Lease> = marked.iter().map(|message| message.job).collect();
    tokio::select! {
        () = send_and_settle(hands, marked, place) => {}
        () = keep(hands, &leases, keep_after) => {}
    }
}

/// What has been sent is settled before the slowest is: what is not yet settled when the process dies is sent to staff again, and a
/// question about a person. Nor does a batch keep its place for the sake of a few.
async fn send_and_settle(hands: &Hands, marked: Vec<ToSend>, place: Option<&Place>) {
    let begin_by = Instant::now() + BEGIN_WITHIN;
    let mut sending: FuturesUnordered<_> = marked.into_iter().map(|message| send(hands, message, begin_by)).collect();
    let mut settling = FuturesUnordered::new();
    let mut sent = Vec::new();
    let mut pause = interval_at(Instant::now() + SETTLE_EVERY, SETTLE_EVERY);
    pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            Some(one) = sending.next() => {
                sent.push(one);
                if sending.is_empty() {
                    settling.push(settle_surely(hands, std::mem::take(&mut sent)));
                }
            }
            Some(()) = settling.next() => {}
            _ = pause.tick(), if !sending.is_empty() => {
                if !sent.is_empty() {
                    settling.push(settle_surely(hands, std::mem::take(&mut sent)));
                }
                if let Some(place) = place.filter(|_| sending.len() <= FEW) {
                    place.step_aside();
                }
            }
            else => return,
        }
    }
}

/// Keeps the leases for as long as it is polled.
async fn keep(hands: &Hands, leases: &[Lease], first: Duration) {
    let mut pause = first;
    loop {
        sleep(pause).await;
        pause = KEEP_EVERY;
        if let Err(error) = bounded(jobs::extend(&hands.app, leases)).await {
            tracing::warn!(code = "leases_not_kept", %error, "another worker may take over");
        }
    }
}

async fn send(hands: &Hands, message: ToSend, begin_by: Instant) -> Delivered {
    let result = if hands.stop.is_cancelled() {
        Sending::NotBegun
    } else {
        match outgoing(hands, &message, begin_by) {
            None => Sending::NotTaken {
                reason: "template_unrenderable".to_owned(),
                code: "template_unrenderable",
                retry: None,
            },
            Some(outgoing) => {
                let sent = AssertUnwindSafe(hands.channels.send(&outgoing)).catch_unwind().await;
                judge(&message, sent.ok())
            }
        }
    };
    Delivered { message, result }
}

fn outgoing(hands: &Hands, message: &ToSend, begin_by: Instant) -> Option<Outgoing> {
    let language = Language::of(&message.language);
    let fields =
        Fields { at: message.about, zone: message.zone, count: message.count, phone: hands.phone.as_ref().clone() };
    let rendered = hands.texts.render(language, message.template, &fields);
    match rendered.map(|rendered| with_link(hands, message, (language, rendered))) {
        Ok(rendered) => Some(Outgoing {
            id: message.id,
            organisation: message.organisation,
            channel: message.channel,
            to: message.address.clone(),
            subject: rendered.subject,
            text: rendered.text,
            language: language.tag(),
            template: message.template.as_str(),
            at: hands.app.clock.wall(),
            begin_by,
        }),
        Err(fault) => {
            tracing::error!(code = "template_unrenderable", message_id = %message.id, %fault);
            None
        }
    }
}

/// The text with the link to its follow-up, where it has one and there is room. A link that cannot be made holds no message up.
fn with_link(hands: &Hands, message: &ToSend, (language, rendered): (Language, Rendered)) -> Rendered {
    let (Some(links), Some(bound)) = (hands.links.as_ref(), &message.link) else { return rendered };
    match nazorg_domain::links::token(&hands.app, bound) {
        Ok(token) => hands.texts.with_link(language, rendered, (message.channel, &links.link(&token))),
        Err(error) => {
            tracing::error!(code = "link_not_made", message_id = %message.id, %error, "sent without");
            rendered
        }
    }
}

/// What the channel said, with the wait before another try; `None` is a channel that panicked.
fn judge(message: &ToSend, delivery: Option<Delivery>) -> Sending {
    let wait = backoff::after(message.job.id.0, message.attempts + 1);
    match delivery {
        None => Sending::Perhaps { reason: "channel_panicked".to_owned(), code: "channel_panicked", retry: wait },
        Some(Delivery::NotBegun) => Sending::NotBegun,
        Some(Delivery::Sent { provider_id }) => Sending::Taken { provider_id },
        Some(Delivery::Unknown { reason }) => {
            Sending::Perhaps { reason: reason.to_string(), code: reason.code, retry: wait }
        }
        Some(Delivery::KnownUnsent { retry_after, reason, permanent }) => Sending::NotTaken {
            reason: reason.to_string(),
            code: reason.code,
            retry: wait.filter(|_| !permanent).map(|wait| wait.max(retry_after.unwrap_or_default())),
        },
    }
}

/// The second transaction, as often as it takes: what was sent must not be forgotten.
async fn settle_surely(hands: &Hands, delivered: Vec<Delivered>) {
    for pause in SETTLE_PAUSES {
        match bounded(messages::settle(&hands.app, delivered.clone())).await {
            Ok(()) => return,
            Err(Error::Unavailable { log, .. }) => {
                tracing::warn!(code = "not_settled_yet", count = delivered.len(), log, "tried again");
            }
            Err(error) => {
                tracing::error!(code = "not_settled_together", count = delivered.len(), %error, "one by one");
                return settle_apart(hands, delivered).await;
            }
        }
        sleep(pause).await;
    }
    tracing::error!(code = "not_settled", count = delivered.len(), "the leases lapse");
}

/// One that cannot be settled must not take the others with it.
async fn settle_apart(hands: &Hands, delivered: Vec<Delivered>) {
    for one in delivered {
        let id = one.message.id;
        if let Err(error) = bounded(messages::settle(&hands.app, vec![one])).await {
            tracing::error!(code = "not_settled", message_id = %id, %error, "the lease lapses");
        }
    }
}
