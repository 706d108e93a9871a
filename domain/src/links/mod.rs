//! The link in a message to staff: who follows it says that they saw the message, or what came of its follow-up, without logging in.
//! It is signed, ends by itself, is kept nowhere, and reaches what its recipient was told of and does themselves. Whoever holds it and is
//! no longer the one for the work, or no longer works here, holds nothing.

mod rows;
pub mod rules;

use nazorg_entities::{FollowUpId, Instant, MessageId, OrganisationId, PersonId, follow_ups, messages};
use uuid::Uuid;

pub use rules::{Bound, LENGTH};

use crate::{
    App, Caller, Context, Standing, audit,
    error::{Error, Result, ViolationCode},
    follow_ups as verbs, messages as said,
    people::{self, Recipient},
    protocols::Status,
    staff::{self, Wanted},
};

const PURPOSE: &str = "links/token";

/// The request a link is followed with.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its id.
    pub request_id: Uuid,
    /// The W3C trace id, 32 hex digits.
    pub trace_id: String,
}

/// What somebody who follows a link may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The recipient's language.
    pub language: String,
    /// Where it stands.
    pub stands: Stands,
}

/// Where the work behind a link stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stands {
    /// Something can be said.
    Open {
        /// They said before that they saw it.
        acknowledged: bool,
        /// What may have come of it, as codes of the protocol; none where it is not theirs to do, or not yet possible.
        outcomes: Vec<String>,
    },
    /// What came of it was said by this recipient.
    DoneByThem,
    /// It is over: someone else did it, or it was called off.
    Over,
}

/// The token of a link.
pub fn token(app: &App, bound: &Bound) -> Result<String> {
    let keys = app.keys.derived(PURPOSE)?;
    rules::write(keys.first().ok_or_else(|| Error::internal("no master key"))?, bound)
}

/// What stands behind a link; looking changes nothing, because mail scanners look too. `NotFound` for whatever is wrong with it.
pub async fn look(app: &App, token: &str, asked: &Asked) -> Result<Seen> {
    open(app, token, asked).await?.seen().await
}

/// Its recipient saw the message; saying so again changes nothing. 409 `already_final` when there is nothing left to see to.
pub async fn acknowledge(app: &App, token: &str, asked: &Asked) -> Result<Seen> {
    let found = open(app, token, asked).await?;
    if found.is_over() && found.message.acknowledged_at.is_none() {
        return Err(Error::violation(ViolationCode::AlreadyFinal, "The follow-up is already final."));
    }
    if found.message.acknowledged_at.is_none() {
        said::acknowledge(&found.cx, found.message.id).await?;
    }
    open(app, token, asked).await?.seen().await
}

/// Something came of the follow-up, said by the link's recipient as over the API; said again by them it changes nothing. 409
/// `already_final` when somebody else was first, and whatever else the follow-up has against it.
pub async fn complete(app: &App, token: &str, asked: &Asked, code: String) -> Result<Seen> {
    let found = open(app, token, asked).await?;
    match verbs::complete(&found.cx, found.follow_up.id, code.clone()).await {
        Ok(_) => Ok(Seen { language: found.recipient.language, stands: Stands::DoneByThem }),
        Err(error) => {
            // A double click: the first one did it. Another outcome than the first is no double click.
            let again = open(app, token, asked).await?;
            let same = again.follow_up.outcome.as_deref() == Some(code.as_str());
            if same && again.is_theirs().await? { again.seen().await } else { Err(error) }
        }
    }
}

/// A link that holds.
struct Found<'a> {
    cx: Context<'a>,
    message: messages::Model,
    follow_up: follow_ups::Model,
    recipient: Recipient,
}

