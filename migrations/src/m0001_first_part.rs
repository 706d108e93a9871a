//! The first part of the domain: organisations, people, incidents, cases, trajectories, follow-ups, and the engine.

use sea_orm_migration::prelude::*;

use crate::{
    columns::{Table, index},
    m0001_records as records,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        organisations(manager).await?;
        people(manager).await?;
        staff(manager).await?;
        incidents(manager).await?;
        cases(manager).await?;
        trajectories(manager).await?;
        engine(manager).await?;
        records::create(manager).await
    }
}

async fn organisations(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Table::new("organisations")
        .key("id")
        .uuid("key_id")
        .text("name")
        .text("zone")
        .json("calendar")
        .instant("created_at")
        .int("version")
        .create(manager)
        .await?;
    Table::owned("units")
        .uuid_or_none("parent_id")
        .text("name")
        .text("kind")
        .json_or_none("calendar")
        .instant_or_none("ended_at")
        .instant("created_at")
        .int("version")
        .refers("organisation_id", "organisations")
        .refers("parent_id", "units")
        .create(manager)
        .await?;
    Table::owned("api_keys")
        .text("name")
        .text("role")
        .json("scopes")
        .uuid_or_none("person_id")
        .bytes("secret_hash")
        .text("hint")
        .instant_or_none("expires_at")
        .instant_or_none("revoked_at")
        .instant("created_at")
        .int("version")
        .refers("organisation_id", "organisations")
        .create(manager)
        .await?;
    manager.create_index(index("units", &["organisation_id", "id"])).await?;
    manager.create_index(index("api_keys", &["organisation_id", "id"])).await?;
    manager.create_index(index("api_keys", &["secret_hash"]).unique().to_owned()).await
}

async fn people(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Table::owned("persons")
        .uuid("key_id")
        .bytes("name_enc")
        .bytes("name_index")
        .text("language")
        .text_or_none("zone")
        .text_or_none("profession")
        .instant_or_none("do_not_contact_at")
        .instant_or_none("deceased_at")
        .instant("created_at")
        .int("version")
        .refers("organisation_id", "organisations")
        .create(manager)
        .await?;
    Table::owned("contact_points")
        .uuid("person_id")
        .text("channel")
        .bytes("address_enc")
        .bytes("address_index")
        .text("safe")
        .instant_or_none("verified_at")
        .instant_or_none("expires_at")
        .text_or_none("allowed_from")
        .text_or_none("allowed_until")
        .text("voicemail")
        .text("contact_mode")
        .int("preference")
        .instant_or_none("ended_at")
        .instant("created_at")
        .int("version")
        .refers("person_id", "persons")
        .create(manager)
        .await?;
    Table::owned("relations")
        .uuid("person_id")
        .uuid("other_person_id")
        .text("kind")
        .instant("started_at")
        .instant_or_none("ended_at")
        .int("version")
        .refers("person_id", "persons")
        .refers("other_person_id", "persons")
        .create(manager)
        .await?;
    Table::owned("consents")
        .uuid("person_id")
        .text("purpose")
        .uuid_or_none("recipient_person_id")
        .text_or_none("recipient")
        .json("items")
        .text("legal_basis")
        .text("given_by")
        .instant("valid_from")
        .instant_or_none("valid_until")
        .instant_or_none("revoked_at")
        .instant("created_at")
        .int("version")
        .refers("person_id", "persons")
        .create(manager)
        .await?;
    Table::owned("external_refs")
        .text("subject_kind")
        .uuid("subject_id")
        .text("system")
        .bytes("value_enc")
        .bytes("value_index")
        .create(manager)
        .await?;
    for wanted in [
        index("persons", &["organisation_id", "name_index"]),
        index("persons", &["organisation_id", "id"]),
        index("contact_points", &["organisation_id", "address_index"]),
        index("contact_points", &["person_id", "channel"]),
        index("relations", &["organisation_id", "person_id"]),
        index("relations", &["organisation_id", "other_person_id"]),
        index("consents", &["person_id", "purpose"]),
        index("external_refs", &["organisation_id", "subject_kind", "system", "value_index"]).unique().to_owned(),
        index("external_refs", &["organisation_id", "subject_id", "system"]).unique().to_owned(),
    ] {
        manager.create_index(wanted).await?;
    }
    Ok(())
}

