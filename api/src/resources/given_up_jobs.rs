//! Work that failed for good and waits for a human.

use nazorg_domain::{
    entities::JobId,
    jobs::given_up::{self, GivenUp},
};
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use crate::{
    answers::{Page, Plain},
    ask::{Ask, OnceIfKeyed, Paging},
    once,
    problem::Answer,
    tags::Tag,
    types::Instant,
};

/// The operations on work that was given up.
pub(super) struct GivenUpJobs;

#[OpenApi(tag = "Tag::Oversight")]
impl GivenUpJobs {
    /// List what was given up
    ///
    /// What the worker was to do and could not, however often it tried. Each raised an alarm and keeps the ledger from
    /// balancing (`job_given_up`) until it is repeated.
    #[oai(path = "/given-up-jobs", method = "get", operation_id = "listGivenUpJobs")]
    async fn list(&self, ask: Ask<'_>, paging: Paging) -> Answer<Page<GivenUpJobView>> {
        let found = given_up::list(&ask, paging.after()?, paging.limit()).await?;
        Ok(Page::new(&paging, found, |job| job.id.0, GivenUpJobView::from))
    }

    /// Repeat what was given up
    ///
    /// Once what made it fail is gone. It is owed again at once, with all its tries before it. Answers what it was.
    #[oai(path = "/given-up-jobs/:id/repeat", method = "post", operation_id = "repeatGivenUpJob")]
    async fn repeat(&self, once: OnceIfKeyed<'_>, id: Path<Uuid>) -> Answer<Plain<GivenUpJobView>> {
        once!(once, |cx| Plain::new(given_up::repeat(cx, JobId(id.0)).await?.into()))
    }
}

/// Work that failed for good.
#[derive(Debug, Object)]
#[oai(rename = "GivenUpJob", rename_all = "camelCase", skip_serializing_if_is_none)]
struct GivenUpJobView {
    id: Uuid,
    /// What it does: `follow_up`, `message`, `incident_link`, `case_retention` or `remains`.
    kind: String,
    /// To which follow-up, message, incident or case.
    subject_id: Uuid,
    /// When it was to be done.
    due_at: Instant,
    /// How often it was tried.
    attempts: i32,
    /// Why the last try failed.
    error: Option<String>,
    /// Since when it waits for a human.
    given_up_at: Instant,
}

impl From<GivenUp> for GivenUpJobView {
    fn from(job: GivenUp) -> Self {
        let GivenUp { id, kind, subject, due_at, attempts, error, given_up_at } = job;
        Self {
            id: id.0,
            kind: kind.as_str().to_owned(),
            subject_id: subject,
            due_at: Instant(due_at),
            attempts,
            error,
            given_up_at: Instant(given_up_at),
        }
    }
}
