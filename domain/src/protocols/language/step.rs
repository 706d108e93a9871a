//! A step of a protocol: what, by whom, when, and what comes of it.

use super::{Anchor, Texts, words};
use crate::protocols::calendar::Roll;
use crate::protocols::duration::Offset;
use crate::protocols::state::Status;
use chrono::NaiveTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

words! {
    /// What the actor does.
    Action {
        /// Offer support.
        Offer = "offer",
        /// Make contact.
        Contact = "contact",
        /// Have a talk.
        Talk = "talk",
        /// Do a task.
        Task = "task",
        /// Have an instrument filled in.
        Assessment = "assessment",
        /// Review goals or a plan.
        Review = "review",
        /// Hold a session.
        Session = "session",
        /// Take a decision.
        Decision = "decision",
        /// A message goes out at the due moment.
        Message = "message",
    }
}

words! {
    /// What happens to a step whose requirement is not met.
    Unmet {
        /// It waits.
        Wait = "wait",
        /// At its due moment it becomes a task for its actor instead.
        Task = "task",
        /// At its due moment it is skipped.
        Skip = "skip",
    }
}

words! {
    /// What happens to a step whose time has gone by when it is planned.
    Late {
        /// It is done all the same, at once.
        Run = "run",
        /// It is skipped; a late message to a person or family also leaves a task.
        Skip = "skip",
        /// It is skipped and leaves a task for its actor.
        Task = "task",
    }
}

words! {
    /// Whom a step is repeated for, each with a follow-up of their own.
    ForEach {
        /// Every member of the household.
        HouseholdMember = "household_member",
        /// Everyone involved in the incident.
        InvolvedPerson = "involved_person",
    }
}

/// One promised contact or task.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Unique in the protocol.
    pub name: String,
    /// What people call it.
    pub title: Texts,
    /// The role that does it, or `person`.
    pub actor: String,
    /// What is done.
    pub action: Action,
    /// What it is measured from.
    pub anchor: Anchor,
    /// When it is due; `None`: after one `every`, in the person's own rhythm.
    pub offset: Option<Offset>,
    /// The local time of day of every local bound of this step.
    pub at: Option<NaiveTime>,
    /// What a closed day does to the due moment.
    pub roll: Roll,
    /// From when until when.
    pub window: Window,
    /// When it is given up.
    pub expires: Option<Offset>,
    /// Whether it exists from the start, or waits for an outcome that activates it.
    pub active: bool,
    /// How it is planned when its window has gone by at activation.
    pub if_past: Option<IfPast>,
    /// It goes on after the trajectory closed.
    pub after_close: bool,
    /// What must hold.
    pub requires: Vec<Requirement>,
    /// What happens when it does not.
    pub unmet: Unmet,
    /// What happens when it is planned too late; `None` is the default of its action.
    pub late: Option<Late>,
    /// Reminders.
    pub remind: Vec<Remind>,
    /// Escalations, in order.
    pub escalate: Vec<Escalate>,
    /// Who is told when it is planned or moved.
    pub announce: Vec<Recipient>,
    /// What goes out at the due moment (`action: message`).
    pub message: Option<Outgoing>,
    /// What may come of it, and what that sets off.
    pub outcomes: BTreeMap<String, Vec<Do>>,
    /// Over and over.
    pub repeat: Option<Repeat>,
    /// When several in a row were missed.
    pub after_missed: Vec<AfterMissed>,
    /// The stage it belongs to.
    pub stage: Option<String>,
    /// One for each of them.
    pub for_each: Option<ForEach>,
    /// What may not be recorded yet.
    pub guards: Vec<Guard>,
    /// What may be recorded before the window opens: who ends a match waits for no appointment.
    pub any_time: Vec<String>,
}

impl Step {
    /// Whether it needs the person's opt-in.
    #[must_use]
    pub fn needs_opt_in(&self) -> bool {
        self.requires.contains(&Requirement::OptIn)
    }

    /// Whether it matters that somebody saw what they were told of it.
    #[must_use]
    pub fn heeds_acknowledgement(&self) -> bool {
        self.escalate.iter().any(|rung| rung.unless_acknowledged)
    }
}

/// Bounds, from the step's own anchor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Before this it is too early.
    pub opens: Option<Offset>,
    /// After this it is overdue.
    pub closes: Option<Offset>,
}

/// The plan of a step whose window has gone by when it is activated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfPast {
    /// Usually `activated_at`.
    pub anchor: Anchor,
    /// When it is due then.
    pub offset: Offset,
    /// When it opens then; at once without it.
    pub opens: Option<Offset>,
    /// When it is overdue then; when due without it.
    pub closes: Option<Offset>,
}

