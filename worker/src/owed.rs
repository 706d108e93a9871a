//! Temporary names.
use uuid::Uuid;

/// .
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// .
    FollowUp,
    /// .
    Message,
}
impl JobKind {
    /// .
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FollowUp => "follow_up",
            Self::Message => "message",
        }
    }
    /// .
    pub fn parse(s: &str) -> Option<Self> {
        match s {
            "follow_up" => Some(Self::FollowUp),
            "message" => Some(Self::Message),
            _ => None,
        }
    }
}
/// .
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// .
    pub id: Uuid,
    /// .
    pub version: i32,
}
/// .
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeasedBatch {
    /// .
    pub kind: JobKind,
    /// .
    pub leases: Vec<Lease>,
}
