//! Cases: one stretch of support for one person, opened with its first trajectory, closed when the last one is.

mod consequences;
mod holding;
mod kept;
mod notes;
mod numbers;
mod rows;
pub mod rules;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use nazorg_entities::{
    AccessAction, AssignmentId, CaseId, CaseStatus, ClosedReason, Instant, InvolvementId, PersonId, ProtocolId,
    RelationId, UnitId,
};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::{
    Context,
    audit::{self, Access},
    database::Tx,
    error::{Error, FieldError, Result, ViolationCode},
    events::{self, Event, Kind},
    external_refs::{self, ExternalRef, Subject},
    follow_ups, organisations, people,
    policy::{Action, Reach},
    protocol_versions,
    protocols::{Protocol, Surroundings},
    retention,
    trajectories::{self, ForCase, NewTrajectory},
};

pub use holding::{hold, lift_hold};
pub use kept::{KeptAbout, KeptNote, WasAssigned};
pub use notes::{Note, list_notes, write_note};
pub use numbers::Numbers;

use rows::named::{Found, Named};

pub(crate) use consequences::{close_when_all_closed, end_assignments, may_reopen, reopen_with_trajectory};
pub(crate) use kept::kept_about;
pub(crate) use rows::{about_ids, lock, lock_about, visible_ids};

/// A case.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// Its number for humans, `2026-000042`.
    pub number: String,
    /// Who is supported.
    pub person_id: PersonId,
    /// Where.
    pub unit_id: Option<UnitId>,
    /// Where it is about someone close to a person: the relation between the two (DOMAIN 6.5).
    pub relation_id: Option<RelationId>,
    /// What may be stored about it (DOMAIN 7.2).
    pub record_profile: String,
    /// Open or closed.
    pub status: CaseStatus,
    /// Since when.
    pub opened_at: Instant,
    /// Until when.
    pub closed_at: Option<Instant>,
    /// Why it closed (DOMAIN 12.4).
    pub closed_reason: Option<String>,
    /// When it was last reopened.
    pub reopened_at: Option<Instant>,
    /// Since when a legal hold stops its retention.
    pub held_at: Option<Instant>,
    /// When it was pseudonymised.
    pub forgotten_at: Option<Instant>,
    /// Who fills which role now.
    pub assignments: Vec<Assignment>,
    /// What other systems call it.
    pub external_refs: Vec<ExternalRef>,
    /// Row version.
    pub version: i32,
}

/// Who fills a protocol's role in a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Its id.
    pub id: AssignmentId,
    /// The protocol's role.
    pub role: String,
    /// Who.
    pub person_id: PersonId,
    /// Since when.
    pub assigned_at: Instant,
}

/// A case to come, with its first trajectory.
#[derive(Debug, Clone)]
pub struct NewCase {
    /// Who is supported.
    pub person_id: PersonId,
    /// Where.
    pub unit_id: Option<UnitId>,
    /// For a protocol about someone close: of whom they are the other, by a relation that has not ended.
    pub relation_id: Option<RelationId>,
    /// The published protocol version it starts on; its record profile is the case's for good.
    pub protocol_id: ProtocolId,
    /// The anchors known now.
    pub anchors: Vec<(String, DateTime<Utc>)>,
    /// The person's own rhythm where it differs from the protocol's: durations such as `P2W`, within its bounds.
    pub params: Vec<(String, String)>,
    /// Who fills which role from the start.
    pub assignments: Vec<(String, PersonId)>,
    /// The involvement this support answers; the only trace between the two.
    pub involvement_id: Option<InvolvementId>,
    /// What other systems call it.
    pub external_refs: Vec<ExternalRef>,
}

/// What changes about a case; `None` leaves as it is.
#[derive(Debug, Clone, Default)]
pub struct CaseChange {
    /// Where.
    pub unit_id: Option<Option<UnitId>>,
    /// What other systems call it.
    pub external_refs: Option<Vec<ExternalRef>>,
}

