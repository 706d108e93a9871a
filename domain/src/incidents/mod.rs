//! Incidents: critical events as a reporting system tells them, who was involved, and whether support was offered
//! (DOMAIN 3.2). Words and moments only: what happened is told elsewhere.

mod offers;
mod reporting;
mod rows;
pub mod rules;
mod unlinking;

use nazorg_entities::{
    AccessAction, ApiKeyId, CaseId, IncidentId, Instant, InvolvementId, PersonId, SupportOffered, UnitId,
};
use uuid::Uuid;

pub use offers::{SupportOffer, support_offers};
pub use reporting::{add_involved, report};
pub(crate) use rows::{about as kept_about, involved, visible_ids};
pub(crate) use unlinking::owe;
pub use unlinking::wake;

use crate::{
    Context,
    audit::{self, Access},
    database::Writing,
    error::Result,
    events::{self, Event, Kind},
    external_refs::ExternalRef,
    policy::Action,
};

/// A critical event.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// Where it happened.
    pub unit_id: Option<UnitId>,
    /// What kind of event (DOMAIN 12.4); [`rules::EVENT_CLASSES`].
    pub event_class: String,
    /// How grave, a word of the reporting system's own scale.
    pub severity: Option<String>,
    /// When it happened.
    pub event_at: Instant,
    /// When it was reported there.
    pub reported_at: Instant,
    /// Which client reported it here.
    pub reported_by: ApiKeyId,
    /// What other systems call it.
    pub external_refs: Vec<ExternalRef>,
    /// When it was reported here.
    pub created_at: Instant,
    /// Row version; it rises with those involved too.
    pub version: i32,
}

/// One person involved in one incident; nobody named is one of the number.
#[derive(Debug, Clone, PartialEq)]
pub struct Involvement {
    /// Its id.
    pub id: InvolvementId,
    /// In which incident.
    pub incident_id: IncidentId,
    /// Who, where that is known.
    pub person_id: Option<PersonId>,
    /// Their unit, where that is not the incident's.
    pub unit_id: Option<UnitId>,
    /// What they do, a word.
    pub profession: Option<String>,
    /// Whether support was offered.
    pub support_offered: SupportOffered,
    /// Since when it is known.
    pub created_at: Instant,
    /// Row version.
    pub version: i32,
}

/// An incident to be reported.
#[derive(Debug, Clone)]
pub struct NewIncident {
    /// Where it happened.
    pub unit_id: Option<UnitId>,
    /// What kind of event.
    pub event_class: String,
    /// How grave, a word.
    pub severity: Option<String>,
    /// When it happened.
    pub event_at: Instant,
    /// When it was reported there; now unless said otherwise.
    pub reported_at: Option<Instant>,
    /// Who was involved.
    pub involved: Vec<NewInvolvement>,
    /// What other systems call it.
    pub external_refs: Vec<ExternalRef>,
}

/// Someone involved, to be reported: by id, by what another system calls them, or just one of the number.
#[derive(Debug, Clone)]
pub struct NewInvolvement {
    /// Who.
    pub person_id: Option<PersonId>,
    /// Who, as another system calls them.
    pub person_ref: Option<ExternalRef>,
    /// Their unit.
    pub unit_id: Option<UnitId>,
    /// What they do, a word.
    pub profession: Option<String>,
    /// Whether support was offered.
    pub support_offered: SupportOffered,
}

/// Which incidents; an empty list filters nothing.
#[derive(Debug, Clone, Default)]
pub struct IncidentFilter {
    /// In exactly these units.
    pub units: Vec<UnitId>,
    /// Of these kinds.
    pub event_classes: Vec<String>,
    /// Reported at or after this moment.
    pub reported_from: Option<Instant>,
    /// Reported before this moment.
    pub reported_until: Option<Instant>,
    /// The oldest first, instead of the latest.
    pub oldest_first: bool,
}

