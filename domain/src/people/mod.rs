//! Persons, how to reach them safely, who they are to each other, and what they agreed to.

pub mod consents;
pub mod contact_points;
mod erasure;
mod export;
mod recipients;
pub mod relations;
mod restriction;
mod rows;
pub mod rules;

use std::sync::Arc;

use chrono_tz::Tz;
use nazorg_entities::{AccessAction, DataKeyId, Instant, PersonId};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

pub use erasure::erase;
pub use export::{Everything, MOST, export};
pub use recipients::{Reachable, Recipient, open_address, recipients};
pub use restriction::{lift_restriction, restrict};
pub use rows::{existed, exists, known};
pub(crate) use rows::{hold, restricted};

use crate::{
    Context,
    audit::{self, Access},
    database::Writing,
    error::{Error, Result},
    events::{self, Event, Kind},
    external_refs::{self, ExternalRef, Subject},
    organisations,
    policy::{Action, Reach},
    secrets::{Secret, place},
};

/// Where a name is sealed, and what its index is derived for.
const NAME: &str = "persons/name";

/// Anyone: the one supported, a household member, a colleague, a coach.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// Their id.
    pub id: PersonId,
    /// Their name; absent once their key is destroyed.
    pub name: Option<String>,
    /// The language they are written to in, BCP 47. A needed language, no ethnicity (DOMAIN 7.3).
    pub language: String,
    /// Their own time zone; without one, the organisation's.
    pub zone: Option<Tz>,
    /// What they do, a word: `nurse`.
    pub profession: Option<String>,
    /// Since when nobody may contact them.
    pub do_not_contact_at: Option<Instant>,
    /// Since when they are known to have died.
    pub deceased_at: Option<Instant>,
    /// What other systems call them.
    pub external_refs: Vec<ExternalRef>,
    /// Since when their data may only be kept (GDPR article 18).
    pub restricted_at: Option<Instant>,
    /// Since when they are registered.
    pub created_at: Instant,
    /// When they were erased.
    pub erased_at: Option<Instant>,
    /// Row version.
    pub version: i32,
}

/// A person to come.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// Their name.
    pub name: String,
    /// The language they are written to in, BCP 47; Dutch unless said otherwise.
    pub language: Option<String>,
    /// Their own time zone.
    pub zone: Option<Tz>,
    /// What they do, a word.
    pub profession: Option<String>,
    /// What other systems call them.
    pub external_refs: Vec<ExternalRef>,
}

/// What changes about a person; `None` leaves as it is.
#[derive(Debug, Clone, Default)]
pub struct PersonChange {
    /// Their name.
    pub name: Option<String>,
    /// The language they are written to in.
    pub language: Option<String>,
    /// Their own time zone; `Some(None)` takes it away.
    pub zone: Option<Option<Tz>>,
    /// What they do; `Some(None)` takes it away.
    pub profession: Option<Option<String>>,
    /// Whether nobody may contact them; holds from the next message on.
    pub do_not_contact: Option<bool>,
    /// Whether they are known to have died.
    pub deceased: Option<bool>,
}

/// What to look a person up by; everything named must fit.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// The whole name, in any case and spacing.
    pub name: Option<String>,
    /// A whole e-mail address or E.164 number that is in use.
    pub address: Option<String>,
    /// What another system calls them.
    pub external_ref: Option<ExternalRef>,
}

/// Registers a person under a data key of their own. 409 `external_ref_taken` when another bears a reference.
pub async fn create(cx: &Context<'_>, new: NewPerson) -> Result<Person> {
    cx.may(Action::CreatePerson)?;
    rules::person(&new)?;
    let key = cx.app.keys.create(cx).await?;
    let tx = cx.begin().await?;
    let person = insert(&tx, cx, PersonId(cx.app.ids.next()), (new, key)).await?;
    tx.commit().await?;
    Ok(person)
}

/// Persons in order of their ids, after one; the last of a full stretch only tells that there are more ([`audit::shown`]).
pub async fn list(cx: &Context<'_>, after: Option<Uuid>, limit: u64) -> Result<Vec<Person>> {
    let reach = cx.may(Action::ReadPeople)?;
    let found = rows::list(cx, reach, after, limit).await?;
    let found = open(&cx.db(), cx, found).await?;
    seen(cx, "person.listed", audit::shown(&found, limit)).await?;
    Ok(found)
}

