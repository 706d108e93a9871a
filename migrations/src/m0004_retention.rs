//! Retention, legal hold and erasure: tallies, what still has to go, and when it was done.

use sea_orm_migration::prelude::*;

use crate::columns::Table;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in [("cases", "held_at"), ("cases", "forgotten_at"), ("persons", "erased_at")] {
            let mut column = ColumnDef::new(Alias::new(column));
            column.timestamp_with_time_zone();
            let table = TableAlterStatement::new().table(Alias::new(table)).add_column(column).take();
            manager.alter_table(table).await?;
        }
        Table::new("tallies")
            .uuid("organisation_id")
            .text("month")
            .uuid("unit_id")
            .text("protocol")
            .text("subject")
            .text("status")
            .text("reason")
            .int("count")
            .keys(&["organisation_id", "month", "unit_id", "protocol", "subject", "status", "reason"])
            .create(manager)
            .await?;
        Table::owned("remains")
            .text("kind")
            .uuid_or_none("key_id")
            .instant("created_at")
            .refers("organisation_id", "organisations")
            .create(manager)
            .await?;
        // Due at once: whoever wakes too early finds out when the moment comes, and waits.
        let owed = "INSERT INTO jobs (id, organisation_id, kind, subject, due_at, version, attempts) \
                    SELECT id, organisation_id, 'case_retention', id, closed_at, 1, 0 FROM cases WHERE status = 'closed'";
        manager.get_connection().execute_unprepared(owed).await.map(|_| ())
    }
}
