//! What can happen to a trajectory, what follows outside it, and why it may be refused.

use super::duration::Offset;
use super::language::ForEach;
use super::state::{Key, Status};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// One thing that happened, and when. A trajectory's inputs are kept in order and never changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// When; never before `State::settled_until`.
    pub at: DateTime<Utc>,
    /// What.
    pub what: What,
}

/// A value of an anchor. A single-valued anchor has one, under an id of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchorValue {
    /// Which value; a moved value keeps its id.
    pub id: Uuid,
    /// The moment.
    pub at: DateTime<Utc>,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// The trajectory starts.
    Started {
        /// The values of the anchors known now.
        #[serde(default)]
        anchors: BTreeMap<String, Vec<AnchorValue>>,
        /// The person's own rhythm.
        #[serde(default)]
        params: BTreeMap<String, Offset>,
        /// For whom `for_each` steps run.
        #[serde(default)]
        subjects: BTreeMap<ForEach, Vec<Uuid>>,
    },
    /// An anchor got a value, or a value moved.
    AnchorSet {
        /// Which anchor.
        anchor: String,
        /// Which of its values.
        id: Uuid,
        /// The moment it now lies at.
        at: DateTime<Utc>,
    },
    /// A value of an optional anchor no longer holds.
    AnchorRemoved {
        /// Which anchor.
        anchor: String,
        /// Which of its values.
        id: Uuid,
    },
    /// Something came of a follow-up.
    Outcome {
        /// Which.
        follow_up: Key,
        /// One of its step's outcome codes.
        code: String,
    },
    /// The person asked for these.
    OptedIn {
        /// Which steps; empty: every step that requires it.
        #[serde(default)]
        steps: Vec<String>,
    },
    /// The person no longer wants these.
    OptedOut {
        /// Which steps; empty: every step that requires it.
        #[serde(default)]
        steps: Vec<String>,
    },
    /// A follow-up is due at another moment of its window.
    Rescheduled {
        /// Which.
        follow_up: Key,
        /// When it is due now.
        due_at: DateTime<Utc>,
    },
    /// A follow-up is called off. A repetition goes on with its next turn.
    CalledOff {
        /// Which.
        follow_up: Key,
        /// A code.
        reason: String,
    },
    /// Someone who was told of a follow-up saw it: rungs of its ladder that say `unless: acknowledged` are not told of it.
    Acknowledged {
        /// Which.
        follow_up: Key,
    },
    /// Steps are begun by hand, as the effect `activate` would.
    Activated {
        /// Which steps.
        steps: Vec<String>,
    },
    /// The trajectory closes.
    Closed {
        /// A code (DOMAIN 12.4).
        reason: String,
    },
    /// A closed trajectory opens again. What is final stays final.
    Reopened,
    /// A task beside the protocol. Its key is `task:<code>` with this id.
    TaskAdded {
        /// Which.
        id: Uuid,
        /// What kind.
        code: String,
        /// Who does it.
        role: String,
        /// When it is due.
        due_at: DateTime<Utc>,
    },
    /// The person arrived where they were referred to.
    ReferralArrived,
    /// Another stage begins; the present one again begins anew.
    StageSet {
        /// Which.
        stage: String,
    },
    /// The person's own rhythm changes.
    ParamSet {
        /// Which parameter.
        param: String,
        /// Its value, within the protocol's bounds.
        value: Offset,
    },
    /// Someone joined whom `for_each` steps run for.
    SubjectAdded {
        /// As what.
        subject: ForEach,
        /// Who.
        id: Uuid,
    },
    /// Someone left.
    SubjectRemoved {
        /// As what.
        subject: ForEach,
        /// Who.
        id: Uuid,
    },
    /// Nothing opens, falls due or is announced until it resumes.
    Paused,
    /// It goes on; what came in between is due at once, once.
    Resumed,
    /// A newer trajectory of the same kind carries on what is open here (`stacking: re_anchor`).
    Superseded,
    /// Nothing more comes of it: what the close left, aftercare and its repetitions, is called off too.
    Ended {
        /// A code.
        reason: String,
    },
}

/// What the outside must do. Who is told is an announcement, not an effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Effect {
    /// The trajectory closed.
    Closed {
        /// Why.
        reason: String,
    },
    /// The trajectory opened again.
    Reopened,
    /// Another person is to be sought for a role.
    Rematch {
        /// Which role.
        role: String,
    },
    /// A referral is to be made.
    Refer {
        /// Of which kind.
        to: String,
        /// Where it was decided.
        follow_up: Key,
    },
    /// The stage changed.
    StageEntered {
        /// Which.
        stage: String,
    },
    /// The trajectory pauses.
    Paused,
}

