//! Incidents and who was involved: words and moments, no text.

use nazorg_domain::{
    entities::{IncidentId, InvolvementId, PersonId, SupportOffered, UnitId},
    incidents::{self, Incident, IncidentFilter, Involvement, NewIncident, NewInvolvement},
};
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

use super::{
    external_refs::ExternalRefView,
    sets::{SupportOfferedView, many},
};
use crate::{
    answers::{Created, Current, Page},
    ask::{Ask, Body, IfMatch, OnceIfKeyed, Paging},
    once,
    problem::Answer,
    tags::Tag,
    types::{Instant, Word},
};

/// The operations on incidents.
pub(super) struct Incidents;

#[OpenApi(tag = "Tag::Incidents")]
impl Incidents {
    /// List incidents
    ///
    /// The incidents the caller may see, the latest reported first. A reporting system sees what it reported. A repeated
    /// key means "or".
    #[oai(path = "/incidents", method = "get", operation_id = "listIncidents")]
    #[expect(clippy::too_many_arguments, reason = "each is a query key of the published operation")]
    async fn list(
        &self,
        ask: Ask<'_>,
        /// Only in exactly these units.
        #[oai(name = "unitId")]
        unit_id: Query<Option<Vec<Uuid>>>,
        /// Only of these kinds.
        #[oai(name = "eventClass")]
        event_class: Query<Option<Vec<String>>>,
        /// Reported at or after this moment.
        #[oai(name = "reportedFrom")]
        reported_from: Query<Option<Instant>>,
        /// Reported before this moment.
        #[oai(name = "reportedUntil")]
        reported_until: Query<Option<Instant>>,
        /// `-reportedAt`, or `reportedAt` for the oldest first.
        #[oai(validator(pattern = "^-?reportedAt$"))]
        sort: Query<Option<String>>,
        paging: Paging,
    ) -> Answer<Page<IncidentView>> {
        let filter = IncidentFilter {
            units: many(unit_id.0, UnitId),
            event_classes: event_class.0.unwrap_or_default(),
            reported_from: reported_from.0.map(|at| at.0),
            reported_until: reported_until.0.map(|at| at.0),
            oldest_first: sort.0.as_deref() == Some("reportedAt"),
        };
        let found = incidents::list(&ask, &filter, paging.after()?, paging.limit()).await?;
        let view = |incident| IncidentView::new(incident, None);
        Ok(Page::new(&paging, found, |incident| (incident.reported_at, incident.id.0), view))
    }

    /// Report an incident
    ///
    /// With who was involved, as far as that is known, and whether support was offered to them. There is no room for what
    /// happened: that is told elsewhere. Refused with `external_ref_taken` when it was reported before.
    #[oai(path = "/incidents", method = "post", operation_id = "reportIncident")]
    async fn report(&self, once: OnceIfKeyed<'_>, body: Body<NewIncidentBody>) -> Answer<Created<IncidentView>> {
        once!(once, |cx| {
            let (incident, involved) = incidents::report(cx, body.0.into()).await?;
            Created::new("incidents", incident.id, incident.version, IncidentView::new(incident, Some(involved)))
        })
    }

    /// Read an incident
    ///
    /// With who was involved.
    #[oai(path = "/incidents/:id", method = "get", operation_id = "readIncident")]
    async fn read(&self, ask: Ask<'_>, id: Path<Uuid>) -> Answer<Current<IncidentView>> {
        let (incident, involved) = incidents::read(&ask, IncidentId(id.0)).await?;
        Ok(Current::new(incident.version, IncidentView::new(incident, Some(involved))))
    }

    /// Add someone who was involved
    ///
    /// Refused with `already_involved` when the person is known to be.
    #[oai(path = "/incidents/:id/involvements", method = "post", operation_id = "createInvolvement")]
    async fn involve(
        &self,
        once: OnceIfKeyed<'_>,
        id: Path<Uuid>,
        body: Body<NewInvolvementBody>,
    ) -> Answer<Created<InvolvementView>> {
        once!(once, |cx| {
            let added = incidents::add_involved(cx, IncidentId(id.0), body.0.into()).await?;
            let collection = format!("incidents/{}/involvements", added.incident_id);
            Created::new(&collection, added.id, added.version, added.into())
        })
    }

    /// Read an involvement
    ///
    /// One person involved in the incident.
    #[oai(path = "/incidents/:id/involvements/:involvement_id", method = "get", operation_id = "readInvolvement")]
    async fn involvement(
        &self,
        ask: Ask<'_>,
        id: Path<Uuid>,
        involvement_id: Path<Uuid>,
    ) -> Answer<Current<InvolvementView>> {
        let (incident, id) = (IncidentId(id.0), InvolvementId(involvement_id.0));
        let found = incidents::read_involvement(&ask, incident, id).await?;
        Ok(Current::new(found.version, found.into()))
    }

    /// Change an involvement
    ///
    /// Whether support was offered to this person. When the offer is made here, this follows by itself.
    #[oai(path = "/incidents/:id/involvements/:involvement_id", method = "patch", operation_id = "changeInvolvement")]
    #[expect(clippy::too_many_arguments, reason = "two ids, a version and a body are the published operation")]
    async fn change_involvement(
        &self,
        ask: Ask<'_>,
        id: Path<Uuid>,
        involvement_id: Path<Uuid>,
        if_match: IfMatch,
        body: Body<InvolvementChange>,
    ) -> Answer<Current<InvolvementView>> {
        let which = (IncidentId(id.0), InvolvementId(involvement_id.0));
        let offered = body.0.support_offered.into();
        let changed = incidents::change_involvement(&ask, which, if_match.0, offered).await?;
        Ok(Current::new(changed.version, changed.into()))
    }
}

