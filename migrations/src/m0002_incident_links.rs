//! Every incident that was reported before owes the cut between it and its support (DESIGN section 4).

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Due at once: whoever wakes too early finds out when the moment comes, and waits.
        let owed = "INSERT INTO jobs (id, organisation_id, kind, subject, due_at, version, attempts) \
                    SELECT id, organisation_id, 'incident_link', id, reported_at, 1, 0 FROM incidents";
        manager.get_connection().execute_unprepared(owed).await.map(|_| ())
    }
}
