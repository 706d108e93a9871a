//! What people text back. It is judged and forgotten: no text of theirs is kept or logged.

pub mod rules;

use crate::{
    Context,
    error::Result,
    messages,
    people::{consents, contact_points},
    policy::Action,
};

/// What a reply came to, for the count: it is told to nobody who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    /// Nobody of the organisation can be reached there.
    Unknown,
    /// A wish for no more messages.
    Stop,
    /// An answer to a message.
    Answer,
    /// Of someone who was sent nothing lately, or only as staff.
    Unasked,
}

impl Came {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Stop => "stop",
            Self::Answer => "answer",
            Self::Unasked => "unasked",
        }
    }
}

/// Takes what came from a number. A wish to stop takes back what everyone who can be reached there agreed to about messages to
/// themself; anything else is a task for a human, once per message. A number that is in use no more counts for as long as somebody may
/// answer what was sent there; its wish to stop leaves a task, too. Answers the same whether the number is known or not.
pub async fn take(cx: &Context<'_>, from: &str, text: &str) -> Result<()> {
    cx.may(Action::RelayTexts)?;
    rules::check(from)?;
    let tx = cx.begin().await?;
    let there = contact_points::at(&tx, cx, from, cx.now - messages::ANSWERS_WITHIN).await?;
    let answered = (&there.points[..], &there.persons[..]);
    let came = if there.points.is_empty() {
        Came::Unknown
    } else if rules::is_stop(text) {
        if there.ended {
            messages::replied(&tx, cx, answered).await?;
        }
        consents::withdraw(&tx, cx, &there.persons, messages::rules::PURPOSE).await?;
        Came::Stop
    } else if messages::replied(&tx, cx, answered).await? {
        Came::Answer
    } else {
        Came::Unasked
    };
    tx.commit().await?;
    metrics::counter!("nazorg_replies_total", "kind" => came.as_str()).increment(1);
    Ok(())
}
