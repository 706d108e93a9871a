//! Who works here: access roles, who stands in for a protocol's role, who is away; and who is therefore the one.

pub mod absences;
pub mod memberships;
mod resolution;
pub mod rosters;
mod rows;
pub mod rules;

use nazorg_entities::{AccessAction, PersonId, UnitId};
use serde_json::json;
use uuid::Uuid;

pub use resolution::{Wanted, present, resolve, whose};

use absences::{Absence, AbsenceFilter};
use memberships::{Membership, MembershipFilter};
use rosters::{RosterEntry, RosterFilter};

use crate::{
    Context,
    audit::{self, Access},
    database::Writing,
    error::Result,
    events::{self, Event, Kind},
    input::Checks,
};

/// What is kept about a person as staff: their access, the rosters they stand on, when they were away; what ended too.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptAsStaff {
    /// Their access roles.
    pub memberships: Vec<Membership>,
    /// The rosters.
    pub roster_entries: Vec<RosterEntry>,
    /// The absences.
    pub absences: Vec<Absence>,
}

/// What is kept about a person as staff, at most so many of each. Whoever asks logs it.
pub(crate) async fn kept_about(cx: &Context<'_>, person: PersonId, limit: u64) -> Result<KeptAsStaff> {
    let persons = vec![person];
    let access = MembershipFilter { persons: persons.clone(), ..MembershipFilter::default() };
    let rosters = RosterFilter { persons: persons.clone(), ..RosterFilter::default() };
    let away = AbsenceFilter { persons, ..AbsenceFilter::default() };
    Ok(KeptAsStaff {
        memberships: rows::memberships(cx, &access, None, limit).await?,
        roster_entries: rows::roster_entries(cx, &rosters, None, limit).await?,
        absences: rows::absences(cx, &away, None, limit).await?,
    })
}

/// What a body names must be the tenant's: `unknown` otherwise, every error together.
async fn known(
    tx: &Writing,
    cx: &Context<'_>,
    persons: &[(&'static str, PersonId)],
    unit: Option<UnitId>,
) -> Result<()> {
    let mut checks = Checks::default();
    for (pointer, person) in persons {
        let there = crate::people::exists(tx, cx, *person).await?;
        checks.must(there, pointer, ("unknown", "There is no such person."));
    }
    if let Some(unit) = unit {
        let there = crate::organisations::has_unit(&**tx, cx, unit).await?;
        checks.must(there, "/unitId", ("unknown", "There is no such unit."));
    }
    checks.done()
}

/// Whether a person may act as staff: whoever was given access roles must still have one; who only stands on rosters and in cases
/// never needed one (DESIGN section 7).
pub(crate) async fn is_at_work(cx: &Context<'_>, person: PersonId) -> Result<bool> {
    let all = rows::of_person(cx, person).await?;
    Ok(all.is_empty() || all.iter().any(|one| one.started_at <= cx.now && one.ended_at.is_none_or(|at| at > cx.now)))
}

/// Tells and logs a change; callers recognised a moment ago are recognised anew.
async fn changed(tx: &Writing, cx: &Context<'_>, person: PersonId, access: Access) -> Result<()> {
    let told = Event::new(Kind::StaffChanged, person.0).with(json!({ "code": access.code, "id": access.id }));
    events::record(tx, cx, [told]);
    audit::record(&**tx, cx, &[access.of(person)]).await
}

/// Logs what was seen: a row per person concerned.
async fn seen(cx: &Context<'_>, code: &'static str, object: &'static str, found: &[(Uuid, PersonId)]) -> Result<()> {
    let row = |(id, person): &(Uuid, PersonId)| Access::new(AccessAction::Read, code, object, *id).of(*person);
    audit::seen(cx, &found.iter().map(row).collect::<Vec<_>>()).await
}
