//! Units: departments, stations, reception locations.
//!
//! The pattern for every other resource: the operations first, each `parse, call one verb, answer`; then the shapes.

use nazorg_domain::{
    entities::UnitId,
    organisations::{self, NewUnit, Unit, UnitChange},
};
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use super::calendar::CalendarView;
use crate::{
    answers::{Created, Current, Page},
    ask::{Ask, Body, IfMatch, OnceIfKeyed, Paging},
    once,
    patch::Patch,
    problem::Answer,
    tags::Tag,
    types::Instant,
};

/// The operations on units.
pub(super) struct Units;

#[OpenApi(tag = "Tag::Units")]
impl Units {
    /// List units
    ///
    /// All units of the organisation, those that have ended too, in the order in which they were made.
    #[oai(path = "/units", method = "get", operation_id = "listUnits")]
    async fn list(&self, ask: Ask<'_>, paging: Paging) -> Answer<Page<UnitView>> {
        let found = organisations::list_units(&ask, paging.after()?, paging.limit()).await?;
        Ok(Page::new(&paging, found, |unit| unit.id.0, UnitView::from))
    }

    /// Create a unit
    ///
    /// A unit hangs below another one or stands at the top. Without a calendar of its own, its parent's holds, or else
    /// the organisation's.
    #[oai(path = "/units", method = "post", operation_id = "createUnit")]
    async fn create(&self, once: OnceIfKeyed<'_>, body: Body<NewUnitBody>) -> Answer<Created<UnitView>> {
        once!(once, |cx| {
            let unit = organisations::create_unit(cx, body.0.into()).await?;
            Created::new("units", unit.id, unit.version, unit.into())
        })
    }

    /// Read a unit
    ///
    /// The unit with its own calendar, where it has one.
    #[oai(path = "/units/:id", method = "get", operation_id = "readUnit")]
    async fn read(&self, ask: Ask<'_>, id: Path<Uuid>) -> Answer<Current<UnitView>> {
        let unit = organisations::read_unit(&ask, UnitId(id.0)).await?;
        Ok(Current::new(unit.version, unit.into()))
    }

    /// Change a unit
    ///
    /// Moves, renames or ends a unit. What runs under it goes on with the calendar it started with.
    #[oai(path = "/units/:id", method = "patch", operation_id = "changeUnit")]
    async fn change(
        &self,
        ask: Ask<'_>,
        id: Path<Uuid>,
        if_match: IfMatch,
        body: Body<UnitChangeBody>,
    ) -> Answer<Current<UnitView>> {
        let unit = organisations::change_unit(&ask, UnitId(id.0), if_match.0, body.0.into()).await?;
        Ok(Current::new(unit.version, unit.into()))
    }
}

/// A department, station or reception location.
#[derive(Debug, Object)]
#[oai(rename = "Unit", rename_all = "camelCase", skip_serializing_if_is_none)]
struct UnitView {
    id: Uuid,
    /// The unit it hangs below.
    parent_id: Option<Uuid>,
    name: String,
    /// What kind of unit: `department`, `station`, `reception_location`, or a word of your own.
    kind: String,
    /// Its own calendar, where it has one.
    calendar: Option<CalendarView>,
    /// Since when it is no more.
    ended_at: Option<Instant>,
    created_at: Instant,
}

impl From<Unit> for UnitView {
    fn from(unit: Unit) -> Self {
        let Unit { id, parent_id, name, kind, calendar, ended_at, created_at, version: _ } = unit;
        Self {
            id: id.0,
            parent_id: parent_id.map(|id| id.0),
            name,
            kind,
            calendar: calendar.map(CalendarView::from),
            ended_at: ended_at.map(Instant),
            created_at: Instant(created_at),
        }
    }
}

/// A unit to make.
#[derive(Debug, Object)]
#[oai(rename = "NewUnit", rename_all = "camelCase", deny_unknown_fields)]
struct NewUnitBody {
    /// The unit it hangs below.
    parent_id: Option<Uuid>,
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
    /// What kind of unit: `department`, `station`, `reception_location`, or a word of your own.
    #[oai(validator(pattern = "^[a-z][a-z0-9_]{0,39}$"))]
    kind: String,
    /// Its own calendar.
    calendar: Option<CalendarView>,
}

impl From<NewUnitBody> for NewUnit {
    fn from(body: NewUnitBody) -> Self {
        let NewUnitBody { parent_id, name, kind, calendar } = body;
        Self { parent_id: parent_id.map(UnitId), name, kind, calendar: calendar.map(Into::into) }
    }
}

/// What to change about a unit.
#[derive(Debug, Object)]
#[oai(rename = "UnitChange", rename_all = "camelCase", deny_unknown_fields)]
struct UnitChangeBody {
    /// The unit it hangs below; null puts it at the top.
    parent_id: Patch<Uuid>,
    #[oai(validator(min_length = 1, max_length = 200))]
    name: Option<String>,
    /// What kind of unit.
    #[oai(validator(pattern = "^[a-z][a-z0-9_]{0,39}$"))]
    kind: Option<String>,
    /// Its own calendar from now on.
    calendar: Option<CalendarView>,
    /// Takes its own calendar away, so that its parent's or the organisation's holds again.
    inherit_calendar: Option<bool>,
    /// Whether it has ended.
    ended: Option<bool>,
}

impl From<UnitChangeBody> for UnitChange {
    fn from(body: UnitChangeBody) -> Self {
        let UnitChangeBody { parent_id, name, kind, calendar, inherit_calendar, ended } = body;
        let calendar = match inherit_calendar {
            Some(true) => Some(None),
            Some(false) | None => calendar.map(|calendar| Some(calendar.into())),
        };
        Self { parent_id: parent_id.into_change(UnitId), name, kind, calendar, ended }
    }
}
