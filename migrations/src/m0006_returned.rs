//! What comes back of a message: when it is known to have arrived, and when it was first answered. Never what was answered.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["delivered_at", "replied_at"] {
            let mut column = ColumnDef::new(Alias::new(name));
            column.timestamp_with_time_zone();
            let table = TableAlterStatement::new().table(Alias::new("messages")).add_column(column).take();
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}
