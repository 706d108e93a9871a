//! The comparison, pure: what should be, by the engine's replay, against what is kept.

use std::collections::{BTreeMap, BTreeSet};

use nazorg_entities::{FollowUpId, Instant, MessageId, MessageStatus, TrajectoryStatus, UnitId};
use uuid::Uuid;

use super::{Bucket, Kept};
use crate::{
    protocols::{self, FollowUp, Status},
    trajectories::{Running, key_text},
};

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $word:literal;)*) => {
        /// Why something is unaccounted for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Reason { $($(#[$doc])* $variant,)* }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

reasons! {
    /// The log of inputs has a hole, or the engine refuses it.
    DoesNotReplay = "does_not_replay";
    /// It should exist and does not.
    FollowUpMissing = "follow_up_missing";
    /// It exists and should not.
    FollowUpUnexpected = "follow_up_unexpected";
    /// It stands elsewhere than it should, for instance because an anchor was changed behind the log's back, or belongs to another unit
    /// than its case.
    FollowUpDiffers = "follow_up_differs";
    /// It was announced and there is no message.
    MessageMissing = "message_missing";
    /// There is a message nobody announced.
    MessageUnexpected = "message_unexpected";
    /// A follow-up has a moment ahead and no job that wakes it.
    FollowUpWithoutJob = "follow_up_without_job";
    /// The job wakes it at another moment than it should.
    JobDiffers = "job_differs";
    /// A message is neither final nor owed.
    MessageWithoutJob = "message_without_job";
    /// The job was given up and waits for a human.
    JobGivenUp = "job_given_up";
    /// An incident and its support are linked, and nobody is going to cut the link.
    LinkWithoutJob = "link_without_job";
    /// A closed case's protocol says what is done with it, and nobody is going to do it.
    RetentionWithoutJob = "retention_without_job";
    /// A key should be destroyed, and nobody is going to.
    RemainsWithoutJob = "remains_without_job";
    /// More or fewer cases were counted than went.
    TallyDiffers = "tally_differs";
    /// A job wakes nothing.
    JobWithoutSubject = "job_without_subject";
    /// A follow-up or message stands in no trajectory.
    WithoutTrajectory = "without_trajectory";
    /// The trajectory is open and nothing in it is planned, or waits for what may come before it is closed.
    TrajectoryStalled = "trajectory_stalled";
    /// The trajectory's row says closed and its log open, or the other way round.
    TrajectoryDiffers = "trajectory_differs";
}

/// One thing that is unaccounted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Why.
    pub reason: Reason,
    /// Which follow-up, message, job or trajectory.
    pub subject: Uuid,
}

impl Finding {
    /// A finding.
    #[must_use]
    pub fn new(reason: Reason, subject: Uuid) -> Self {
        Self { reason, subject }
    }
}

/// What is kept and what was counted before it went, in one.
#[must_use]
pub fn together(kept: Vec<Bucket>, counted: Vec<Bucket>) -> Vec<Bucket> {
    let mut sums: BTreeMap<(String, Option<String>), i64> = BTreeMap::new();
    for Bucket { status, reason, count } in kept.into_iter().chain(counted) {
        *sums.entry((status, reason)).or_default() += count;
    }
    sums.into_iter().map(|((status, reason), count)| Bucket { status, reason, count }).collect()
}

/// A follow-up's row.
#[derive(Debug, Clone)]
pub struct KeptFollowUp {
    pub(crate) id: FollowUpId,
    pub(crate) key: String,
    pub(crate) unit: Option<UnitId>,
    pub(crate) status: String,
    pub(crate) role: String,
    pub(crate) moments: [Option<Instant>; 5],
    pub(crate) outcome: Option<String>,
}

/// A message's row.
#[derive(Debug, Clone)]
pub struct KeptMessage {
    pub(crate) id: MessageId,
    pub(crate) follow_up: FollowUpId,
    pub(crate) rule: String,
    pub(crate) nth: i32,
    pub(crate) status: MessageStatus,
}

