//! The domain's closed sets as published: mirrored one to one, so that a new word is a compile error here.

use nazorg_domain::{entities, policy};
use poem_openapi::Enum;

/// An access role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "Role", rename_all = "snake_case", remote = "entities::Role")]
pub(crate) enum RoleView {
    /// Settings, keys, protocols and staff; no case content.
    Admin,
    /// Everything about people and cases.
    Coordinator,
    /// What is their own: the cases and follow-ups they are to do.
    Supporter,
    /// That support was offered in their units, and nothing else.
    LineManager,
    /// Reports incidents, and sees what it reported.
    Reporter,
    /// Counts only.
    Quality,
    /// A case system, acting on behalf of a user it names.
    Integration,
}

/// What a key may touch at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename = "Scope", rename_all = "snake_case", remote = "policy::Scope")]
pub(crate) enum ScopeView {
    /// Settings, keys, protocols, staff.
    Settings,
    /// Persons, contact points, relations, consents: reading.
    PeopleRead,
    /// Persons, contact points, relations, consents: writing.
    PeopleWrite,
    /// Incidents.
    Incidents,
    /// Cases, trajectories, follow-ups, messages: reading.
    CasesRead,
    /// Cases, trajectories, follow-ups, messages: writing.
    CasesWrite,
    /// The feed, the ledger, the audit log.
    Oversight,
    /// What comes back of text messages: receipts and replies. All that a gateway's adapter needs.
    TextMessages,
}

/// A case's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "CaseStatus", rename_all = "snake_case", remote = "entities::CaseStatus")]
pub(crate) enum CaseStatusView {
    /// Support is going on.
    Open,
    /// Support is over; aftercare may still come.
    Closed,
}

/// Why a case is closed by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "ClosedReason", rename_all = "snake_case", remote = "entities::ClosedReason")]
pub(crate) enum ClosedReasonView {
    Completed,
    GoalsMet,
    EnoughForNow,
    Declined,
    OtherSupport,
    ReferredArrived,
    TransferredAccepted,
    ContactLost,
    Moved,
    MovedAbroad,
    LeftService,
    CoachLeft,
    Deceased,
    Duplicate,
    OpenedInError,
}

/// A protocol version's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "ProtocolStatus", rename_all = "snake_case", remote = "entities::ProtocolStatus")]
pub(crate) enum ProtocolStatusView {
    /// Can be changed; nothing runs on it.
    Draft,
    /// Never changes; trajectories may start on it.
    Published,
    /// What runs on it goes on; nothing starts on it.
    Retired,
}

/// Over which way a person is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "Channel", rename_all = "snake_case", remote = "entities::ChannelKind")]
pub(crate) enum ChannelView {
    Email,
    Sms,
}

/// Whether a contact point is safe and private, as the person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "Safe", rename_all = "snake_case", remote = "entities::Safe")]
pub(crate) enum SafeView {
    Yes,
    No,
    Unknown,
}

/// What may be left on a voicemail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "Voicemail", rename_all = "snake_case", remote = "entities::Voicemail")]
pub(crate) enum VoicemailView {
    /// Nothing.
    No,
    /// That somebody called, and no more.
    Vague,
    /// Who called.
    Full,
}

/// Who takes the initiative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "ContactMode", rename_all = "snake_case", remote = "entities::ContactMode")]
pub(crate) enum ContactModeView {
    WeContact,
    PersonContactsUs,
    ViaThirdParty,
}

/// Whether support was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "SupportOffered", rename_all = "snake_case", remote = "entities::SupportOffered")]
pub(crate) enum SupportOfferedView {
    Yes,
    No,
    Unknown,
}

/// A repeated query key, as the domain wants it.
pub(crate) fn many<T, D>(given: Option<Vec<T>>, convert: impl Fn(T) -> D) -> Vec<D> {
    given.unwrap_or_default().into_iter().map(convert).collect()
}
