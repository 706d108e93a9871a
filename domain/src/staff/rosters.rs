//! Rosters: who stands in for a protocol's role.

use nazorg_entities::{AccessAction, Instant, PersonId, RosterEntryId, UnitId};
use uuid::Uuid;

use super::{changed, known, rows, rules, seen};
use crate::{
    Context,
    audit::Access,
    error::{Error, Result, ViolationCode},
    policy::Action,
};

/// A person's place on a roster.
#[derive(Debug, Clone, PartialEq)]
pub struct RosterEntry {
    /// Its id.
    pub id: RosterEntryId,
    /// The unit's roster; without one, the organisation's.
    pub unit_id: Option<UnitId>,
    /// The protocol's role: `peer_supporter`, `coordinator`.
    pub role: String,
    /// Who.
    pub person_id: PersonId,
    /// The lowest is asked first.
    pub position: i32,
    /// Since when.
    pub started_at: Instant,
    /// Since when no more.
    pub ended_at: Option<Instant>,
    /// Row version.
    pub version: i32,
}

/// An entry to come.
#[derive(Debug, Clone)]
pub struct NewRosterEntry {
    /// The unit's roster; without one, the organisation's.
    pub unit_id: Option<UnitId>,
    /// The protocol's role.
    pub role: String,
    /// Who.
    pub person_id: PersonId,
    /// The lowest is asked first; at least 0.
    pub position: i32,
}

/// Which entries; an empty list filters nothing.
#[derive(Debug, Clone, Default)]
pub struct RosterFilter {
    /// Of these persons.
    pub persons: Vec<PersonId>,
    /// For these roles of protocols.
    pub roles: Vec<String>,
    /// On exactly these units' rosters.
    pub units: Vec<UnitId>,
    /// Only those that hold now (`true`), or no more (`false`).
    pub current: Option<bool>,
}

/// Puts a person on a roster.
pub async fn create(cx: &Context<'_>, new: NewRosterEntry) -> Result<RosterEntry> {
    cx.may(Action::ManageStaff)?;
    rules::roster_entry(&new)?;
    let tx = cx.begin().await?;
    let NewRosterEntry { unit_id, role, person_id, position } = new;
    known(&tx, cx, &[("/personId", person_id)], unit_id).await?;
    let id = RosterEntryId(cx.app.ids.next());
    let entry = RosterEntry { id, unit_id, role, person_id, position, started_at: cx.now, ended_at: None, version: 1 };
    rows::insert_roster_entry(&tx, cx, &entry).await?;
    let access = Access::new(AccessAction::Create, "roster_entry.created", "roster_entry", id.0);
    changed(&tx, cx, person_id, access).await?;
    tx.commit().await?;
    Ok(entry)
}

/// Entries in order of their ids, after one.
pub async fn list(
    cx: &Context<'_>,
    filter: &RosterFilter,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<RosterEntry>> {
    cx.may(Action::ReadStaff)?;
    let found = rows::roster_entries(cx, filter, after, limit).await?;
    let whose: Vec<_> = found.iter().map(|one| (one.id.0, one.person_id)).collect();
    seen(cx, "roster_entry.listed", "roster_entry", &whose).await?;
    Ok(found)
}

/// One entry.
pub async fn read(cx: &Context<'_>, id: RosterEntryId) -> Result<RosterEntry> {
    cx.may(Action::ReadStaff)?;
    let found = rows::roster_entry(&cx.db(), cx, id).await?;
    seen(cx, "roster_entry.read", "roster_entry", &[(id.0, found.person_id)]).await?;
    Ok(found)
}

/// Takes a person off a roster, now.
pub async fn end(cx: &Context<'_>, id: RosterEntryId) -> Result<RosterEntry> {
    cx.may(Action::ReadStaff)?;
    let tx = cx.begin().await?;
    let before = rows::roster_entry(&**tx, cx, id).await?;
    cx.may(Action::ManageStaff)?;
    if before.ended_at.is_some() {
        return Err(Error::violation(ViolationCode::AlreadyEnded, "The entry ended before."));
    }
    let after = RosterEntry { ended_at: Some(cx.now), version: before.version + 1, ..before };
    rows::end_roster_entry(&tx, cx, &after).await?;
    let access = Access::new(AccessAction::Update, "roster_entry.ended", "roster_entry", id.0);
    changed(&tx, cx, after.person_id, access).await?;
    tx.commit().await?;
    Ok(after)
}