/// Opens a link: a token that fits, in time, of someone who works here, was not erased and, while it is to be done, is the one for it.
async fn open<'a>(app: &'a App, token: &str, asked: &Asked) -> Result<Found<'a>> {
    let read = rules::read(token).ok_or(Error::NotFound)?;
    let keys = app.keys.derived(PURPOSE)?;
    let row = rows::message(app, read.message).await?;
    let bound = bound(row.as_ref(), read.until);
    let fits = rules::fits(&keys, &read, &bound)?;
    let message = row.filter(|_| fits).ok_or(Error::NotFound)?;
    let caller = Caller {
        organisation: bound.organisation,
        standing: Standing::Link,
        person: Some(bound.recipient),
        units: Vec::new(),
    };
    let cx = app.context(caller, asked.request_id, asked.trace_id.clone());
    if read.until <= cx.now || !staff::is_at_work(&cx, bound.recipient).await? {
        return Err(Error::NotFound);
    }
    let follow_up = rows::follow_up(&cx, bound.follow_up).await?.ok_or(Error::NotFound)?;
    let recipient = people::recipients(&cx.db(), &cx, &[bound.recipient]).await?.remove(&bound.recipient);
    let recipient = recipient.filter(|one| one.deceased_at.or(one.erased_at).is_none()).ok_or(Error::NotFound)?;
    let found = Found { cx, message, follow_up, recipient };
    if found.is_over() || found.is_the_one().await? { Ok(found) } else { Err(Error::NotFound) }
}

/// What a token for this message is bound to; something all the same where there is no such message.
fn bound(row: Option<&messages::Model>, until: Instant) -> Bound {
    let nobody = PersonId(Uuid::nil());
    match row {
        Some(row) => Bound {
            organisation: row.organisation_id,
            message: row.id,
            follow_up: row.follow_up_id,
            recipient: row.recipient_id.unwrap_or(nobody),
            until,
        },
        None => Bound {
            organisation: OrganisationId(Uuid::nil()),
            message: MessageId(Uuid::nil()),
            follow_up: FollowUpId(Uuid::nil()),
            recipient: nobody,
            until,
        },
    }
}

impl Found<'_> {
    fn status(&self) -> Option<Status> {
        Status::WORDS.iter().find(|(word, _)| *word == self.follow_up.status).map(|(_, status)| *status)
    }

    fn is_over(&self) -> bool {
        self.status().is_none_or(Status::is_final)
    }

    /// The message would go to the same person now.
    async fn is_the_one(&self) -> Result<bool> {
        let (message, follow_up) = (&self.message, &self.follow_up);
        let wanted = Wanted { case: follow_up.case_id, unit: follow_up.unit_id, role: message.to_role.clone() };
        let handed = follow_up.assigned_person_id.filter(|_| follow_up.role == message.to_role);
        Ok(staff::whose(&self.cx.db(), &self.cx, (handed, wanted)).await? == message.recipient_id)
    }

    /// Its recipient said what came of it.
    async fn is_theirs(&self) -> Result<bool> {
        let Some(about) = rows::about(&self.cx, self.follow_up.case_id).await? else { return Ok(false) };
        let said = (self.recipient.id, verbs::COMPLETED, self.follow_up.id.0);
        Ok(self.follow_up.outcome.is_some() && audit::did(&self.cx, said, about).await?)
    }

    async fn seen(self) -> Result<Seen> {
        let stands = if !self.is_over() {
            let outcomes = self.outcomes().await?;
            Stands::Open { acknowledged: self.message.acknowledged_at.is_some(), outcomes }
        } else if self.is_theirs().await? {
            Stands::DoneByThem
        } else {
            Stands::Over
        };
        Ok(Seen { language: self.recipient.language, stands })
    }

    async fn outcomes(&self) -> Result<Vec<String>> {
        let begun = self.follow_up.opens_at.is_some_and(|at| at <= self.cx.now);
        if !begun || self.status() == Some(Status::Waiting) {
            return Ok(Vec::new());
        }
        verbs::own_outcomes(&self.cx, self.follow_up.id).await
    }
}
