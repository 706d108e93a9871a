//! Walking a document: every place knows its path, every mistake is kept, and the walk goes on.

use crate::protocols::document::pointer;
use crate::protocols::duration::Offset;
use crate::protocols::faults::{Fault, FaultCode};
use crate::protocols::language::Texts;
use chrono::NaiveTime;
use serde_json::{Map, Value};

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Node<'v> {
    pub(super) value: &'v Value,
    pub(super) path: String,
}

/// A mapping being read; what was not asked for is unknown.
pub(super) struct Fields<'v> {
    map: &'v Map<String, Value>,
    pub(super) path: String,
    asked: Vec<&'static str>,
}

/// The mistakes found so far.
#[derive(Default)]
pub(super) struct Faults(pub(super) Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, path: &str, code: FaultCode, detail: impl Into<String>) {
        self.0.push(Fault::new(path, code, detail));
    }

    fn wrong_type(&mut self, node: &Node<'_>, expected: &str) {
        let found = match node.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(flag) => format!("{flag}"),
            Value::Number(number) => format!("the number {number}"),
            Value::String(text) => format!("the text {text:?}"),
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "a mapping".to_owned(),
        };
        self.add(&node.path, FaultCode::WrongType, format!("expected {expected}, found {found}"));
    }

    pub(super) fn fields<'v>(&mut self, node: &Node<'v>, expected: &str) -> Option<Fields<'v>> {
        match node.value {
            Value::Object(map) => Some(Fields { map, path: node.path.clone(), asked: Vec::new() }),
            _ => {
                self.wrong_type(node, expected);
                None
            }
        }
    }

    pub(super) fn list<'v>(&mut self, node: &Node<'v>, expected: &str) -> Vec<Node<'v>> {
        match node.value {
            Value::Array(items) => {
                let place = |(index, value)| Node { value, path: format!("{}/{index}", node.path) };
                items.iter().enumerate().map(place).collect()
            }
            _ => {
                self.wrong_type(node, expected);
                Vec::new()
            }
        }
    }

    /// A list, or one value standing for a list of one.
    pub(super) fn one_or_list<'v>(&mut self, node: &Node<'v>, expected: &str) -> Vec<Node<'v>> {
        match node.value {
            Value::Array(_) => self.list(node, expected),
            _ => vec![node.clone()],
        }
    }

    pub(super) fn text<'v>(&mut self, node: &Node<'v>, expected: &str) -> Option<&'v str> {
        let found = node.value.as_str();
        if found.is_none() {
            self.wrong_type(node, expected);
        }
        found
    }

    pub(super) fn flag(&mut self, node: &Node<'_>) -> Option<bool> {
        let found = node.value.as_bool();
        if found.is_none() {
            self.wrong_type(node, "true or false");
        }
        found
    }

    /// An effect without a value of its own is written `name: true`.
    pub(super) fn only_true(&mut self, node: &Node<'_>) {
        if node.value != &Value::Bool(true) {
            self.wrong_type(node, "true");
        }
    }

    pub(super) fn count(&mut self, node: &Node<'_>, most: i32) -> Option<i32> {
        let Some(number) = node.value.as_i64() else {
            self.wrong_type(node, "a whole number");
            return None;
        };
        let found = i32::try_from(number).ok().filter(|count| (1..=most).contains(count));
        if found.is_none() {
            self.add(
                &node.path,
                FaultCode::OutOfRange,
                format!("expected a whole number from 1 to {most}, found {number}"),
            );
        }
        found
    }

    pub(super) fn name(&mut self, node: &Node<'_>) -> Option<String> {
        let text = self.text(node, "a name such as talk_1")?;
        if is_name(text) {
            return Some(text.to_owned());
        }
        let detail =
            format!("{text:?} is no name: expected a lower-case letter, then letters, digits and _, at most 64 in all");
        self.add(&node.path, FaultCode::InvalidName, detail);
        None
    }

    pub(super) fn word<T: Copy>(&mut self, node: &Node<'_>, words: &[(&'static str, T)]) -> Option<T> {
        let allowed = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        let text = self.text(node, &format!("one of {}", allowed()))?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            self.add(&node.path, FaultCode::UnknownValue, format!("{text:?} is not one of {}", allowed()));
        }
        found
    }

    pub(super) fn offset(&mut self, node: &Node<'_>) -> Option<Offset> {
        let text = self.text(node, "a duration such as PT24H, P14D or P5BD")?;
        match text.parse() {
            Ok(offset) => Some(offset),
            Err(error) => {
                self.add(&node.path, FaultCode::InvalidDuration, format!("{text:?}: {error}"));
                None
            }
        }
    }

    /// A duration that goes forward (or nowhere).
    pub(super) fn distance(&mut self, node: &Node<'_>) -> Option<Offset> {
        let offset = self.offset(node)?;
        if offset.nominal_seconds() >= 0 {
            return Some(offset);
        }
        self.add(
            &node.path,
            FaultCode::InvalidDuration,
            format!("{offset} goes back; expected a duration without '-'"),
        );
        None
    }

    pub(super) fn time(&mut self, node: &Node<'_>) -> Option<NaiveTime> {
        let text = self.text(node, "a time of day as \"HH:MM\"")?;
        let found = clock(text);
        if found.is_none() {
            self.add(
                &node.path,
                FaultCode::InvalidTime,
                format!("{text:?} is no time of day: expected \"HH:MM\" from 00:00 to 23:59"),
            );
        }
        found
    }

    pub(super) fn texts(&mut self, node: &Node<'_>) -> Texts {
        let Some(fields) = self.fields(node, "a text per language, such as {nl: Gesprek, en: Talk}") else {
            return Texts::new();
        };
        let mut texts = Texts::new();
        for entry in fields.entries() {
            let language = entry.path.rsplit('/').next().unwrap_or_default().to_owned();
            if !is_language(&language) {
                let detail = format!("{language:?} is no language code such as nl, en or uk");
                self.add(&entry.path, FaultCode::InvalidName, detail);
            }
            match self.text(&entry, "a text") {
                Some(text) if text.trim().is_empty() => self.add(&entry.path, FaultCode::Missing, "the text is empty"),
                Some(text) => {
                    texts.insert(language, text.to_owned());
                }
                None => {}
            }
        }
        if !fields.map.contains_key("nl") {
            self.add(
                &node.path,
                FaultCode::Missing,
                "a Dutch text (nl) is required; other languages may stand beside it",
            );
        }
        texts
    }

    pub(super) fn done(&mut self, fields: &Fields<'_>) {
        for key in fields.map.keys().filter(|key| !fields.asked.contains(&key.as_str())) {
            let mut known = fields.asked.clone();
            known.sort_unstable();
            let detail = format!("{key:?} has no meaning here; known are {}", known.join(", "));
            self.add(&pointer(&fields.path, key), FaultCode::UnknownField, detail);
        }
    }

    pub(super) fn need<'v>(&mut self, fields: &mut Fields<'v>, key: &'static str) -> Option<Node<'v>> {
        let found = fields.get(key);
        if found.is_none() {
            self.add(&fields.path, FaultCode::Missing, format!("{key:?} is required here"));
        }
        found
    }
}

