//! What other systems call our objects: one value per object and system, unique per organisation and kind of object,
//! sealed under the object's own key and found through a blind index (API section 1).

mod rows;
pub mod rules;

use std::collections::HashMap;

use nazorg_entities::{CaseId, DataKeyId, IncidentId, PersonId};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::{
    Context,
    database::Writing,
    error::{Error, Result, ViolationCode},
    organisations,
    secrets::{Secret, place},
};

/// Where a sealed value stands.
const COLUMN: &str = "external_refs/value";
/// What the blind index is derived for.
const BLIND: &str = "blind/external_refs/value";

/// What another system calls something of ours.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExternalRef {
    /// The other system, a word: `hr_system`.
    pub system: String,
    /// What it calls our object; compared exactly, case included.
    pub value: String,
}

/// The kinds of object that bear references.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A person.
    Person,
    /// An incident.
    Incident,
    /// A case.
    Case,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Incident => "incident",
            Self::Case => "case",
        }
    }
}

/// An object that bears references, with the key that seals them: forgetting the object forgets them too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    kind: Kind,
    id: Uuid,
    /// `None` for an incident from before they had keys: the organisation's.
    key: Option<DataKeyId>,
}

impl Subject {
    /// A person, with their data key.
    #[must_use]
    pub fn person(id: PersonId, key: DataKeyId) -> Self {
        Self { kind: Kind::Person, id: id.0, key: Some(key) }
    }

    /// A case, with its data key.
    #[must_use]
    pub fn case(id: CaseId, key: DataKeyId) -> Self {
        Self { kind: Kind::Case, id: id.0, key: Some(key) }
    }

    /// An incident, with its data key, which it has until its link with the support is cut.
    #[must_use]
    pub fn incident(id: IncidentId, key: Option<DataKeyId>) -> Self {
        Self { kind: Kind::Incident, id: id.0, key }
    }
}

/// Gives an object these references; a system it was known by before gets the new value, other systems keep theirs.
/// 409 `external_ref_taken` when another object of the kind bears one of them.
pub async fn put(tx: &Writing, cx: &Context<'_>, subject: Subject, refs: &[ExternalRef]) -> Result<()> {
    rules::check(refs)?;
    if refs.is_empty() {
        return Ok(());
    }
    let (own, blind) = keys(tx, cx, subject).await?;
    let sealed = refs.iter().map(|one| seal(cx, &own, &blind, one)).collect::<Result<Vec<_>>>()?;
    let holders = rows::holders(tx, cx, subject.kind, &sealed).await?;
    if holders.iter().any(|holder| *holder != subject.id) {
        return Err(taken());
    }
    rows::replace(tx, cx, subject, sealed).await
}

/// Gives an object a reference unless another has it; answers whose it already is. The first of two who try at the same
/// moment wins, the other learns who.
pub async fn claim(tx: &Writing, cx: &Context<'_>, subject: Subject, one: &ExternalRef) -> Result<Option<Uuid>> {
    rules::check(std::slice::from_ref(one))?;
    let (own, blind) = keys(tx, cx, subject).await?;
    let sealed = seal(cx, &own, &blind, one)?;
    if rows::insert_if_free(tx, cx, subject, sealed).await? {
        return Ok(None);
    }
    let holder = find(&**tx, cx, subject.kind, one).await?;
    holder.map(Some).ok_or_else(|| Error::unavailable("an external reference vanished while it was being claimed"))
}

/// Leaves of these incidents' references only what recognises them: a second report is still refused, and nobody reads
/// the value any more (DOMAIN 9.3: one-way after thirty days).
pub async fn make_one_way(tx: &Writing, cx: &Context<'_>, incidents: &[IncidentId]) -> Result<()> {
    rows::make_one_way(tx, cx, incidents).await
}

/// The references of these objects; what nobody can open any more is left out.
pub async fn of(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    subjects: &[Subject],
) -> Result<HashMap<Uuid, Vec<ExternalRef>>> {
    let found = rows::of(db, cx, subjects).await?;
    let mut known = HashMap::new();
    if found.is_empty() {
        return Ok(known);
    }
    let shared = organisations::key(db, cx).await?;
    let wanted: Vec<_> = subjects.iter().filter_map(|subject| subject.key).collect();
    let own = cx.app.keys.many(&wanted).await?;
    let keys: HashMap<_, _> = subjects.iter().map(|subject| (subject.id, subject.key)).collect();
    for row in found {
        let key = match keys.get(&row.subject) {
            Some(Some(id)) => own.get(id),
            _ => Some(&shared),
        };
        let Some(key) = key.filter(|_| !row.value.is_empty()) else { continue };
        let value = key.open_text(&place(COLUMN, row.id), &row.value)?;
        known.entry(row.subject).or_insert_with(Vec::new).push(ExternalRef { system: row.system, value });
    }
    Ok(known)
}

/// Which object of a kind bears this reference.
pub async fn find(db: &impl ConnectionTrait, cx: &Context<'_>, kind: Kind, one: &ExternalRef) -> Result<Option<Uuid>> {
    Ok(find_many(db, cx, kind, std::slice::from_ref(one)).await?.remove(one))
}

/// Which objects of a kind bear these references, in one query.
pub async fn find_many(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    kind: Kind,
    refs: &[ExternalRef],
) -> Result<HashMap<ExternalRef, Uuid>> {
    if refs.is_empty() {
        return Ok(HashMap::new());
    }
    let blind = organisations::key(db, cx).await?.derive(BLIND)?;
    let mut wanted = HashMap::new();
    for one in refs {
        wanted.insert((one.system.clone(), index(&blind, one)?), one.clone());
    }
    let found = rows::find(db, cx, kind, &wanted.keys().cloned().collect::<Vec<_>>()).await?;
    Ok(found.into_iter().filter_map(|(known_as, subject)| Some((wanted.remove(&known_as)?, subject))).collect())
}

/// A reference as it is kept.
struct Sealed {
    id: Uuid,
    system: String,
    value: Vec<u8>,
    index: Vec<u8>,
}

/// The key that seals the subject's references, and the one that blinds them.
async fn keys(tx: &Writing, cx: &Context<'_>, subject: Subject) -> Result<(std::sync::Arc<Secret>, Secret)> {
    let shared = organisations::key(&**tx, cx).await?;
    let blind = shared.derive(BLIND)?;
    match subject.key {
        Some(key) => Ok((cx.app.keys.one(key).await?, blind)),
        None => Ok((shared, blind)),
    }
}

fn seal(cx: &Context<'_>, own: &Secret, blind: &Secret, one: &ExternalRef) -> Result<Sealed> {
    let id = cx.app.ids.next();
    let value = own.seal_text(&place(COLUMN, id), &one.value)?;
    Ok(Sealed { id, system: one.system.clone(), value, index: index(blind, one)? })
}

/// Exact, unlike the indexes of names: `a1` and `A1` may be two objects of the other system.
fn index(blind: &Secret, one: &ExternalRef) -> Result<Vec<u8>> {
    blind.mac(one.value.as_bytes())
}

fn taken() -> Error {
    Error::violation(
        ViolationCode::ExternalRefTaken,
        "Another object of this kind already bears one of the references.",
    )
}
