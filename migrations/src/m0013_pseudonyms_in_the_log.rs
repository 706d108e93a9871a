//! The access log outlives a case under a pseudonym (DESIGN section 4): the person of a line may become somebody of whom nothing is kept.
//! It refuses every other change, and every deletion, as before (PROMISES P54).

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Every column but `person_id`.
const OTHERS: &str = "id, organisation_id, at, action, event_code, outcome, client_id, actor_id, responsible_id, actor_role, purpose, \
                      object_kind, object_id, object_part, policy, consent_id, trace_id, request_id";
/// Somebody of whom nothing is kept.
const NOBODY: &str = "EXISTS (SELECT 1 FROM persons WHERE persons.id = NEW.person_id AND persons.erased_at IS NOT NULL \
                      AND persons.organisation_id = NEW.organisation_id)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let statements = match manager.get_database_backend() {
            DbBackend::Postgres => postgres(),
            _ => sqlite(),
        };
        for statement in statements {
            manager.get_connection().execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}

fn postgres() -> Vec<String> {
    vec![
        "DROP TRIGGER access_events_append_only ON access_events".to_owned(),
        format!(
            "CREATE TRIGGER access_events_append_only BEFORE UPDATE OF {OTHERS} OR DELETE ON access_events \
             FOR EACH STATEMENT EXECUTE FUNCTION access_events_append_only()"
        ),
        format!(
            "CREATE FUNCTION access_events_to_nobody() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN IF {NOBODY} THEN RETURN NEW; END IF; RAISE EXCEPTION 'access_events is append-only'; END $$"
        ),
        "CREATE TRIGGER access_events_to_nobody BEFORE UPDATE OF person_id ON access_events \
         FOR EACH ROW EXECUTE FUNCTION access_events_to_nobody()"
            .to_owned(),
    ]
}

fn sqlite() -> Vec<String> {
    let refuse = "BEGIN SELECT RAISE(ABORT, 'access_events is append-only'); END";
    vec![
        // Under another name: a connection that has not heard of the first statement would refuse the second.
        "DROP TRIGGER access_events_no_update".to_owned(),
        format!("CREATE TRIGGER access_events_no_change BEFORE UPDATE OF {OTHERS} ON access_events {refuse}"),
        format!(
            "CREATE TRIGGER access_events_to_nobody BEFORE UPDATE OF person_id ON access_events WHEN NOT {NOBODY} {refuse}"
        ),
    ]
}
