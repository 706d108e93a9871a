//! The one error of the domain. Two texts per failure: one for the caller, one for the log.

use std::{borrow::Cow, time::Duration};

use sea_orm::{DbErr, RuntimeErr};

/// What a verb answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a verb did not happen. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there, or the caller may not know that it is.
    #[error("not found")]
    NotFound,
    /// The caller may know of it, but not do this.
    #[error("forbidden")]
    Forbidden,
    /// The integration must name the responsible user (API section 6).
    #[error("a responsible user must be named")]
    OnBehalfOfRequired,
    /// Input that cannot be; every error of it together.
    #[error("invalid input")]
    Invalid(Vec<FieldError>),
    /// A rule says no.
    #[error("{}", .0.detail)]
    Violation(Violation),
    /// The row has changed since the caller saw it.
    #[error("stale")]
    Stale,
    /// The same idempotency key came with another body.
    #[error("idempotency key reused with another body")]
    KeyReused,
    /// Something we stand on is away; trying again later is right.
    #[error("unavailable: {log}")]
    Unavailable {
        /// When to come back.
        retry_after: Duration,
        /// For the log only.
        log: String,
    },
    /// Our fault; the text is for the log only.
    #[error("internal: {0}")]
    Internal(String),
}

/// Where in a request an error stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The body; the pointer is a JSON pointer.
    Body,
    /// A query key.
    Query,
    /// A path segment.
    Path,
    /// A header.
    Header,
}

/// One thing that is wrong with the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Where it stands.
    pub place: Place,
    /// Which field.
    pub pointer: String,
    /// Stable code.
    pub code: Cow<'static, str>,
    /// For a human; holds nothing the caller did not send as structure.
    pub detail: String,
}

impl FieldError {
    /// An error in the body at a JSON pointer such as `/anchors/event_at`.
    pub fn body(pointer: impl Into<String>, code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self { place: Place::Body, pointer: pointer.into(), code: code.into(), detail: detail.into() }
    }
}

/// A rule that says no, with its stable code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Stable code.
    pub code: ViolationCode,
    /// For a human.
    pub detail: String,
}

