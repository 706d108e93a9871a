//! A running trajectory as values: its follow-ups and what the engine needs to go on.

use super::calendar::Closure;
use super::duration::Offset;
use super::language::{ForEach, Recipient, words};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Which follow-up of a trajectory: unique in it, and never used twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// The step's name, or `task:<code>` for a task added by hand or by a rule.
    pub step: String,
    /// The value of a many-valued anchor, the subject of a `for_each`, or the id of an added task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor_id: Option<Uuid>,
    /// 1, 2, …: retries, restarts and repetitions count on.
    pub occurrence: i32,
}

words! {
    /// Where a follow-up stands (PROTOCOLS section 3).
    Status {
        /// Its anchor or its opt-in is not there yet.
        Waiting = "waiting",
        /// Planned, not open yet.
        Scheduled = "scheduled",
        /// May be done now.
        Open = "open",
        /// Should be done now.
        Due = "due",
        /// Its window has closed.
        Overdue = "overdue",
        /// Its window has closed and someone was told.
        Escalated = "escalated",
        /// Final: it took place.
        Done = "done",
        /// Final: the person did not want it.
        Declined = "declined",
        /// Final: tried, and nobody was reached.
        Unreachable = "unreachable",
        /// Final: a rule left it out.
        Skipped = "skipped",
        /// Final: called off.
        Cancelled = "cancelled",
        /// Final: another one took its place.
        Superseded = "superseded",
        /// Final: its time is over.
        Expired = "expired",
    }
}

impl Status {
    /// Whether it never changes again.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Status::Done
                | Status::Declined
                | Status::Unreachable
                | Status::Skipped
                | Status::Cancelled
                | Status::Superseded
                | Status::Expired
        )
    }
}

/// The moments of a follow-up as the protocol places them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Before this it is too early.
    pub opens_at: DateTime<Utc>,
    /// When it should be done.
    pub due_at: DateTime<Utc>,
    /// After this it is overdue.
    pub closes_at: DateTime<Utc>,
    /// When it is given up.
    pub expires_at: Option<DateTime<Utc>>,
    /// Which closed days moved the due moment.
    pub passed: Vec<Closure>,
}

/// One message that was decided to be due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Which rule: `announce:0`, `remind:1`, `escalate:0`, `message`, `alert:<outcome>`, `message:<outcome>`.
    pub rule: String,
    /// 1, 2, … per rule: with the follow-up's key and the rule, the identity of the message.
    pub nth: i32,
    /// Who.
    pub to: Recipient,
    /// When it is to be sent.
    pub at: DateTime<Utc>,
    /// The moment the rule itself gives: earlier than `at` when it was planned late. `None` for an effect of an outcome.
    pub nominal: Option<DateTime<Utc>>,
    /// Why: `scheduled`, `moved`, `before_due`, `after_due`, `at_opens`, `at_due`, `at_closes`, `after_close`, `message_due`, `outcome`, `missed`.
    pub because: &'static str,
    /// The template the protocol names.
    pub template: Option<String>,
    /// It no longer holds: do not send it, and where it was sent, say so.
    pub called_off: Option<CalledOff>,
}

/// When and why an announcement stopped holding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalledOff {
    /// When.
    pub at: DateTime<Utc>,
    /// `moved`, `opted_out`, or the reason the follow-up ended with.
    pub reason: String,
}

/// One promised contact or task.
#[derive(Clone, Debug, PartialEq)]
pub struct FollowUp {
    /// Which.
    pub key: Key,
    /// Where it stands.
    pub status: Status,
    /// The role that does it.
    pub role: String,
    /// Before this it is too early; `None` while its anchor is missing.
    pub opens_at: Option<DateTime<Utc>>,
    /// When it should be done.
    pub due_at: Option<DateTime<Utc>>,
    /// After this it is overdue.
    pub closes_at: Option<DateTime<Utc>>,
    /// When it is given up.
    pub expires_at: Option<DateTime<Utc>>,
    /// What came of it.
    pub outcome: Option<String>,
    /// Why it ended without an outcome, or why it waits: a stable code.
    pub reason: Option<String>,
    /// When it became final.
    pub final_at: Option<DateTime<Utc>>,
    /// What was announced, in order.
    pub announcements: Vec<Announcement>,
    /// It goes on after the trajectory closed.
    pub after_close: bool,
    /// When it came to be.
    pub activated_at: DateTime<Utc>,
    /// Since when its present plan holds.
    pub planned_at: DateTime<Utc>,
    /// The plan as the protocol places it; a rescheduled due moment lies in `due_at` only.
    pub plan: Option<Plan>,
    /// The plan was set once and moves with no anchor: a retry or an added task.
    pub fixed: bool,
    /// It was restarted then: its moments are measured from there instead of from the step's anchor.
    pub restarted_at: Option<DateTime<Utc>>,
    /// Which turn of a repetition, from 1.
    pub turn: i32,
    /// How many tries went before.
    pub tries: i32,
    /// Which series of turns: each restart begins another.
    pub round: i32,
    /// During which stage it came to be (counted).
    pub entry: i32,
    /// When somebody last said that they saw what they were told of it.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// When time next changes it; `None` when nothing time-driven is left.
    pub next_at: Option<DateTime<Utc>>,
}

