//! What is recorded of what happened: events, the access log, and the answers to repeated requests.

use sea_orm_migration::prelude::*;

use crate::columns::{Table, index};

pub(crate) async fn create(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Table::owned("events")
        .long_or_none("position")
        .instant("at")
        .text("kind")
        .text("subject_kind")
        .uuid("subject_id")
        .uuid_or_none("case_id")
        .json("data")
        .text("trace_id")
        .create(manager)
        .await?;
    Table::owned("access_events")
        .instant("at")
        .text("action")
        .text("event_code")
        .text("outcome")
        .uuid_or_none("client_id")
        .uuid_or_none("actor_id")
        .uuid_or_none("responsible_id")
        .text("actor_role")
        .text("purpose")
        .uuid_or_none("person_id")
        .text("object_kind")
        .uuid("object_id")
        .text_or_none("object_part")
        .text("policy")
        .uuid_or_none("consent_id")
        .text("trace_id")
        .uuid("request_id")
        .create(manager)
        .await?;
    Table::owned("idempotency_keys")
        .bytes("scope_hash")
        .bytes("fingerprint")
        .bytes_or_none("answer_enc")
        .instant("created_at")
        .instant("expires_at")
        .create(manager)
        .await?;
    for wanted in [
        index("events", &["organisation_id", "position"]),
        index("access_events", &["organisation_id", "person_id", "at"]),
        index("idempotency_keys", &["scope_hash"]).unique().to_owned(),
        index("idempotency_keys", &["expires_at"]),
    ] {
        manager.create_index(wanted).await?;
    }
    unnumbered_events(manager).await?;
    append_only(manager).await
}

/// What waits for its number is few: a partial index finds it among ten million.
async fn unnumbered_events(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .get_connection()
        .execute_unprepared("CREATE INDEX events_unnumbered ON events (id) WHERE position IS NULL")
        .await
        .map(|_| ())
}

/// The audit log refuses change, whoever asks (PROMISES P54).
async fn append_only(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let statements: &[&str] = match manager.get_database_backend() {
        sea_orm_migration::sea_orm::DbBackend::Postgres => &[
            "CREATE FUNCTION access_events_append_only() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'access_events is append-only'; END $$",
            "CREATE TRIGGER access_events_append_only BEFORE UPDATE OR DELETE ON access_events \
             FOR EACH STATEMENT EXECUTE FUNCTION access_events_append_only()",
        ],
        _ => &[
            "CREATE TRIGGER access_events_no_update BEFORE UPDATE ON access_events \
             BEGIN SELECT RAISE(ABORT, 'access_events is append-only'); END",
            "CREATE TRIGGER access_events_no_delete BEFORE DELETE ON access_events \
             BEGIN SELECT RAISE(ABORT, 'access_events is append-only'); END",
        ],
    };
    for statement in statements {
        connection.execute_unprepared(statement).await?;
    }
    Ok(())
}
