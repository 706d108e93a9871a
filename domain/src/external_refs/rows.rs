//! The SQL of external references.

use nazorg_entities::{IncidentId, external_refs as refs};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, Select, SqlErr,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::{Kind, Sealed, Subject};
use crate::{Context, database::Writing, error::Result};

/// A reference as it was found.
pub(super) struct Found {
    pub(super) id: Uuid,
    pub(super) subject: Uuid,
    pub(super) system: String,
    pub(super) value: Vec<u8>,
}

/// A system and a blind index.
type KnownAs = (String, Vec<u8>);

/// The only way this context starts a SELECT: the tenant's.
fn visible(cx: &Context<'_>) -> Select<refs::Entity> {
    refs::Entity::find().filter(refs::Column::OrganisationId.eq(cx.organisation))
}

pub(super) async fn of(db: &impl ConnectionTrait, cx: &Context<'_>, subjects: &[Subject]) -> Result<Vec<Found>> {
    if subjects.is_empty() {
        return Ok(Vec::new());
    }
    let ids = subjects.iter().map(|subject| subject.id);
    let rows =
        visible(cx).filter(refs::Column::SubjectId.is_in(ids)).order_by_asc(refs::Column::System).all(db).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let refs::Model { id, organisation_id: _, subject_kind: _, subject_id, system, value_enc, value_index: _ } =
                row;
            Found { id, subject: subject_id, system, value: value_enc }
        })
        .collect())
}

pub(super) async fn find(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    kind: Kind,
    wanted: &[KnownAs],
) -> Result<Vec<(KnownAs, Uuid)>> {
    let any = wanted.iter().fold(Condition::any(), |any, (system, index)| {
        let this =
            Condition::all().add(refs::Column::System.eq(system)).add(refs::Column::ValueIndex.eq(index.clone()));
        any.add(this)
    });
    let rows = visible(cx).filter(refs::Column::SubjectKind.eq(kind.as_str())).filter(any).all(db).await?;
    Ok(rows.into_iter().map(|row| ((row.system, row.value_index), row.subject_id)).collect())
}

/// Whose these references already are.
pub(super) async fn holders(tx: &Writing, cx: &Context<'_>, kind: Kind, refs: &[Sealed]) -> Result<Vec<Uuid>> {
    let wanted: Vec<_> = refs.iter().map(|one| (one.system.clone(), one.index.clone())).collect();
    Ok(find(&**tx, cx, kind, &wanted).await?.into_iter().map(|(_, subject)| subject).collect())
}

pub(super) async fn replace(tx: &Writing, cx: &Context<'_>, subject: Subject, fresh: Vec<Sealed>) -> Result<()> {
    refs::Entity::delete_many()
        .filter(refs::Column::OrganisationId.eq(cx.organisation))
        .filter(refs::Column::SubjectId.eq(subject.id))
        .filter(refs::Column::System.is_in(fresh.iter().map(|one| one.system.clone())))
        .exec(&**tx)
        .await?;
    let rows = fresh.into_iter().map(|one| row(cx, subject, one));
    match refs::Entity::insert_many(rows).exec_without_returning(&**tx).await {
        Ok(_) => Ok(()),
        Err(error) if is_taken(&error) => Err(super::taken()),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn make_one_way(tx: &Writing, cx: &Context<'_>, incidents: &[IncidentId]) -> Result<()> {
    refs::Entity::update_many()
        .col_expr(refs::Column::ValueEnc, Expr::value(Vec::<u8>::new()))
        .filter(refs::Column::OrganisationId.eq(cx.organisation))
        .filter(refs::Column::SubjectKind.eq(Kind::Incident.as_str()))
        .filter(refs::Column::SubjectId.is_in(incidents.iter().map(|id| id.0)))
        .exec(&**tx)
        .await?;
    Ok(())
}

pub(super) async fn insert_if_free(tx: &Writing, cx: &Context<'_>, subject: Subject, fresh: Sealed) -> Result<bool> {
    let known_as =
        [refs::Column::OrganisationId, refs::Column::SubjectKind, refs::Column::System, refs::Column::ValueIndex];
    let inserted = refs::Entity::insert(row(cx, subject, fresh))
        .on_conflict(OnConflict::columns(known_as).do_nothing().to_owned())
        .exec_without_returning(&**tx)
        .await;
    match inserted {
        Ok(rows) => Ok(rows > 0),
        Err(DbErr::RecordNotInserted) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Somebody was quicker, between our look and our write.
fn is_taken(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

fn row(cx: &Context<'_>, subject: Subject, fresh: Sealed) -> refs::ActiveModel {
    let Sealed { id, system, value, index } = fresh;
    refs::ActiveModel {
        id: Set(id),
        organisation_id: Set(cx.organisation),
        subject_kind: Set(subject.kind.as_str().to_owned()),
        subject_id: Set(subject.id),
        system: Set(system),
        value_enc: Set(value),
        value_index: Set(index),
    }
}