/// One person.
pub async fn read(cx: &Context<'_>, id: PersonId) -> Result<Person> {
    let reach = cx.may(Action::ReadPeople)?;
    let found = rows::one(&cx.db(), cx, reach, id).await?;
    let person = open_one(&cx.db(), cx, found).await?;
    seen(cx, "person.read", std::slice::from_ref(&person)).await?;
    Ok(person)
}

/// Persons by a whole name, address or external reference, in order of their ids, after one.
pub async fn search(cx: &Context<'_>, wanted: Search, after: Option<Uuid>, limit: u64) -> Result<Vec<Person>> {
    let reach = cx.may(Action::ReadPeople)?;
    rules::search(&wanted)?;
    let Search { name, address, external_ref } = wanted;
    let blind = organisations::key(&cx.db(), cx).await?;
    let mut found = rows::visible(cx, reach);
    if let Some(name) = name {
        found = rows::named(found, blind.blind(NAME, &name)?);
    }
    if let Some(address) = address {
        found = contact_points::reached_by(found, cx, blind.blind(contact_points::ADDRESS, &address)?);
    }
    if let Some(one) = external_ref {
        let bearer = external_refs::find(&cx.db(), cx, external_refs::Kind::Person, &one).await?;
        found = rows::being(found, bearer);
    }
    let found = rows::page(cx, found, after, limit).await?;
    let found = open(&cx.db(), cx, found).await?;
    seen(cx, "person.found", audit::shown(&found, limit)).await?;
    Ok(found)
}

/// That something new may be begun about a person: 409 `person_restricted` while what is kept of them may only be kept (GDPR article 18),
/// `person_erased` when nothing is.
pub(crate) async fn unrestricted(tx: &Writing, cx: &Context<'_>, id: PersonId) -> Result<()> {
    rows::changeable(tx, cx, Reach::All, id).await.map(drop)
}

/// That something is kept of a person: 409 `person_erased` otherwise.
pub(crate) async fn unerased(tx: &Writing, cx: &Context<'_>, id: PersonId) -> Result<()> {
    rows::present(tx, cx, Reach::All, id).await.map(drop)
}

/// Changes a person. 409 `person_restricted` while their data may only be kept.
pub async fn change(cx: &Context<'_>, id: PersonId, expected: i32, change: PersonChange) -> Result<Person> {
    let reach = cx.may(Action::WritePeople)?;
    rules::change(&change)?;
    let tx = cx.begin().await?;
    let row = rows::changeable(&tx, cx, reach, id).await?;
    let key = row.key_id;
    let before = open_one(&**tx, cx, row).await?;
    let after = Person { version: expected + 1, ..rules::changed(before.clone(), change, cx.now) };
    update(&tx, cx, (&before, &after), key).await?;
    tx.commit().await?;
    Ok(after)
}

/// Registers the person another system calls so, or brings the one it knows up to date; answers whether they are new.
/// Sent twice, or by two at once, it makes one person, and a repetition that says nothing new changes nothing. Other
/// references of theirs stay as they are.
pub async fn upsert(cx: &Context<'_>, known_as: ExternalRef, new: NewPerson) -> Result<(Person, bool)> {
    cx.may(Action::CreatePerson)?;
    let reach = cx.may(Action::WritePeople)?;
    rules::upsert(&known_as, &new)?;
    let tx = cx.begin().await?;
    let mut bearer = external_refs::find(&**tx, cx, external_refs::Kind::Person, &known_as).await?;
    if bearer.is_none() {
        let id = PersonId(cx.app.ids.next());
        let key = cx.app.keys.create(cx).await?;
        bearer = external_refs::claim(&tx, cx, Subject::person(id, key.0), &known_as).await?;
        if bearer.is_none() {
            let mut person = insert(&tx, cx, id, (new, key)).await?;
            person.external_refs.push(known_as);
            tx.commit().await?;
            return Ok((person, true));
        }
    }
    let id = PersonId(bearer.ok_or_else(|| Error::internal("a reference without a bearer"))?);
    let row = rows::present(&tx, cx, reach, id).await?;
    let key = row.key_id;
    let before = open_one(&**tx, cx, row).await?;
    let mut after = rules::changed(before.clone(), rules::as_told(new), cx.now);
    if after == before {
        audit::record(&**tx, cx, &[access(AccessAction::Read, "person.read", id)]).await?;
    } else {
        if before.restricted_at.is_some() {
            return Err(rows::restricted());
        }
        after.version += 1;
        update(&tx, cx, (&before, &after), key).await?;
    }
    tx.commit().await?;
    Ok((after, false))
}