/// Which cases a list holds.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only in these states.
    pub statuses: Vec<CaseStatus>,
    /// Only of these persons.
    pub person_ids: Vec<PersonId>,
    /// Only in these units.
    pub unit_ids: Vec<UnitId>,
    /// Opened at or after.
    pub opened_from: Option<Instant>,
    /// Opened before.
    pub opened_until: Option<Instant>,
    /// Only with this external reference.
    pub external_ref: Option<ExternalRef>,
    /// Newest first.
    pub newest_first: bool,
}

/// Opens a case with its first trajectory: the follow-ups, their jobs and the event stand in the same transaction. What that start did to
/// the case at once stands in the answer: where nothing is left to do, it is closed. 409 `person_restricted` while the person's data may
/// only be kept (GDPR article 18).
pub async fn open(cx: &Context<'_>, new: NewCase) -> Result<Case> {
    cx.may(Action::OpenCases)?;
    let NewCase {
        person_id,
        unit_id,
        relation_id,
        protocol_id,
        anchors,
        params,
        assignments,
        involvement_id,
        external_refs,
    } = new;
    let key = if external_refs.is_empty() { None } else { Some(cx.app.keys.create(cx).await?.0) };
    let tx = cx.begin().await?;
    let named = Named { unit: unit_id, protocol: protocol_id, person: person_id, others: &assignments };
    let Found { around, status, people, been } = rows::named::look(&tx, cx, &named).await?;
    let around = known(&named, around, &people)?;
    let protocol = protocol_versions::startable_as(&tx, cx, (protocol_id, status)).await?;
    let roles = rules::roles_exist(&protocol, assignments.iter().map(|(role, _)| role.as_str()));
    if !roles.is_empty() {
        return Err(Error::Invalid(roles));
    }
    close_one(&tx, cx, &protocol, (person_id, relation_id)).await?;
    let case = Case {
        id: CaseId(cx.app.ids.next()),
        number: numbers::next(&tx, cx).await?,
        person_id,
        unit_id,
        relation_id,
        record_profile: protocol.record_profile.as_str().to_owned(),
        status: CaseStatus::Open,
        opened_at: cx.now,
        closed_at: None,
        closed_reason: None,
        reopened_at: None,
        held_at: None,
        forgotten_at: None,
        assignments: assignments
            .into_iter()
            .map(|(role, person_id)| Assignment {
                id: AssignmentId(cx.app.ids.next()),
                role,
                person_id,
                assigned_at: cx.now,
            })
            .collect(),
        external_refs,
        version: 1,
    };
    let trajectory = NewTrajectory { protocol_id, anchors, params };
    let of = ForCase { id: case.id, person_id, unit_id, first: !been };
    // Told first: everything else comes of it.
    events::record(&tx, cx, [Event::new(Kind::CaseOpened, case.id.0).of_case(case.id)]);
    let fresh = trajectories::prepare(&tx, cx, of, (trajectory, protocol, around)).await?;
    if key.is_none() && involvement_id.is_none() {
        tx.gather();
    }
    rows::insert(&tx, cx, &case, key).await?;
    if let Some(key) = key {
        external_refs::put(&tx, cx, Subject::case(case.id, key), &case.external_refs).await?;
    }
    if let Some(involvement) = involvement_id {
        consequences::link(&tx, cx, &case, involvement).await?;
    }
    tx.gather();
    let begun = trajectories::begin(&tx, cx, fresh).await?;
    logged(&tx, cx, &case, (Kind::CaseOpened, AccessAction::Create)).await?;
    let case = if begun.reached_case { visible_one(&**tx, cx, Reach::All, case.id).await? } else { case };
    tx.commit().await?;
    Ok(case)
}

/// A case about someone close rests on a relation in which they are the other; a case about a person on none.
async fn close_one(
    tx: &Tx<'_>,
    cx: &Context<'_>,
    protocol: &Protocol,
    (person, relation): (PersonId, Option<RelationId>),
) -> Result<()> {
    let found = match relation {
        Some(id) => Some(people::relations::known(&***tx, cx, id).await?),
        None => None,
    };
    rules::rests_on(protocol, (person, found.as_ref()))
}

