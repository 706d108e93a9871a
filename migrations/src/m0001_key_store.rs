//! Wrapped data keys.

use sea_orm_migration::prelude::*;

use crate::columns::Table;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Table::owned("data_keys")
            .bytes_or_none("wrapped")
            .text("master_key")
            .instant("created_at")
            .instant_or_none("destroyed_at")
            .create(manager)
            .await
    }
}