/// Writes a new person with the event and the log line.
async fn insert(
    tx: &Writing,
    cx: &Context<'_>,
    id: PersonId,
    (new, (key_id, key)): (NewPerson, (DataKeyId, Arc<Secret>)),
) -> Result<Person> {
    let NewPerson { name, language, zone, profession, external_refs } = new;
    let person = Person {
        id,
        name: Some(name),
        language: language.unwrap_or_else(|| rules::LANGUAGE.to_owned()),
        zone,
        profession,
        do_not_contact_at: None,
        deceased_at: None,
        external_refs,
        restricted_at: None,
        created_at: cx.now,
        erased_at: None,
        version: 1,
    };
    let sealed = seal(tx, cx, &person, &key).await?;
    rows::insert(tx, cx, &person, (key_id, sealed)).await?;
    external_refs::put(tx, cx, Subject::person(id, key_id), &person.external_refs).await?;
    events::record(tx, cx, [Event::new(Kind::PersonCreated, id.0)]);
    audit::record(&**tx, cx, &[access(AccessAction::Create, "person.created", id)]).await?;
    Ok(person)
}

/// Writes a changed person whose version is one more than the row's, with the event and the log line, which names the members that
/// changed, never their values: a rectification can be traced (GDPR article 16).
async fn update(tx: &Writing, cx: &Context<'_>, (before, after): (&Person, &Person), key: DataKeyId) -> Result<()> {
    let key = cx.app.keys.one(key).await?;
    let sealed = seal(tx, cx, after, &key).await?;
    rows::update(tx, cx, after, sealed).await?;
    events::record(tx, cx, [Event::new(Kind::PersonChanged, after.id.0)]);
    let changed = access(AccessAction::Update, "person.changed", after.id).part(&rules::differing(before, after));
    audit::record(&**tx, cx, &[changed]).await
}

/// The sealed name and its blind index.
async fn seal(tx: &Writing, cx: &Context<'_>, person: &Person, key: &Secret) -> Result<(Vec<u8>, Vec<u8>)> {
    let name = person.name.as_deref().unwrap_or_default();
    let blind = organisations::key(&**tx, cx).await?;
    Ok((key.seal_text(&place(NAME, person.id.0), name)?, blind.blind(NAME, name)?))
}

/// Opens names in one go, and adds what other systems call them.
async fn open(db: &impl ConnectionTrait, cx: &Context<'_>, found: Vec<rows::Row>) -> Result<Vec<Person>> {
    let keys = cx.app.keys.many(&found.iter().map(|row| row.key_id).collect::<Vec<_>>()).await?;
    let subjects: Vec<_> = found.iter().map(|row| Subject::person(row.id, row.key_id)).collect();
    let mut refs = external_refs::of(db, cx, &subjects).await?;
    found
        .into_iter()
        .map(|row| {
            // Elsewhere the key may linger in memory for a moment after it was destroyed.
            let key = keys.get(&row.key_id).filter(|_| row.erased_at.is_none());
            let name = key.map(|key| key.open_text(&place(NAME, row.id.0), &row.name)).transpose()?;
            let external_refs = refs.remove(&row.id.0).unwrap_or_default();
            Ok(row.into_person(name, external_refs))
        })
        .collect()
}

async fn open_one(db: &impl ConnectionTrait, cx: &Context<'_>, found: rows::Row) -> Result<Person> {
    open(db, cx, vec![found]).await?.pop().ok_or(Error::NotFound)
}

fn access(action: AccessAction, code: &'static str, id: PersonId) -> Access {
    Access::new(action, code, "person", id.0).of(id)
}

async fn seen(cx: &Context<'_>, code: &'static str, found: &[Person]) -> Result<()> {
    let rows: Vec<_> = found.iter().map(|person| access(AccessAction::Read, code, person.id)).collect();
    audit::seen(cx, &rows).await
}
