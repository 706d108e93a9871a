//! Rosters: who stands in for a protocol's role.

use nazorg_domain::{
    entities::{PersonId, RosterEntryId, UnitId},
    staff::rosters::{self, NewRosterEntry, RosterEntry, RosterFilter},
};
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

use super::sets::many;
use crate::{
    answers::{Created, Current, Page},
    ask::{Ask, Body, OnceIfKeyed, Paging},
    once,
    problem::Answer,
    tags::Tag,
    types::{Instant, Word},
};

/// The operations on rosters.
pub(super) struct RosterEntries;

#[OpenApi(tag = "Tag::Staff")]
impl RosterEntries {
    /// List roster entries
    ///
    /// In the order in which they were made. A repeated key means "or".
    #[oai(path = "/roster-entries", method = "get", operation_id = "listRosterEntries")]
    #[expect(clippy::too_many_arguments, reason = "each is a query key of the published operation")]
    async fn list(
        &self,
        ask: Ask<'_>,
        /// Only of these persons.
        #[oai(name = "personId")]
        person_id: Query<Option<Vec<Uuid>>>,
        /// Only for these roles of protocols.
        role: Query<Option<Vec<String>>>,
        /// Only on exactly these units' rosters.
        #[oai(name = "unitId")]
        unit_id: Query<Option<Vec<Uuid>>>,
        /// Only those that hold now, or only those that hold no more.
        current: Query<Option<bool>>,
        paging: Paging,
    ) -> Answer<Page<RosterEntryView>> {
        let filter = RosterFilter {
            persons: many(person_id.0, PersonId),
            roles: role.0.unwrap_or_default(),
            units: many(unit_id.0, UnitId),
            current: current.0,
        };
        let found = rosters::list(&ask, &filter, paging.after()?, paging.limit()).await?;
        Ok(Page::new(&paging, found, |entry| entry.id.0, RosterEntryView::from))
    }

    /// Put a person on a roster
    ///
    /// Where nobody is assigned to a role of a case, or who is assigned is away without cover, the roster of the case's unit
    /// is asked, then those of the units above it, then the organisation's; last of all, all of them for `coordinator`.
    #[oai(path = "/roster-entries", method = "post", operation_id = "createRosterEntry")]
    async fn create(&self, once: OnceIfKeyed<'_>, body: Body<NewRosterEntryBody>) -> Answer<Created<RosterEntryView>> {
        once!(once, |cx| {
            let entry = rosters::create(cx, body.0.into()).await?;
            Created::new("roster-entries", entry.id, entry.version, entry.into())
        })
    }

    /// Read a roster entry
    ///
    /// It holds from `startedAt` until `endedAt`.
    #[oai(path = "/roster-entries/:id", method = "get", operation_id = "readRosterEntry")]
    async fn read(&self, ask: Ask<'_>, id: Path<Uuid>) -> Answer<Current<RosterEntryView>> {
        let entry = rosters::read(&ask, RosterEntryId(id.0)).await?;
        Ok(Current::new(entry.version, entry.into()))
    }

    /// End a roster entry
    ///
    /// The person is not asked in this role any more.
    #[oai(path = "/roster-entries/:id/end", method = "post", operation_id = "endRosterEntry")]
    async fn end(&self, once: OnceIfKeyed<'_>, id: Path<Uuid>) -> Answer<Current<RosterEntryView>> {
        once!(once, |cx| {
            let entry = rosters::end(cx, RosterEntryId(id.0)).await?;
            Current::new(entry.version, entry.into())
        })
    }
}

/// A person's place on a roster.
#[derive(Debug, Object)]
#[oai(rename = "RosterEntry", rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct RosterEntryView {
    id: Uuid,
    /// The unit's roster; absent is the organisation's.
    unit_id: Option<Uuid>,
    /// A role of protocols: `peer_supporter`, `coordinator`.
    role: String,
    person_id: Uuid,
    /// The lowest is asked first.
    position: i32,
    started_at: Instant,
    ended_at: Option<Instant>,
}

impl From<RosterEntry> for RosterEntryView {
    fn from(entry: RosterEntry) -> Self {
        let RosterEntry { id, unit_id, role, person_id, position, started_at, ended_at, version: _ } = entry;
        Self {
            id: id.0,
            unit_id: unit_id.map(|id| id.0),
            role,
            person_id: person_id.0,
            position,
            started_at: Instant(started_at),
            ended_at: ended_at.map(Instant),
        }
    }
}

/// A place on a roster to give.
#[derive(Debug, Object)]
#[oai(rename = "NewRosterEntry", rename_all = "camelCase", deny_unknown_fields)]
struct NewRosterEntryBody {
    /// The unit's roster; absent is the organisation's.
    unit_id: Option<Uuid>,
    /// A role of protocols: `peer_supporter`, `coordinator`.
    role: Word,
    person_id: Uuid,
    /// The lowest is asked first.
    #[oai(default, validator(minimum(value = "0"), maximum(value = "10000")))]
    position: i32,
}

impl From<NewRosterEntryBody> for NewRosterEntry {
    fn from(body: NewRosterEntryBody) -> Self {
        let NewRosterEntryBody { unit_id, role, person_id, position } = body;
        Self { unit_id: unit_id.map(UnitId), role: role.into(), person_id: PersonId(person_id), position }
    }
}
