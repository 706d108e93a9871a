//! The SQL of cases.

use nazorg_entities::{assignments, cases, follow_ups};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, sea_query::SelectStatement};

use crate::Context;

/// The cases that are one's own: assigned to the person who acts, or with a follow-up reassigned to them.
pub(crate) fn visible_ids(cx: &Context<'_>) -> SelectStatement {
    let person = cx.caller.person;
    let assigned = assignments::Entity::find()
        .select_only()
        .column(assignments::Column::CaseId)
        .filter(assignments::Column::OrganisationId.eq(cx.organisation))
        .filter(assignments::Column::PersonId.eq(person))
        .filter(assignments::Column::EndedAt.is_null())
        .into_query();
    let handed = follow_ups::Entity::find()
        .select_only()
        .column(follow_ups::Column::CaseId)
        .filter(follow_ups::Column::OrganisationId.eq(cx.organisation))
        .filter(follow_ups::Column::AssignedPersonId.eq(person))
        .into_query();
    Query::select()
        .column(cases::Column::Id)
        .from(cases::Entity)
        .and_where(cases::Column::OrganisationId.eq(cx.organisation))
        .cond_where(
            sea_orm::Condition::any()
                .add(cases::Column::Id.in_subquery(assigned))
                .add(cases::Column::Id.in_subquery(handed)),
        )
        .take()
}
