//! The SQL of what is left.

use nazorg_entities::{DataKeyId, OrganisationId, RemainsKind, events, remains};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter};
use uuid::Uuid;

use crate::{Context, database::Writing, error::Result, jobs::Claimed};

pub(in crate::retention) async fn insert(
    tx: &Writing,
    cx: &Context<'_>,
    (id, kind, key): (Uuid, RemainsKind, Option<DataKeyId>),
) -> Result<()> {
    let row = remains::ActiveModel {
        id: Set(id),
        organisation_id: Set(cx.organisation),
        kind: Set(kind),
        key_id: Set(key),
        created_at: Set(cx.now),
    };
    remains::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

pub(in crate::retention) async fn one(tx: &Writing, id: Uuid) -> Result<Option<remains::Model>> {
    Ok(remains::Entity::find_by_id(id).one(&**tx).await?)
}

pub(in crate::retention) async fn remove(tx: &Writing, id: Uuid) -> Result<()> {
    remains::Entity::delete_by_id(id).exec(&**tx).await?;
    Ok(())
}

/// Whether everything that was ever told of it has its place in the feed.
pub(in crate::retention) async fn numbered(tx: &Writing, job: &Claimed) -> Result<bool> {
    let of =
        Condition::any().add(events::Column::CaseId.eq(job.subject)).add(events::Column::SubjectId.eq(job.subject));
    let waiting = events::Entity::find()
        .filter(events::Column::OrganisationId.eq(job.organisation))
        .filter(events::Column::Position.is_null())
        .filter(of);
    Ok(waiting.count(&**tx).await? == 0)
}

pub(in crate::retention) async fn drop_events(tx: &Writing, organisation: OrganisationId, case: Uuid) -> Result<()> {
    events::Entity::delete_many()
        .filter(events::Column::OrganisationId.eq(organisation))
        .filter(events::Column::CaseId.eq(case))
        .exec(&**tx)
        .await?;
    Ok(())
}
