use sea_orm::Value;

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
