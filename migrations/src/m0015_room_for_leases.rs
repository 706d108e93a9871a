//! A job is leased once in its life, and a page must have room for the second version of every row on it: where it has not, each index is
//! written, at places that lie further apart the more is owed.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        manager.get_connection().execute_unprepared("ALTER TABLE jobs SET (fillfactor = 45)").await.map(drop)
    }
}
