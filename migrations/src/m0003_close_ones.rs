//! Cases about someone close: each names the relation it rests on.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut relation = ColumnDef::new(Alias::new("relation_id"));
        relation.uuid();
        let cases = Table::alter().table(Alias::new("cases")).add_column(relation).take();
        manager.alter_table(cases).await
    }
}
