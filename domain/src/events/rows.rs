//! The feed's SQL.

use std::collections::HashMap;

use nazorg_entities::{EventId, OrganisationId, events};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::Told;
use crate::{App, Context, database::Writing, error::Result, policy::Reach};

/// PostgreSQL: one numbering at a time, until its commit; the number is arbitrary but ours.
const NUMBERING_LOCK: i64 = 0x6e61_7a6f_7267;
pub(super) const AT_ONCE: u32 = 5_000;

/// Waits for the turn to give numbers, and keeps it until the commit. A statement of its own: what the one before has numbered must be
/// seen by the next. On SQLite whoever writes has it.
pub(super) async fn take_turn(tx: &DatabaseTransaction) -> Result<()> {
    if tx.get_database_backend() == DbBackend::Postgres {
        tx.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({NUMBERING_LOCK})")).await?;
    }
    Ok(())
}

/// Gives what is to be written the numbers after the last.
pub(super) async fn give_numbers(tx: &DatabaseTransaction, told: &mut [events::ActiveModel]) -> Result<()> {
    let mut next: HashMap<OrganisationId, i64> = HashMap::new();
    for row in told {
        let organisation = *row.organisation_id.as_ref();
        let place = match next.get(&organisation) {
            Some(place) => *place,
            None => last(tx, organisation).await? + 1,
        };
        next.insert(organisation, place + 1);
        row.position = Set(Some(place));
    }
    Ok(())
}

/// Whether anything waits for its number.
pub(super) async fn waiting(app: &App) -> Result<bool> {
    let first: Option<EventId> = events::Entity::find()
        .select_only()
        .column(events::Column::Id)
        .filter(events::Column::Position.is_null())
        .limit(1)
        .into_tuple()
        .one(app.db.reader())
        .await?;
    Ok(first.is_some())
}

/// Gives numbers to what is committed and has none. The last one is asked once, before any is given: asked again for each event,
/// PostgreSQL walks over all that this very statement has written so far, five thousand times five thousand rows.
pub(super) async fn number(tx: &Writing) -> Result<u64> {
    let done = tx
        .execute_unprepared(&format!(
            "WITH waiting AS (SELECT id, organisation_id FROM events WHERE position IS NULL ORDER BY id LIMIT {AT_ONCE}), \
             last AS MATERIALIZED (SELECT o.organisation_id, COALESCE((SELECT MAX(e.position) FROM events e \
             WHERE e.organisation_id = o.organisation_id), 0) AS place \
             FROM (SELECT DISTINCT organisation_id FROM waiting) AS o), \
             fresh AS (SELECT waiting.id, last.place \
             + ROW_NUMBER() OVER (PARTITION BY waiting.organisation_id ORDER BY waiting.id) AS place \
             FROM waiting JOIN last ON last.organisation_id = waiting.organisation_id) \
             UPDATE events SET position = fresh.place FROM fresh WHERE events.id = fresh.id"
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

pub(super) async fn last(tx: &DatabaseTransaction, organisation: OrganisationId) -> Result<i64> {
    let last: Option<Option<i64>> = events::Entity::find()
        .select_only()
        .column_as(events::Column::Position.max(), "last")
        .filter(events::Column::OrganisationId.eq(organisation))
        .into_tuple()
        .one(tx)
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