/// Incidents in order of when they were reported, after one.
pub async fn list(
    cx: &Context<'_>,
    filter: &IncidentFilter,
    after: Option<(Instant, Uuid)>,
    limit: u64,
) -> Result<Vec<Incident>> {
    let reach = cx.may(Action::ReadIncidents)?;
    let found = rows::list(cx, (reach, filter), after, limit).await?;
    let seen: Vec<_> =
        found.iter().map(|incident| of_nobody(AccessAction::Read, "incident.listed", incident.id)).collect();
    audit::seen(cx, &seen).await?;
    Ok(found)
}

/// One incident, and who was involved.
pub async fn read(cx: &Context<'_>, id: IncidentId) -> Result<(Incident, Vec<Involvement>)> {
    let reach = cx.may(Action::ReadIncidents)?;
    let incident = rows::one_whole(cx, reach, id).await?;
    let involved = rows::of(&cx.db(), cx, id).await?;
    let seen = accesses(AccessAction::Read, "incident.read", (id, &involved));
    audit::seen(cx, &seen).await?;
    Ok((incident, involved))
}

/// One involvement.
pub async fn read_involvement(cx: &Context<'_>, incident: IncidentId, id: InvolvementId) -> Result<Involvement> {
    let reach = cx.may(Action::ReadIncidents)?;
    rows::one(&cx.db(), cx, reach, incident).await?;
    let found = rows::involvement(&cx.db(), cx, incident, id).await?;
    audit::seen(cx, &[about(AccessAction::Read, "involvement.read", &found)]).await?;
    Ok(found)
}

/// Changes whether support was offered to someone involved.
pub async fn change_involvement(
    cx: &Context<'_>,
    (incident, id): (IncidentId, InvolvementId),
    expected: i32,
    support_offered: SupportOffered,
) -> Result<Involvement> {
    let reach = cx.may(Action::WriteIncidents)?;
    let tx = cx.begin().await?;
    rows::one(&**tx, cx, reach, incident).await?;
    let before = rows::involvement(&**tx, cx, incident, id).await?;
    let after = Involvement { support_offered, version: expected + 1, ..before };
    rows::update_involvement(&tx, cx, &after).await?;
    changed(&tx, cx, &after, (AccessAction::Update, "involvement.changed")).await?;
    tx.commit().await?;
    Ok(after)
}

/// Support was offered to the one this case is for: their involvement says so, if the case came from one. It is told and
/// logged under numbers of its own, so that nothing but the link row holds incident and case together (DESIGN section 4).
pub(crate) async fn mark_offered(tx: &Writing, cx: &Context<'_>, case: CaseId) -> Result<()> {
    let Some(before) = rows::linked(tx, cx, case).await? else { return Ok(()) };
    if before.support_offered == SupportOffered::Yes {
        return Ok(());
    }
    let after = Involvement { support_offered: SupportOffered::Yes, version: before.version + 1, ..before };
    rows::update_involvement(tx, cx, &after).await?;
    let apart = cx.app.worker_context(cx.organisation);
    changed(tx, &apart, &after, (AccessAction::Update, "involvement.changed")).await
}

/// An involvement changed: the incident's version rises with it, and it is told and logged.
async fn changed(
    tx: &Writing,
    cx: &Context<'_>,
    involvement: &Involvement,
    (action, code): (AccessAction, &'static str),
) -> Result<()> {
    rows::touch(tx, cx, involvement.incident_id).await?;
    events::record(tx, cx, [Event::new(Kind::IncidentChanged, involvement.incident_id.0)]);
    audit::record(&**tx, cx, &[about(action, code, involvement)]).await
}

fn of_nobody(action: AccessAction, code: &'static str, id: IncidentId) -> Access {
    Access::new(action, code, "incident", id.0)
}

fn about(action: AccessAction, code: &'static str, involvement: &Involvement) -> Access {
    Access { person: involvement.person_id, ..Access::new(action, code, "involvement", involvement.id.0) }
}

/// A row for the incident, and one per person involved.
fn accesses(action: AccessAction, code: &'static str, (id, involved): (IncidentId, &[Involvement])) -> Vec<Access> {
    let persons = involved.iter().filter_map(|one| one.person_id);
    let concerned = persons.map(|person| of_nobody(action, code, id).of(person));
    std::iter::once(of_nobody(action, code, id)).chain(concerned).collect()
}
