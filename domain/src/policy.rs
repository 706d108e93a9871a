//! The one page that says who may do what (DESIGN section 7). Lists, gets, searches, the feed and every write ask it.

use nazorg_entities::Role;
use serde::{Deserialize, Serialize};

/// What someone wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// See the organisation, its units and calendars.
    ReadOrganisation,
    /// Change them.
    ManageOrganisation,
    /// See, make and revoke API keys.
    ManageKeys,
    /// See protocols.
    ReadProtocols,
    /// Upload, copy, publish and retire protocols.
    ManageProtocols,
    /// See memberships, rosters and absences.
    ReadStaff,
    /// Change them.
    ManageStaff,
    /// Register a person.
    CreatePerson,
    /// See a person, their contact points, relations and consents.
    ReadPeople,
    /// Change them.
    WritePeople,
    /// Report an incident and who was involved.
    ReportIncident,
    /// See incidents.
    ReadIncidents,
    /// Change an incident, or record that support was offered.
    WriteIncidents,
    /// See that support was offered, and nothing else.
    ReadSupportOffered,
    /// Open a case or start a trajectory.
    OpenCases,
    /// See cases, trajectories and notes.
    ReadCases,
    /// Change, assign, close and reopen cases, set anchors.
    WriteCases,
    /// Hold a case, see what will be forgotten when, restrict or erase a person.
    ManageRetention,
    /// Export everything kept about a person.
    ExportPeople,
    /// Write a note.
    WriteNotes,
    /// See follow-ups.
    ReadFollowUps,
    /// Complete a follow-up, or reschedule it within its window.
    CompleteFollowUps,
    /// Reassign or call off a follow-up.
    ManageFollowUps,
    /// See messages.
    ReadMessages,
    /// Say that a message was seen.
    AcknowledgeMessages,
    /// Pass on what comes back of text messages: receipts and replies.
    RelayTexts,
    /// Follow the feed.
    ReadFeed,
    /// See the ledger.
    ReadLedger,
    /// See who saw what.
    ReadAudit,
    /// See work that was given up, and have it done anew.
    ManageJobs,
}

/// How far an action reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everything of the organisation.
    All,
    /// What is one's own: a supporter's assignments, a reporter's reports, a line manager's units.
    Own,
}

/// What an API key may touch at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Settings, keys, protocols, staff.
    #[serde(rename = "settings")]
    Settings,
    /// Persons, contact points, relations, consents: reading.
    #[serde(rename = "people_read")]
    PeopleRead,
    /// Persons, contact points, relations, consents: writing.
    #[serde(rename = "people_write")]
    PeopleWrite,
    /// Incidents.
    #[serde(rename = "incidents")]
    Incidents,
    /// Cases, trajectories, follow-ups, messages: reading.
    #[serde(rename = "cases_read")]
    CasesRead,
    /// Cases, trajectories, follow-ups, messages: writing.
    #[serde(rename = "cases_write")]
    CasesWrite,
    /// The feed, the ledger, the audit log.
    #[serde(rename = "oversight")]
    Oversight,
    /// What comes back of text messages: receipts and replies. All that a gateway's adapter needs, on the edge of the internet.
    #[serde(rename = "text_messages")]
    TextMessages,
}

impl Scope {
    /// All scopes.
    pub const ALL: &'static [Self] = &[
        Self::Settings,
        Self::PeopleRead,
        Self::PeopleWrite,
        Self::Incidents,
        Self::CasesRead,
        Self::CasesWrite,
        Self::Oversight,
        Self::TextMessages,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::PeopleRead => "people_read",
            Self::PeopleWrite => "people_write",
            Self::Incidents => "incidents",
            Self::CasesRead => "cases_read",
            Self::CasesWrite => "cases_write",
            Self::Oversight => "oversight",
            Self::TextMessages => "text_messages",
        }
    }

    /// The scope behind a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == word)
    }
}

