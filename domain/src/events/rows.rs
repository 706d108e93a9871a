//! The feed's SQL.

use nazorg_entities::{OrganisationId, events};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::Told;
use crate::{App, Context, database::Writing, error::Result, policy::Reach};

/// PostgreSQL: one numbering at a time, for the length of its transaction; the number is arbitrary but ours.
const NUMBERING_LOCK: i64 = 0x6e61_7a6f_7267;
const AT_ONCE: u32 = 5_000;

pub(super) async fn number(tx: &Writing, postgres: bool) -> Result<u64> {
    if postgres {
        let mine = tx
            .query_one_raw(sea_orm::Statement::from_string(
                tx.get_database_backend(),
                format!("SELECT pg_try_advisory_xact_lock({NUMBERING_LOCK}) AS mine"),
            ))
            .await?
            .map(|row| row.try_get::<bool>("", "mine"))
            .transpose()?;
        if mine != Some(true) {
            return Ok(0);
        }
    }
    let done = tx
        .execute_unprepared(&format!(
            "UPDATE events SET position = fresh.place FROM (\
             SELECT waiting.id AS id, \
             COALESCE((SELECT MAX(e.position) FROM events e WHERE e.organisation_id = waiting.organisation_id), 0) \
             + ROW_NUMBER() OVER (PARTITION BY waiting.organisation_id ORDER BY waiting.id) AS place \
             FROM (SELECT id, organisation_id FROM events WHERE position IS NULL ORDER BY id LIMIT {AT_ONCE}) AS waiting\
             ) AS fresh WHERE events.id = fresh.id"
        ))
        .await?;
    Ok(done.rows_affected())
}

/// The only way the feed starts a SELECT: the tenant's events, as far as the caller's own views reach.
fn visible(cx: &Context<'_>, reach: Reach) -> Select<events::Entity> {
    let all = events::Entity::find()
        .filter(events::Column::OrganisationId.eq(cx.organisation))
        .filter(events::Column::Position.is_not_null());
    match reach {
        Reach::All => all,
        Reach::Own => all.filter(
            Condition::any().add(events::Column::CaseId.in_subquery(crate::cases::visible_ids(cx))).add(
                Condition::all()
                    .add(events::Column::SubjectKind.eq("incident"))
                    .add(events::Column::SubjectId.in_subquery(crate::incidents::visible_ids(cx))),
            ),
        ),
    }
}

pub(super) async fn after(cx: &Context<'_>, reach: Reach, after: i64, limit: u64) -> Result<(Vec<Told>, i64)> {
    let rows = visible(cx, reach)
        .filter(events::Column::Position.gt(after))
        .order_by_asc(events::Column::Position)
        .limit(limit)
        .all(&cx.db())
        .await?;
    let last = rows.last().and_then(|row| row.position).unwrap_or(after);
    let told = rows
        .into_iter()
        .map(|row| {
            let events::Model {
                id,
                organisation_id: _,
                position,
                at,
                kind,
                subject_kind,
                subject_id,
                case_id,
                data,
                trace_id: _,
            } = row;
            Told { position: position.unwrap_or_default(), id, at, kind, subject_kind, subject_id, case_id, data }
        })
        .collect();
    Ok((told, last))
}

pub(super) async fn last(tx: &Writing, organisation: OrganisationId) -> Result<i64> {
    let last: Option<Option<i64>> = events::Entity::find()
        .select_only()
        .column_as(events::Column::Position.max(), "last")
        .filter(events::Column::OrganisationId.eq(organisation))
        .into_tuple()
        .one(&**tx)
        .await?;
    Ok(last.flatten().unwrap_or(0))
}

pub(super) async fn unnumbered(app: &App, organisation: OrganisationId) -> Result<u64> {
    Ok(events::Entity::find()
        .filter(events::Column::OrganisationId.eq(organisation))
        .filter(events::Column::Position.is_null())
        .count(app.db.reader())
        .await?)
}