async fn staff(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Table::owned("memberships")
        .uuid("person_id")
        .text("role")
        .uuid_or_none("unit_id")
        .instant("started_at")
        .instant_or_none("ended_at")
        .int("version")
        .refers("person_id", "persons")
        .refers("unit_id", "units")
        .create(manager)
        .await?;
    Table::owned("roster_entries")
        .uuid_or_none("unit_id")
        .text("role")
        .uuid("person_id")
        .int("position")
        .instant("started_at")
        .instant_or_none("ended_at")
        .int("version")
        .refers("person_id", "persons")
        .refers("unit_id", "units")
        .create(manager)
        .await?;
    Table::owned("absences")
        .uuid("person_id")
        .uuid_or_none("cover_person_id")
        .instant("from_at")
        .instant("until_at")
        .instant("created_at")
        .int("version")
        .refers("person_id", "persons")
        .refers("cover_person_id", "persons")
        .create(manager)
        .await?;
    for wanted in [
        index("memberships", &["organisation_id", "person_id"]),
        index("roster_entries", &["organisation_id", "role", "position"]),
        index("absences", &["organisation_id", "person_id"]),
    ] {
        manager.create_index(wanted).await?;
    }
    Ok(())
}

async fn incidents(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Table::owned("incidents")
        .uuid_or_none("unit_id")
        .text("event_class")
        .text_or_none("severity")
        .instant("event_at")
        .instant("reported_at")
        .uuid("reported_by")
        .instant("created_at")
        .int("version")
        .refers("organisation_id", "organisations")
        .refers("unit_id", "units")
        .create(manager)
        .await?;
    Table::owned("involvements")
        .uuid("incident_id")
        .uuid_or_none("person_id")
        .uuid_or_none("unit_id")
        .text_or_none("profession")
        .text("support_offered")
        .instant("created_at")
        .int("version")
        .refers("incident_id", "incidents")
        .refers("person_id", "persons")
        .refers("unit_id", "units")
        .create(manager)
        .await?;
    for wanted in [
        index("incidents", &["organisation_id", "reported_at"]),
        index("involvements", &["organisation_id", "incident_id"]),
        index("involvements", &["incident_id", "person_id"]).unique().to_owned(),
    ] {
        manager.create_index(wanted).await?;
    }
    Ok(())
}

async fn cases(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Table::owned("cases")
        .uuid_or_none("key_id")
        .text("number")
        .uuid("person_id")
        .uuid_or_none("unit_id")
        .text("record_profile")
        .text("status")
        .instant("opened_at")
        .instant_or_none("closed_at")
        .text_or_none("closed_reason")
        .instant_or_none("reopened_at")
        .int("version")
        .refers("person_id", "persons")
        .refers("unit_id", "units")
        .create(manager)
        .await?;
    Table::new("case_numbers")
        .uuid("organisation_id")
        .int("year")
        .int("next_number")
        .keys(&["organisation_id", "year"])
        .create(manager)
        .await?;
    Table::owned("support_links")
        .uuid("incident_id")
        .uuid("involvement_id")
        .uuid("case_id")
        .instant("created_at")
        .refers("incident_id", "incidents")
        .refers("involvement_id", "involvements")
        .refers("case_id", "cases")
        .create(manager)
        .await?;
    Table::owned("assignments")
        .uuid("case_id")
        .text("role")
        .uuid("person_id")
        .instant("assigned_at")
        .instant_or_none("ended_at")
        .refers("case_id", "cases")
        .refers("person_id", "persons")
        .create(manager)
        .await?;
    Table::owned("notes")
        .uuid("case_id")
        .uuid_or_none("author_id")
        .bytes("text_enc")
        .instant("created_at")
        .refers("case_id", "cases")
        .create(manager)
        .await?;
    for wanted in [
        index("cases", &["organisation_id", "number"]).unique().to_owned(),
        index("cases", &["organisation_id", "status", "opened_at"]),
        index("cases", &["organisation_id", "person_id"]),
        index("support_links", &["organisation_id", "incident_id"]),
        index("support_links", &["case_id"]).unique().to_owned(),
        index("support_links", &["involvement_id"]).unique().to_owned(),
        index("assignments", &["case_id", "role"]),
        index("assignments", &["organisation_id", "person_id"]),
        index("notes", &["case_id", "created_at"]),
    ] {
        manager.create_index(wanted).await?;
    }
    Ok(())
}

