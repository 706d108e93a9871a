use sea_orm::Value;
use serde_json::json;

use super::*;

fn statement(sql: &str, values: &[i32]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values.iter().map(|value| Value::from(*value)))
}

#[test]
fn several_statements_become_one_with_places_of_their_own() {
    assert!(together(Vec::new()).is_none());
    let one = together(vec![statement("INSERT INTO a VALUES ($1)", &[1])]).unwrap();
    assert_eq!(one.sql, "INSERT INTO a VALUES ($1)");
    let three = [("INSERT INTO a VALUES ($1, $2)", &[1, 2][..]), ("UPDATE b SET c = $1", &[3]), ("DELETE FROM d", &[])];
    let three = together(three.iter().map(|(sql, values)| statement(sql, values)).collect()).unwrap();
    let sql = "WITH part_0 AS (INSERT INTO a VALUES ($1, $2)), part_1 AS (UPDATE b SET c = $3) DELETE FROM d";
    assert_eq!(three.sql, sql);
    assert_eq!(three.values.unwrap().0.len(), 3);
}

#[test]
fn places_beyond_ten_keep_their_order() {
    assert_eq!(numbered_from("VALUES ($1, $10), ($2)", 10), "VALUES ($11, $20), ($12)");
}

#[test]
fn several_rows_are_an_array_for_each_column_whatever_stands_in_them() {
    let nothing: Option<String> = None;
    let odd = ["a, {b}", "NULL", "", "says \"no\" \\ yes", "two\nlines"];
    let rows =
        odd.iter().enumerate().map(|(place, text)| vec![Value::from(i32::try_from(place).unwrap()), (*text).into()]);
    let rows = rows.chain([vec![9.into(), nothing.into()]]).collect();
    let (sql, values) = source(DbBackend::Postgres, rows).unwrap();
    assert_eq!(sql, "SELECT * FROM UNNEST(CAST($1 AS integer[]), CAST($2 AS text[])) AS v (column1, column2)");
    let texts = r#"{"a, {b}","NULL","","says \"no\" \\ yes","two"#.to_owned() + "\nlines\",NULL}";
    assert_eq!(values, [r#"{"0","1","2","3","4","9"}"#.into(), texts.into()]);
    let json = source(DbBackend::Postgres, vec![vec![json!({"a": "\""}).into()], vec![json!(null).into()]]).unwrap();
    assert_eq!(json.1, [Value::from(r#"{"{\"a\":\"\\\"\"}","null"}"#)]);
    let none: Option<Vec<u8>> = None;
    let bytes = source(DbBackend::Postgres, vec![vec![Value::from(vec![0_u8, 0xfe])], vec![none.into()]]).unwrap();
    assert_eq!(
        bytes,
        ("SELECT * FROM UNNEST(CAST($1 AS bytea[])) AS v (column1)".to_owned(), vec![r#"{"\\x00fe",NULL}"#.into()])
    );
    let unknown = source(DbBackend::Postgres, vec![vec![Value::from(1.5_f64)], vec![Value::from(2.5_f64)]]);
    assert!(matches!(unknown, Err(Error::Internal(_))), "what has no kind here is refused, not guessed");
}

#[test]
fn one_row_and_every_row_on_sqlite_are_values() {
    let one = source(DbBackend::Postgres, vec![vec![1.into(), 2.into()]]).unwrap();
    assert_eq!((one.0.as_str(), one.1.len()), ("VALUES ($1, $2)", 2));
    let two = source(DbBackend::Sqlite, vec![vec![1.into()], vec![2.into()]]).unwrap();
    assert_eq!((two.0.as_str(), two.1.len()), ("VALUES (?), (?)", 2));
}
