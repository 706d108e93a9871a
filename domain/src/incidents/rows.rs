//! The SQL of incidents.

use nazorg_entities::incidents;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, sea_query::SelectStatement};

use crate::Context;

/// The incidents that are one's own: those this client reported.
pub(crate) fn visible_ids(cx: &Context<'_>) -> SelectStatement {
    incidents::Entity::find()
        .select_only()
        .column(incidents::Column::Id)
        .filter(incidents::Column::OrganisationId.eq(cx.organisation))
        .filter(incidents::Column::ReportedBy.eq(cx.caller.key()))
        .into_query()
}
