//! What is left of what was forgotten, and what still has to go.

table! {
    /// Counts without anybody in them (DOMAIN 7.2, profile `tally`): how many of what ended how, per month, unit and programme. The
    /// unit is the nil id and the words are empty where only the number is kept.
    tallies = "tallies" {
        #[sea_orm(primary_key, auto_increment = false)]
        organisation_id: OrganisationId,
        #[sea_orm(primary_key, auto_increment = false)]
        month: String,
        #[sea_orm(primary_key, auto_increment = false)]
        unit_id: UnitId,
        #[sea_orm(primary_key, auto_increment = false)]
        protocol: String,
        #[sea_orm(primary_key, auto_increment = false)]
        subject: TallySubject,
        #[sea_orm(primary_key, auto_increment = false)]
        status: String,
        #[sea_orm(primary_key, auto_increment = false)]
        reason: String,
        count: i32,
    }
}
table! {
    /// What is left of a case or person whose rows are gone: a key to destroy, events to drop. The row goes last.
    remains = "remains" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: Uuid,
        organisation_id: OrganisationId,
        kind: RemainsKind,
        key_id: Option<DataKeyId>,
        created_at: Instant,
    }
}
