//! What a person agreed to: purpose × recipient × items × period, revocable at any moment (DOMAIN 7.3 and 12.2).

mod rows;
pub mod rules;

use nazorg_entities::{AccessAction, ConsentId, Instant, PersonId};
use uuid::Uuid;

pub(super) use rows::of as of_person;
pub use rows::of_many;

use super::rows as persons;
use crate::{
    Context,
    audit::{self, Access},
    database::Writing,
    error::{Error, Result, ViolationCode},
    events::{self, Event, Kind},
    organisations,
    policy::Action,
};

/// A consent; versions are separate consents, so what held when stays known.
#[derive(Debug, Clone, PartialEq)]
pub struct Consent {
    /// Its id.
    pub id: ConsentId,
    /// Whose.
    pub person_id: PersonId,
    /// For what, a word: `inform_family`.
    pub purpose: String,
    /// Towards whom, where that is a person.
    pub recipient_person_id: Option<PersonId>,
    /// Towards whom, where that is a kind of party, a word: `general_practitioner`. Neither: the organisation itself.
    pub recipient: Option<String>,
    /// Which data, words; none is everything the purpose needs.
    pub items: Vec<String>,
    /// On which legal basis, a word: `consent`.
    pub legal_basis: String,
    /// By whom, a word: `self`, `representative`.
    pub given_by: String,
    /// From when.
    pub valid_from: Instant,
    /// Until when.
    pub valid_until: Option<Instant>,
    /// When it was revoked; at once no more.
    pub revoked_at: Option<Instant>,
    /// When it was recorded.
    pub created_at: Instant,
    /// Row version.
    pub version: i32,
}

/// A consent to come.
#[derive(Debug, Clone)]
pub struct NewConsent {
    /// For what, a word.
    pub purpose: String,
    /// Towards whom, where that is a person.
    pub recipient_person_id: Option<PersonId>,
    /// Towards whom, where that is a kind of party, a word.
    pub recipient: Option<String>,
    /// Which data, words.
    pub items: Vec<String>,
    /// On which legal basis, a word.
    pub legal_basis: String,
    /// By whom, a word.
    pub given_by: String,
    /// From when; now unless said otherwise.
    pub valid_from: Option<Instant>,
    /// Until when.
    pub valid_until: Option<Instant>,
}

/// Records a consent. 409 `person_restricted` while their data may only be kept; [`revoke`] is possible all the same.
pub async fn give(cx: &Context<'_>, person: PersonId, new: NewConsent) -> Result<Consent> {
    let reach = cx.may(Action::WritePeople)?;
    rules::check(&new, cx.now)?;
    let tx = cx.begin().await?;
    persons::changeable(&tx, cx, reach, person).await?;
    if let Some(recipient) = new.recipient_person_id {
        let there = persons::present(&tx, cx, reach, recipient).await;
        there.map_err(|error| organisations::unknown(error, "/recipientPersonId"))?;
    }
    let NewConsent { purpose, recipient_person_id, recipient, items, legal_basis, given_by, valid_from, valid_until } =
        new;
    let consent = Consent {
        id: ConsentId(cx.app.ids.next()),
        person_id: person,
        purpose,
        recipient_person_id,
        recipient,
        items,
        legal_basis,
        given_by,
        valid_from: valid_from.unwrap_or(cx.now),
        valid_until,
        revoked_at: None,
        created_at: cx.now,
        version: 1,
    };
    rows::insert(&tx, cx, &consent).await?;
    told(&tx, cx, &consent, (AccessAction::Create, Kind::ConsentGiven)).await?;
    tx.commit().await?;
    Ok(consent)
}

/// A person's consents in order of their ids, after one; those that hold no more too.
pub async fn list(cx: &Context<'_>, person: PersonId, after: Option<Uuid>, limit: u64) -> Result<Vec<Consent>> {
    let reach = cx.may(Action::ReadPeople)?;
    persons::one(&cx.db(), cx, reach, person).await?;
    let found = rows::of(cx, person, after, limit).await?;
    let rows: Vec<_> = found.iter().map(|consent| access(AccessAction::Read, "consent.listed", consent)).collect();
    audit::seen(cx, &rows).await?;
    Ok(found)
}

/// One consent.
pub async fn read(cx: &Context<'_>, id: ConsentId) -> Result<Consent> {
    let reach = cx.may(Action::ReadPeople)?;
    let found = rows::one(&cx.db(), cx, reach, id).await?;
    audit::seen(cx, &[access(AccessAction::Read, "consent.read", &found)]).await?;
    Ok(found)
}

/// Revokes a consent; nothing that needs it happens from this moment on. What the person agreed to twice falls with one that holds: any
/// other for the same purpose, towards the same party, about nothing more. 409 `consent_already_revoked` the second time.
pub async fn revoke(cx: &Context<'_>, id: ConsentId) -> Result<Consent> {
    let reach = cx.may(Action::WritePeople)?;
    let tx = cx.begin().await?;
    let before = rows::one(&**tx, cx, reach, id).await?;
    if before.revoked_at.is_some() {
        return Err(Error::violation(ViolationCode::ConsentAlreadyRevoked, "The consent was revoked before."));
    }
    persons::hold(&tx, &[before.person_id]).await?;
    let towards = (before.recipient_person_id, before.recipient.as_deref());
    let standing = rows::standing(&tx, cx, &[before.person_id], (&before.purpose, towards)).await?;
    for other in standing.into_iter().filter(|other| rules::falls_with(&before, other, cx.now)) {
        revoked(&tx, cx, other).await?;
    }
    let after = revoked(&tx, cx, before).await?;
    tx.commit().await?;
    Ok(after)
}

async fn revoked(tx: &Writing, cx: &Context<'_>, before: Consent) -> Result<Consent> {
    let after = Consent { revoked_at: Some(cx.now), version: before.version + 1, ..before };
    rows::revoke(tx, cx, &after).await?;
    told(tx, cx, &after, (AccessAction::Update, Kind::ConsentRevoked)).await?;
    Ok(after)
}

/// Takes back what these persons agreed to towards the organisation itself for a purpose, in their own name: they said so themselves.
pub(crate) async fn withdraw(tx: &Writing, cx: &Context<'_>, whose: &[PersonId], purpose: &str) -> Result<()> {
    persons::hold(tx, whose).await?;
    for before in rows::standing(tx, cx, whose, (purpose, (None, None))).await? {
        let after = Consent { revoked_at: Some(cx.now), version: before.version + 1, ..before };
        rows::revoke(tx, cx, &after).await?;
        events::record(tx, cx, [Event::new(Kind::ConsentRevoked, after.id.0)]);
        let access = access(AccessAction::Update, Kind::ConsentRevoked.as_str(), &after).by(after.person_id);
        audit::record(&**tx, cx, &[access]).await?;
    }
    Ok(())
}

fn access(action: AccessAction, code: &'static str, consent: &Consent) -> Access {
    Access { consent: Some(consent.id), ..Access::new(action, code, "consent", consent.id.0).of(consent.person_id) }
}

async fn told(tx: &Writing, cx: &Context<'_>, consent: &Consent, (action, kind): (AccessAction, Kind)) -> Result<()> {
    events::record(tx, cx, [Event::new(kind, consent.id.0)]);
    audit::record(&**tx, cx, &[access(action, kind.as_str(), consent)]).await
}
