//! Few follow-ups are handed to somebody by name: only those stand in the index of who they were handed to. And a trajectory that goes on
//! changes in place, where there is room beside its row.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let name = "follow_ups_by_organisation_id_assigned_person_id_due_at";
        manager.drop_index(Index::drop().name(name).table(Alias::new("follow_ups")).to_owned()).await?;
        let connection = manager.get_connection();
        let sql = "CREATE INDEX follow_ups_handed_over ON follow_ups (organisation_id, assigned_person_id, due_at) \
                   WHERE assigned_person_id IS NOT NULL";
        connection.execute_unprepared(sql).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            connection.execute_unprepared("ALTER TABLE trajectories SET (fillfactor = 80)").await?;
        }
        Ok(())
    }
}