/// Whoever and whatever the body names must be the tenant's, and the person's data more than only kept; everything unknown is told
/// together. Answers the zone and calendar the case stands in.
fn known(
    named: &Named<'_>,
    around: Option<Surroundings>,
    people: &HashMap<PersonId, Option<Instant>>,
) -> Result<Surroundings> {
    let mut unknown = Vec::new();
    if !people.contains_key(&named.person) {
        unknown.push(FieldError::body("/personId", "unknown", "There is no such person."));
    }
    if around.is_none() {
        unknown.push(FieldError::body("/unitId", "unknown", "There is no such unit."));
    }
    for (place, (_, person)) in named.others.iter().enumerate() {
        if !people.contains_key(person) {
            let pointer = format!("/assignments/{place}/personId");
            unknown.push(FieldError::body(pointer, "unknown", "There is no such person."));
        }
    }
    match (around, people.get(&named.person)) {
        (Some(around), Some(None)) if unknown.is_empty() => Ok(around),
        (_, Some(Some(_))) if unknown.is_empty() => Err(people::restricted()),
        _ => Err(Error::Invalid(unknown)),
    }
}

/// One case.
pub async fn read(cx: &Context<'_>, id: CaseId) -> Result<Case> {
    let reach = cx.may(Action::ReadCases)?;
    let case = visible_one(&cx.db(), cx, reach, id).await?;
    let access = Access::new(AccessAction::Read, "case.read", "case", id.0).of(case.person_id);
    audit::seen(cx, &[access]).await?;
    Ok(case)
}

/// Cases in the order they were opened, after one.
pub async fn list(cx: &Context<'_>, filter: &Filter, after: Option<Uuid>, limit: u64) -> Result<Vec<Case>> {
    let reach = cx.may(Action::ReadCases)?;
    let cases = rows::list(cx, reach, filter, (after, limit)).await?;
    let seen: Vec<_> = audit::shown(&cases, limit)
        .iter()
        .map(|case| Access::new(AccessAction::Read, "case.listed", "case", case.id.0).of(case.person_id))
        .collect();
    audit::seen(cx, &seen).await?;
    Ok(cases)
}

/// Changes a case. One that moves to another unit takes what is still to be done in it along: it falls to that unit's roster from here on.
/// 409 `person_erased` when a reference is given to a case about nobody any more.
pub async fn change(cx: &Context<'_>, id: CaseId, expected: i32, change: CaseChange) -> Result<Case> {
    let reach = cx.may(Action::ReadCases)?;
    let CaseChange { unit_id, external_refs } = change;
    let fresh = if external_refs.is_some() { Some(cx.app.keys.create(cx).await?) } else { None };
    let tx = cx.begin().await?;
    if unit_id.is_some() {
        // Or a worker could plan more for the old unit meanwhile.
        trajectories::lock_of_case(&tx, cx, id).await?;
    }
    let before = visible_one(&**tx, cx, reach, id).await?;
    cx.may(Action::WriteCases)?;
    if let Some(Some(unit)) = unit_id
        && !organisations::has_unit(&**tx, cx, unit).await?
    {
        return Err(Error::field("/unitId", "unknown", "There is no such unit."));
    }
    let was = before.unit_id;
    let after = Case { unit_id: unit_id.unwrap_or(was), version: expected + 1, ..before };
    rows::update(&tx, cx, &after, expected).await?;
    if after.unit_id != was {
        follow_ups::move_open(&tx, cx, (id, after.unit_id)).await?;
    }
    if let (Some(refs), Some(fresh)) = (&external_refs, fresh) {
        // Asked now that the case is locked: an erasure locks it too.
        people::unerased(&tx, cx, after.person_id).await?;
        let (key, _) = rows::key(&tx, cx, id, fresh).await?;
        external_refs::put(&tx, cx, Subject::case(id, key), refs).await?;
    }
    kept(&tx, cx, &after, (Kind::CaseChanged, AccessAction::Update)).await?;
    let after = visible_one(&**tx, cx, reach, id).await?;
    tx.commit().await?;
    Ok(after)
}

