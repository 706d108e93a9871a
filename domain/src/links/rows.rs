//! The SQL of links.

use nazorg_entities::{CaseId, FollowUpId, MessageId, PersonId, cases, follow_ups, messages};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::{App, Context, error::Result};

/// Before the tenant is known: a look-up that is not by organisation. What it finds counts only when the seal fits it.
pub(super) async fn message(app: &App, id: MessageId) -> Result<Option<messages::Model>> {
    Ok(messages::Entity::find_by_id(id).one(app.db.reader()).await?)
}

pub(super) async fn follow_up(cx: &Context<'_>, id: FollowUpId) -> Result<Option<follow_ups::Model>> {
    use follow_ups::Column as C;
    let own = follow_ups::Entity::find().filter(C::OrganisationId.eq(cx.organisation));
    Ok(own.filter(C::Id.eq(id)).one(&cx.db()).await?)
}

/// Whom a case is about.
pub(super) async fn about(cx: &Context<'_>, id: CaseId) -> Result<Option<PersonId>> {
    use cases::Column as C;
    let own = cases::Entity::find().select_only().column(C::PersonId).filter(C::OrganisationId.eq(cx.organisation));
    Ok(own.filter(C::Id.eq(id)).into_tuple().one(&cx.db()).await?)
}
