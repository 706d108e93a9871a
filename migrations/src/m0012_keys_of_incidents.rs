//! What other systems call an incident is sealed under a key of the incident's own, which is destroyed when its link with the support is cut.
//! Of incidents from before, it stays sealed under the organisation's key until the cut takes it away.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = ColumnDef::new(Alias::new("key_id"));
        column.uuid();
        let table = TableAlterStatement::new().table(Alias::new("incidents")).add_column(column).take();
        manager.alter_table(table).await
    }
}
