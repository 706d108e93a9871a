//! Who someone is to someone: a line manager, a close one, a household member.

mod rows;

use nazorg_entities::{AccessAction, Instant, PersonId, RelationId};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

pub(super) use rows::of as of_person;

use super::rows as persons;
use crate::{
    Context,
    audit::{self, Access},
    database::Writing,
    error::{Error, Result, ViolationCode},
    events::{self, Event, Kind},
    input::Checks,
    organisations,
    policy::{Action, Reach},
};

/// `person_id` has `other_person_id` as their `kind`.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    /// Its id.
    pub id: RelationId,
    /// Who has someone.
    pub person_id: PersonId,
    /// Whom they have.
    pub other_person_id: PersonId,
    /// As what, a word: `line_manager`, `close_one`.
    pub kind: String,
    /// Since when.
    pub started_at: Instant,
    /// Since when no more.
    pub ended_at: Option<Instant>,
    /// Row version.
    pub version: i32,
}

/// Relates a person to another. 409 `person_restricted` while the data of one of them may only be kept.
pub async fn create(cx: &Context<'_>, person: PersonId, other: PersonId, kind: String) -> Result<Relation> {
    let reach = cx.may(Action::WritePeople)?;
    let mut checks = Checks::default();
    checks.word("/kind", &kind);
    checks.done()?;
    let tx = cx.begin().await?;
    persons::changeable(&tx, cx, reach, person).await?;
    let there = persons::changeable(&tx, cx, reach, other).await;
    there.map_err(|error| organisations::unknown(error, "/otherPersonId"))?;
    if person == other {
        return Err(Error::violation(ViolationCode::SamePerson, "Nobody is related to themselves."));
    }
    let relation = Relation {
        id: RelationId(cx.app.ids.next()),
        person_id: person,
        other_person_id: other,
        kind,
        started_at: cx.now,
        ended_at: None,
        version: 1,
    };
    rows::insert(&tx, cx, &relation).await?;
    told(&tx, cx, &relation, (AccessAction::Create, "relation.created")).await?;
    tx.commit().await?;
    Ok(relation)
}

/// The relations a person has, and those in which they are the other, in order of their ids, after one.
pub async fn list(cx: &Context<'_>, person: PersonId, after: Option<Uuid>, limit: u64) -> Result<Vec<Relation>> {
    let reach = cx.may(Action::ReadPeople)?;
    persons::one(&cx.db(), cx, reach, person).await?;
    let found = rows::of(cx, person, after, limit).await?;
    let rows: Vec<_> =
        found.iter().flat_map(|relation| accesses(AccessAction::Read, "relation.listed", relation)).collect();
    audit::seen(cx, &rows).await?;
    Ok(found)
}

/// One relation.
pub async fn read(cx: &Context<'_>, id: RelationId) -> Result<Relation> {
    let reach = cx.may(Action::ReadPeople)?;
    let found = rows::one(&cx.db(), cx, reach, id).await?;
    audit::seen(cx, &accesses(AccessAction::Read, "relation.read", &found)).await?;
    Ok(found)
}

/// A relation of the tenant's, for the verb of a case that rests on it.
pub(crate) async fn known(db: &impl ConnectionTrait, cx: &Context<'_>, id: RelationId) -> Result<Relation> {
    rows::one(db, cx, Reach::All, id).await.map_err(|error| organisations::unknown(error, "/relationId"))
}

/// Ends a relation, now.
pub async fn end(cx: &Context<'_>, id: RelationId) -> Result<Relation> {
    let reach = cx.may(Action::WritePeople)?;
    let tx = cx.begin().await?;
    let before = rows::one(&**tx, cx, reach, id).await?;
    persons::hold(&tx, &[before.person_id, before.other_person_id]).await?;
    if before.ended_at.is_some() {
        return Err(Error::violation(ViolationCode::AlreadyEnded, "The relation ended before."));
    }
    let after = Relation { ended_at: Some(cx.now), version: before.version + 1, ..before };
    rows::end(&tx, cx, &after).await?;
    told(&tx, cx, &after, (AccessAction::Update, "relation.ended")).await?;
    tx.commit().await?;
    Ok(after)
}

/// Both are concerned.
fn accesses(action: AccessAction, code: &'static str, relation: &Relation) -> [Access; 2] {
    [relation.person_id, relation.other_person_id]
        .map(|person| Access::new(action, code, "relation", relation.id.0).of(person))
}

async fn told(
    tx: &Writing,
    cx: &Context<'_>,
    relation: &Relation,
    (action, code): (AccessAction, &'static str),
) -> Result<()> {
    events::record(tx, cx, [Event::new(Kind::RelationChanged, relation.id.0)]);
    audit::record(&**tx, cx, &accesses(action, code, relation)).await
}
