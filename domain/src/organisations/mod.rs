//! Tenants and their units: founded at the command line, then kept over the API.

mod restoring;
mod rows;
pub mod rules;

use std::collections::HashMap;

use chrono_tz::Tz;
use nazorg_entities::{AccessAction, DataKeyId, Instant, OrganisationId, UnitId, organisations, units};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::{
    App, Context,
    audit::{self, Access},
    error::{Error, Result, ViolationCode},
    events::{self, Event, Kind},
    policy::Action,
    protocols::{Calendar, Surroundings},
};

pub use restoring::restored;

/// A tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct Organisation {
    /// Its id.
    pub id: OrganisationId,
    /// Its name.
    pub name: String,
    /// Its time zone.
    pub zone: Tz,
    /// Its working days, office hours and closed days.
    pub calendar: Calendar,
    /// Since when.
    pub created_at: Instant,
    /// Row version.
    pub version: i32,
    /// When its data was last put back from a backup.
    pub restored_at: Option<Instant>,
}

/// A department, station or reception location.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// Its id.
    pub id: UnitId,
    /// The unit it hangs below.
    pub parent_id: Option<UnitId>,
    /// Its name.
    pub name: String,
    /// What kind of unit: `department`, `station`, `reception_location`, …
    pub kind: String,
    /// Its own calendar; without one, its parent's or the organisation's holds.
    pub calendar: Option<Calendar>,
    /// Since when it is no more.
    pub ended_at: Option<Instant>,
    /// Since when it is.
    pub created_at: Instant,
    /// Row version.
    pub version: i32,
}

/// A unit to come.
#[derive(Debug, Clone)]
pub struct NewUnit {
    /// The unit it hangs below.
    pub parent_id: Option<UnitId>,
    /// Its name.
    pub name: String,
    /// What kind of unit.
    pub kind: String,
    /// Its own calendar.
    pub calendar: Option<Calendar>,
}

/// What changes about a unit; `None` leaves as it is.
#[derive(Debug, Clone, Default)]
pub struct UnitChange {
    /// The unit it hangs below; `Some(None)` puts it at the top.
    pub parent_id: Option<Option<UnitId>>,
    /// Its name.
    pub name: Option<String>,
    /// What kind of unit.
    pub kind: Option<String>,
    /// Its own calendar; `Some(None)` takes it away.
    pub calendar: Option<Option<Calendar>>,
    /// Whether it has ended.
    pub ended: Option<bool>,
}

/// Founds a tenant with its key. The operator's verb: no API leads here.
pub async fn found(app: &App, name: &str, zone: Tz) -> Result<OrganisationId> {
    let (id, key) = (OrganisationId(app.ids.next()), DataKeyId(app.ids.next()));
    app.keys.create_for(id, key, app.clock.wall()).await?;
    let tx = app.db.begin().await?;
    rows::insert(
        &tx,
        organisations::Model {
            id,
            key_id: key,
            name: name.to_owned(),
            zone: zone.name().to_owned(),
            calendar: serde_json::to_value(Calendar::default()).map_err(Error::internal)?,
            created_at: app.clock.now(),
            version: 1,
            restored_at: None,
        },
    )
    .await?;
    tx.commit(&*app.bell).await?;
    Ok(id)
}

/// Every tenant's id and name, for the operator.
pub async fn all(app: &App) -> Result<Vec<(OrganisationId, String)>> {
    rows::all(app).await
}

/// The caller's own organisation.
pub async fn read(cx: &Context<'_>) -> Result<Organisation> {
    cx.may(Action::ReadOrganisation)?;
    rows::own(&cx.db(), cx.organisation).await
}

/// Changes name, time zone or calendar; running trajectories keep the calendar they started with.
pub async fn change(
    cx: &Context<'_>,
    expected: i32,
    change: (Option<String>, Option<Tz>, Option<Calendar>),
) -> Result<Organisation> {
    let tx = cx.begin().await?;
    let before = rows::own(&**tx, cx.organisation).await?;
    cx.may(Action::ManageOrganisation)?;
    let (name, zone, calendar) = change;
    let after = Organisation {
        name: name.unwrap_or(before.name),
        zone: zone.unwrap_or(before.zone),
        calendar: calendar.unwrap_or(before.calendar),
        version: expected + 1,
        ..before
    };
    rows::update(&tx, &after, expected).await?;
    events::record(&tx, cx, [Event::new(Kind::OrganisationChanged, after.id.0)]);
    audited(&tx, cx, AccessAction::Update, ("organisation.changed", "organisation", after.id.0)).await?;
    tx.commit().await?;
    Ok(after)
}

/// The organisation's data key, for its blind indexes and what belongs to nobody in particular.
pub async fn key(db: &impl ConnectionTrait, cx: &Context<'_>) -> Result<std::sync::Arc<crate::secrets::Secret>> {
    let known = cx.app.known_keys.get(&cx.organisation);
    let id = match known {
        Some(id) => id,
        None => rows::key_id(db, cx.organisation).await?,
    };
    cx.app.known_keys.insert(cx.organisation, id);
    cx.app.keys.one(id).await
}

/// The organisation itself, for what is judged by its zone and by when it was restored.
pub(crate) async fn own(db: &impl ConnectionTrait, cx: &Context<'_>) -> Result<Organisation> {
    rows::own(db, cx.organisation).await
}

