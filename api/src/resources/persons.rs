//! Persons: anyone, supported or supporting; the only place where names are.

use chrono_tz::Tz;
use nazorg_domain::{
    entities::PersonId,
    error::Error,
    people::{self, NewPerson, Person, PersonChange, Search},
};
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use super::external_refs::ExternalRefView;
use crate::{
    answers::{Created, Current, Page},
    ask::{Ask, Body, IfMatch, OnceIfKeyed, Paging},
    once,
    patch::Patch,
    problem::Answer,
    tags::Tag,
    types::{Instant, Word},
};

/// The operations on persons.
pub(super) struct Persons;

#[OpenApi(tag = "Tag::People")]
impl Persons {
    /// List persons
    ///
    /// The persons the caller may see, in the order in which they were registered. A supporter sees those of their own
    /// cases.
    #[oai(path = "/persons", method = "get", operation_id = "listPersons")]
    async fn list(&self, ask: Ask<'_>, paging: Paging) -> Answer<Page<PersonView>> {
        let found = people::list(&ask, paging.after()?, paging.limit()).await?;
        Ok(Page::new(&paging, found, |person| person.id.0, PersonView::from))
    }

    /// Find persons
    ///
    /// By a whole name, a whole address or what another system calls them; what is named must all fit. Parts of a name
    /// find nobody: names are kept sealed. Changes nothing.
    #[oai(path = "/persons/_search", method = "post", operation_id = "searchPersons")]
    async fn search(&self, ask: Ask<'_>, body: Body<PersonSearch>, paging: Paging) -> Answer<Page<PersonView>> {
        let found = people::search(&ask, body.0.into(), paging.after()?, paging.limit()).await?;
        Ok(Page::new(&paging, found, |person| person.id.0, PersonView::from))
    }

    /// Register a person
    ///
    /// Refused with `external_ref_taken` when another person bears one of the references; `upsertPerson` suits a system
    /// that does not know whether it told of this person before.
    #[oai(path = "/persons", method = "post", operation_id = "createPerson")]
    async fn create(&self, once: OnceIfKeyed<'_>, body: Body<NewPersonBody>) -> Answer<Created<PersonView>> {
        once!(once, |cx| {
            let person = people::create(cx, body.0.try_into()?).await?;
            Created::new("persons", person.id, person.version, person.into())
        })
    }

    /// Register or update a person
    ///
    /// By what another system calls them: the person it knows is brought up to date, a new one is registered. What is left
    /// out stays as it is. Sent again, it changes nothing.
    #[oai(path = "/persons/_upsert", method = "post", operation_id = "upsertPerson")]
    async fn upsert(&self, once: OnceIfKeyed<'_>, body: Body<PersonUpsert>) -> Answer<Current<PersonView>> {
        once!(once, |cx| {
            let PersonUpsert { external_ref, name, language, zone, profession } = body.0;
            let (zone, external_refs) = (zone.map(read_zone).transpose()?, Vec::new());
            let new = NewPerson { name, language, zone, profession: profession.map(Into::into), external_refs };
            let (person, _) = people::upsert(cx, external_ref.into(), new).await?;
            Current::new(person.version, person.into())
        })
    }

    /// Read a person
    ///
    /// How to reach them, who they are to whom and what they agreed to are lists of their own.
    #[oai(path = "/persons/:id", method = "get", operation_id = "readPerson")]
    async fn read(&self, ask: Ask<'_>, id: Path<Uuid>) -> Answer<Current<PersonView>> {
        let person = people::read(&ask, PersonId(id.0)).await?;
        Ok(Current::new(person.version, person.into()))
    }

    /// Change a person
    ///
    /// A rectification too: the access log keeps who changed which members when. `doNotContact` holds from the next message on,
    /// whatever was planned. Refused with `person_restricted` while the data may only be kept.
    #[oai(path = "/persons/:id", method = "patch", operation_id = "changePerson")]
    async fn change(
        &self,
        ask: Ask<'_>,
        id: Path<Uuid>,
        if_match: IfMatch,
        body: Body<PersonChangeBody>,
    ) -> Answer<Current<PersonView>> {
        let person = people::change(&ask, PersonId(id.0), if_match.0, body.0.try_into()?).await?;
        Ok(Current::new(person.version, person.into()))
    }

    /// Erase a person
    ///
    /// Name, addresses, relations, consents and references go at once, notes and references of the closed cases about them too, and the keys
    /// that read all that in old backups with them. What was still to come in those cases is called off; nothing is sent any more, and
    /// what refers to the person refers to nobody. Refused with `person_needed` while a case
    /// about them is open or held, a file about them must be kept by law, or they support or work here. It cannot be undone.
    #[oai(path = "/persons/:id/erase", method = "post", operation_id = "erasePerson")]
    async fn erase(&self, once: OnceIfKeyed<'_>, id: Path<Uuid>) -> Answer<Current<PersonView>> {
        once!(once, |cx| {
            let person = people::erase(cx, PersonId(id.0)).await?;
            Current::new(person.version, person.into())
        })
    }
}

fn read_zone(zone: String) -> Result<Tz, Error> {
    zone.parse().map_err(|_| Error::field("/zone", "unknown", "There is no such time zone; use an IANA name."))
}

