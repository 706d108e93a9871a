//! How many messages one of them speaks for is found by that one: few are merged, and only those stand in the index.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "CREATE INDEX messages_by_merged_into ON messages (merged_into) WHERE merged_into IS NOT NULL";
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }
}
