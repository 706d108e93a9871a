//! The protocol language as values: what a checked document says (PROTOCOLS section 1).
//!
//! Built only by [`super::parse`]; every name in it refers to something that exists.

use super::calendar::{Calendar, Day, Roll, Surroundings};
use super::duration::Offset;
use super::holidays::Holidays;
use super::state::Status;
use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A text per language code (`nl` always there).
pub type Texts = BTreeMap<String, String>;

macro_rules! words {
    ($(#[$meta:meta])* $type:ident { $($(#[$doc:meta])* $name:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $type { $($(#[$doc])* $name,)* }

        impl $type {
            /// Every value with its word in the language.
            pub const WORDS: &'static [(&'static str, $type)] = &[$(($word, $type::$name),)*];

            /// The word in the language.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $($type::$name => $word,)* }
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                let found = Self::WORDS.iter().find(|(name, _)| *name == word);
                found.map(|(_, value)| *value).ok_or_else(|| serde::de::Error::custom(format!("unknown value {word:?}")))
            }
        }
    };
}
pub(super) use words;

words! {
    /// What may be stored at all about a case (DOMAIN 7.2).
    RecordProfile {
        /// Counts only.
        Tally = "tally",
        /// Who met when, with an outcome code; no free text.
        ContactLog = "contact_log",
        /// With goals, agreements, short notes and scores.
        SupportFile = "support_file",
        /// With clinical notes.
        CareFile = "care_file",
        /// With signals, safety conditions and the accountable party.
        SafetyFile = "safety_file",
    }
}

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
    /// What is done with the record in the end.
    RetentionThen {
        /// Only counts are left.
        ReduceToTally = "reduce_to_tally",
        /// Names go, the record stays.
        Pseudonymise = "pseudonymise",
        /// Everything goes.
        Delete = "delete",
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

words! {
    /// What a second incident of the same kind does to this trajectory.
    Stacking {
        /// Nothing: both run side by side.
        Separate = "separate",
        /// What is still open here is superseded and carried on by the newer trajectory.
        ReAnchor = "re_anchor",
    }
}

/// A published programme. Serialises as the document it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Protocol {
    /// Unique per organisation, `[a-z][a-z0-9_]*`.
    pub name: String,
    /// What people call it.
    pub title: Texts,
    /// The programme kind (DOMAIN 12.4).
    pub kind: String,
    /// What may be stored.
    pub record_profile: RecordProfile,
    /// How long it is kept; `None` leaves it to the organisation.
    pub retention: Option<Retention>,
    /// Where it comes from.
    pub source: Option<String>,
    /// How sure the source is: `low`, `medium` or `high`.
    pub confidence: Option<String>,
    /// What it says itself about working days.
    pub calendar: CalendarRule,
    /// Its own time zone; `None`: the organisation's.
    pub zone: Option<Tz>,
    /// The moments everything is measured from.
    pub anchors: BTreeMap<String, AnchorRule>,
    /// The roles that act or are told.
    pub roles: Vec<String>,
    /// The stages, first one first; empty when there are none.
    pub stages: Vec<String>,
    /// A person's own rhythm, bounded.
    pub params: BTreeMap<String, Param>,
    /// What a second incident does.
    pub stacking: Stacking,
    /// What should happen, in the order of the document.
    pub steps: Vec<Step>,
    /// When it is over.
    pub end: Vec<End>,
    pub(super) document: serde_json::Value,
}

impl Protocol {
    /// The step with this name.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// Whether an anchor holds several values, each with an id.
    #[must_use]
    pub fn is_many(&self, anchor: &str) -> bool {
        self.anchors.get(anchor).is_some_and(|rule| rule.many)
    }

    /// The anchors a trajectory cannot start without.
    pub fn required_anchors(&self) -> impl Iterator<Item = &str> {
        self.anchors.iter().filter(|(_, rule)| !rule.optional).map(|(name, _)| name.as_str())
    }

    /// The surroundings of a new trajectory: what the protocol says wins, the rest is the organisation's.
    #[must_use]
    pub fn surroundings(&self, organisation: &Surroundings) -> Surroundings {
        let mut around = organisation.clone();
        let rule = &self.calendar;
        around.zone = self.zone.unwrap_or(around.zone);
        if let Some(days) = &rule.working_days {
            around.calendar.working_days.clone_from(days);
        }
        around.calendar = Calendar {
            holidays: rule.holidays.unwrap_or(around.calendar.holidays),
            office_opens: rule.office.map_or(around.calendar.office_opens, |(opens, _)| opens),
            office_closes: rule.office.map_or(around.calendar.office_closes, |(_, closes)| closes),
            ..around.calendar
        };
        around
    }
}

impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.document.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Protocol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = serde_json::Value::deserialize(deserializer)?;
        super::check::check(document).map_err(|faults| {
            let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
            serde::de::Error::custom(told.join("; "))
        })
    }
}

/// `retention: {after: closed, period: P90D, then: reduce_to_tally}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Counted from the closing, or from the last aftercare step.
    pub period: Offset,
    /// What happens then.
    pub then: RetentionThen,
}

/// `calendar: {working_days: […], holidays: nl, office: "09:00-17:00"}`; what is absent is the organisation's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CalendarRule {
    /// The working week.
    pub working_days: Option<BTreeSet<Day>>,
    /// The holidays.
    pub holidays: Option<Holidays>,
    /// When the office opens and closes.
    pub office: Option<(NaiveTime, NaiveTime)>,
}

/// How an anchor comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnchorRule {
    /// It may come later, or never.
    pub optional: bool,
    /// It may have several values, each with an id.
    pub many: bool,
}

/// What a moment is measured from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// An anchor of the protocol.
    Named(String),
    /// `started_at`: when the trajectory started.
    Started,
    /// `closed_at`: when it closed.
    Closed,
    /// `activated_at`: when this follow-up came to be.
    Activated,
    /// `stage.entered_at`: when the present stage began.
    StageEntered,
    /// `<step>.final_at`: when the latest occurrence of a step became final.
    FinalOf(String),
}

impl Param {
    /// Whether a rhythm lies within the bounds and counts in their unit.
    #[must_use]
    pub fn allows(&self, value: Offset) -> bool {
        let unit = std::mem::discriminant(&value);
        let same = unit == std::mem::discriminant(&self.min) && unit == std::mem::discriminant(&self.max);
        let (min, value, max) = (self.min.nominal_seconds(), value.nominal_seconds(), self.max.nominal_seconds());
        same && min <= value && value <= max
    }
}

/// A person's own rhythm: `params: {rhythm: {default: P1W, min: P1W, max: P4W}}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// When nothing else is agreed.
    pub default: Offset,
    /// The shortest the protocol allows.
    pub min: Offset,
    /// The longest the protocol allows.
    pub max: Offset,
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
}

impl Step {
    /// Whether it needs the person's opt-in.
    #[must_use]
    pub fn needs_opt_in(&self) -> bool {
        self.requires.contains(&Requirement::OptIn)
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

/// `after_missed: {count: 3, do: […]}`.
#[derive(Clone, Debug, PartialEq)]
pub struct AfterMissed {
    /// So many in a row, expired or unreachable.
    pub count: i32,
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

/// One way to be over; all its conditions must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Every one of these steps has happened and is final.
    pub all_final: Vec<String>,
    /// None of these is still planned or open.
    pub none_open: Vec<String>,
    /// The latest final occurrence of each step ended with this code.
    pub outcome: BTreeMap<String, String>,
    /// The person arrived where they were referred to.
    pub referral_arrived: bool,
    /// The reason it closes with.
    pub close: String,
}