/// What must hold for a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// The person asked for it. Judged by the engine.
    OptIn,
    /// A consent for this purpose. Judged when a message is sent.
    Consent(String),
    /// A checked, safe way to reach them. Judged when a message is sent.
    SafeContact,
    /// A licensed instrument. Judged when an assessment is recorded.
    Instrument(String),
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Recipient {
    /// Whoever the follow-up is assigned to.
    Actor,
    /// The person supported.
    Person,
    /// The person's family or friend.
    CloseOne,
    /// A role of the protocol.
    Role(String),
}

impl Recipient {
    /// The word in the language.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Recipient::Actor => "actor",
            Recipient::Person => "person",
            Recipient::CloseOne => "close_one",
            Recipient::Role(role) => role,
        }
    }

    /// Whether it is the person or someone close, to whom the stricter rules of sending apply.
    #[must_use]
    pub fn is_private(&self) -> bool {
        matches!(self, Recipient::Person | Recipient::CloseOne)
    }
}

impl From<&str> for Recipient {
    fn from(word: &str) -> Self {
        match word {
            "actor" => Recipient::Actor,
            "person" => Recipient::Person,
            "close_one" => Recipient::CloseOne,
            role => Recipient::Role(role.to_owned()),
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Recipient {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Recipient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Recipient::from(String::deserialize(deserializer)?.as_str()))
    }
}

/// One reminder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remind {
    /// Who.
    pub to: Recipient,
    /// When.
    pub when: RemindWhen,
    /// The local time of day of a local offset.
    pub at: Option<NaiveTime>,
}

/// When a reminder comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemindWhen {
    /// So long before it is due; never when it was planned after that moment and is due already.
    BeforeDue(Offset),
    /// So long after it was due.
    AfterDue(Offset),
    /// When it opens.
    Opens,
    /// When it is due.
    Due,
    /// When it closes.
    Closes,
}

/// One escalation: so long after the window closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalate {
    /// Who.
    pub to: Recipient,
    /// How long after the close.
    pub after_close: Offset,
    /// Not when someone who was told of the follow-up has said that they saw it, as it is planned now.
    pub unless_acknowledged: bool,
}

/// A message and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Who.
    pub to: Recipient,
    /// The template's key; `None` leaves it to the sender.
    pub template: Option<String>,
}

/// `repeat: {every: P3M, until: closed}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// The distance between two occurrences.
    pub every: Every,
    /// When it stops.
    pub until: Until,
}

/// The distance between two occurrences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Every {
    /// Fixed in the protocol.
    Fixed(Offset),
    /// The person's own.
    Param(String),
}

/// When a repetition stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// When the trajectory closes.
    Closed,
    /// No occurrence is due later than this after the anchor.
    Within(Offset),
    /// After so many occurrences.
    Count(i32),
}

/// `after_missed: {count: 3, again: true, do: […]}`.
#[derive(Clone, Debug, PartialEq)]
pub struct AfterMissed {
    /// So many in a row, expired or unreachable.
    pub count: i32,
    /// And once more each time so many more were: at six, at nine.
    pub again: bool,
    /// What is done when exactly so many were missed.
    pub effects: Vec<Do>,
}

/// What may not be recorded before a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// How long after the anchor.
    pub not_before: Offset,
    /// From which anchor; `None`: the step's own.
    pub anchor: Option<Anchor>,
    /// Which outcomes; empty: all of them.
    pub outcomes: Vec<String>,
}

/// What an outcome sets off.
#[derive(Clone, Debug, PartialEq)]
pub enum Do {
    /// These steps begin, unless they already run.
    Activate(Vec<String>),
    /// These steps begin anew, measured from now.
    Restart(Vec<String>),
    /// What runs of these steps is cancelled.
    Cancel(Vec<String>),
    /// The same step is tried again.
    Retry(Retry),
    /// The trajectory closes, with this reason.
    Close(String),
    /// A closed trajectory opens again.
    Reopen,
    /// Another person is sought for this role.
    Rematch(String),
    /// Someone is told at once.
    Alert(Recipient),
    /// A message goes out at once.
    Message(Outgoing),
    /// Another stage begins.
    SetStage(String),
    /// The trajectory pauses.
    Pause,
    /// The person's own rhythm changes: each parameter with its new value.
    SetParam(BTreeMap<String, Offset>),
    /// A referral of this kind is to be made.
    Refer(String),
    /// The follow-up ends with this status instead of its outcome's usual one.
    CountsAs(Status),
}

/// `retry: {after: PT24H, times: 3, then: […]}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// How long after the outcome the next try is due.
    pub after: Offset,
    /// How many more tries.
    pub times: i32,
    /// What is done when they are used up.
    pub then: Vec<Do>,
}
