//! What is still to be done in a case belongs to the case's unit, also where the case moved before that was kept so.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let moved = "UPDATE follow_ups SET version = version + 1, \
                     unit_id = (SELECT cases.unit_id FROM cases WHERE cases.id = follow_ups.case_id) \
                     WHERE final_at IS NULL AND EXISTS (SELECT 1 FROM cases WHERE cases.id = follow_ups.case_id \
                     AND cases.unit_id IS DISTINCT FROM follow_ups.unit_id)";
        let connection = manager.get_connection();
        connection.execute_unprepared(moved).await.map(drop)
    }
}
