//! The tables, in the order life uses them.

table! {
    /// A tenant. Its key encrypts what belongs to nobody in particular and blinds its indexes.
    organisations = "organisations" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: OrganisationId,
        key_id: DataKeyId,
        name: String,
        zone: String,
        calendar: Json,
        created_at: Instant,
        version: i32,
        restored_at: Option<Instant>,
    }
}
table! {
    /// A department, station or reception location.
    units = "units" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: UnitId,
        organisation_id: OrganisationId,
        parent_id: Option<UnitId>,
        name: String,
        kind: String,
        calendar: Option<Json>,
        ended_at: Option<Instant>,
        created_at: Instant,
        version: i32,
    }
}
table! {
    /// A client's key, of which only a hash is kept.
    api_keys = "api_keys" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: ApiKeyId,
        organisation_id: OrganisationId,
        name: String,
        role: Role,
        scopes: Json,
        person_id: Option<PersonId>,
        secret_hash: Vec<u8>,
        hint: String,
        expires_at: Option<Instant>,
        revoked_at: Option<Instant>,
        created_at: Instant,
        version: i32,
    }
}
table! {
    /// Anyone: the only table that holds names.
    persons = "persons" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: PersonId,
        organisation_id: OrganisationId,
        key_id: DataKeyId,
        name_enc: Vec<u8>,
        name_index: Vec<u8>,
        language: String,
        zone: Option<String>,
        profession: Option<String>,
        do_not_contact_at: Option<Instant>,
        deceased_at: Option<Instant>,
        created_at: Instant,
        version: i32,
        erased_at: Option<Instant>,
        restricted_at: Option<Instant>,
    }
}
table! {
    /// A way to reach a person, with its safety (DOMAIN 7.5). Windows are local times of day, `HH:MM`.
    contact_points = "contact_points" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: ContactPointId,
        organisation_id: OrganisationId,
        person_id: PersonId,
        channel: ChannelKind,
        address_enc: Vec<u8>,
        address_index: Vec<u8>,
        safe: Safe,
        verified_at: Option<Instant>,
        expires_at: Option<Instant>,
        allowed_from: Option<String>,
        allowed_until: Option<String>,
        voicemail: Voicemail,
        contact_mode: ContactMode,
        preference: i32,
        ended_at: Option<Instant>,
        created_at: Instant,
        version: i32,
    }
}
table! {
    /// Who someone is to someone: `person_id` has `other_person_id` as its `kind` (line manager, close one, …).
    relations = "relations" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: RelationId,
        organisation_id: OrganisationId,
        person_id: PersonId,
        other_person_id: PersonId,
        kind: String,
        started_at: Instant,
        ended_at: Option<Instant>,
        version: i32,
    }
}
table! {
    /// Purpose × recipient × items × period, revocable.
    consents = "consents" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: ConsentId,
        organisation_id: OrganisationId,
        person_id: PersonId,
        purpose: String,
        recipient_person_id: Option<PersonId>,
        recipient: Option<String>,
        items: Json,
        legal_basis: String,
        given_by: String,
        valid_from: Instant,
        valid_until: Option<Instant>,
        revoked_at: Option<Instant>,
        created_at: Instant,
        version: i32,
    }
}
table! {
    /// A person's access role, in a unit or in the whole organisation.
    memberships = "memberships" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: MembershipId,
        organisation_id: OrganisationId,
        person_id: PersonId,
        role: Role,
        unit_id: Option<UnitId>,
        started_at: Instant,
        ended_at: Option<Instant>,
        version: i32,
    }
}
table! {
    /// Who stands in for a protocol's role in a unit (or the organisation), lowest `position` first.
    roster_entries = "roster_entries" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: RosterEntryId,
        organisation_id: OrganisationId,
        unit_id: Option<UnitId>,
        role: String,
        person_id: PersonId,
        position: i32,
        started_at: Instant,
        ended_at: Option<Instant>,
        version: i32,
    }
}
table! {
    /// A supporter or coordinator who is away, and who covers.
    absences = "absences" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: AbsenceId,
        organisation_id: OrganisationId,
        person_id: PersonId,
        cover_person_id: Option<PersonId>,
        from_at: Instant,
        until_at: Instant,
        created_at: Instant,
        version: i32,
    }
}
table! {
    /// What another system calls something of ours; the value is encrypted and looked up blind.
    external_refs = "external_refs" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: Uuid,
        organisation_id: OrganisationId,
        subject_kind: String,
        subject_id: Uuid,
        system: String,
        value_enc: Vec<u8>,
        value_index: Vec<u8>,
    }
}
table! {
    /// A critical event as the reporting system tells it; no clinical details.
    incidents = "incidents" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: IncidentId,
        organisation_id: OrganisationId,
        unit_id: Option<UnitId>,
        event_class: String,
        severity: Option<String>,
        event_at: Instant,
        reported_at: Instant,
        reported_by: ApiKeyId,
        created_at: Instant,
        version: i32,
        key_id: Option<DataKeyId>,
    }
}
table! {
    /// One person involved in one incident, and whether support was offered.
    involvements = "involvements" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: InvolvementId,
        organisation_id: OrganisationId,
        incident_id: IncidentId,
        person_id: Option<PersonId>,
        unit_id: Option<UnitId>,
        profession: Option<String>,
        support_offered: SupportOffered,
        created_at: Instant,
        version: i32,
    }
}
table! {
    /// The only place that holds an incident and a case together; cutting the link deletes the row (DESIGN section 4).
    support_links = "support_links" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: Uuid,
        organisation_id: OrganisationId,
        incident_id: IncidentId,
        involvement_id: InvolvementId,
        case_id: CaseId,
        created_at: Instant,
    }
}
table! {
    /// One stretch of support for one person.
    cases = "cases" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: CaseId,
        organisation_id: OrganisationId,
        key_id: Option<DataKeyId>,
        number: String,
        person_id: PersonId,
        relation_id: Option<RelationId>,
        unit_id: Option<UnitId>,
        record_profile: String,
        status: CaseStatus,
        opened_at: Instant,
        closed_at: Option<Instant>,
        closed_reason: Option<String>,
        reopened_at: Option<Instant>,
        version: i32,
        held_at: Option<Instant>,
        forgotten_at: Option<Instant>,
    }
}
table! {
    /// Case numbers per organisation and year, handed out one by one in the opening transaction.
    case_numbers = "case_numbers" {
        #[sea_orm(primary_key, auto_increment = false)]
        organisation_id: OrganisationId,
        #[sea_orm(primary_key, auto_increment = false)]
        year: i32,
        next_number: i32,
    }
}
table! {
    /// Who fills a protocol's role in a case.
    assignments = "assignments" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: AssignmentId,
        organisation_id: OrganisationId,
        case_id: CaseId,
        role: String,
        person_id: PersonId,
        assigned_at: Instant,
        ended_at: Option<Instant>,
    }
}
table! {
    /// A short note, where the record profile allows one.
    notes = "notes" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: NoteId,
        organisation_id: OrganisationId,
        case_id: CaseId,
        author_id: Option<PersonId>,
        text_enc: Vec<u8>,
        created_at: Instant,
    }
}
table! {
    /// A protocol version: immutable once published.
    protocols = "protocols" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: ProtocolId,
        organisation_id: OrganisationId,
        name: String,
        number: i32,
        status: ProtocolStatus,
        kind: String,
        record_profile: String,
        text: String,
        derived_from: Option<String>,
        created_at: Instant,
        published_at: Option<Instant>,
        retired_at: Option<Instant>,
        version: i32,
    }
}
table! {
    /// One protocol version running for one case. `surroundings` is the zone and calendar it started with.
    trajectories = "trajectories" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: TrajectoryId,
        organisation_id: OrganisationId,
        case_id: CaseId,
        protocol_id: ProtocolId,
        surroundings: Json,
        status: TrajectoryStatus,
        started_at: Instant,
        settled_until: Instant,
        closed_at: Option<Instant>,
        closed_reason: Option<String>,
        version: i32,
    }
}
table! {
    /// Everything that was ever said to a trajectory, in order: its rows are a projection of this log.
    trajectory_inputs = "trajectory_inputs" {
        #[sea_orm(primary_key, auto_increment = false)]
        trajectory_id: TrajectoryId,
        #[sea_orm(primary_key, auto_increment = false)]
        position: i32,
        organisation_id: OrganisationId,
        at: Instant,
        what: Json,
    }
}
table! {
    /// One promised contact or task.
    follow_ups = "follow_ups" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: FollowUpId,
        organisation_id: OrganisationId,
        case_id: CaseId,
        trajectory_id: TrajectoryId,
        unit_id: Option<UnitId>,
        key: String,
        step: String,
        anchor_id: Option<Uuid>,
        occurrence: i32,
        role: String,
        action: String,
        status: String,
        opens_at: Option<Instant>,
        due_at: Option<Instant>,
        closes_at: Option<Instant>,
        expires_at: Option<Instant>,
        outcome: Option<String>,
        reason: Option<String>,
        final_at: Option<Instant>,
        assigned_person_id: Option<PersonId>,
        created_at: Instant,
        version: i32,
    }
}
table! {
    /// One notification about one follow-up to one recipient over one channel.
    messages = "messages" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: MessageId,
        organisation_id: OrganisationId,
        case_id: CaseId,
        trajectory_id: TrajectoryId,
        follow_up_id: FollowUpId,
        rule: String,
        nth: i32,
        to_role: String,
        because: String,
        audience: Audience,
        template: String,
        planned_at: Instant,
        status: MessageStatus,
        reason: Option<String>,
        recipient_id: Option<PersonId>,
        channel: Option<ChannelKind>,
        contact_point_id: Option<ContactPointId>,
        merged_into: Option<MessageId>,
        provider_id: Option<String>,
        sent_at: Option<Instant>,
        delivered_at: Option<Instant>,
        acknowledged_at: Option<Instant>,
        replied_at: Option<Instant>,
        final_at: Option<Instant>,
        created_at: Instant,
        version: i32,
    }
}
table! {
    /// What is owed, when: one row per follow-up (its next moment) and per message (its next attempt). `lease_until` and `retry_at` are
    /// wall time: who has it in hand until when, and before when a failed one is left alone.
    jobs = "jobs" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: JobId,
        organisation_id: OrganisationId,
        kind: JobKind,
        subject: Uuid,
        due_at: Instant,
        version: i32,
        lease_until: Option<Instant>,
        retry_at: Option<Instant>,
        attempts: i32,
        last_error: Option<String>,
        given_up_at: Option<Instant>,
    }
}
table! {
    /// What happened, thin: ids and codes. `position` is given after the commit, by one job.
    events = "events" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: EventId,
        organisation_id: OrganisationId,
        position: Option<i64>,
        at: Instant,
        kind: String,
        subject_kind: String,
        subject_id: Uuid,
        case_id: Option<CaseId>,
        data: Json,
        trace_id: String,
    }
}
table! {
    /// Who saw or did what (NEN 7513, DOMAIN 7.4); append-only, without names.
    access_events = "access_events" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: AccessEventId,
        organisation_id: OrganisationId,
        at: Instant,
        action: AccessAction,
        event_code: String,
        outcome: AccessOutcome,
        client_id: Option<ApiKeyId>,
        actor_id: Option<PersonId>,
        responsible_id: Option<PersonId>,
        actor_role: String,
        purpose: String,
        person_id: Option<PersonId>,
        object_kind: String,
        object_id: Uuid,
        object_part: Option<String>,
        policy: String,
        consent_id: Option<ConsentId>,
        trace_id: String,
        request_id: Uuid,
    }
}
table! {
    /// An answer kept for a repeated request, 24 hours, encrypted under the raw key.
    idempotency_keys = "idempotency_keys" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: Uuid,
        organisation_id: OrganisationId,
        scope_hash: Vec<u8>,
        fingerprint: Vec<u8>,
        answer_enc: Option<Vec<u8>>,
        created_at: Instant,
        expires_at: Instant,
    }
}
table! {
    /// Wrapped data keys, in a store of their own that no data backup holds.
    data_keys = "data_keys" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: DataKeyId,
        organisation_id: OrganisationId,
        wrapped: Option<Vec<u8>>,
        master_key: String,
        created_at: Instant,
        destroyed_at: Option<Instant>,
    }
}
