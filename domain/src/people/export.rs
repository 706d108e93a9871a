//! Everything kept about a person, as they may ask for it (GDPR articles 15 and 20): one copy, machine-readable, of what concerns
//! them and of nobody else. Other people stand in it as ids. Whom they helped as staff is their work, and not in it.

use nazorg_entities::{AccessAction, Instant, PersonId};

use super::{
    Person, access, consents, consents::Consent, contact_points, contact_points::ContactPoint, open_one, relations,
    relations::Relation, rows,
};
use crate::{
    Context,
    audit::{self, Line},
    cases::{self, KeptAbout},
    error::{Error, Result, ViolationCode},
    events::{self, Event, Kind},
    follow_ups::{self, FollowUp},
    incidents::{self, Incident, Involvement},
    messages::{self, Message},
    policy::{Action, Reach},
    protocols::Input,
    staff::{self, KeptAsStaff},
    trajectories::{self, Trajectory},
};

/// How much of one kind one copy holds: more than a lifetime of support, and little enough to be held in memory.
pub const MOST: u64 = 10_000;

/// What is kept about a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Everything {
    /// When the copy was made.
    pub exported_at: Instant,
    /// Who.
    pub person: Person,
    /// How to reach them; what ended too.
    pub contact_points: Vec<ContactPoint>,
    /// Who they are to whom; the other side is an id.
    pub relations: Vec<Relation>,
    /// What they agreed to; what was revoked too.
    pub consents: Vec<Consent>,
    /// The cases about them, who filled which role in them, and the notes.
    pub cases: KeptAbout,
    /// What ran in these cases, and what was said to it.
    pub trajectories: Vec<(Trajectory, Vec<Input>)>,
    /// What was promised in these cases, and what came of it.
    pub follow_ups: Vec<FollowUp>,
    /// What was to be sent in these cases.
    pub messages: Vec<Message>,
    /// What they were sent as someone close, in cases that are another person's.
    pub as_close_one: Vec<Message>,
    /// The incidents they were involved in, until the link between incident and support is cut: nobody knows it after that.
    pub involvements: Vec<(Incident, Involvement)>,
    /// Their access, rosters and absences as staff.
    pub as_staff: KeptAsStaff,
    /// Who looked, newest first.
    pub accesses: Vec<Line>,
    /// Whether that is all of them.
    pub accesses_complete: bool,
}

/// A copy of everything kept about a person at one moment, in a fixed number of queries per kind. It is itself an access, which the next copy
/// tells of. 409 `person_erased` when nothing is kept any more, `export_too_large` when there are more than [`MOST`] of one kind:
/// of accesses, the latest are given instead, and that there are more.
pub async fn export(cx: &Context<'_>, id: PersonId) -> Result<Everything> {
    let reach = cx.may(Action::ReadPeople)?;
    let still = cx.snapshot().await?;
    let row = rows::one(&still.db(), cx, reach, id).await?;
    // A key that is narrowed to less than all of this gets none of it.
    for action in [Action::ExportPeople, Action::ReadCases, Action::ReadIncidents, Action::ReadAudit] {
        if cx.may(action)? != Reach::All {
            return Err(Error::Forbidden);
        }
    }
    let found = gather(&still, rows::unerased(row)?).await?;
    drop(still);
    let tx = cx.begin().await?;
    events::record(&tx, cx, [Event::new(Kind::PersonExported, id.0)]);
    audit::record(&**tx, cx, &[access(AccessAction::Read, "person.exported", id)]).await?;
    tx.commit().await?;
    Ok(found)
}

/// One more of each kind than a copy holds, so that it shows.
const ONE_MORE: u64 = MOST + 1;

async fn gather(cx: &Context<'_>, row: rows::Row) -> Result<Everything> {
    let id = row.id;
    let involvements = bounded("involvements", incidents::kept_about(cx, id, ONE_MORE).await?)?;
    let linked = involvements.iter().flat_map(|(incident, one)| [incident.id.0, one.id.0]).collect();
    let mut accesses = audit::kept_about(cx, id, (linked, ONE_MORE)).await?;
    let accesses_complete = fits(&accesses);
    accesses.truncate(usize::try_from(MOST).unwrap_or(usize::MAX));
    Ok(Everything {
        exported_at: cx.now,
        contact_points: bounded("contact points", contact_points::of_person(cx, &row, None, ONE_MORE).await?)?,
        relations: bounded("relations", relations::of_person(cx, id, None, ONE_MORE).await?)?,
        consents: bounded("consents", consents::of_person(cx, id, None, ONE_MORE).await?)?,
        cases: in_cases(cx, id).await?,
        trajectories: said(cx, id).await?,
        follow_ups: bounded("follow-ups", follow_ups::kept_about(cx, id, ONE_MORE).await?)?,
        messages: bounded("messages", messages::kept_about(cx, id, ONE_MORE).await?)?,
        as_close_one: bounded("messages", messages::received_elsewhere(cx, id, ONE_MORE).await?)?,
        involvements,
        as_staff: as_staff(cx, id).await?,
        accesses,
        accesses_complete,
        person: open_one(&cx.db(), cx, row).await?,
    })
}

async fn in_cases(cx: &Context<'_>, id: PersonId) -> Result<KeptAbout> {
    let KeptAbout { cases, assignments, notes } = cases::kept_about(cx, id, ONE_MORE).await?;
    Ok(KeptAbout {
        cases: bounded("cases", cases)?,
        assignments: bounded("assignments", assignments)?,
        notes: bounded("notes", notes)?,
    })
}

async fn as_staff(cx: &Context<'_>, id: PersonId) -> Result<KeptAsStaff> {
    let KeptAsStaff { memberships, roster_entries, absences } = staff::kept_about(cx, id, ONE_MORE).await?;
    Ok(KeptAsStaff {
        memberships: bounded("memberships", memberships)?,
        roster_entries: bounded("roster entries", roster_entries)?,
        absences: bounded("absences", absences)?,
    })
}

async fn said(cx: &Context<'_>, id: PersonId) -> Result<Vec<(Trajectory, Vec<Input>)>> {
    let found = bounded("trajectories", trajectories::kept_about(cx, id, ONE_MORE).await?)?;
    bounded("inputs of trajectories", found.iter().flat_map(|(_, inputs)| inputs).collect())?;
    Ok(found)
}

fn fits<T>(found: &[T]) -> bool {
    u64::try_from(found.len()).is_ok_and(|count| count <= MOST)
}

/// What was found, when it is not more than a copy holds.
fn bounded<T>(what: &str, found: Vec<T>) -> Result<Vec<T>> {
    if fits(&found) {
        return Ok(found);
    }
    let detail = format!("There are more than {MOST} {what}; the lists of the API hold them all, page by page.");
    Err(Error::violation(ViolationCode::ExportTooLarge, detail))
}

#[cfg(test)]
mod tests;
