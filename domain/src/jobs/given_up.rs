//! Work that failed for good: seen, and begun anew once what made it fail is gone.

use nazorg_entities::{AccessAction, Instant, JobId, JobKind, jobs};
use uuid::Uuid;

use super::rows;
use crate::{
    Context,
    audit::{self, Access},
    error::{Error, Result, ViolationCode},
    events::{self, Event, Kind},
    policy::Action,
};

/// Work that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// Which.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// To which follow-up, message, incident or case.
    pub subject: Uuid,
    /// When it was to be done.
    pub due_at: Instant,
    /// How often it was tried.
    pub attempts: i32,
    /// Why the last try failed: a code.
    pub error: Option<String>,
    /// Since when it waits for a human.
    pub given_up_at: Instant,
}

/// What was given up, the oldest first.
pub async fn list(cx: &Context<'_>, after: Option<Uuid>, limit: u64) -> Result<Vec<GivenUp>> {
    cx.may(Action::ManageJobs)?;
    Ok(rows::given_up(cx, after, limit).await?.into_iter().filter_map(GivenUp::from_row).collect())
}

/// Owes it again at once, as if it had never been tried; answers what it was.
pub async fn repeat(cx: &Context<'_>, id: JobId) -> Result<GivenUp> {
    cx.may(Action::ManageJobs)?;
    let tx = cx.begin().await?;
    let found = GivenUp::from_row(rows::one(&**tx, cx, id).await?);
    let (Some(job), true) = (found, rows::begin_anew(&tx, id).await?) else {
        let detail = "It was not given up, or somebody repeated it already.";
        return Err(Error::violation(ViolationCode::JobNotGivenUp, detail));
    };
    tx.owes_now();
    events::record(&tx, cx, [Event::new(Kind::JobRepeated, id.0)]);
    let access = Access::new(AccessAction::Execute, "job.repeated", "job", id.0);
    audit::record(&**tx, cx, &[access]).await?;
    tx.commit().await?;
    Ok(job)
}

impl GivenUp {
    fn from_row(row: jobs::Model) -> Option<Self> {
        let jobs::Model {
            id,
            organisation_id: _,
            kind,
            subject,
            due_at,
            version: _,
            lease_until: _,
            retry_at: _,
            attempts,
            last_error: error,
            given_up_at,
        } = row;
        Some(Self { id, kind, subject, due_at, attempts, error, given_up_at: given_up_at? })
    }
}
