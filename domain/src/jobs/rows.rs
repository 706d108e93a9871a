//! The SQL of work that was given up.

use nazorg_entities::{Instant, JobId, jobs};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

use crate::{
    Context,
    database::Writing,
    error::{Error, Result},
};

/// The only way this page starts a SELECT: the tenant's.
fn visible(cx: &Context<'_>) -> Select<jobs::Entity> {
    jobs::Entity::find().filter(jobs::Column::OrganisationId.eq(cx.organisation))
}

pub(super) async fn given_up(cx: &Context<'_>, after: Option<Uuid>, limit: u64) -> Result<Vec<jobs::Model>> {
    let wanted = Condition::all().add_option(after.map(|after| jobs::Column::Id.gt(after)));
    let all = visible(cx).filter(jobs::Column::GivenUpAt.is_not_null()).filter(wanted);
    Ok(all.order_by_asc(jobs::Column::Id).limit(limit).all(&cx.db()).await?)
}

pub(super) async fn one(db: &impl ConnectionTrait, cx: &Context<'_>, id: JobId) -> Result<jobs::Model> {
    visible(cx).filter(jobs::Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)
}

/// Whether it was given up until now; then it is as if it had never been tried.
pub(super) async fn begin_anew(tx: &Writing, id: JobId) -> Result<bool> {
    let changed = jobs::Entity::update_many()
        .col_expr(jobs::Column::GivenUpAt, Expr::value(None::<Instant>))
        .col_expr(jobs::Column::RetryAt, Expr::value(None::<Instant>))
        .col_expr(jobs::Column::LeaseUntil, Expr::value(None::<Instant>))
        .col_expr(jobs::Column::Attempts, Expr::value(0))
        .col_expr(jobs::Column::Version, Expr::col(jobs::Column::Version).add(1))
        .filter(jobs::Column::Id.eq(id))
        .filter(jobs::Column::GivenUpAt.is_not_null())
        .exec(&**tx)
        .await?;
    Ok(changed.rows_affected == 1)
}
