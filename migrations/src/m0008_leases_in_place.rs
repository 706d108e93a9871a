//! Leasing, claiming and backing off change a job in place: no index names what they change, and PostgreSQL leaves room beside each row,
//! so that none of its indexes is written for it. What is read and written most leaves room as well.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("jobs_by_lease_until").table(Alias::new("jobs")).to_owned()).await?;
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        // A queue is small and busy: its dead rows are cleared away long before they are a fifth of it.
        let sql = "ALTER TABLE jobs SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02); \
                   ALTER TABLE messages SET (fillfactor = 80); ALTER TABLE events SET (fillfactor = 80)";
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }
}
