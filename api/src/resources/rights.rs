//! The rights of a person: a copy of everything kept about them, and the restriction of its processing.

mod export;
mod inputs;
mod withheld;

use nazorg_domain::{entities::PersonId, people};
use poem_openapi::{OpenApi, param::Path};
use uuid::Uuid;

use super::persons::PersonView;
use crate::{
    answers::{Current, Plain},
    ask::{Ask, OnceIfKeyed},
    once,
    problem::Answer,
    tags::Tag,
};
use export::PersonExportView;

/// The operations by which a person's rights are kept.
pub(super) struct Rights;

#[OpenApi(tag = "Tag::People")]
impl Rights {
    /// Export everything about a person
    ///
    /// One document for the person themself (GDPR articles 15 and 20): what is kept about them in cases, what was promised and sent,
    /// and who looked. Other people stand in it as ids; what the person did as staff is not in it. A note may tell of somebody else:
    /// read the notes before you hand it over. Incidents are in it for as long as they are linked with their support, and so are the
    /// accesses to them. Refused with `person_erased` when nothing is kept any more, and with `export_too_large` above 10,000 of one
    /// kind; of accesses, the latest 10,000 are given.
    #[oai(path = "/persons/:id/export", method = "get", operation_id = "exportPerson")]
    async fn export(&self, ask: Ask<'_>, id: Path<Uuid>) -> Answer<Plain<PersonExportView>> {
        Ok(Plain::new(people::export(&ask, PersonId(id.0)).await?.into()))
    }

    /// Restrict the processing of a person's data
    ///
    /// What is kept about them may only be kept (GDPR article 18), as while its accuracy is being settled. From the next message on
    /// nothing is sent to them, nor about them to somebody close: the message ends as `suppressed`, reason `restricted`, with a task
    /// for whoever does the follow-up. What is kept of the person is not changed (409 `person_restricted`), and nothing about them is
    /// forgotten on time. Consents can still be revoked, contact points and relations ended, the person erased. What staff is to do goes on.
    #[oai(path = "/persons/:id/restrict", method = "post", operation_id = "restrictPerson")]
    async fn restrict(&self, once: OnceIfKeyed<'_>, id: Path<Uuid>) -> Answer<Current<PersonView>> {
        once!(once, |cx| {
            let person = people::restrict(cx, PersonId(id.0)).await?;
            Current::new(person.version, person.into())
        })
    }

    /// Lift the restriction of a person's data
    ///
    /// The next message goes; what was suppressed meanwhile is not sent any more. What was to be forgotten meanwhile is forgotten at
    /// once. Tell the person before you lift it.
    #[oai(path = "/persons/:id/lift-restriction", method = "post", operation_id = "liftRestriction")]
    async fn lift_restriction(&self, once: OnceIfKeyed<'_>, id: Path<Uuid>) -> Answer<Current<PersonView>> {
        once!(once, |cx| {
            let person = people::lift_restriction(cx, PersonId(id.0)).await?;
            Current::new(person.version, person.into())
        })
    }
}
