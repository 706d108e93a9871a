//! Cases: opened with their first trajectory, assigned, closed, reopened; notes where the record profile allows them.

use nazorg_domain::{
    cases::{self, Assignment, Case, CaseChange, Filter, NewCase, Note},
    entities::{CaseId, InvolvementId, PersonId, ProtocolId, RelationId, UnitId},
    external_refs::ExternalRef,
};
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

use super::{
    external_refs::ExternalRefView,
    protocols::NewAnchor,
    sets::{CaseStatusView, ClosedReasonView, many},
    trajectories::ParamSetting,
};
use crate::{
    answers::{Created, Current, Page},
    ask::{Ask, Body, IfMatch, Once, OnceIfKeyed, Paging},
    once,
    patch::Patch,
    problem::Answer,
    tags::Tag,
    types::{Instant, Word},
};

/// The operations on cases.
pub(super) struct Cases;

#[OpenApi(tag = "Tag::Cases")]
impl Cases {
    /// List cases
    ///
    /// The cases the caller may see, in the order in which they were opened. A repeated key means "or".
    #[oai(path = "/cases", method = "get", operation_id = "listCases")]
    #[expect(clippy::too_many_arguments, reason = "each is a query key of the published operation")]
    async fn list(
        &self,
        ask: Ask<'_>,
        /// Only in these states.
        status: Query<Option<Vec<CaseStatusView>>>,
        /// Only of these persons.
        #[oai(name = "personId")]
        person_id: Query<Option<Vec<Uuid>>>,
        /// Only in these units.
        #[oai(name = "unitId")]
        unit_id: Query<Option<Vec<Uuid>>>,
        /// Opened at or after this moment.
        #[oai(name = "openedFrom")]
        opened_from: Query<Option<Instant>>,
        /// Opened before this moment.
        #[oai(name = "openedUntil")]
        opened_until: Query<Option<Instant>>,
        /// `openedAt`, or `-openedAt` for the newest first.
        #[oai(validator(pattern = "^-?openedAt$"))]
        sort: Query<Option<String>>,
        paging: Paging,
    ) -> Answer<Page<CaseView>> {
        let filter = Filter {
            statuses: many(status.0, Into::into),
            person_ids: many(person_id.0, PersonId),
            unit_ids: many(unit_id.0, UnitId),
            opened_from: opened_from.0.map(|at| at.0),
            opened_until: opened_until.0.map(|at| at.0),
            external_ref: None,
            newest_first: sort.0.as_deref() == Some("-openedAt"),
        };
        let found = cases::list(&ask, &filter, paging.after()?, paging.limit()).await?;
        Ok(Page::new(&paging, found, |case| case.id.0, CaseView::from))
    }

    /// Find cases
    ///
    /// By what another system calls them; such values are no part of an address. Changes nothing.
    #[oai(path = "/cases/_search", method = "post", operation_id = "searchCases")]
    async fn search(&self, ask: Ask<'_>, body: Body<CaseSearch>, paging: Paging) -> Answer<Page<CaseView>> {
        let filter = Filter { external_ref: Some(body.0.external_ref.into()), ..Filter::default() };
        let found = cases::list(&ask, &filter, paging.after()?, paging.limit()).await?;
        Ok(Page::new(&paging, found, |case| case.id.0, CaseView::from))
    }

    /// Open a case
    ///
    /// With its first trajectory: everything the protocol promises is planned in the same transaction. The protocol's
    /// record profile decides for good what the case may hold.
    #[oai(path = "/cases", method = "post", operation_id = "openCase")]
    async fn open(&self, once: Once<'_>, body: Body<NewCaseBody>) -> Answer<Created<CaseView>> {
        once!(once, |cx| {
            let case = cases::open(cx, body.0.into()).await?;
            Created::new("cases", case.id, case.version, case.into())
        })
    }

    /// Read a case
    ///
    /// With who fills which role in it now.
    #[oai(path = "/cases/:id", method = "get", operation_id = "readCase")]
    async fn read(&self, ask: Ask<'_>, id: Path<Uuid>) -> Answer<Current<CaseView>> {
        let case = cases::read(&ask, CaseId(id.0)).await?;
        Ok(Current::new(case.version, case.into()))
    }

    /// Change a case
    ///
    /// Where it belongs, and what other systems call it.
    #[oai(path = "/cases/:id", method = "patch", operation_id = "changeCase")]
    async fn change(
        &self,
        ask: Ask<'_>,
        id: Path<Uuid>,
        if_match: IfMatch,
        body: Body<CaseChangeBody>,
    ) -> Answer<Current<CaseView>> {
        let case = cases::change(&ask, CaseId(id.0), if_match.0, body.0.into()).await?;
        Ok(Current::new(case.version, case.into()))
    }

    /// Assign a person to a role
    ///
    /// In place of whoever filled the role. What is still to be done and sent in that role goes to them.
    #[oai(path = "/cases/:id/assign", method = "post", operation_id = "assignCase")]
    async fn assign(
        &self,
        once: OnceIfKeyed<'_>,
        id: Path<Uuid>,
        body: Body<NewAssignment>,
    ) -> Answer<Current<CaseView>> {
        once!(once, |cx| {
            let NewAssignment { role, person_id } = body.0;
            let case = cases::assign(cx, CaseId(id.0), role.into(), PersonId(person_id)).await?;
            Current::new(case.version, case.into())
        })
    }

