//! What every case of an organisation refers to is not locked by each of them. On PostgreSQL a foreign key locks the row it refers to, and
//! a hundred openings at once would queue for the row of their one unit, organisation or protocol version. Whether these exist is asked
//! by whoever writes, in the same transaction, and they never vanish: a trigger refuses it, which is all that the key was for. And a
//! job is found by when it is due, unless it was given up; those are found by their organisation.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const SHARED: &[&str] = &["organisations", "units", "protocols"];
const LOCKED: &[(&str, &str)] = &[
    ("persons", "organisation_id"),
    ("incidents", "organisation_id"),
    ("incidents", "unit_id"),
    ("involvements", "unit_id"),
    ("cases", "unit_id"),
    ("trajectories", "protocol_id"),
];

const JOBS: &[&str] = &[
    "CREATE INDEX jobs_due ON jobs (due_at) WHERE given_up_at IS NULL",
    "CREATE INDEX jobs_given_up ON jobs (organisation_id, id) WHERE given_up_at IS NOT NULL",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["jobs_by_organisation_id", "jobs_by_due_at"] {
            manager.drop_index(Index::drop().name(name).table(Alias::new("jobs")).to_owned()).await?;
        }
        let connection = manager.get_connection();
        for statement in JOBS {
            connection.execute_unprepared(statement).await?;
        }
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let refuse = "CREATE FUNCTION never_vanishes() RETURNS trigger LANGUAGE plpgsql AS \
                      $$ BEGIN RAISE EXCEPTION 'rows of % never vanish', TG_TABLE_NAME; END $$";
        connection.execute_unprepared(refuse).await?;
        for table in SHARED {
            let sql = format!(
                "CREATE TRIGGER {table}_never_vanish BEFORE DELETE OR UPDATE OF id ON {table} \
                 FOR EACH STATEMENT EXECUTE FUNCTION never_vanishes()"
            );
            connection.execute_unprepared(&sql).await?;
        }
        for (table, column) in LOCKED {
            connection.execute_unprepared(&format!("ALTER TABLE {table} DROP CONSTRAINT {table}_{column}")).await?;
        }
        Ok(())
    }
}
