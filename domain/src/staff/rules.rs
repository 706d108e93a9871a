//! Pure rules about staff.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use nazorg_entities::{CaseId, Instant, PersonId, Role, UnitId};

use super::{
    Wanted,
    absences::{Absence, NewAbsence},
    memberships::NewMembership,
    rosters::NewRosterEntry,
};
use crate::{
    error::{Error, Result, ViolationCode},
    input::Checks,
};

/// The role that is asked when nobody fills another.
pub const COORDINATOR: &str = "coordinator";
/// Whoever is away longer than this is to have a deputy who is named (DOMAIN 9.7).
pub const LONG_ABSENCE: TimeDelta = TimeDelta::weeks(2);
/// The last place on a roster.
pub const LAST_POSITION: i32 = 10_000;

/// A line manager manages a unit, and nobody else's role ends at one: what a role reaches is `policy`'s; an integration is nobody.
pub fn membership(new: &NewMembership) -> Result<()> {
    let mut checks = Checks::default();
    let somebody = new.role != Role::Integration;
    checks.must(somebody, "/role", ("forbidden", "A person cannot be an integration."));
    let placed = new.role != Role::LineManager || new.unit_id.is_some();
    checks.must(placed, "/unitId", ("required", "A line manager manages a unit."));
    let kept = new.role == Role::LineManager || new.unit_id.is_none();
    checks.must(
        kept,
        "/unitId",
        ("forbidden", "Only a line manager's role is for a unit; others hold in the organisation."),
    );
    checks.done()
}

/// A role is a word; a position is a small number.
pub fn roster_entry(new: &NewRosterEntry) -> Result<()> {
    let mut checks = Checks::default();
    checks.word("/role", &new.role);
    let fits = (0..=LAST_POSITION).contains(&new.position);
    checks.must(fits, "/position", ("out_of_range", "A position lies between 0 and 10000."));
    checks.done()
}

/// An absence lasts, and somebody else covers.
pub fn absence(new: &NewAbsence) -> Result<()> {
    let mut checks = Checks::default();
    checks.must(new.from < new.until, "/untilAt", ("not_after_from", "The absence must end after it begins."));
    checks.done()?;
    if new.cover_person_id == Some(new.person_id) {
        return Err(Error::violation(ViolationCode::SamePerson, "Nobody covers for themselves."));
    }
    Ok(())
}

/// Whether an absence is so long that somebody should be named who covers, and nobody is.
#[must_use]
pub fn lacks_deputy(absence: &Absence) -> bool {
    absence.cover_person_id.is_none() && absence.until - absence.from > LONG_ABSENCE
}

/// When an absence that is ended at `now` is over.
pub fn end_absence(absence: &Absence, now: Instant) -> Result<Instant> {
    if absence.until <= now.max(absence.from) {
        return Err(Error::violation(ViolationCode::AlreadyEnded, "The absence is over."));
    }
    Ok(now.max(absence.from))
}

/// Who is assigned, on which roster, and away, at one moment.
pub struct Staffing {
    assigned: HashMap<(CaseId, String), Vec<PersonId>>,
    rosters: HashMap<(Option<UnitId>, String), Vec<PersonId>>,
    away: HashMap<PersonId, Vec<PersonId>>,
    parents: HashMap<UnitId, Option<UnitId>>,
}

impl Staffing {
    /// Out of rows: assignments with the latest first, roster entries with the lowest position first, absences with
    /// their cover, and each unit's parent.
    #[must_use]
    pub fn new(
        assigned: Vec<(CaseId, String, PersonId)>,
        roster: Vec<(Option<UnitId>, String, PersonId)>,
        away: Vec<(PersonId, Option<PersonId>)>,
        parents: HashMap<UnitId, Option<UnitId>>,
    ) -> Self {
        let mut staffing = Self { assigned: HashMap::new(), rosters: HashMap::new(), away: HashMap::new(), parents };
        for (case, role, person) in assigned {
            staffing.assigned.entry((case, role)).or_default().push(person);
        }
        for (unit, role, person) in roster {
            staffing.rosters.entry((unit, role)).or_default().push(person);
        }
        for (person, cover) in away {
            staffing.away.entry(person).or_default().extend(cover);
        }
        staffing
    }

    /// The one who fills a role: in the role itself, else as coordinator, else nobody.
    #[must_use]
    pub fn who(&self, wanted: &Wanted) -> Option<PersonId> {
        let Wanted { case, unit, role } = wanted;
        [role.as_str(), COORDINATOR].into_iter().find_map(|role| {
            let assigned = self.assigned.get(&(*case, role.to_owned())).into_iter().flatten();
            let mut present = assigned.filter_map(|person| self.present(*person, &mut HashSet::new()));
            present.next().or_else(|| self.rostered(*unit, role))
        })
    }

    /// The person, or who stands in for them while they are away.
    #[must_use]
    pub fn or_cover(&self, person: PersonId) -> Option<PersonId> {
        self.present(person, &mut HashSet::new())
    }

    /// The person, or who covers for them, or who covers for those; whoever comes round again is passed over.
    fn present(&self, person: PersonId, seen: &mut HashSet<PersonId>) -> Option<PersonId> {
        let Some(covers) = self.away.get(&person) else { return Some(person) };
        if !seen.insert(person) {
            return None;
        }
        covers.iter().find_map(|cover| self.present(*cover, seen))
    }

    /// The first who is there, on the unit's roster, its parents', then the organisation's.
    fn rostered(&self, unit: Option<UnitId>, role: &str) -> Option<PersonId> {
        let mut rosters = Vec::new();
        let mut next = unit;
        while let Some(unit) = next
            && !rosters.contains(&Some(unit))
        {
            rosters.push(Some(unit));
            next = self.parents.get(&unit).copied().flatten();
        }
        rosters.push(None);
        let people = rosters.into_iter().filter_map(|unit| self.rosters.get(&(unit, role.to_owned()))).flatten();
        people.copied().find(|person| !self.away.contains_key(person))
    }
}

#[cfg(test)]
mod tests;