/// A critical event.
#[derive(Debug, Object)]
#[oai(rename = "Incident", rename_all = "camelCase", skip_serializing_if_is_none)]
struct IncidentView {
    id: Uuid,
    unit_id: Option<Uuid>,
    /// What kind of event. Take a word you do not know for `other`.
    event_class: String,
    /// How grave, a word of the reporting system's own scale.
    severity: Option<String>,
    event_at: Instant,
    reported_at: Instant,
    /// The API key it was reported with.
    reported_by: Uuid,
    /// Who was involved; left out of lists.
    involved: Option<Vec<InvolvementView>>,
    /// What other systems call it.
    external_refs: Vec<ExternalRefView>,
    created_at: Instant,
}

impl IncidentView {
    fn new(incident: Incident, involved: Option<Vec<Involvement>>) -> Self {
        let Incident {
            id,
            unit_id,
            event_class,
            severity,
            event_at,
            reported_at,
            reported_by,
            external_refs,
            created_at,
            version: _,
        } = incident;
        Self {
            id: id.0,
            unit_id: unit_id.map(|id| id.0),
            event_class,
            severity,
            event_at: Instant(event_at),
            reported_at: Instant(reported_at),
            reported_by: reported_by.0,
            involved: involved.map(|involved| involved.into_iter().map(Into::into).collect()),
            external_refs: external_refs.into_iter().map(Into::into).collect(),
            created_at: Instant(created_at),
        }
    }
}

/// Someone involved in an incident.
#[derive(Debug, Object)]
#[oai(rename = "Involvement", rename_all = "camelCase", skip_serializing_if_is_none)]
struct InvolvementView {
    id: Uuid,
    incident_id: Uuid,
    /// Who, where that is known.
    person_id: Option<Uuid>,
    /// Their unit; the incident's where absent.
    unit_id: Option<Uuid>,
    /// What they do, a word: `nurse`.
    profession: Option<String>,
    support_offered: SupportOfferedView,
    created_at: Instant,
}

impl From<Involvement> for InvolvementView {
    fn from(involvement: Involvement) -> Self {
        let Involvement { id, incident_id, person_id, unit_id, profession, support_offered, created_at, version: _ } =
            involvement;
        Self {
            id: id.0,
            incident_id: incident_id.0,
            person_id: person_id.map(|id| id.0),
            unit_id: unit_id.map(|id| id.0),
            profession,
            support_offered: support_offered.into(),
            created_at: Instant(created_at),
        }
    }
}

/// An incident to report.
#[derive(Debug, Object)]
#[oai(rename = "NewIncident", rename_all = "camelCase", deny_unknown_fields)]
struct NewIncidentBody {
    /// Where it happened.
    unit_id: Option<Uuid>,
    /// What kind of event: `fatality`, `child_involved`, `colleague_injured`, `violence`, `medical_incident`, `suicide`,
    /// `mass_casualty`, `threat`, `complaint_or_discipline`, `own_request`, `accumulation`, `secondary_trauma`,
    /// `flight_and_war`, `domestic_violence` or `other`.
    event_class: Word,
    /// How grave, a word of the reporting system's own scale.
    severity: Option<Word>,
    event_at: Instant,
    /// When it was reported; now unless said otherwise.
    reported_at: Option<Instant>,
    /// Who was involved, as far as that is known.
    #[oai(default, validator(max_items = 200))]
    involved: Vec<NewInvolvementBody>,
    /// What other systems call it.
    #[oai(default, validator(max_items = 20))]
    external_refs: Vec<ExternalRefView>,
}

impl From<NewIncidentBody> for NewIncident {
    fn from(body: NewIncidentBody) -> Self {
        let NewIncidentBody { unit_id, event_class, severity, event_at, reported_at, involved, external_refs } = body;
        Self {
            unit_id: unit_id.map(UnitId),
            event_class: event_class.into(),
            severity: severity.map(Into::into),
            event_at: event_at.0,
            reported_at: reported_at.map(|at| at.0),
            involved: involved.into_iter().map(Into::into).collect(),
            external_refs: external_refs.into_iter().map(Into::into).collect(),
        }
    }
}

/// Someone involved to add: named by id, by reference, or just one of the number.
#[derive(Debug, Object)]
#[oai(rename = "NewInvolvement", rename_all = "camelCase", deny_unknown_fields)]
struct NewInvolvementBody {
    /// Who.
    person_id: Option<Uuid>,
    /// Who, as another system calls them.
    person_ref: Option<ExternalRefView>,
    /// Their unit, where that is not the incident's.
    unit_id: Option<Uuid>,
    /// What they do, a word: `nurse`.
    profession: Option<Word>,
    /// Whether support was offered; unknown unless said.
    support_offered: Option<SupportOfferedView>,
}

impl From<NewInvolvementBody> for NewInvolvement {
    fn from(body: NewInvolvementBody) -> Self {
        let NewInvolvementBody { person_id, person_ref, unit_id, profession, support_offered } = body;
        Self {
            person_id: person_id.map(PersonId),
            person_ref: person_ref.map(Into::into),
            unit_id: unit_id.map(UnitId),
            profession: profession.map(Into::into),
            support_offered: support_offered.map_or(SupportOffered::Unknown, Into::into),
        }
    }
}

/// What to change about an involvement.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct InvolvementChange {
    support_offered: SupportOfferedView,
}
