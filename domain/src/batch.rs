//! Much by one statement: many rows of one table changed, on either database; many tables written, on PostgreSQL.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement, Value};

use crate::error::Result;

/// How many rows one statement changes: far below the parameters either database takes.
const AT_ONCE: usize = 200;

/// Changes rows to the values given, each row its `id` first and its `version` last, in the order of `columns`; a row whose version
/// is not the one before is left alone. Answers how many changed. An upsert would do the same, and build every row anew to do so.
pub(crate) async fn update(
    tx: &DatabaseTransaction,
    table: &str,
    columns: &[&str],
    mut rows: Vec<Vec<Value>>,
) -> Result<u64> {
    let numbered = |place: usize| format!("v.column{}", place + 1);
    let set: Vec<_> =
        columns.iter().enumerate().skip(1).map(|(place, column)| format!("{column} = {}", numbered(place))).collect();
    let (set, version) = (set.join(", "), numbered(columns.len() - 1));
    let mut changed = 0;
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(AT_ONCE));
        let places = places(tx.get_database_backend(), (rows.len(), columns.len()));
        // The columns of VALUES are called so in both databases.
        let sql = format!(
            "UPDATE {table} SET {set} FROM (VALUES {places}) AS v \
             WHERE {table}.id = v.column1 AND {table}.version = {version} - 1"
        );
        let values = rows.into_iter().flatten();
        let done = tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?;
        changed += done.rows_affected();
        rows = rest;
    }
    Ok(changed)
}

/// `($1, $2), ($3, $4)` or `(?, ?), (?, ?)`.
fn places(backend: DbBackend, (rows, columns): (usize, usize)) -> String {
    let mut number = 0;
    let mut place = || {
        number += 1;
        if backend == DbBackend::Postgres { format!("${number}") } else { "?".to_owned() }
    };
    let mut row = || format!("({})", (0..columns).map(|_| place()).collect::<Vec<_>>().join(", "));
    (0..rows).map(|_| row()).collect::<Vec<_>>().join(", ")
}

/// One statement that does what all of these do, none of which may see what another does. PostgreSQL runs every part of a `WITH` that
/// writes, and checks what refers to what when all are done.
pub(crate) fn together(statements: Vec<Statement>) -> Option<Statement> {
    let count = statements.len();
    let (mut sql, mut values) = (String::new(), Vec::new());
    for (place, Statement { sql: one, values: more, .. }) in statements.into_iter().enumerate() {
        let one = numbered_from(&one, values.len());
        values.extend(more.into_iter().flat_map(|more| more.0));
        match (place, place + 1 == count) {
            (_, true) => sql.push_str(&one),
            (0, false) => sql = format!("WITH part_{place} AS ({one})"),
            (_, false) => sql.push_str(&format!(", part_{place} AS ({one})")),
        }
        if place + 2 == count {
            sql.push(' ');
        }
    }
    (count > 0).then(|| Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}

/// `$1` becomes `$11` after ten others. Statements hold nothing but names and places; what they write is bound.
fn numbered_from(sql: &str, first: usize) -> String {
    let mut parts = sql.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let (number, rest) = part.split_at(digits);
        out.push('$');
        out.push_str(
            &number.parse::<usize>().map_or_else(|_| number.to_owned(), |number| (number + first).to_string()),
        );
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests;