    /// Close a case
    ///
    /// Everything open in it is cancelled, and nothing is sent about it any more; aftercare steps go on.
    #[oai(path = "/cases/:id/close", method = "post", operation_id = "closeCase")]
    async fn close(&self, once: Once<'_>, id: Path<Uuid>, body: Body<CaseClosing>) -> Answer<Current<CaseView>> {
        once!(once, |cx| {
            let case = cases::close(cx, CaseId(id.0), body.0.reason.into()).await?;
            Current::new(case.version, case.into())
        })
    }

    /// Reopen a case
    ///
    /// Without a new intake. What ended stays ended; what is to happen now starts as a new trajectory.
    #[oai(path = "/cases/:id/reopen", method = "post", operation_id = "reopenCase")]
    async fn reopen(&self, once: Once<'_>, id: Path<Uuid>) -> Answer<Current<CaseView>> {
        once!(once, |cx| {
            let case = cases::reopen(cx, CaseId(id.0)).await?;
            Current::new(case.version, case.into())
        })
    }

    /// Hold a case
    ///
    /// A legal hold: nothing of the case is forgotten, and the person it is about cannot be erased, until the hold is lifted.
    #[oai(path = "/cases/:id/hold", method = "post", operation_id = "holdCase")]
    async fn hold(&self, once: OnceIfKeyed<'_>, id: Path<Uuid>) -> Answer<Current<CaseView>> {
        once!(once, |cx| {
            let case = cases::hold(cx, CaseId(id.0)).await?;
            Current::new(case.version, case.into())
        })
    }

    /// Lift the hold of a case
    ///
    /// What was to be forgotten meanwhile is forgotten at once.
    #[oai(path = "/cases/:id/lift-hold", method = "post", operation_id = "liftHold")]
    async fn lift_hold(&self, once: OnceIfKeyed<'_>, id: Path<Uuid>) -> Answer<Current<CaseView>> {
        once!(once, |cx| {
            let case = cases::lift_hold(cx, CaseId(id.0)).await?;
            Current::new(case.version, case.into())
        })
    }

    /// List the notes of a case
    ///
    /// Oldest first.
    #[oai(path = "/cases/:id/notes", method = "get", operation_id = "listNotes")]
    async fn notes(&self, ask: Ask<'_>, id: Path<Uuid>, paging: Paging) -> Answer<Page<NoteView>> {
        let found = cases::list_notes(&ask, CaseId(id.0), paging.after()?, paging.limit()).await?;
        Ok(Page::new(&paging, found, |note| note.id.0, NoteView::from))
    }

    /// Write a note
    ///
    /// Refused with `record_profile_forbids_notes` where the record profile holds no free text: what was never stored
    /// cannot leak.
    #[oai(path = "/cases/:id/notes", method = "post", operation_id = "writeNote")]
    async fn write_note(
        &self,
        once: OnceIfKeyed<'_>,
        id: Path<Uuid>,
        body: Body<NewNote>,
    ) -> Answer<Created<NoteView>> {
        once!(once, |cx| {
            let note = cases::write_note(cx, CaseId(id.0), body.0.text).await?;
            Created::new(&format!("cases/{}/notes", note.case_id), note.id, 1, note.into())
        })
    }
}

/// One stretch of support for one person.
#[derive(Debug, Object)]
#[oai(rename = "Case", rename_all = "camelCase", skip_serializing_if_is_none)]
struct CaseView {
    id: Uuid,
    /// Its number for humans.
    number: String,
    /// Who is supported.
    person_id: Uuid,
    unit_id: Option<Uuid>,
    /// Where it is about someone close to a person: the relation between the two.
    relation_id: Option<Uuid>,
    /// What may be stored about it at all: `contact_log`, `support_file`, …
    record_profile: String,
    status: CaseStatusView,
    opened_at: Instant,
    closed_at: Option<Instant>,
    /// Why it closed: a word of the protocol or of the closing.
    closed_reason: Option<String>,
    reopened_at: Option<Instant>,
    /// Since when a legal hold stops its retention.
    held_at: Option<Instant>,
    /// When it was pseudonymised: it is about nobody any more.
    forgotten_at: Option<Instant>,
    /// Who fills which role now.
    assignments: Vec<AssignmentView>,
    /// What other systems call it.
    external_refs: Vec<ExternalRefView>,
}

