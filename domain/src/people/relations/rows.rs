//! The SQL of relations.

use nazorg_entities::{PersonId, RelationId, relations};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select, sea_query::Expr,
};
use uuid::Uuid;

use super::Relation;
use crate::{
    Context,
    database::Writing,
    error::{Error, Result},
    people::rows::of_own_cases,
    policy::Reach,
};

/// The only way this context starts a SELECT: the tenant's, or those of persons of one's own cases.
fn visible(cx: &Context<'_>, reach: Reach) -> Select<relations::Entity> {
    use relations::Column as C;
    let all = relations::Entity::find().filter(C::OrganisationId.eq(cx.organisation));
    match reach {
        Reach::All => all,
        Reach::Own => all.filter(
            Condition::any()
                .add(C::PersonId.in_subquery(of_own_cases(cx)))
                .add(C::OtherPersonId.in_subquery(of_own_cases(cx))),
        ),
    }
}

pub(in crate::people) async fn of(
    cx: &Context<'_>,
    person: PersonId,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Relation>> {
    use relations::Column as C;
    let either = Condition::any().add(C::PersonId.eq(person)).add(C::OtherPersonId.eq(person));
    let mut found = visible(cx, Reach::All).filter(either).order_by_asc(C::Id).limit(limit);
    if let Some(after) = after {
        found = found.filter(C::Id.gt(after));
    }
    Ok(found.all(&cx.db()).await?.into_iter().map(read).collect())
}

pub(super) async fn one(db: &impl ConnectionTrait, cx: &Context<'_>, reach: Reach, id: RelationId) -> Result<Relation> {
    visible(cx, reach).filter(relations::Column::Id.eq(id)).one(db).await?.map(read).ok_or(Error::NotFound)
}

pub(super) async fn insert(tx: &Writing, cx: &Context<'_>, new: &Relation) -> Result<()> {
    let Relation { id, person_id, other_person_id, kind, started_at, ended_at, version } = new.clone();
    let row = relations::ActiveModel {
        id: Set(id),
        organisation_id: Set(cx.organisation),
        person_id: Set(person_id),
        other_person_id: Set(other_person_id),
        kind: Set(kind),
        started_at: Set(started_at),
        ended_at: Set(ended_at),
        version: Set(version),
    };
    relations::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

pub(super) async fn end(tx: &Writing, cx: &Context<'_>, after: &Relation) -> Result<()> {
    let changed = relations::Entity::update_many()
        .col_expr(relations::Column::EndedAt, Expr::value(after.ended_at))
        .col_expr(relations::Column::Version, Expr::value(after.version))
        .filter(relations::Column::OrganisationId.eq(cx.organisation))
        .filter(relations::Column::Id.eq(after.id))
        .filter(relations::Column::Version.eq(after.version - 1))
        .exec(&**tx)
        .await?;
    if changed.rows_affected == 0 { Err(Error::Stale) } else { Ok(()) }
}

fn read(row: relations::Model) -> Relation {
    let relations::Model { id, organisation_id: _, person_id, other_person_id, kind, started_at, ended_at, version } =
        row;
    Relation { id, person_id, other_person_id, kind, started_at, ended_at, version }
}
