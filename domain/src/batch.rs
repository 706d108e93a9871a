//! Much by one statement: many rows of one table changed, on either database; many tables written, on PostgreSQL.

use std::fmt::Write;

use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityName,
    EntityTrait, IdenStatic, Iterable, Statement, Value,
    sea_query::{ArrayType, Expr, ExprTrait, extension::postgres::PgFunc},
};

use crate::{
    database::Writing,
    error::{Error, Result},
};

/// How many rows one statement changes: far below the parameters either database takes.
const AT_ONCE: usize = 200;

/// That `column` is one of these. PostgreSQL takes them as one array: the statement reads the same for any number of them, and is planned
/// once instead of once for each number. One alone it takes as it is: with an array it plans anew each time, in the hope of a better number.
/// SQLite knows no arrays.
pub(crate) fn one_of<V: Into<Value>>(
    db: &impl ConnectionTrait,
    column: impl ColumnTrait,
    these: impl IntoIterator<Item = V>,
) -> Expr {
    let these: Vec<Value> = these.into_iter().map(Into::into).collect();
    match these.as_slice() {
        [one] => return column.eq(one.clone()),
        [] => return column.is_in(these),
        _ if db.get_database_backend() != DbBackend::Postgres => return column.is_in(these),
        _ => {}
    }
    Expr::col(column.as_column_ref()).eq(PgFunc::any(Expr::val(array(these))))
}

/// Values of one kind, none of them absent, as one; for PostgreSQL alone.
pub(crate) fn array<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Value {
    let values: Vec<Value> = values.into_iter().map(Into::into).collect();
    let kind = values.first().map_or(ArrayType::Uuid, Value::array_type);
    Value::Array(kind, Some(Box::new(values)))
}

/// Writes rows of one table. `conflict` is what follows `ON CONFLICT`, or nothing.
pub(crate) async fn insert<Row: ActiveModelTrait>(tx: &Writing, rows: &[Row], conflict: Option<&str>) -> Result<()> {
    for rows in rows.chunks(AT_ONCE) {
        tx.write(insertion(tx.get_database_backend(), rows, conflict)?).await?;
    }
    Ok(())
}

/// What writes these rows, of which there are some.
pub(crate) fn insertion<Row: ActiveModelTrait>(
    backend: DbBackend,
    rows: &[Row],
    conflict: Option<&str>,
) -> Result<Statement> {
    let columns: Vec<_> = <Row::Entity as EntityTrait>::Column::iter().collect();
    let names: Vec<_> = columns.iter().map(|column| format!("\"{}\"", column.as_str())).collect();
    let value = |row: &Row, column| match row.get(column) {
        ActiveValue::Set(value) | ActiveValue::Unchanged(value) => Ok(value),
        ActiveValue::NotSet => Err(Error::internal("a row without all its columns")),
    };
    let rows = rows.iter().map(|row| columns.iter().map(|column| value(row, *column)).collect::<Result<Vec<_>>>());
    let (source, values) = source(backend, rows.collect::<Result<_>>()?)?;
    let conflict = conflict.map(|conflict| format!(" ON CONFLICT {conflict}")).unwrap_or_default();
    let sql =
        format!("INSERT INTO \"{}\" ({}) {source}{conflict}", Row::Entity::default().table_name(), names.join(", "));
    Ok(Statement::from_sql_and_values(backend, sql, values))
}

/// Changes rows to the values given, each row its `id` first, in the order of `columns`. An upsert would do the same, and build every row
/// anew to do so. Where `columns` end in `version`, each row's is one above the kept one's, which guards against anyone in between; else
/// what the rows hang below is locked, and the kept versions count on. `Stale` when a row is not there so.
pub(crate) async fn update(
    tx: &DatabaseTransaction,
    (table, columns): (&str, &[&str]),
    mut rows: Vec<Vec<Value>>,
) -> Result<()> {
    let set = columns.iter().enumerate().skip(1).map(|(place, column)| format!("{column} = {}", numbered(place + 1)));
    let mut set: Vec<_> = set.collect();
    let mut which = format!("{table}.id = {}", numbered(1));
    if columns.last() == Some(&"version") {
        which = format!("{which} AND {table}.version = {} - 1", numbered(columns.len()));
    } else {
        set.push(format!("version = {table}.version + 1"));
    }
    let (set, backend) = (set.join(", "), tx.get_database_backend());
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(AT_ONCE));
        let count = rows.len() as u64;
        let (source, values) = source(backend, rows)?;
        let sql = format!("UPDATE {table} SET {set} FROM ({source}) AS v WHERE {which}");
        let changed = tx.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?.rows_affected();
        if changed != count {
            return Err(Error::Stale);
        }
        rows = rest;
    }
    Ok(())
}

/// The columns of VALUES are called so in both databases.
fn numbered(place: usize) -> String {
    format!("v.column{place}")
}

/// Rows as something to select from. SQLite takes them as VALUES, and so does PostgreSQL when it is one; several as an array for each
/// column, which makes one statement of any number of rows, and a short one: binding a thousand values costs more than writing them.
pub(crate) fn source(backend: DbBackend, rows: Vec<Vec<Value>>) -> Result<(String, Vec<Value>)> {
    let width = rows.first().map_or(0, Vec::len);
    if backend != DbBackend::Postgres || rows.len() < 2 {
        let places = places(backend, (rows.len(), width));
        return Ok((format!("VALUES {places}"), rows.into_iter().flatten().collect()));
    }
    let (mut arrays, mut names, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for place in 0..width {
        let mut literal = String::from("{");
        let mut kind = "text";
        for (number, row) in rows.iter().enumerate() {
            let (of, text) = row.get(place).and_then(written).ok_or_else(|| Error::internal("a value of no kind"))?;
            kind = of;
            if number > 0 {
                literal.push(',');
            }
            push(&mut literal, text.as_deref());
        }
        literal.push('}');
        arrays.push(format!("CAST(${} AS {kind}[])", place + 1));
        names.push(format!("column{}", place + 1));
        values.push(literal.into());
    }
    Ok((format!("SELECT * FROM UNNEST({}) AS v ({})", arrays.join(", "), names.join(", ")), values))
}

/// A value as PostgreSQL reads it, and what it calls its kind.
fn written(value: &Value) -> Option<(&'static str, Option<String>)> {
    Some(match value {
        Value::Bool(value) => ("boolean", value.map(|value| value.to_string())),
        Value::SmallInt(value) => ("smallint", value.map(|value| value.to_string())),
        Value::Int(value) => ("integer", value.map(|value| value.to_string())),
        Value::BigInt(value) => ("bigint", value.map(|value| value.to_string())),
        Value::String(value) => ("text", value.clone()),
        Value::Uuid(value) => ("uuid", value.map(|value| value.to_string())),
        Value::ChronoDateTimeUtc(value) => ("timestamptz", value.map(|value| value.to_rfc3339())),
        Value::Bytes(value) => ("bytea", value.as_ref().map(|bytes| bytea(bytes))),
        Value::Json(value) => ("jsonb", value.as_ref().map(ToString::to_string)),
        _ => return None,
    })
}

fn bytea(bytes: &[u8]) -> String {
    bytes.iter().fold(String::from("\\x"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// One element of an array: quoted, so that nothing in it is taken for anything else.
fn push(literal: &mut String, element: Option<&str>) {
    let Some(text) = element else { return literal.push_str("NULL") };
    literal.push('"');
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            literal.push('\\');
        }
        literal.push(letter);
    }
    literal.push('"');
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
