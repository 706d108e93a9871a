//! Follow-ups: what is due for whom, and what came of it.

use chrono::{DateTime, Utc};
use nazorg_domain::{
    entities::{CaseId, FollowUpId, PersonId, TrajectoryId, UnitId},
    follow_ups::{self, Filter, FollowUp, Place},
};
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

use super::sets::many;
use crate::{
    answers::{Current, Page},
    ask::{Ask, Body, Once, OnceIfKeyed, Paging, Position},
    once,
    problem::Answer,
    tags::Tag,
    types::Instant,
};

/// The operations on follow-ups.
pub(super) struct FollowUps;

#[OpenApi(tag = "Tag::FollowUps")]
impl FollowUps {
    /// List follow-ups
    ///
    /// What is due for whom, in the order of being due; within a case or trajectory, in the order of coming to be, those
    /// that still wait for something too. A repeated key means "or".
    #[oai(path = "/follow-ups", method = "get", operation_id = "listFollowUps")]
    #[expect(clippy::too_many_arguments, reason = "each is a query key of the published operation")]
    async fn list(
        &self,
        ask: Ask<'_>,
        /// Only in these states: `open`, `due`, `overdue`, `done`, …
        status: Query<Option<Vec<String>>>,
        /// Only what these persons are to do.
        #[oai(name = "actorId")]
        actor_id: Query<Option<Vec<Uuid>>>,
        /// Only in these cases.
        #[oai(name = "caseId")]
        case_id: Query<Option<Vec<Uuid>>>,
        /// Only in these trajectories.
        #[oai(name = "trajectoryId")]
        trajectory_id: Query<Option<Vec<Uuid>>>,
        /// Only in these units.
        #[oai(name = "unitId")]
        unit_id: Query<Option<Vec<Uuid>>>,
        /// Due at or after this moment.
        #[oai(name = "dueFrom")]
        due_from: Query<Option<Instant>>,
        /// Due before this moment.
        #[oai(name = "dueUntil")]
        due_until: Query<Option<Instant>>,
        paging: Paging,
    ) -> Answer<Page<FollowUpView>> {
        let filter = Filter {
            statuses: status.0.unwrap_or_default(),
            actor_ids: many(actor_id.0, PersonId),
            case_ids: many(case_id.0, CaseId),
            trajectory_ids: many(trajectory_id.0, TrajectoryId),
            unit_ids: many(unit_id.0, UnitId),
            due_from: due_from.0.map(|at| at.0),
            due_until: due_until.0.map(|at| at.0),
        };
        let after = paging.after::<Stood>()?.map(|stood| stood.0);
        let found = follow_ups::list(&ask, &filter, after, paging.limit()).await?;
        let place = |one: &FollowUp| Stood(Place { due_at: one.due_at, id: one.id.0 });
        Ok(Page::new(&paging, found, place, FollowUpView::from))
    }

    /// Read a follow-up
    ///
    /// With who is to do it now and what may come of it.
    #[oai(path = "/follow-ups/:id", method = "get", operation_id = "readFollowUp")]
    async fn read(&self, ask: Ask<'_>, id: Path<Uuid>) -> Answer<Current<FollowUpView>> {
        current(follow_ups::read(&ask, FollowUpId(id.0)).await?)
    }

    /// Complete a follow-up
    ///
    /// With one of its outcomes, which may set off more. Before its window opens this is 409 `too_early`, but for what the protocol lets be
    /// said at any time, such as the end of a match. An outcome that would reopen the
    /// case is 409 `person_restricted` while the person's data may only be kept; nothing of it is kept then.
    #[oai(path = "/follow-ups/:id/complete", method = "post", operation_id = "completeFollowUp")]
    async fn complete(&self, once: Once<'_>, id: Path<Uuid>, body: Body<Completion>) -> Answer<Current<FollowUpView>> {
        once!(once, |cx| current(follow_ups::complete(cx, FollowUpId(id.0), body.0.outcome).await?)?)
    }

    /// Reschedule a follow-up
    ///
    /// To another moment of its window.
    #[oai(path = "/follow-ups/:id/reschedule", method = "post", operation_id = "rescheduleFollowUp")]
    async fn reschedule(
        &self,
        once: Once<'_>,
        id: Path<Uuid>,
        body: Body<Rescheduling>,
    ) -> Answer<Current<FollowUpView>> {
        once!(once, |cx| current(follow_ups::reschedule(cx, FollowUpId(id.0), body.0.due_at.0).await?)?)
    }

    /// Reassign a follow-up
    ///
    /// Another person does this one; what is still to be sent about it goes to them.
    #[oai(path = "/follow-ups/:id/reassign", method = "post", operation_id = "reassignFollowUp")]
    async fn reassign(
        &self,
        once: OnceIfKeyed<'_>,
        id: Path<Uuid>,
        body: Body<Reassignment>,
    ) -> Answer<Current<FollowUpView>> {
        let person = PersonId(body.0.person_id);
        once!(once, |cx| current(follow_ups::reassign(cx, FollowUpId(id.0), person).await?)?)
    }

