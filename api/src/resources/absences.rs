//! Who is away, and who covers.

use nazorg_domain::{
    entities::{AbsenceId, PersonId},
    staff::absences::{self, Absence, AbsenceFilter, NewAbsence},
};
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

use super::sets::many;
use crate::{
    answers::{Created, Current, Page},
    ask::{Ask, Body, OnceIfKeyed, Paging},
    once,
    problem::Answer,
    tags::Tag,
    types::Instant,
};

/// The operations on absences.
pub(super) struct Absences;

#[OpenApi(tag = "Tag::Staff")]
impl Absences {
    /// List absences
    ///
    /// In the order in which they were told, past and future ones too. A repeated key means "or".
    #[oai(path = "/absences", method = "get", operation_id = "listAbsences")]
    #[expect(clippy::too_many_arguments, reason = "each is a query key of the published operation")]
    async fn list(
        &self,
        ask: Ask<'_>,
        /// Only of these persons.
        #[oai(name = "personId")]
        person_id: Query<Option<Vec<Uuid>>>,
        /// Only those that are not over at this moment.
        #[oai(name = "awayFrom")]
        away_from: Query<Option<Instant>>,
        /// Only those that have begun before this moment.
        #[oai(name = "awayUntil")]
        away_until: Query<Option<Instant>>,
        paging: Paging,
    ) -> Answer<Page<AbsenceView>> {
        let filter = AbsenceFilter {
            persons: many(person_id.0, PersonId),
            from: away_from.0.map(|at| at.0),
            until: away_until.0.map(|at| at.0),
        };
        let found = absences::list(&ask, &filter, paging.after()?, paging.limit()).await?;
        Ok(Page::new(&paging, found, |absence| absence.id.0, AbsenceView::from))
    }

    /// Tell that a person is away
    ///
    /// While they are, what falls to them falls to their cover; without one, to the rosters. It comes back to them by itself.
    #[oai(path = "/absences", method = "post", operation_id = "createAbsence")]
    async fn create(&self, once: OnceIfKeyed<'_>, body: Body<NewAbsenceBody>) -> Answer<Created<AbsenceView>> {
        once!(once, |cx| {
            let absence = absences::create(cx, body.0.into()).await?;
            Created::new("absences", absence.id, absence.version, absence.into())
        })
    }

    /// Read an absence
    ///
    /// From when until when, and who covers.
    #[oai(path = "/absences/:id", method = "get", operation_id = "readAbsence")]
    async fn read(&self, ask: Ask<'_>, id: Path<Uuid>) -> Answer<Current<AbsenceView>> {
        let absence = absences::read(&ask, AbsenceId(id.0)).await?;
        Ok(Current::new(absence.version, absence.into()))
    }

    /// End an absence
    ///
    /// The person is back now; an absence that has not begun never happens.
    #[oai(path = "/absences/:id/end", method = "post", operation_id = "endAbsence")]
    async fn end(&self, once: OnceIfKeyed<'_>, id: Path<Uuid>) -> Answer<Current<AbsenceView>> {
        once!(once, |cx| {
            let absence = absences::end(cx, AbsenceId(id.0)).await?;
            Current::new(absence.version, absence.into())
        })
    }
}

/// A time away.
#[derive(Debug, Object)]
#[oai(rename = "Absence", rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct AbsenceView {
    id: Uuid,
    /// Who is away.
    person_id: Uuid,
    /// Who covers.
    cover_person_id: Option<Uuid>,
    /// From when.
    from_at: Instant,
    /// Until when; from then on they are back.
    until_at: Instant,
    created_at: Instant,
}

impl From<Absence> for AbsenceView {
    fn from(absence: Absence) -> Self {
        let Absence { id, person_id, cover_person_id, from, until, created_at, version: _ } = absence;
        Self {
            id: id.0,
            person_id: person_id.0,
            cover_person_id: cover_person_id.map(|id| id.0),
            from_at: Instant(from),
            until_at: Instant(until),
            created_at: Instant(created_at),
        }
    }
}

/// A time away to tell of.
#[derive(Debug, Object)]
#[oai(rename = "NewAbsence", rename_all = "camelCase", deny_unknown_fields)]
struct NewAbsenceBody {
    /// Who is away.
    person_id: Uuid,
    /// Who covers. Away for longer than two weeks with nobody who does raises an alarm: the event `alarm.raised`, code `deputy_missing`.
    cover_person_id: Option<Uuid>,
    /// From when.
    from_at: Instant,
    /// Until when, later than `fromAt`.
    until_at: Instant,
}

impl From<NewAbsenceBody> for NewAbsence {
    fn from(body: NewAbsenceBody) -> Self {
        let NewAbsenceBody { person_id, cover_person_id, from_at, until_at } = body;
        Self {
            person_id: PersonId(person_id),
            cover_person_id: cover_person_id.map(PersonId),
            from: from_at.0,
            until: until_at.0,
        }
    }
}