/// Puts a person in a role of the case, in place of whoever filled it.
pub async fn assign(cx: &Context<'_>, id: CaseId, role: String, person: PersonId) -> Result<Case> {
    let reach = cx.may(Action::ReadCases)?;
    let tx = cx.begin().await?;
    let case = open_one(&tx, cx, reach, id).await?;
    cx.may(Action::WriteCases)?;
    if !people::exists(&tx, cx, person).await? {
        return Err(Error::field("/personId", "unknown", "There is no such person."));
    }
    rows::end_assignments(&tx, cx, id, &role).await?;
    let assignment = Assignment { id: AssignmentId(cx.app.ids.next()), role, person_id: person, assigned_at: cx.now };
    rows::insert_assignments(&tx, cx, id, std::slice::from_ref(&assignment)).await?;
    let expected = case.version;
    let after = Case { version: expected + 1, ..case };
    rows::update(&tx, cx, &after, expected).await?;
    kept(&tx, cx, &after, (Kind::CaseAssigned, AccessAction::Update)).await?;
    let after = visible_one(&**tx, cx, reach, id).await?;
    tx.commit().await?;
    Ok(after)
}

/// Closes a case and everything open in it; aftercare steps stay (PROTOCOLS section 3).
pub async fn close(cx: &Context<'_>, id: CaseId, reason: ClosedReason) -> Result<Case> {
    let reach = cx.may(Action::ReadCases)?;
    let tx = cx.begin().await?;
    trajectories::lock_of_case(&tx, cx, id).await?;
    let case = open_one(&tx, cx, reach, id).await?;
    cx.may(Action::WriteCases)?;
    let expected = case.version;
    let after = rules::closed(case, reason.as_str(), cx.now);
    rows::update(&tx, cx, &after, expected).await?;
    trajectories::close_all(&tx, cx, id, reason.as_str()).await?;
    retention::owe(&tx, cx, id).await?;
    kept(&tx, cx, &after, (Kind::CaseClosed, AccessAction::Update)).await?;
    tx.commit().await?;
    Ok(after)
}

/// Reopens a case without a new intake, for as long as it is kept; what is to happen now starts as a new trajectory. 409
/// `person_restricted` while the person's data may only be kept.
pub async fn reopen(cx: &Context<'_>, id: CaseId) -> Result<Case> {
    let reach = cx.may(Action::ReadCases)?;
    let tx = cx.begin().await?;
    rows::lock(&tx, &[id]).await?;
    let case = visible_one(&**tx, cx, reach, id).await?;
    cx.may(Action::WriteCases)?;
    if case.status == CaseStatus::Open {
        return Err(Error::violation(ViolationCode::CaseNotClosed, "The case is open."));
    }
    if case.forgotten_at.is_some() {
        return Err(Error::violation(ViolationCode::CaseForgotten, "It is about nobody any more; open a new case."));
    }
    people::unrestricted(&tx, cx, case.person_id).await?;
    let expected = case.version;
    let after = rules::reopened(case, cx.now);
    rows::update(&tx, cx, &after, expected).await?;
    retention::release(&tx, id).await?;
    kept(&tx, cx, &after, (Kind::CaseReopened, AccessAction::Update)).await?;
    tx.commit().await?;
    Ok(after)
}

/// A case the caller may see; 404 otherwise.
pub(crate) async fn visible_one(db: &impl ConnectionTrait, cx: &Context<'_>, reach: Reach, id: CaseId) -> Result<Case> {
    rows::one(db, cx, reach, id).await
}

pub(crate) use numbers::skip as skip_numbers;

/// A case the caller may see and that is open.
pub(crate) async fn open_one(tx: &Tx<'_>, cx: &Context<'_>, reach: Reach, id: CaseId) -> Result<Case> {
    let case = rows::one(&***tx, cx, reach, id).await?;
    if case.status == CaseStatus::Closed {
        return Err(Error::violation(ViolationCode::CaseAlreadyClosed, "The case is closed; reopen it first."));
    }
    Ok(case)
}

async fn kept(tx: &Tx<'_>, cx: &Context<'_>, case: &Case, (kind, action): (Kind, AccessAction)) -> Result<()> {
    events::record(tx, cx, [Event::new(kind, case.id.0).of_case(case.id)]);
    logged(tx, cx, case, (kind, action)).await
}

async fn logged(tx: &Tx<'_>, cx: &Context<'_>, case: &Case, (kind, action): (Kind, AccessAction)) -> Result<()> {
    let access = Access::new(action, kind.as_str(), "case", case.id.0).of(case.person_id);
    audit::record_with(tx, cx, &[access]).await
}