impl Action {
    /// The scope a key needs for it.
    #[must_use]
    pub const fn scope(self) -> Scope {
        use Action as A;
        match self {
            A::ReadOrganisation
            | A::ManageOrganisation
            | A::ManageKeys
            | A::ReadProtocols
            | A::ManageProtocols
            | A::ReadStaff
            | A::ManageStaff => Scope::Settings,
            A::ReadPeople | A::ExportPeople => Scope::PeopleRead,
            A::CreatePerson | A::WritePeople => Scope::PeopleWrite,
            A::ReportIncident | A::ReadIncidents | A::WriteIncidents | A::ReadSupportOffered => Scope::Incidents,
            A::ReadCases | A::ReadFollowUps | A::ReadMessages => Scope::CasesRead,
            A::OpenCases
            | A::WriteCases
            | A::ManageRetention
            | A::WriteNotes
            | A::CompleteFollowUps
            | A::ManageFollowUps
            | A::AcknowledgeMessages => Scope::CasesWrite,
            A::RelayTexts => Scope::TextMessages,
            A::ReadFeed | A::ReadLedger | A::ReadAudit | A::ManageJobs => Scope::Oversight,
        }
    }

    /// Whether an integration must name the responsible user for it (API section 6).
    #[must_use]
    pub const fn touches_people(self) -> bool {
        !matches!(
            self,
            Self::ReadOrganisation
                | Self::ManageOrganisation
                | Self::ManageKeys
                | Self::ReadProtocols
                | Self::ManageProtocols
                | Self::ReadFeed
                | Self::ReadLedger
                | Self::ManageJobs
                // A gateway's adapter acts for nobody, and is told nothing about anybody.
                | Self::RelayTexts
        )
    }
}

/// What the link in a message to staff reaches: what the recipient was told of and does themselves, whatever else they may.
#[must_use]
pub const fn by_link(action: Action) -> Option<Reach> {
    use Action as A;
    match action {
        A::ReadMessages | A::AcknowledgeMessages | A::ReadFollowUps | A::CompleteFollowUps => Some(Reach::Own),
        _ => None,
    }
}

/// The table: how far `role` reaches with `action`, or not at all.
#[must_use]
pub const fn reach(role: Role, action: Action) -> Option<Reach> {
    use Action as A;
    match (role, action) {
        (Role::Admin, A::ReadOrganisation | A::ManageOrganisation | A::ManageKeys) => Some(Reach::All),
        (Role::Admin, A::ReadProtocols | A::ManageProtocols | A::ReadStaff | A::ManageStaff) => Some(Reach::All),
        // Ids and codes, nobody's data: whoever runs the installation sees to what failed.
        (Role::Admin, A::ManageJobs) => Some(Reach::All),
        (Role::Admin, _) => None,

        (Role::Coordinator, A::ManageOrganisation | A::ManageKeys | A::ManageProtocols) => None,
        (Role::Coordinator, _) => Some(Reach::All),

        (Role::Supporter, A::ReadOrganisation | A::ReadProtocols) => Some(Reach::All),
        (
            Role::Supporter,
            A::ReadPeople
            | A::ReadCases
            | A::WriteNotes
            | A::ReadFollowUps
            | A::CompleteFollowUps
            | A::ReadMessages
            | A::AcknowledgeMessages
            | A::ReadFeed,
        ) => Some(Reach::Own),
        (Role::Supporter, _) => None,

        (Role::LineManager, A::ReadSupportOffered) => Some(Reach::Own),
        (Role::LineManager, _) => None,

        (Role::Reporter, A::ReadOrganisation | A::CreatePerson | A::ReportIncident) => Some(Reach::All),
        (Role::Reporter, A::ReadIncidents | A::WriteIncidents | A::ReadFeed) => Some(Reach::Own),
        (Role::Reporter, _) => None,

        // Counts come with the reporting that suppresses small cells; until then there is nothing to see.
        (Role::Quality, _) => None,

        // Without a user, what concerns nobody; with one, the user's own role is asked instead.
        (Role::Integration, A::ReadOrganisation | A::ReadProtocols | A::ReadLedger) => Some(Reach::All),
        (Role::Integration, A::RelayTexts) => Some(Reach::All),
        (Role::Integration, _) => None,
    }
}
