use nazorg_entities::messages;
use nazorg_migrations::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DbBackend, EntityTrait, QueryFilter, QueryTrait, Select, Statement,
};
use uuid::Uuid;

use super::*;

/// By which index SQLite finds a dozen messages by their ids.
async fn plan(wanted: Select<messages::Entity>) -> String {
    let alone = ConnectOptions::new("sqlite::memory:").max_connections(1).to_owned();
    let db = Database::connect(alone).await.unwrap();
    Migrator::up(&db, None).await.unwrap();
    let ids = (0..12_u128).map(Uuid::from_u128);
    let query = wanted.filter(messages::Column::Id.is_in(ids)).build(DbBackend::Sqlite);
    let explained = Statement { sql: format!("EXPLAIN QUERY PLAN {}", query.sql), ..query };
    let steps = db.query_all_raw(explained).await.unwrap();
    steps.iter().map(|step| step.try_get::<String>("", "detail").unwrap()).collect()
}

#[tokio::test]
async fn a_dozen_ids_are_found_by_their_ids_and_not_among_all_rows_of_the_organisation() {
    let ours = OrganisationId(Uuid::from_u128(1));
    let organisation_id = messages::Column::OrganisationId;
    let walled = plan(messages::Entity::find().filter(among_ours(organisation_id, ours))).await;
    assert!(walled.contains("(id=?)"), "{walled}");
    // What the wall is for: should SQLite one day choose well by itself, it may go.
    let plain = plan(messages::Entity::find().filter(organisation_id.eq(ours))).await;
    assert!(plain.contains("(organisation_id=?"), "{plain}");
}
