//! What a person agreed to.

use nazorg_domain::{
    entities::{ConsentId, PersonId},
    people::consents::{self, Consent, NewConsent},
};
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use crate::{
    answers::{Created, Current, Page},
    ask::{Ask, Body, OnceIfKeyed, Paging},
    once,
    problem::Answer,
    tags::Tag,
    types::{Instant, Word},
};

/// The operations on consents.
pub(super) struct Consents;

#[OpenApi(tag = "Tag::People")]
impl Consents {
    /// List the consents of a person
    ///
    /// In the order in which they were recorded; those that hold no more too.
    #[oai(path = "/persons/:id/consents", method = "get", operation_id = "listConsents")]
    async fn list(&self, ask: Ask<'_>, id: Path<Uuid>, paging: Paging) -> Answer<Page<ConsentView>> {
        let found = consents::list(&ask, PersonId(id.0), paging.after()?, paging.limit()).await?;
        Ok(Page::new(&paging, found, |consent| consent.id.0, ConsentView::from))
    }

    /// Record a consent
    ///
    /// For a purpose, towards a recipient, of named data, for a time. A consent is never changed: a new one says what holds
    /// from now on.
    #[oai(path = "/persons/:id/consents", method = "post", operation_id = "giveConsent")]
    async fn give(
        &self,
        once: OnceIfKeyed<'_>,
        id: Path<Uuid>,
        body: Body<NewConsentBody>,
    ) -> Answer<Created<ConsentView>> {
        once!(once, |cx| {
            let consent = consents::give(cx, PersonId(id.0), body.0.into()).await?;
            Created::new("consents", consent.id, consent.version, consent.into())
        })
    }

    /// Read a consent
    ///
    /// It holds while it is not revoked, from `validFrom` until `validUntil`.
    #[oai(path = "/consents/:id", method = "get", operation_id = "readConsent")]
    async fn read(&self, ask: Ask<'_>, id: Path<Uuid>) -> Answer<Current<ConsentView>> {
        let consent = consents::read(&ask, ConsentId(id.0)).await?;
        Ok(Current::new(consent.version, consent.into()))
    }

    /// Revoke a consent
    ///
    /// Takes effect at once: nothing that needs it is sent from this moment on, whatever was planned. What the person agreed to twice falls
    /// with it: any other consent for the same purpose, towards the same party, about nothing more. Refused with `consent_already_revoked`
    /// the second time.
    #[oai(path = "/consents/:id/revoke", method = "post", operation_id = "revokeConsent")]
    async fn revoke(&self, once: OnceIfKeyed<'_>, id: Path<Uuid>) -> Answer<Current<ConsentView>> {
        once!(once, |cx| {
            let consent = consents::revoke(cx, ConsentId(id.0)).await?;
            Current::new(consent.version, consent.into())
        })
    }
}

/// What a person agreed to.
#[derive(Debug, Object)]
#[oai(rename = "Consent", rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct ConsentView {
    id: Uuid,
    person_id: Uuid,
    /// For what, a word: `inform_family`.
    purpose: String,
    /// Towards whom, where that is a person.
    recipient_person_id: Option<Uuid>,
    /// Towards whom, where that is a kind of party: `general_practitioner`. Neither: the organisation itself.
    recipient: Option<String>,
    /// Which data, words; none is what the purpose needs.
    items: Vec<String>,
    /// On which legal basis, a word: `consent`.
    legal_basis: String,
    /// By whom, a word: `self`, `representative`.
    given_by: String,
    valid_from: Instant,
    valid_until: Option<Instant>,
    revoked_at: Option<Instant>,
    created_at: Instant,
}

impl From<Consent> for ConsentView {
    fn from(consent: Consent) -> Self {
        let Consent {
            id,
            person_id,
            purpose,
            recipient_person_id,
            recipient,
            items,
            legal_basis,
            given_by,
            valid_from,
            valid_until,
            revoked_at,
            created_at,
            version: _,
        } = consent;
        Self {
            id: id.0,
            person_id: person_id.0,
            purpose,
            recipient_person_id: recipient_person_id.map(|id| id.0),
            recipient,
            items,
            legal_basis,
            given_by,
            valid_from: Instant(valid_from),
            valid_until: valid_until.map(Instant),
            revoked_at: revoked_at.map(Instant),
            created_at: Instant(created_at),
        }
    }
}

/// A consent to record.
#[derive(Debug, Object)]
#[oai(rename = "NewConsent", rename_all = "camelCase", deny_unknown_fields)]
struct NewConsentBody {
    /// For what, a word: `inform_family`.
    purpose: Word,
    /// Towards whom, where that is a person.
    recipient_person_id: Option<Uuid>,
    /// Towards whom, where that is a kind of party: `general_practitioner`.
    recipient: Option<Word>,
    /// Which data, words; none is what the purpose needs.
    #[oai(default, validator(max_items = 50))]
    items: Vec<Word>,
    /// On which legal basis, a word; `consent` unless said otherwise.
    legal_basis: Option<Word>,
    /// By whom, a word; `self` unless said otherwise.
    given_by: Option<Word>,
    /// From when; now unless said otherwise.
    valid_from: Option<Instant>,
    valid_until: Option<Instant>,
}

impl From<NewConsentBody> for NewConsent {
    fn from(body: NewConsentBody) -> Self {
        let NewConsentBody {
            purpose,
            recipient_person_id,
            recipient,
            items,
            legal_basis,
            given_by,
            valid_from,
            valid_until,
        } = body;
        Self {
            purpose: purpose.into(),
            recipient_person_id: recipient_person_id.map(PersonId),
            recipient: recipient.map(Into::into),
            items: items.into_iter().map(Into::into).collect(),
            legal_basis: legal_basis.map_or_else(|| "consent".to_owned(), Into::into),
            given_by: given_by.map_or_else(|| "self".to_owned(), Into::into),
            valid_from: valid_from.map(|at| at.0),
            valid_until: valid_until.map(|at| at.0),
        }
    }
}
