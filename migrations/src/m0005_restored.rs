//! When the data was last put back from a backup, per organisation: what was due before that moment may have been sent.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = ColumnDef::new(Alias::new("restored_at"));
        column.timestamp_with_time_zone();
        let table = TableAlterStatement::new().table(Alias::new("organisations")).add_column(column).take();
        manager.alter_table(table).await
    }
}
