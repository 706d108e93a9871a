//! The SQL of people.

use nazorg_entities::{PersonId, persons};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};

use crate::{Context, error::Result};

/// Whether the tenant has this person.
pub async fn exists(db: &impl ConnectionTrait, cx: &Context<'_>, id: PersonId) -> Result<bool> {
    Ok(persons::Entity::find()
        .filter(persons::Column::OrganisationId.eq(cx.organisation))
        .filter(persons::Column::Id.eq(id))
        .count(db)
        .await?
        > 0)
}
