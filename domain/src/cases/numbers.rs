//! Case numbers for humans: handed out in blocks, so that no opening waits for another; gaps allowed (DESIGN 4).

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Mutex, PoisonError},
};

use chrono::Datelike;
use nazorg_entities::OrganisationId;
use sea_orm::{ConnectionTrait, Statement, Value};

use super::rules;
use crate::{
    Context,
    database::{Tx, Writing},
    error::{Error, Result},
};

/// How many a process takes at once from PostgreSQL.
const BLOCK: i32 = 50;
/// More cases than an organisation opens between a backup and the moment it is needed.
const LEFT_OUT: i32 = 10_000;

/// Numbers taken and not handed out yet, per organisation and year.
#[derive(Default)]
pub struct Numbers {
    blocks: Mutex<HashMap<(OrganisationId, i32), Range<i32>>>,
    fetching: tokio::sync::Mutex<()>,
}

impl Numbers {
    fn pop(&self, of: (OrganisationId, i32)) -> Option<i32> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&of)?.next()
    }

    fn keep(&self, of: (OrganisationId, i32), block: Range<i32>) {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).insert(of, block);
    }
}

/// The next number. On SQLite, where writers take turns anyway, one by one in the case's own transaction.
pub(super) async fn next(tx: &Tx<'_>, cx: &Context<'_>) -> Result<String> {
    let year = cx.now.year();
    let of = (cx.organisation, year);
    if !cx.app.db.is_postgres() {
        return Ok(rules::number(year, take(&***tx, of, 1).await?));
    }
    if let Some(place) = cx.app.numbers.pop(of) {
        return Ok(rules::number(year, place));
    }
    // One fetches for all who wait.
    let _turn = cx.app.numbers.fetching.lock().await;
    if let Some(place) = cx.app.numbers.pop(of) {
        return Ok(rules::number(year, place));
    }
    let first = take(cx.app.db.aside(), of, BLOCK).await?;
    cx.app.numbers.keep(of, first + 1..first + BLOCK);
    Ok(rules::number(year, first))
}

/// Leaves out numbers that may have been handed out after the backup that was put back.
pub(crate) async fn skip(tx: &Writing, cx: &Context<'_>) -> Result<()> {
    let sql = "UPDATE case_numbers SET next_number = next_number + $2 WHERE organisation_id = $1";
    let values: Vec<Value> = vec![cx.organisation.into(), LEFT_OUT.into()];
    tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?;
    Ok(())
}

/// Takes `count` numbers, answering the first.
async fn take(db: &impl ConnectionTrait, (organisation, year): (OrganisationId, i32), count: i32) -> Result<i32> {
    let sql = "INSERT INTO case_numbers (organisation_id, year, next_number) VALUES ($1, $2, 1 + $3) \
               ON CONFLICT (organisation_id, year) DO UPDATE SET next_number = case_numbers.next_number + $3 \
               RETURNING next_number";
    let values: Vec<Value> = vec![organisation.into(), year.into(), count.into()];
    let row = db.query_one_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    let next: i32 = row.ok_or_else(|| Error::internal("no case number came back"))?.try_get("", "next_number")?;
    Ok(next - count)
}
