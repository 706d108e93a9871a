//! The closed sets. A vocabulary that grows per organisation is data, not one of these.

use std::{fmt, str::FromStr};

use sea_orm::{DeriveActiveEnum, EnumIter, Iterable};
use serde::{Deserialize, Serialize};

/// A word that is not in its set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWord;

macro_rules! closed_set {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:tt,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
        #[sea_orm(rs_type = "String", db_type = "Text")]
        pub enum $name { $($(#[$vdoc])* #[sea_orm(string_value = $word)] #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// The word in the database and on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// All words of the set, in order.
            pub fn all() -> impl Iterator<Item = Self> {
                Self::iter()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word { $($word => Ok(Self::$variant),)* _ => Err(UnknownWord) }
            }
        }
    )*};
}

closed_set! {
    /// Access roles (DESIGN section 7). A protocol's roles are none of these.
    Role {
        Admin = "admin",
        Coordinator = "coordinator",
        Supporter = "supporter",
        LineManager = "line_manager",
        Reporter = "reporter",
        Quality = "quality",
        Integration = "integration",
    }
    /// Over which way a person is reached.
    ChannelKind { Email = "email", Sms = "sms", }
    /// Whether a contact point is safe to use (DOMAIN 7.5).
    Safe { Yes = "yes", No = "no", Unknown = "unknown", }
    /// What may be left on a voicemail (DOMAIN 7.5).
    Voicemail { No = "no", Vague = "vague", Full = "full", }
    /// Who takes the initiative (DOMAIN 7.5).
    ContactMode { WeContact = "we_contact", PersonContactsUs = "person_contacts_us", ViaThirdParty = "via_third_party", }
    /// Whether support was offered to someone involved (DOMAIN 3.2).
    SupportOffered { Yes = "yes", No = "no", Unknown = "unknown", }
    /// A case's state.
    CaseStatus { Open = "open", Closed = "closed", }
    /// Why a case or trajectory closed (DOMAIN 9.7, 12.4).
    ClosedReason {
        Completed = "completed",
        GoalsMet = "goals_met",
        EnoughForNow = "enough_for_now",
        Declined = "declined",
        OtherSupport = "other_support",
        ReferredArrived = "referred_arrived",
        TransferredAccepted = "transferred_accepted",
        ContactLost = "contact_lost",
        Moved = "moved",
        MovedAbroad = "moved_abroad",
        LeftService = "left_service",
        CoachLeft = "coach_left",
        Deceased = "deceased",
        Duplicate = "duplicate",
        OpenedInError = "opened_in_error",
    }
    /// A protocol version's state.
    ProtocolStatus { Draft = "draft", Published = "published", Retired = "retired", }
    /// A trajectory's state.
    TrajectoryStatus { Active = "active", Closed = "closed", }
    /// For whom a message is: staff at least once, persons and family at most once (DESIGN section 5).
    Audience { Staff = "staff", Person = "person", Family = "family", }
    /// The ledger's buckets of messages (DESIGN section 6).
    MessageStatus {
        Pending = "pending",
        Sending = "sending",
        Sent = "sent",
        Suppressed = "suppressed",
        Merged = "merged",
        Expired = "expired",
        Cancelled = "cancelled",
        Failed = "failed",
        Unknown = "unknown",
    }
    /// What a job does when its moment comes.
    JobKind {
        FollowUp = "follow_up",
        Message = "message",
        /// The link between an incident and its support is to be cut.
        IncidentLink = "incident_link",
        /// What a closed case's protocol says is done with it in the end.
        CaseRetention = "case_retention",
        /// A key is to be destroyed, and events dropped.
        Remains = "remains",
    }
    /// What a tally counts.
    TallySubject { Case = "case", FollowUp = "follow_up", Message = "message", }
    /// What is left when the rows are gone: of a case its key and its events, otherwise a key alone.
    RemainsKind { Case = "case", Key = "key", }
    /// What was done, as in NEN 7513 (DOMAIN 7.4).
    AccessAction { Create = "C", Read = "R", Update = "U", Delete = "D", Execute = "E", }
    /// How an access ended.
    AccessOutcome { Success = "success", Refused = "refused", }
}