/// Why an input was refused; nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has not started.
    #[error("the trajectory has not started")]
    NotStarted,
    /// It has started already.
    #[error("the trajectory has started already")]
    AlreadyStarted,
    /// An input lies before what was settled; give it `settled_until` as its moment.
    #[error("the trajectory is settled until {settled_until}; an input cannot lie before that")]
    OutOfOrder {
        /// The earliest moment allowed.
        settled_until: DateTime<Utc>,
    },
    /// It is closed.
    #[error("the trajectory is closed ({reason})")]
    TrajectoryClosed {
        /// Why it closed.
        reason: String,
    },
    /// It is not closed.
    #[error("the trajectory is not closed")]
    NotClosed,
    /// It pauses already.
    #[error("the trajectory pauses already")]
    AlreadyPaused,
    /// It does not pause.
    #[error("the trajectory does not pause")]
    NotPaused,
    /// There is no such follow-up.
    #[error("there is no follow-up {} #{}", key.step, key.occurrence)]
    UnknownFollowUp {
        /// What was asked for.
        key: Key,
    },
    /// It is final.
    #[error("the follow-up is final ({})", status.as_str())]
    AlreadyFinal {
        /// How it ended.
        status: Status,
    },
    /// Its anchor or opt-in is missing.
    #[error("the follow-up waits for {reason}")]
    Waiting {
        /// `anchor` or `opt_in`.
        reason: String,
    },
    /// Its window has not opened, or a guard forbids the outcome still.
    #[error("too early: possible from {opens_at}")]
    TooEarly {
        /// From when.
        opens_at: DateTime<Utc>,
    },
    /// The moment lies outside the window.
    #[error("outside the window from {opens_at} to {closes_at}")]
    OutsideWindow {
        /// From when.
        opens_at: DateTime<Utc>,
        /// Until when.
        closes_at: DateTime<Utc>,
    },
    /// The step has no such outcome.
    #[error("no such outcome; possible are: {}", allowed.join(", "))]
    UnknownOutcome {
        /// What it has.
        allowed: Vec<String>,
    },
    /// The protocol has no such anchor.
    #[error("the protocol has no anchor {anchor:?}")]
    UnknownAnchor {
        /// What was asked for.
        anchor: String,
    },
    /// The anchor has no such value.
    #[error("the anchor {anchor:?} has no such value")]
    UnknownAnchorValue {
        /// Which anchor.
        anchor: String,
    },
    /// Anchors without which it cannot start, or go on.
    #[error("required anchors are missing: {}", anchors.join(", "))]
    AnchorMissing {
        /// Which.
        anchors: Vec<String>,
    },
    /// The anchor has one value, with another id.
    #[error("the anchor {anchor:?} has one value only; move it under its own id")]
    AnchorNotMany {
        /// Which.
        anchor: String,
    },
    /// The protocol has no such step.
    #[error("the protocol has no step {step:?}")]
    UnknownStep {
        /// What was asked for.
        step: String,
    },
    /// The step asks for no opt-in.
    #[error("the step {step:?} asks for no opt-in")]
    NoOptIn {
        /// Which.
        step: String,
    },
    /// The protocol has no such stage.
    #[error("the protocol has no stage {stage:?}")]
    UnknownStage {
        /// What was asked for.
        stage: String,
    },
    /// The protocol has no such parameter.
    #[error("the protocol has no parameter {param:?}")]
    UnknownParam {
        /// What was asked for.
        param: String,
    },
    /// The value lies outside the protocol's bounds.
    #[error("{param:?} must lie between {min} and {max}, in the same unit")]
    ParamOutOfBounds {
        /// Which.
        param: String,
        /// The shortest.
        min: Offset,
        /// The longest.
        max: Offset,
    },
    /// A moment outside the years 1900 to 2200.
    #[error("the moment lies outside the years 1900 to 2200")]
    MomentOutOfRange,
    /// The protocol does not stack.
    #[error("the protocol runs beside a newer one (stacking is not re_anchor)")]
    StackingNotAllowed,
    /// A task with this id exists.
    #[error("the task exists already")]
    TaskExists,
}

impl Refusal {
    /// The stable snake_case code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::NotStarted => "not_started",
            Refusal::AlreadyStarted => "already_started",
            Refusal::OutOfOrder { .. } => "out_of_order",
            Refusal::TrajectoryClosed { .. } => "trajectory_closed",
            Refusal::NotClosed => "not_closed",
            Refusal::AlreadyPaused => "already_paused",
            Refusal::NotPaused => "not_paused",
            Refusal::UnknownFollowUp { .. } => "unknown_follow_up",
            Refusal::AlreadyFinal { .. } => "already_final",
            Refusal::Waiting { .. } => "waiting",
            Refusal::TooEarly { .. } => "too_early",
            Refusal::OutsideWindow { .. } => "outside_window",
            Refusal::UnknownOutcome { .. } => "unknown_outcome",
            Refusal::UnknownAnchor { .. } => "unknown_anchor",
            Refusal::UnknownAnchorValue { .. } => "unknown_anchor_value",
            Refusal::AnchorMissing { .. } => "anchor_missing",
            Refusal::AnchorNotMany { .. } => "anchor_not_many",
            Refusal::UnknownStep { .. } => "unknown_step",
            Refusal::NoOptIn { .. } => "no_opt_in",
            Refusal::UnknownStage { .. } => "unknown_stage",
            Refusal::UnknownParam { .. } => "unknown_param",
            Refusal::ParamOutOfBounds { .. } => "param_out_of_bounds",
            Refusal::MomentOutOfRange => "moment_out_of_range",
            Refusal::StackingNotAllowed => "stacking_not_allowed",
            Refusal::TaskExists => "task_exists",
        }
    }
}