impl From<Case> for CaseView {
    fn from(case: Case) -> Self {
        let Case {
            id,
            number,
            person_id,
            unit_id,
            relation_id,
            record_profile,
            status,
            opened_at,
            closed_at,
            closed_reason,
            reopened_at,
            held_at,
            forgotten_at,
            assignments,
            external_refs,
            version: _,
        } = case;
        Self {
            id: id.0,
            number,
            person_id: person_id.0,
            unit_id: unit_id.map(|id| id.0),
            relation_id: relation_id.map(|id| id.0),
            record_profile,
            status: status.into(),
            opened_at: Instant(opened_at),
            closed_at: closed_at.map(Instant),
            closed_reason,
            reopened_at: reopened_at.map(Instant),
            held_at: held_at.map(Instant),
            forgotten_at: forgotten_at.map(Instant),
            assignments: assignments.into_iter().map(Into::into).collect(),
            external_refs: external_refs.into_iter().map(Into::into).collect(),
        }
    }
}

/// Who fills a role in a case.
#[derive(Debug, Object)]
#[oai(rename = "Assignment", rename_all = "camelCase", skip_serializing_if_is_none)]
struct AssignmentView {
    id: Uuid,
    /// A role of the protocol.
    role: String,
    person_id: Uuid,
    assigned_at: Instant,
}

impl From<Assignment> for AssignmentView {
    fn from(assignment: Assignment) -> Self {
        let Assignment { id, role, person_id, assigned_at } = assignment;
        Self { id: id.0, role, person_id: person_id.0, assigned_at: Instant(assigned_at) }
    }
}

/// Who is to fill a role.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct NewAssignment {
    /// A role of the protocol: `peer_supporter`, `recovery_coach`, …
    role: Word,
    person_id: Uuid,
}

/// A case to open.
#[derive(Debug, Object)]
#[oai(rename = "NewCase", rename_all = "camelCase", deny_unknown_fields)]
struct NewCaseBody {
    /// Who is supported.
    person_id: Uuid,
    unit_id: Option<Uuid>,
    /// For a protocol about someone close: the relation in which they are the other. What they are sent needs both consents.
    relation_id: Option<Uuid>,
    /// The published protocol version it starts on.
    protocol_id: Uuid,
    /// The anchors known now.
    #[oai(validator(max_items = 100))]
    anchors: Vec<NewAnchor>,
    /// The person's own rhythm, where it differs from the protocol's.
    #[oai(default, validator(max_items = 20))]
    params: Vec<ParamSetting>,
    /// Who fills which role from the start.
    #[oai(default, validator(max_items = 50))]
    assignments: Vec<NewAssignment>,
    /// The involvement in an incident that this support answers.
    involvement_id: Option<Uuid>,
    /// What other systems call it.
    #[oai(default, validator(max_items = 20))]
    external_refs: Vec<ExternalRefView>,
}

impl From<NewCaseBody> for NewCase {
    fn from(body: NewCaseBody) -> Self {
        let NewCaseBody {
            person_id,
            unit_id,
            relation_id,
            protocol_id,
            anchors,
            params,
            assignments,
            involvement_id,
            external_refs,
        } = body;
        Self {
            person_id: PersonId(person_id),
            unit_id: unit_id.map(UnitId),
            relation_id: relation_id.map(RelationId),
            protocol_id: ProtocolId(protocol_id),
            anchors: anchors.into_iter().map(Into::into).collect(),
            params: params.into_iter().map(Into::into).collect(),
            assignments: assignments.into_iter().map(|one| (one.role.into(), PersonId(one.person_id))).collect(),
            involvement_id: involvement_id.map(InvolvementId),
            external_refs: external_refs.into_iter().map(Into::into).collect(),
        }
    }
}

/// What to change about a case.
#[derive(Debug, Object)]
#[oai(rename = "CaseChange", rename_all = "camelCase", deny_unknown_fields)]
struct CaseChangeBody {
    /// Where it belongs; null takes it out of its unit.
    unit_id: Patch<Uuid>,
    /// What other systems call it: each system given gets its new value.
    #[oai(validator(max_items = 20))]
    external_refs: Option<Vec<ExternalRefView>>,
}

impl From<CaseChangeBody> for CaseChange {
    fn from(body: CaseChangeBody) -> Self {
        let CaseChangeBody { unit_id, external_refs } = body;
        let external_refs = external_refs.map(|refs| refs.into_iter().map(ExternalRef::from).collect());
        Self { unit_id: unit_id.into_change(UnitId), external_refs }
    }
}

/// Why a case closes.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct CaseClosing {
    reason: ClosedReasonView,
}

/// Which cases are sought.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct CaseSearch {
    /// What another system calls the case.
    external_ref: ExternalRefView,
}

/// A note.
#[derive(Debug, Object)]
#[oai(rename = "Note", rename_all = "camelCase", skip_serializing_if_is_none)]
struct NoteView {
    id: Uuid,
    case_id: Uuid,
    /// Who wrote it, where that is known.
    author_id: Option<Uuid>,
    text: String,
    created_at: Instant,
}

impl From<Note> for NoteView {
    fn from(note: Note) -> Self {
        let Note { id, case_id, author_id, text, created_at } = note;
        Self {
            id: id.0,
            case_id: case_id.0,
            author_id: author_id.map(|id| id.0),
            text,
            created_at: Instant(created_at),
        }
    }
}

/// A note to write.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct NewNote {
    #[oai(validator(min_length = 1, max_length = 4_000))]
    text: String,
}
