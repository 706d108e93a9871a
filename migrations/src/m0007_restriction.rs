//! Restriction of processing (GDPR article 18): since when what is kept about a person may only be kept.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = ColumnDef::new(Alias::new("restricted_at"));
        column.timestamp_with_time_zone();
        let table = TableAlterStatement::new().table(Alias::new("persons")).add_column(column).take();
        manager.alter_table(table).await
    }
}