    /// Call off a follow-up
    ///
    /// It will not happen, and nothing is sent about it any more. A repetition goes on with its next turn.
    #[oai(path = "/follow-ups/:id/call-off", method = "post", operation_id = "callOffFollowUp")]
    async fn call_off(
        &self,
        once: OnceIfKeyed<'_>,
        id: Path<Uuid>,
        body: Body<CallingOff>,
    ) -> Answer<Current<FollowUpView>> {
        once!(once, |cx| current(follow_ups::call_off(cx, FollowUpId(id.0), body.0.reason).await?)?)
    }
}

fn current(follow_up: FollowUp) -> Answer<Current<FollowUpView>> {
    Ok(Current::new(follow_up.version, follow_up.into()))
}

/// Where a page ended, as a cursor holds it.
struct Stood(Place);

impl Position for Stood {
    fn write(&self) -> Vec<String> {
        let due = self.0.due_at.map(|at| at.timestamp_millis().to_string());
        vec![due.unwrap_or_default(), self.0.id.to_string()]
    }

    fn read(texts: &[String]) -> Option<Self> {
        let [due, id] = texts else { return None };
        let due_at: Option<DateTime<Utc>> = match due.as_str() {
            "" => None,
            due => Some(DateTime::from_timestamp_millis(due.parse().ok()?)?),
        };
        Some(Self(Place { due_at, id: id.parse().ok()? }))
    }
}

/// One promised contact or task.
#[derive(Debug, Object)]
#[oai(rename = "FollowUp", rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct FollowUpView {
    id: Uuid,
    case_id: Uuid,
    trajectory_id: Uuid,
    /// Whose support it is.
    person_id: Uuid,
    unit_id: Option<Uuid>,
    /// The protocol's step, or `task:<code>` for one beside it.
    step: String,
    /// What people call it, in Dutch.
    title_nl: Option<String>,
    /// What people call it, in English.
    title_en: Option<String>,
    /// Which value of an anchor with many values it belongs to.
    anchor_value_id: Option<Uuid>,
    /// 1, 2, …: retries, restarts and repetitions count on.
    occurrence: i32,
    /// The role that does it.
    role: String,
    /// Who does it now; absent when nobody can be found.
    actor_id: Option<Uuid>,
    /// What is done: `offer`, `talk`, `task`, …
    action: String,
    /// `waiting`, `scheduled`, `open`, `due`, `overdue`, `escalated`, and the final `done`, `declined`, `unreachable`,
    /// `skipped`, `cancelled`, `superseded`, `expired`.
    status: String,
    /// Before this it is too early.
    opens_at: Option<Instant>,
    /// When it should be done.
    due_at: Option<Instant>,
    /// After this it is overdue.
    closes_at: Option<Instant>,
    /// When it is given up.
    expires_at: Option<Instant>,
    /// What may come of it.
    outcomes: Vec<String>,
    /// What came of it.
    outcome: Option<String>,
    /// Why it ended without an outcome, or why it waits.
    reason: Option<String>,
    /// When it became final.
    final_at: Option<Instant>,
}

impl From<FollowUp> for FollowUpView {
    fn from(follow_up: FollowUp) -> Self {
        let FollowUp {
            id,
            case_id,
            trajectory_id,
            person_id,
            unit_id,
            step,
            mut title,
            anchor_id,
            occurrence,
            role,
            actor_id,
            action,
            status,
            opens_at,
            due_at,
            closes_at,
            expires_at,
            outcomes,
            outcome,
            reason,
            final_at,
            version: _,
        } = follow_up;
        Self {
            id: id.0,
            case_id: case_id.0,
            trajectory_id: trajectory_id.0,
            person_id: person_id.0,
            unit_id: unit_id.map(|id| id.0),
            step,
            title_nl: title.remove("nl"),
            title_en: title.remove("en"),
            anchor_value_id: anchor_id,
            occurrence,
            role,
            actor_id: actor_id.map(|id| id.0),
            action,
            status,
            opens_at: opens_at.map(Instant),
            due_at: due_at.map(Instant),
            closes_at: closes_at.map(Instant),
            expires_at: expires_at.map(Instant),
            outcomes,
            outcome,
            reason,
            final_at: final_at.map(Instant),
        }
    }
}

/// What came of it.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct Completion {
    /// One of the follow-up's `outcomes`.
    #[oai(validator(min_length = 1, max_length = 100))]
    outcome: String,
}

/// Another moment.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct Rescheduling {
    due_at: Instant,
}

/// Another person.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct Reassignment {
    person_id: Uuid,
}

/// Why it will not happen.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct CallingOff {
    /// A code of your own: no sentence fits in it.
    #[oai(validator(pattern = "^[a-z][a-z0-9_]{0,39}$"))]
    reason: String,
}
