//! What will be forgotten when: the dry run of retention.

use nazorg_domain::{
    protocols::RetentionThen,
    retention::{self, Plan},
};
use poem_openapi::{Enum, Object, OpenApi};
use uuid::Uuid;

use crate::{
    answers::Page,
    ask::{Ask, Paging},
    problem::Answer,
    tags::Tag,
    types::Instant,
};

/// The operation on retention.
pub(super) struct Retention;

#[OpenApi(tag = "Tag::Oversight")]
impl Retention {
    /// List what will be forgotten
    ///
    /// The closed cases, with what their protocols say will be done with them and when, and the legal holds and restrictions that stop it: the
    /// dry run of retention. Changes nothing; the worker does it when its moment comes.
    #[oai(path = "/retention-plans", method = "get", operation_id = "listRetentionPlans")]
    async fn plans(&self, ask: Ask<'_>, paging: Paging) -> Answer<Page<RetentionPlanView>> {
        let found = retention::plans(&ask, paging.after()?, paging.limit()).await?;
        Ok(Page::new(&paging, found, |plan| plan.case_id.0, RetentionPlanView::from))
    }
}

/// What is done with a record in the end.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename = "RetentionAction", rename_all = "snake_case")]
enum RetentionActionView {
    /// Only counts are left.
    ReduceToTally,
    /// Names go, the record stays.
    Pseudonymise,
    /// Everything goes.
    Delete,
}

impl From<RetentionThen> for RetentionActionView {
    fn from(then: RetentionThen) -> Self {
        match then {
            RetentionThen::ReduceToTally => Self::ReduceToTally,
            RetentionThen::Pseudonymise => Self::Pseudonymise,
            RetentionThen::Delete => Self::Delete,
        }
    }
}

/// What will be done with a closed case.
#[derive(Debug, Object)]
#[oai(rename = "RetentionPlan", rename_all = "camelCase", skip_serializing_if_is_none)]
struct RetentionPlanView {
    case_id: Uuid,
    closed_at: Instant,
    /// What will be done; absent where a protocol of the case keeps it, and while aftercare goes on.
    action: Option<RetentionActionView>,
    /// When; while aftercare goes on, not before this moment. Absent where a protocol of the case keeps it.
    due_at: Option<Instant>,
    /// Since when a legal hold stops it.
    held_at: Option<Instant>,
    /// Since when a restriction of its person's data stops it.
    restricted_at: Option<Instant>,
}

impl From<Plan> for RetentionPlanView {
    fn from(plan: Plan) -> Self {
        let Plan { case_id, closed_at, then, at, held_at, restricted_at } = plan;
        Self {
            case_id: case_id.0,
            closed_at: Instant(closed_at),
            action: then.map(Into::into),
            due_at: at.map(Instant),
            held_at: held_at.map(Instant),
            restricted_at: restricted_at.map(Instant),
        }
    }
}
