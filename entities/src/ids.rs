//! One type per kind of id, so that a case's id cannot be passed where a person's is meant.

use std::{fmt, str::FromStr};

use sea_orm::{DbErr, DeriveValueType, TryFromU64};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, DeriveValueType)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                Err(DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    )*};
}

typed_ids! {
    OrganisationId,
    UnitId,
    /// An API key: the client that calls.
    ApiKeyId,
    PersonId,
    ContactPointId,
    RelationId,
    ConsentId,
    MembershipId,
    RosterEntryId,
    AbsenceId,
    IncidentId,
    InvolvementId,
    CaseId,
    AssignmentId,
    NoteId,
    ProtocolId,
    TrajectoryId,
    FollowUpId,
    MessageId,
    EventId,
    AccessEventId,
    JobId,
    /// A wrapped data key in the key store.
    DataKeyId,
}