/// Anyone: the one supported, a household member, a colleague, a coach.
#[derive(Debug, Object)]
#[oai(rename = "Person", rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct PersonView {
    id: Uuid,
    /// Absent once the person was forgotten.
    name: Option<String>,
    /// The language they are written to in, BCP 47.
    language: String,
    /// Their own time zone, an IANA name; the organisation's where absent.
    zone: Option<String>,
    /// What they do, a word: `nurse`.
    profession: Option<String>,
    /// Since when nobody may contact them.
    do_not_contact_at: Option<Instant>,
    /// Since when they are known to have died.
    deceased_at: Option<Instant>,
    /// What other systems call them.
    external_refs: Vec<ExternalRefView>,
    /// Since when their data may only be kept: nothing is sent to them, nothing changed, nothing forgotten.
    restricted_at: Option<Instant>,
    created_at: Instant,
    /// When they were erased.
    erased_at: Option<Instant>,
}

impl From<Person> for PersonView {
    fn from(person: Person) -> Self {
        let Person {
            id,
            name,
            language,
            zone,
            profession,
            do_not_contact_at,
            deceased_at,
            external_refs,
            restricted_at,
            created_at,
            erased_at,
            version: _,
        } = person;
        Self {
            id: id.0,
            name,
            language,
            zone: zone.map(|zone| zone.name().to_owned()),
            profession,
            do_not_contact_at: do_not_contact_at.map(Instant),
            deceased_at: deceased_at.map(Instant),
            external_refs: external_refs.into_iter().map(Into::into).collect(),
            restricted_at: restricted_at.map(Instant),
            created_at: Instant(created_at),
            erased_at: erased_at.map(Instant),
        }
    }
}

/// A person to register.
#[derive(Debug, Object)]
#[oai(rename = "NewPerson", rename_all = "camelCase", deny_unknown_fields)]
struct NewPersonBody {
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
    /// The language they are written to in, BCP 47; `nl` unless said otherwise. Texts are in `nl`, `en`, `uk`, `ru`, `ar` and `tr`; others get English.
    #[oai(validator(pattern = "^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$", max_length = 35))]
    language: Option<String>,
    /// Their own time zone, an IANA name.
    #[oai(validator(min_length = 1, max_length = 60))]
    zone: Option<String>,
    /// What they do, a word: `nurse`.
    profession: Option<Word>,
    /// What other systems call them.
    #[oai(default, validator(max_items = 20))]
    external_refs: Vec<ExternalRefView>,
}

impl TryFrom<NewPersonBody> for NewPerson {
    type Error = Error;

    fn try_from(body: NewPersonBody) -> Result<Self, Error> {
        let NewPersonBody { name, language, zone, profession, external_refs } = body;
        let zone = zone.map(read_zone).transpose()?;
        let external_refs = external_refs.into_iter().map(Into::into).collect();
        Ok(Self { name, language, zone, profession: profession.map(Into::into), external_refs })
    }
}

/// A person as another system tells of them.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct PersonUpsert {
    /// What the other system calls them.
    external_ref: ExternalRefView,
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
    /// The language they are written to in, BCP 47.
    #[oai(validator(pattern = "^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$", max_length = 35))]
    language: Option<String>,
    /// Their own time zone, an IANA name.
    #[oai(validator(min_length = 1, max_length = 60))]
    zone: Option<String>,
    /// What they do, a word: `nurse`.
    profession: Option<Word>,
}

/// What to change about a person.
#[derive(Debug, Object)]
#[oai(rename = "PersonChange", rename_all = "camelCase", deny_unknown_fields)]
struct PersonChangeBody {
    #[oai(validator(min_length = 1, max_length = 200))]
    name: Option<String>,
    /// The language they are written to in, BCP 47.
    #[oai(validator(pattern = "^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$", max_length = 35))]
    language: Option<String>,
    /// Their own time zone, an IANA name; null is the organisation's.
    #[oai(validator(min_length = 1, max_length = 60))]
    zone: Patch<String>,
    /// What they do, a word; null takes it away.
    #[oai(validator(pattern = "^[a-z][a-z0-9_]{0,59}$"))]
    profession: Patch<String>,
    /// Whether nobody may contact them.
    do_not_contact: Option<bool>,
    /// Whether they are known to have died.
    deceased: Option<bool>,
}

impl TryFrom<PersonChangeBody> for PersonChange {
    type Error = Error;

    fn try_from(body: PersonChangeBody) -> Result<Self, Error> {
        let PersonChangeBody { name, language, zone, profession, do_not_contact, deceased } = body;
        let zone = match zone {
            Patch::Keep => None,
            Patch::Clear => Some(None),
            Patch::Set(zone) => Some(Some(read_zone(zone)?)),
        };
        let profession = profession.into_change(|profession| profession);
        Ok(Self { name, language, zone, profession, do_not_contact, deceased })
    }
}

/// Whom is sought; at least one member.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct PersonSearch {
    /// The whole name, in any case and spacing.
    #[oai(validator(min_length = 1, max_length = 200))]
    name: Option<String>,
    /// A whole e-mail address, or a telephone number in E.164.
    #[oai(validator(min_length = 1, max_length = 254))]
    address: Option<String>,
    /// What another system calls them.
    external_ref: Option<ExternalRefView>,
}

impl From<PersonSearch> for Search {
    fn from(body: PersonSearch) -> Self {
        let PersonSearch { name, address, external_ref } = body;
        Self { name, address, external_ref: external_ref.map(Into::into) }
    }
}
