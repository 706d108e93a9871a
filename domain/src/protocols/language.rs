//! The protocol language as values: what a checked document says (PROTOCOLS section 1).
//!
//! Built only by [`super::parse`]; every name in it refers to something that exists.

mod step;

pub use step::*;

use super::calendar::{Calendar, Day, Surroundings};
use super::duration::Offset;
use super::holidays::Holidays;
use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};

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
    /// What a second incident of the same kind does to this trajectory.
    Stacking {
        /// Nothing: both run side by side.
        Separate = "separate",
        /// What is still open here is superseded and carried on by the newer trajectory.
        ReAnchor = "re_anchor",
    }
}

words! {
    /// Whom a case on this protocol is about.
    Subject {
        /// The person supported.
        Person = "person",
        /// Someone close to a person supported, in a file of their own (DOMAIN 6.5).
        CloseOne = "close_one",
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
    /// Whom a case on it is about; someone close is written to with both consents only.
    pub subject: Subject,
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