/// A job's row.
#[derive(Debug, Clone, Copy)]
pub struct KeptJob {
    pub(crate) due_at: Instant,
    pub(crate) given_up: bool,
}

/// Compares one trajectory with what is kept of it.
pub(crate) fn compare(running: &Running, kept: &Kept, findings: &mut Vec<Finding>) {
    let trajectory = running.row();
    let open = trajectory.status == TrajectoryStatus::Active;
    if open == running.state().closed.is_some() {
        findings.push(Finding::new(Reason::TrajectoryDiffers, trajectory.id.0));
    }
    if open && protocols::stalled(running.protocol(), running.state()) {
        findings.push(Finding::new(Reason::TrajectoryStalled, trajectory.id.0));
    }
    let mut rows: BTreeMap<&str, &KeptFollowUp> = kept.follow_ups.iter().map(|row| (row.key.as_str(), row)).collect();
    let mut messages: BTreeSet<MessageId> = kept.messages.iter().map(|message| message.id).collect();
    for (key, should) in &running.state().follow_ups {
        match rows.remove(key_text(key).as_str()) {
            None => findings.push(Finding::new(Reason::FollowUpMissing, trajectory.id.0)),
            Some(row) => {
                if differs(should, row) || elsewhere(running.unit_id(), should, row) {
                    findings.push(Finding::new(Reason::FollowUpDiffers, row.id.0));
                }
                job(row.id.0, running.next_moment(key), kept, findings);
                announced(should, (row.id, kept), &mut messages, findings);
            }
        }
    }
    findings.extend(rows.values().map(|row| Finding::new(Reason::FollowUpUnexpected, row.id.0)));
    findings.extend(messages.iter().map(|id| Finding::new(Reason::MessageUnexpected, id.0)));
    for message in &kept.messages {
        if matches!(message.status, MessageStatus::Pending | MessageStatus::Sending) {
            match kept.jobs.get(&message.id.0) {
                None => findings.push(Finding::new(Reason::MessageWithoutJob, message.id.0)),
                Some(job) if job.given_up => findings.push(Finding::new(Reason::JobGivenUp, message.id.0)),
                Some(_) => {}
            }
        }
    }
}

fn differs(should: &FollowUp, row: &KeptFollowUp) -> bool {
    let moments = [should.opens_at, should.due_at, should.closes_at, should.expires_at, should.final_at];
    let status: Status = should.status;
    (status.as_str(), &should.role, &should.outcome, moments)
        != (row.status.as_str(), &row.role, &row.outcome, row.moments)
}

/// What is still to be done is to be done where the case is.
fn elsewhere(unit: Option<UnitId>, should: &FollowUp, row: &KeptFollowUp) -> bool {
    !should.status.is_final() && row.unit != unit
}

fn job(follow_up: Uuid, next: Option<Instant>, kept: &Kept, findings: &mut Vec<Finding>) {
    let reason = match (next, kept.jobs.get(&follow_up)) {
        (Some(_), None) => Reason::FollowUpWithoutJob,
        (_, Some(job)) if job.given_up => Reason::JobGivenUp,
        // A job that wakes too early does no harm; one that wakes too late would.
        (Some(next), Some(job)) if job.due_at > next => Reason::JobDiffers,
        _ => return,
    };
    findings.push(Finding::new(reason, follow_up));
}

fn announced(
    should: &FollowUp,
    (id, kept): (FollowUpId, &Kept),
    messages: &mut BTreeSet<MessageId>,
    findings: &mut Vec<Finding>,
) {
    for announcement in &should.announcements {
        let found = kept.messages.iter().find(|message| {
            message.follow_up == id && message.rule == announcement.rule && message.nth == announcement.nth
        });
        match found {
            Some(message) => {
                messages.remove(&message.id);
            }
            None => findings.push(Finding::new(Reason::MessageMissing, id.0)),
        }
    }
}
