//! Reading JSON strictly: valid UTF-8, no key twice in one object, no nesting without end, no U+0000.

use std::fmt::{self, Write};

use nazorg_domain::error::{FieldError, Place};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::faults::{fault, member};
use crate::problem::{Code, Problem};

/// The value in these bytes, or a 400 that says where reading stopped.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Strict.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| {
        let at = format!("at line {}, column {}", error.line(), error.column());
        // serde_json's own texts hold no values; ours (`TWICE`) neither.
        let why = error.to_string();
        let why = why.split(" at line ").next().unwrap_or_default();
        let detail = format!("The body cannot be read as JSON: {why} {at}.");
        let errors = vec![fault(Place::Body, "", "malformed_json", detail.clone())];
        Problem { errors, ..Problem::new(Code::MalformedJson, detail) }
    })
}

/// Notes every string and key with U+0000, which no database here can keep.
pub(crate) fn without_nul(value: &Value, at: &str, errors: &mut Vec<FieldError>) {
    let mut refuse = |at: &str| errors.push(fault(Place::Body, at, "forbidden_character", "U+0000 is not accepted."));
    match value {
        Value::String(text) if text.contains('\0') => refuse(at),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                without_nul(item, &format!("{at}/{index}"), errors);
            }
        }
        Value::Object(members) => {
            for (name, item) in members {
                if name.contains('\0') {
                    errors.push(fault(Place::Body, at, "forbidden_character", "U+0000 is not accepted in a name."));
                }
                without_nul(item, &member(at, name), errors);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The value with its members in order of name and no white space: two bodies that say the same give the same text.
pub(crate) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut names: Vec<_> = members.keys().collect();
            names.sort_unstable();
            out.push('{');
            for (index, name) in names.into_iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                let _ = write!(out, "{comma}{}:", Value::from(name.as_str()));
                write_canonical(&members[name], out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write_canonical(item, out);
            }
            out.push(']');
        }
        plain => {
            let _ = write!(out, "{plain}");
        }
    }
}

const TWICE: &str = "a name stands twice in one object";

/// Builds a [`Value`] as serde_json does, but refuses what it would silently drop.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    /// `1.0` and `1e2` are whole numbers in JSON; beyond 2^53 a float no longer says which.
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if value.fract() == 0.0 && value.abs() <= EXACT {
            return Ok(Value::from(value as i64));
        }
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut out = Vec::new();
        while let Some(item) = items.next_element_seed(Strict)? {
            out.push(item);
        }
        Ok(out.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut out = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if out.contains_key(&name) {
                return Err(A::Error::custom(TWICE));
            }
            let value = members.next_value_seed(Strict)?;
            out.insert(name, value);
        }
        Ok(out.into())
    }
}