async fn trajectories(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Table::owned("protocols")
        .text("name")
        .int("number")
        .text("status")
        .text("kind")
        .text("record_profile")
        .text("text")
        .text_or_none("derived_from")
        .instant("created_at")
        .instant_or_none("published_at")
        .instant_or_none("retired_at")
        .int("version")
        .refers("organisation_id", "organisations")
        .create(manager)
        .await?;
    Table::owned("trajectories")
        .uuid("case_id")
        .uuid("protocol_id")
        .json("surroundings")
        .text("status")
        .instant("started_at")
        .instant("settled_until")
        .instant_or_none("closed_at")
        .text_or_none("closed_reason")
        .int("version")
        .refers("case_id", "cases")
        .refers("protocol_id", "protocols")
        .create(manager)
        .await?;
    // No foreign keys from here on: the ledger says what is missing, and says why (DESIGN section 6).
    Table::new("trajectory_inputs")
        .uuid("trajectory_id")
        .int("position")
        .uuid("organisation_id")
        .instant("at")
        .json("what")
        .keys(&["trajectory_id", "position"])
        .create(manager)
        .await?;
    Table::owned("follow_ups")
        .uuid("case_id")
        .uuid("trajectory_id")
        .uuid_or_none("unit_id")
        .text("key")
        .text("step")
        .uuid_or_none("anchor_id")
        .int("occurrence")
        .text("role")
        .text("action")
        .text("status")
        .instant_or_none("opens_at")
        .instant_or_none("due_at")
        .instant_or_none("closes_at")
        .instant_or_none("expires_at")
        .text_or_none("outcome")
        .text_or_none("reason")
        .instant_or_none("final_at")
        .uuid_or_none("assigned_person_id")
        .instant("created_at")
        .int("version")
        .create(manager)
        .await?;
    for wanted in [
        index("protocols", &["organisation_id", "name", "number"]).unique().to_owned(),
        index("trajectories", &["organisation_id", "status"]),
        index("trajectories", &["case_id"]),
        index("follow_ups", &["trajectory_id", "key"]).unique().to_owned(),
        index("follow_ups", &["organisation_id", "due_at", "id"]),
        index("follow_ups", &["organisation_id", "status", "due_at"]),
        index("follow_ups", &["case_id"]),
        index("follow_ups", &["organisation_id", "assigned_person_id", "due_at"]),
    ] {
        manager.create_index(wanted).await?;
    }
    Ok(())
}

async fn engine(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Table::owned("messages")
        .uuid("case_id")
        .uuid("trajectory_id")
        .uuid("follow_up_id")
        .text("rule")
        .int("nth")
        .text("to_role")
        .text("because")
        .text("audience")
        .text("template")
        .instant("planned_at")
        .text("status")
        .text_or_none("reason")
        .uuid_or_none("recipient_id")
        .text_or_none("channel")
        .uuid_or_none("contact_point_id")
        .uuid_or_none("merged_into")
        .text_or_none("provider_id")
        .instant_or_none("sent_at")
        .instant_or_none("acknowledged_at")
        .instant_or_none("final_at")
        .instant("created_at")
        .int("version")
        .create(manager)
        .await?;
    Table::owned("jobs")
        .text("kind")
        .uuid("subject")
        .instant("due_at")
        .int("version")
        .instant_or_none("lease_until")
        .instant_or_none("retry_at")
        .int("attempts")
        .text_or_none("last_error")
        .instant_or_none("given_up_at")
        .create(manager)
        .await?;
    for wanted in [
        index("messages", &["follow_up_id", "rule", "nth"]).unique().to_owned(),
        index("messages", &["organisation_id", "planned_at", "id"]),
        index("messages", &["trajectory_id"]),
        index("messages", &["recipient_id", "sent_at"]),
        index("jobs", &["kind", "subject"]).unique().to_owned(),
        index("jobs", &["due_at"]),
        index("jobs", &["organisation_id"]),
        index("jobs", &["lease_until"]),
    ] {
        manager.create_index(wanted).await?;
    }
    Ok(())
}