impl FollowUp {
    /// After this it is overdue: the close of its window, or its due moment where that lies later.
    #[must_use]
    pub fn deadline(&self) -> Option<DateTime<Utc>> {
        self.closes_at.max(self.due_at)
    }

    /// Whether it is planned or open: neither final nor waiting.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.status.is_final() && self.status != Status::Waiting
    }

    /// Whether somebody saw it as it is planned now: what was moved since is told anew, and seen anew.
    pub(super) fn is_acknowledged(&self) -> bool {
        self.acknowledged_at.is_some_and(|at| at >= self.planned_at)
    }

    /// Whether an announcement of this rule holds.
    pub(super) fn has_announced(&self, rule: &str) -> bool {
        self.announcements.iter().any(|told| told.rule == rule && told.called_off.is_none())
    }
}

/// That a trajectory is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Why (DOMAIN 12.4).
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// The stage a trajectory is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Since when.
    pub entered_at: DateTime<Utc>,
    /// How many stages were entered so far.
    pub entry: i32,
}

/// Everything the engine knows about a trajectory: a pure function of its protocol, surroundings, inputs and `settled_until`.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// When it started.
    pub started_at: Option<DateTime<Utc>>,
    /// Everything that time brings up to and including this moment has been worked out.
    pub settled_until: DateTime<Utc>,
    /// That it is over.
    pub closed: Option<Closed>,
    /// Since when it pauses: nothing opens, falls due or is announced.
    pub paused_at: Option<DateTime<Utc>>,
    /// The values of the anchors, by id.
    pub anchors: BTreeMap<String, BTreeMap<Uuid, DateTime<Utc>>>,
    /// For whom `for_each` steps run.
    pub subjects: BTreeMap<ForEach, BTreeSet<Uuid>>,
    /// The person's own rhythm, where it differs from the default.
    pub params: BTreeMap<String, Offset>,
    /// The steps the person opted in to.
    pub opted_in: BTreeSet<String>,
    /// The steps that were activated for everyone they run for.
    pub activated: BTreeSet<String>,
    /// The present stage.
    pub stage: Option<Stage>,
    /// The person arrived where they were referred to.
    pub referral_arrived: bool,
    /// The end rules (by place) that held when it was reopened: they close it only after having ceased to hold.
    pub held_ends: BTreeSet<usize>,
    /// The follow-ups.
    pub follow_ups: BTreeMap<Key, FollowUp>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            started_at: None,
            settled_until: DateTime::<Utc>::MIN_UTC,
            closed: None,
            paused_at: None,
            anchors: BTreeMap::new(),
            subjects: BTreeMap::new(),
            params: BTreeMap::new(),
            opted_in: BTreeSet::new(),
            activated: BTreeSet::new(),
            stage: None,
            referral_arrived: false,
            held_ends: BTreeSet::new(),
            follow_ups: BTreeMap::new(),
        }
    }
}

impl State {
    /// The follow-ups of one step, in order of anchor value and occurrence.
    pub fn of_step<'a, 'b>(&'a self, step: &'b str) -> impl Iterator<Item = &'a FollowUp> + use<'a, 'b> {
        let first = Key { step: step.to_owned(), anchor_id: None, occurrence: i32::MIN };
        self.follow_ups
            .range(first..)
            .map(|(_, follow_up)| follow_up)
            .take_while(move |follow_up| follow_up.key.step == step)
    }

    /// The occurrences of one step for one value or subject, first one first.
    pub(super) fn series(&self, step: &str, id: Option<Uuid>) -> impl DoubleEndedIterator<Item = &FollowUp> {
        let key = |occurrence| Key { step: step.to_owned(), anchor_id: id, occurrence };
        self.follow_ups.range(key(i32::MIN)..=key(i32::MAX)).map(|(_, follow_up)| follow_up)
    }

    /// Whether anything is still planned, open or waiting.
    #[must_use]
    pub fn has_unfinished(&self) -> bool {
        self.follow_ups.values().any(|follow_up| !follow_up.status.is_final())
    }
}
