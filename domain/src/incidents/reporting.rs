//! Reporting an incident and who was involved.

use std::collections::HashSet;

use nazorg_entities::{AccessAction, IncidentId, InvolvementId, PersonId};

use super::{Incident, Involvement, NewIncident, NewInvolvement, accesses, changed, owe, rows, rules};
use crate::{
    Context, audit,
    database::Writing,
    error::{Error, Result, ViolationCode},
    events::{self, Event, Kind},
    external_refs::{self, Subject},
    input::Checks,
    organisations, people,
    policy::Action,
};

/// Reports an incident. 409 `external_ref_taken` when it was reported before.
pub async fn report(cx: &Context<'_>, new: NewIncident) -> Result<(Incident, Vec<Involvement>)> {
    cx.may(Action::ReportIncident)?;
    let Some(reported_by) = cx.caller.key() else { return Err(Error::Forbidden) };
    rules::incident(&new, cx.now)?;
    let key = if new.external_refs.is_empty() { None } else { Some(cx.app.keys.create(cx).await?.0) };
    let tx = cx.begin().await?;
    let id = IncidentId(cx.app.ids.next());
    let checked = known(&tx, cx, &new).await?;
    let NewIncident { unit_id, event_class, severity, event_at, reported_at, involved: _, external_refs } = new;
    let incident = Incident {
        id,
        unit_id,
        event_class,
        severity,
        event_at,
        reported_at: reported_at.unwrap_or(cx.now),
        reported_by,
        external_refs,
        created_at: cx.now,
        version: 1,
    };
    let involved: Vec<_> = checked.into_iter().map(|(one, person)| involvement(cx, id, one, person)).collect();
    rows::insert(&tx, cx, &incident, key).await?;
    rows::insert_involved(&tx, cx, &involved).await?;
    external_refs::put(&tx, cx, Subject::incident(id, key), &incident.external_refs).await?;
    owe(&tx, cx, id, incident.reported_at).await?;
    events::record(&tx, cx, [Event::new(Kind::IncidentReported, id.0)]);
    audit::record(&**tx, cx, &accesses(AccessAction::Create, "incident.reported", (id, &involved))).await?;
    tx.commit().await?;
    Ok((incident, involved))
}

/// Adds someone who was involved. 409 `already_involved` when they are known to be.
pub async fn add_involved(cx: &Context<'_>, id: IncidentId, new: NewInvolvement) -> Result<Involvement> {
    let reach = cx.may(Action::WriteIncidents)?;
    rules::involvement(&new)?;
    let tx = cx.begin().await?;
    let incident = rows::one(&**tx, cx, reach, id).await?;
    let person = known_one(&tx, cx, &new).await?;
    if let Some(person) = person
        && rows::is_involved(&**tx, cx, id, person).await?
    {
        return Err(Error::violation(ViolationCode::AlreadyInvolved, "The person is involved already."));
    }
    let added = involvement(cx, incident.id, new, person);
    rows::insert_involved(&tx, cx, std::slice::from_ref(&added)).await?;
    owe(&tx, cx, id, incident.reported_at).await?;
    changed(&tx, cx, &added, (AccessAction::Create, "involvement.added")).await?;
    tx.commit().await?;
    Ok(added)
}

fn involvement(cx: &Context<'_>, incident: IncidentId, new: NewInvolvement, person: Option<PersonId>) -> Involvement {
    let NewInvolvement { person_id: _, person_ref: _, unit_id, profession, support_offered } = new;
    Involvement {
        id: InvolvementId(cx.app.ids.next()),
        incident_id: incident,
        person_id: person,
        unit_id,
        profession,
        support_offered,
        created_at: cx.now,
        version: 1,
    }
}

async fn known_one(tx: &Writing, cx: &Context<'_>, new: &NewInvolvement) -> Result<Option<PersonId>> {
    let mut checks = Checks::default();
    let found = known_involved(tx, cx, (std::slice::from_ref(new), &mut checks), |_| String::new()).await?;
    checks.done()?;
    Ok(found.into_iter().next().flatten())
}

/// Everyone involved, with the person they are; what the body names must be the tenant's, and nobody is named twice.
async fn known(tx: &Writing, cx: &Context<'_>, new: &NewIncident) -> Result<Vec<(NewInvolvement, Option<PersonId>)>> {
    let mut checks = Checks::default();
    if let Some(unit) = new.unit_id {
        let there = organisations::has_unit(&**tx, cx, unit).await?;
        checks.must(there, "/unitId", ("unknown", "There is no such unit."));
    }
    let at = |index: usize| format!("/involved/{index}");
    let persons = known_involved(tx, cx, (&new.involved, &mut checks), at).await?;
    let mut seen = HashSet::new();
    for (index, person) in persons.iter().enumerate() {
        let once = person.is_none_or(|person| seen.insert(person));
        checks.must(once, &at(index), ("duplicate", "This person is named twice."));
    }
    checks.done()?;
    Ok(new.involved.iter().cloned().zip(persons).collect())
}

/// The person each involvement is about, in a constant number of queries.
async fn known_involved(
    tx: &Writing,
    cx: &Context<'_>,
    (new, checks): (&[NewInvolvement], &mut Checks),
    at: impl Fn(usize) -> String,
) -> Result<Vec<Option<PersonId>>> {
    let refs: Vec<_> = new.iter().filter_map(|one| one.person_ref.clone()).collect();
    let by_ref = external_refs::find_many(&**tx, cx, external_refs::Kind::Person, &refs).await?;
    let mut ids: Vec<_> = new.iter().filter_map(|one| one.person_id).collect();
    ids.extend(by_ref.values().copied().map(PersonId));
    let by_id = people::known(tx, cx, &ids).await?;
    let units = match new.iter().any(|one| one.unit_id.is_some()) {
        true => organisations::parents(&**tx, cx).await?,
        false => Default::default(),
    };
    let mut found = Vec::with_capacity(new.len());
    for (index, one) in new.iter().enumerate() {
        let at = at(index);
        let unit = one.unit_id.is_none_or(|unit| units.contains_key(&unit));
        checks.must(unit, &format!("{at}/unitId"), ("unknown", "There is no such unit."));
        let id = one.person_id.is_none_or(|person| by_id.contains_key(&person));
        checks.must(id, &format!("{at}/personId"), ("unknown", "There is no such person."));
        let known_as = |known_as| by_ref.get(known_as).copied().map(PersonId).filter(|id| by_id.contains_key(id));
        let referred = one.person_ref.as_ref().map(known_as);
        let there = !matches!(referred, Some(None));
        checks.must(there, &format!("{at}/personRef"), ("unknown", "Nobody is known by this reference."));
        found.push(one.person_id.or(referred.flatten()));
    }
    Ok(found)
}
