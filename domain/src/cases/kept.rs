//! What is kept about a person in cases, for the copy that is given to them.

use nazorg_entities::{AssignmentId, CaseId, Instant, NoteId, PersonId};

use super::{Case, rows};
use crate::{Context, error::Result};

/// The cases about a person, with what stands in them.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptAbout {
    /// The cases; those that were pseudonymised are about nobody any more.
    pub cases: Vec<Case>,
    /// Who filled which role in them, ever.
    pub assignments: Vec<WasAssigned>,
    /// What was written in them.
    pub notes: Vec<KeptNote>,
}

/// Who filled a protocol's role in a case, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WasAssigned {
    /// Its id.
    pub id: AssignmentId,
    /// In which case.
    pub case_id: CaseId,
    /// The protocol's role.
    pub role: String,
    /// Who.
    pub person_id: PersonId,
    /// Since when.
    pub assigned_at: Instant,
    /// Until when.
    pub ended_at: Option<Instant>,
}

/// A note as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptNote {
    /// Its id.
    pub id: NoteId,
    /// In which case.
    pub case_id: CaseId,
    /// Who wrote it, where that is known.
    pub author_id: Option<PersonId>,
    /// What it says; absent once the case's key is destroyed.
    pub text: Option<String>,
    /// When.
    pub created_at: Instant,
}

/// What is kept about a person in cases, at most so much of each kind; five queries, and one to the key store.
pub(crate) async fn kept_about(cx: &Context<'_>, person: PersonId, limit: u64) -> Result<KeptAbout> {
    Ok(KeptAbout {
        cases: rows::kept::cases(cx, person, limit).await?,
        assignments: rows::kept::assignments(cx, person, limit).await?,
        notes: rows::kept::notes(cx, person, limit).await?,
    })
}
