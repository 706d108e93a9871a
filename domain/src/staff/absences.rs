//! Absences: who is away, and who covers.

use nazorg_entities::{AbsenceId, AccessAction, Instant, PersonId};
use serde_json::json;
use uuid::Uuid;

use super::{changed, known, rows, rules, seen};
use crate::{
    Context,
    audit::Access,
    error::Result,
    events::{self, Event, Kind},
    policy::Action,
};

/// A time away; half-open, `until` is back at work.
#[derive(Debug, Clone, PartialEq)]
pub struct Absence {
    /// Its id.
    pub id: AbsenceId,
    /// Who is away.
    pub person_id: PersonId,
    /// Who covers; without anyone, rosters and the coordinator do.
    pub cover_person_id: Option<PersonId>,
    /// From when.
    pub from: Instant,
    /// Until when.
    pub until: Instant,
    /// When it was told.
    pub created_at: Instant,
    /// Row version.
    pub version: i32,
}

/// An absence to come.
#[derive(Debug, Clone)]
pub struct NewAbsence {
    /// Who is away.
    pub person_id: PersonId,
    /// Who covers.
    pub cover_person_id: Option<PersonId>,
    /// From when.
    pub from: Instant,
    /// Until when, later than `from`.
    pub until: Instant,
}

/// Which absences; an empty list filters nothing.
#[derive(Debug, Clone, Default)]
pub struct AbsenceFilter {
    /// Of these persons.
    pub persons: Vec<PersonId>,
    /// Only those that last at or after this moment.
    pub from: Option<Instant>,
    /// Only those that begin before this moment.
    pub until: Option<Instant>,
}

/// Tells that a person is away. Longer than two weeks with nobody who covers raises an alarm: a deputy is to be named (DOMAIN 9.7).
/// 409 `same_person` when they would cover for themselves.
pub async fn create(cx: &Context<'_>, new: NewAbsence) -> Result<Absence> {
    cx.may(Action::ManageStaff)?;
    rules::absence(&new)?;
    let tx = cx.begin().await?;
    let NewAbsence { person_id, cover_person_id, from, until } = new;
    let mut named = vec![("/personId", person_id)];
    named.extend(cover_person_id.map(|cover| ("/coverPersonId", cover)));
    known(&tx, cx, &named, None).await?;
    let id = AbsenceId(cx.app.ids.next());
    let absence = Absence { id, person_id, cover_person_id, from, until, created_at: cx.now, version: 1 };
    rows::insert_absence(&tx, cx, &absence).await?;
    if rules::lacks_deputy(&absence) {
        let told = json!({ "code": "deputy_missing" });
        events::record(&tx, cx, [Event::new(Kind::AlarmRaised, id.0).with(told)]);
    }
    let access = Access::new(AccessAction::Create, "absence.created", "absence", id.0);
    changed(&tx, cx, person_id, access).await?;
    tx.commit().await?;
    Ok(absence)
}

/// Absences in order of their ids, after one.
pub async fn list(cx: &Context<'_>, filter: &AbsenceFilter, after: Option<Uuid>, limit: u64) -> Result<Vec<Absence>> {
    cx.may(Action::ReadStaff)?;
    let found = rows::absences(cx, filter, after, limit).await?;
    let whose: Vec<_> = found.iter().map(|one| (one.id.0, one.person_id)).collect();
    seen(cx, "absence.listed", "absence", &whose).await?;
    Ok(found)
}

/// One absence.
pub async fn read(cx: &Context<'_>, id: AbsenceId) -> Result<Absence> {
    cx.may(Action::ReadStaff)?;
    let found = rows::absence(&cx.db(), cx, id).await?;
    seen(cx, "absence.read", "absence", &[(id.0, found.person_id)]).await?;
    Ok(found)
}

/// Ends an absence now; one that has not begun never happens.
pub async fn end(cx: &Context<'_>, id: AbsenceId) -> Result<Absence> {
    cx.may(Action::ReadStaff)?;
    let tx = cx.begin().await?;
    let before = rows::absence(&**tx, cx, id).await?;
    cx.may(Action::ManageStaff)?;
    let until = rules::end_absence(&before, cx.now)?;
    let after = Absence { until, version: before.version + 1, ..before };
    rows::end_absence(&tx, cx, &after).await?;
    let access = Access::new(AccessAction::Update, "absence.ended", "absence", id.0);
    changed(&tx, cx, after.person_id, access).await?;
    tx.commit().await?;
    Ok(after)
}
