//! What poem-openapi's own types do not say right: instants, days and times of day, as API.md section 1 writes them.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, SecondsFormat, SubsecRound, Utc};
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type},
};
use serde_json::Value;

/// A moment. Written in UTC with milliseconds and `Z`; read with any offset (RFC 3339). Milliseconds are what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instant(pub DateTime<Utc>);

/// A calendar day, as people write it: no time, no zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(pub NaiveDate);

/// A time of day on the organisation's own clocks, in minutes: `09:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeOfDay(pub NaiveTime);

/// A word of the API's own kind: a role, a purpose, the name of a system.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Word(pub String);

impl Instant {
    fn read(text: &str) -> Option<Self> {
        let moment = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc).trunc_subsecs(3);
        is_sane(moment.date_naive()).then_some(Self(moment))
    }

    fn write(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Millis, true)
    }
}

impl Day {
    fn read(text: &str) -> Option<Self> {
        let strict = text.len() == 10 && text.is_ascii();
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| strict)?;
        is_sane(day).then_some(Self(day))
    }

    fn write(self) -> String {
        self.0.format("%Y-%m-%d").to_string()
    }
}

impl TimeOfDay {
    fn read(text: &str) -> Option<Self> {
        let strict = text.len() == 5 && text.is_ascii();
        NaiveTime::parse_from_str(text, "%H:%M").ok().filter(|_| strict).map(Self)
    }

    fn write(self) -> String {
        self.0.format("%H:%M").to_string()
    }
}

impl From<Word> for String {
    fn from(Word(text): Word) -> Self {
        text
    }
}

// By hand: the framework's validator of a pattern compiles it for every value it sees.
impl Word {
    const PATTERN: &str = "^[a-z][a-z0-9_]{0,59}$";

    fn read(text: &str) -> Option<Self> {
        let more = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_';
        let begins = text.bytes().next().is_some_and(|letter| letter.is_ascii_lowercase());
        (begins && text.len() <= 60 && text.bytes().all(more)).then(|| Self(text.to_owned()))
    }

    fn write(&self) -> String {
        self.0.clone()
    }
}

/// Years that arithmetic and both databases hold without surprise, and that somebody can mean.
fn is_sane(day: NaiveDate) -> bool {
    (1800..3000).contains(&day.year())
}

/// Whether a text is an instant: what the gate asks, so that it and the reader never differ.
pub(crate) fn is_instant(text: &str) -> bool {
    Instant::read(text).is_some()
}

/// Whether a text is a day.
pub(crate) fn is_day(text: &str) -> bool {
    Day::read(text).is_some()
}

macro_rules! text_type {
    ($name:ident, $schema:expr, $what:literal) => {
        impl Type for $name {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Inline(Box::new($schema))
            }

            fn as_raw_value(&self) -> Option<&Self::RawValueType> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self::RawElementValueType> + 'a> {
                Box::new(self.as_raw_value().into_iter())
            }
        }

        impl ParseFromParameter for $name {
            fn parse_from_parameter(text: &str) -> ParseResult<Self> {
                Self::read(text).ok_or_else(|| ParseError::custom(concat!("not ", $what)))
            }
        }

        impl ParseFromJSON for $name {
            fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
                let text = value.as_ref().and_then(Value::as_str).unwrap_or_default();
                Self::read(text).ok_or_else(|| ParseError::custom(concat!("not ", $what)))
            }
        }

        impl ToJSON for $name {
            fn to_json(&self) -> Option<Value> {
                Some(self.write().into())
            }
        }
    };
}

text_type!(Instant, MetaSchema::new_with_format("string", "date-time"), "an instant");
text_type!(Word, MetaSchema { pattern: Some(Word::PATTERN.to_owned()), ..MetaSchema::new("string") }, "a word");
text_type!(Day, MetaSchema::new_with_format("string", "date"), "a date");
text_type!(
    TimeOfDay,
    MetaSchema { pattern: Some("^([01][0-9]|2[0-3]):[0-5][0-9]$".to_owned()), ..MetaSchema::new("string") },
    "a time of day"
);

#[cfg(test)]
mod tests;