impl<'v> Fields<'v> {
    pub(super) fn get(&mut self, key: &'static str) -> Option<Node<'v>> {
        self.asked.push(key);
        self.map.get(key).map(|value| Node { value, path: pointer(&self.path, key) })
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    /// All entries, for a mapping whose keys are names.
    pub(super) fn entries(&self) -> Vec<Node<'v>> {
        self.map.iter().map(|(key, value)| Node { value, path: pointer(&self.path, key) }).collect()
    }

    /// All entries with their keys.
    pub(super) fn named(&self) -> Vec<(&'v str, Node<'v>)> {
        self.map.iter().map(|(key, value)| (key.as_str(), Node { value, path: pointer(&self.path, key) })).collect()
    }
}

/// `[a-z][a-z0-9_]*`, at most 64 characters.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn is_language(text: &str) -> bool {
    let (main, region) = text.split_once('-').unwrap_or((text, "XX"));
    matches!(main.len(), 2 | 3)
        && main.bytes().all(|b| b.is_ascii_lowercase())
        && region.len() == 2
        && region.bytes().all(|b| b.is_ascii_uppercase())
}

/// `HH:MM`, exactly.
pub(super) fn clock(text: &str) -> Option<NaiveTime> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(hours) || !digits(minutes) {
        return None;
    }
    NaiveTime::from_hms_opt(hours.parse().ok()?, minutes.parse().ok()?, 0)
}