macro_rules! violations {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $title:literal;)*) => {
        /// Every rule that can say no (409).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ViolationCode { $($(#[$doc])* $variant,)* }

        impl ViolationCode {
            /// All codes, for the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The fixed title of its problem page.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

violations! {
    /// Another object already bears this external reference.
    ExternalRefTaken = "external_ref_taken", "The external reference already belongs to another object";
    /// A key is revoked with another one, so that an organisation never locks itself out.
    OwnKey = "own_key", "A key cannot revoke itself";
    /// There is nothing to repeat.
    JobNotGivenUp = "job_not_given_up", "The work was not given up";
    /// The case is closed.
    CaseAlreadyClosed = "case_already_closed", "The case is already closed";
    /// The case is not closed.
    CaseNotClosed = "case_not_closed", "The case is not closed";
    /// The trajectory is closed.
    TrajectoryClosed = "trajectory_closed", "The trajectory is closed";
    /// The record profile allows no notes (DOMAIN 7.2).
    RecordProfileForbidsNotes = "record_profile_forbids_notes", "The record profile allows no notes";
    /// The protocol's record profile is not the case's.
    RecordProfileDiffers = "record_profile_differs", "The protocol has another record profile than the case";
    /// The protocol is about someone close and the case is not, or the other way around.
    SubjectDiffers = "subject_differs", "The protocol is about someone else than the case";
    /// The protocol has no such parameter.
    UnknownParam = "unknown_param", "The protocol has no such parameter";
    /// The value lies outside the protocol's bounds.
    ParamOutOfBounds = "param_out_of_bounds", "The value lies outside the protocol's bounds";
    /// Before the window opens.
    TooEarly = "too_early", "It is too early";
    /// The follow-up is final.
    AlreadyFinal = "already_final", "The follow-up is already final";
    /// The follow-up waits for something.
    NotYetPlanned = "not_yet_planned", "The follow-up still waits for something";
    /// The outcome is not one of the step's.
    UnknownOutcome = "unknown_outcome", "The step has no such outcome";
    /// The protocol has no such anchor, or may not have it twice.
    UnknownAnchor = "unknown_anchor", "The protocol has no such anchor";
    /// The moment lies outside the window.
    OutsideWindow = "outside_window", "The moment lies outside the window";
    /// The engine refuses for another reason, given in the detail.
    NotAllowedNow = "not_allowed_now", "The protocol does not allow this now";
    /// Consent is missing.
    ConsentMissing = "consent_missing", "Consent is missing";
    /// The consent is revoked already.
    ConsentAlreadyRevoked = "consent_already_revoked", "The consent is already revoked";
    /// The protocol version is not a draft.
    ProtocolNotDraft = "protocol_not_draft", "The protocol version is not a draft";
    /// The protocol version is not published.
    ProtocolNotPublished = "protocol_not_published", "The protocol version is not published";
    /// The person is already involved in the incident.
    AlreadyInvolved = "already_involved", "The person is already involved in this incident";
    /// It has ended.
    AlreadyEnded = "already_ended", "It has already ended";
    /// The key is revoked.
    KeyRevoked = "key_revoked", "The key is revoked";
    /// A person cannot be related to themselves, nor cover for themselves.
    SamePerson = "same_person", "Both are the same person";
    /// A unit cannot hang below itself.
    UnitCycle = "unit_cycle", "The unit would hang below itself";
    /// The case has a supporter for this involvement already.
    InvolvementHasCase = "involvement_has_case", "The involvement already has a case";
    /// A legal hold stops it already.
    CaseHeld = "case_held", "The case is under legal hold";
    /// No legal hold stops it.
    CaseNotHeld = "case_not_held", "The case is not under legal hold";
    /// The record was pseudonymised; it is about nobody any more.
    CaseForgotten = "case_forgotten", "The case was pseudonymised";
    /// Something open, held or to be kept by law needs the person (DOMAIN 7.1).
    PersonNeeded = "person_needed", "The person cannot be erased now";
    /// The person was erased.
    PersonErased = "person_erased", "The person was erased";
    /// More is kept about the person than one copy holds.
    ExportTooLarge = "export_too_large", "More is kept about the person than one export holds";
    /// What is kept about the person may only be kept (GDPR article 18).
    PersonRestricted = "person_restricted", "The processing of the person's data is restricted";
    /// It is not restricted.
    PersonNotRestricted = "person_not_restricted", "The processing of the person's data is not restricted";
    /// The incident and its support are no longer linked (DESIGN section 4).
    LinkCut = "link_cut", "The incident can no longer be linked with support";
    /// The message is not one that was sent.
    MessageNotSent = "message_not_sent", "The message was not sent";
    /// It is known to have arrived.
    DeliveryContradicted = "delivery_contradicted", "The message was reported as delivered before";
    /// A request with this idempotency key is still running.
    IdempotencyInProgress = "idempotency_in_progress", "A request with this key is still running";
}

impl Error {
    /// A rule's no.
    pub fn violation(code: ViolationCode, detail: impl Into<String>) -> Self {
        Self::Violation(Violation { code, detail: detail.into() })
    }

    /// One error in the body.
    pub fn field(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::body(pointer, code, detail)])
    }

    /// One error in a query key.
    pub fn key(name: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        let (pointer, detail) = (name.into(), detail.into());
        Self::Invalid(vec![FieldError { place: Place::Query, pointer, code: code.into(), detail }])
    }

    /// Our own fault, told to the log.
    pub fn internal(log: impl std::fmt::Display) -> Self {
        Self::Internal(log.to_string())
    }

    /// Something we stand on is away.
    pub fn unavailable(log: impl std::fmt::Display) -> Self {
        Self::Unavailable { retry_after: Duration::from_secs(2), log: log.to_string() }
    }
}

/// PostgreSQL: connection trouble, shutdown, too many connections, out of disk, serialisation, deadlock, time-out.
const PASSING_STATES: &[&str] = &["08", "57P", "53", "40001", "40P01", "55P03", "57014", "58030"];

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if passes(&error) { Self::unavailable(error) } else { Self::internal(error) }
    }
}

/// Whether the database may well answer in a moment.
fn passes(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(inner)) | DbErr::Query(RuntimeErr::SqlxError(inner)) => {
            let Some(database) = inner.as_database_error() else {
                return !matches!(
                    &**inner,
                    sea_orm::SqlxError::RowNotFound
                        | sea_orm::SqlxError::ColumnDecode { .. }
                        | sea_orm::SqlxError::ColumnNotFound(_)
                        | sea_orm::SqlxError::Decode(_)
                        | sea_orm::SqlxError::Encode(_)
                );
            };
            let code = database.code().unwrap_or_default();
            PASSING_STATES.iter().any(|state| code.starts_with(state)) || sqlite_passes(&code)
        }
        _ => false,
    }
}

/// SQLite: busy (5), locked (6), out of memory (7), I/O (10), full (13), cannot open (14); extended codes end in them.
fn sqlite_passes(code: &str) -> bool {
    code.len() <= 4 && code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 7 | 10 | 13 | 14))
}