/// The zone and calendar that hold in a unit: its own calendar, else its parents', else the organisation's. 404 when the tenant
/// has no such unit.
pub async fn surroundings(db: &impl ConnectionTrait, cx: &Context<'_>, unit: Option<UnitId>) -> Result<Surroundings> {
    rows::surroundings(db, cx.organisation, unit).await
}

pub(crate) use rows::{AROUND, UP, around};

/// Whether the tenant has this unit.
pub async fn has_unit(db: &impl ConnectionTrait, cx: &Context<'_>, id: UnitId) -> Result<bool> {
    match rows::unit(db, cx, id).await {
        Ok(_) => Ok(true),
        Err(Error::NotFound) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Which unit each unit hangs below.
pub async fn parents(db: &impl ConnectionTrait, cx: &Context<'_>) -> Result<HashMap<UnitId, Option<UnitId>>> {
    rows::parents(db, cx.organisation).await
}

/// These units and all below them.
pub async fn with_children(db: &impl ConnectionTrait, cx: &Context<'_>, units: &[UnitId]) -> Result<Vec<UnitId>> {
    Ok(rules::with_children(units, &rows::parents(db, cx.organisation).await?))
}

/// Units in order of their ids, after one.
pub async fn list_units(cx: &Context<'_>, after: Option<Uuid>, limit: u64) -> Result<Vec<Unit>> {
    cx.may(Action::ReadOrganisation)?;
    rows::list_units(cx, after, limit).await
}

/// One unit.
pub async fn read_unit(cx: &Context<'_>, id: UnitId) -> Result<Unit> {
    cx.may(Action::ReadOrganisation)?;
    rows::unit(&cx.db(), cx, id).await
}

/// Makes a unit.
pub async fn create_unit(cx: &Context<'_>, new: NewUnit) -> Result<Unit> {
    cx.may(Action::ManageOrganisation)?;
    let tx = cx.begin().await?;
    let NewUnit { parent_id, name, kind, calendar } = new;
    if let Some(parent) = parent_id {
        rows::unit(&**tx, cx, parent).await.map_err(|error| unknown(error, "/parentId"))?;
    }
    let unit = Unit {
        id: UnitId(cx.app.ids.next()),
        parent_id,
        name,
        kind,
        calendar,
        ended_at: None,
        created_at: cx.now,
        version: 1,
    };
    rows::insert_unit(&tx, cx, &unit).await?;
    events::record(&tx, cx, [Event::new(Kind::UnitCreated, unit.id.0)]);
    audited(&tx, cx, AccessAction::Create, ("unit.created", "unit", unit.id.0)).await?;
    tx.commit().await?;
    Ok(unit)
}

/// Changes a unit.
pub async fn change_unit(cx: &Context<'_>, id: UnitId, expected: i32, change: UnitChange) -> Result<Unit> {
    cx.may(Action::ReadOrganisation)?;
    let tx = cx.begin().await?;
    let before = rows::unit(&**tx, cx, id).await?;
    cx.may(Action::ManageOrganisation)?;
    let UnitChange { parent_id, name, kind, calendar, ended } = change;
    if let Some(Some(parent)) = parent_id {
        let parents = rows::parents(&**tx, cx.organisation).await?;
        if !parents.contains_key(&parent) {
            return Err(Error::field("/parentId", "unknown", "There is no such unit."));
        }
        if rules::hangs_below(parent, id, &parents) {
            return Err(Error::violation(ViolationCode::UnitCycle, "The parent hangs below this unit."));
        }
    }
    let after = Unit {
        parent_id: parent_id.unwrap_or(before.parent_id),
        name: name.unwrap_or(before.name),
        kind: kind.unwrap_or(before.kind),
        calendar: calendar.unwrap_or(before.calendar),
        ended_at: match ended {
            None => before.ended_at,
            Some(false) => None,
            Some(true) => before.ended_at.or(Some(cx.now)),
        },
        version: expected + 1,
        ..before
    };
    rows::update_unit(&tx, cx, &after, expected).await?;
    events::record(&tx, cx, [Event::new(Kind::UnitChanged, id.0)]);
    audited(&tx, cx, AccessAction::Update, ("unit.changed", "unit", id.0)).await?;
    tx.commit().await?;
    Ok(after)
}

async fn audited(
    tx: &crate::database::Tx<'_>,
    cx: &Context<'_>,
    action: AccessAction,
    (code, object, id): (&'static str, &'static str, Uuid),
) -> Result<()> {
    audit::record(&***tx, cx, &[Access::new(action, code, object, id)]).await
}

/// What a body names and is not there is the body's error, not a missing page.
pub(crate) fn unknown(error: Error, pointer: &str) -> Error {
    match error {
        Error::NotFound => Error::field(pointer, "unknown", "There is no such object."),
        other => other,
    }
}

impl Unit {
    fn from_row(row: units::Model) -> Result<Self> {
        let units::Model { id, organisation_id: _, parent_id, name, kind, calendar, ended_at, created_at, version } =
            row;
        let calendar = calendar.map(serde_json::from_value).transpose().map_err(Error::internal)?;
        Ok(Self { id, parent_id, name, kind, calendar, ended_at, created_at, version })
    }
}
