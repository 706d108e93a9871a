//! From text to a tree: YAML or JSON within limits, with every duplicate key remembered.

use super::faults::{Fault, FaultCode};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Options;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use std::cell::RefCell;
use std::fmt;

/// The longest protocol text, in bytes.
pub const MAX_TEXT: usize = 256 * 1024;

/// Reads the text and tells the duplicate keys it met.
pub(super) fn read(text: &str) -> Result<(Value, Vec<Fault>), Fault> {
    if text.len() > MAX_TEXT {
        let detail = format!("the text is {} bytes long; at most {MAX_TEXT} are read", text.len());
        return Err(Fault::new("", FaultCode::TooLarge, detail));
    }
    let duplicates = RefCell::new(Vec::new());
    let seed = || Tree { path: String::new(), duplicates: &duplicates };
    // JSON is nearly, not wholly, YAML (tabs, long keys): what looks like JSON is first read as JSON.
    if text.trim_start().starts_with('{') {
        let mut json = serde_json::Deserializer::from_str(text);
        if let Ok(value) = seed().deserialize(&mut json).and_then(|value| json.end().map(|()| value)) {
            return Ok((value, duplicates.take()));
        }
        duplicates.take();
    }
    let value = serde_saphyr::with_deserializer_from_str_with_options(text, options(), |yaml| seed().deserialize(yaml));
    match value {
        Ok(value) => Ok((value, duplicates.take())),
        Err(error) => Err(syntax(&error)),
    }
}

fn options() -> Options {
    let limits = serde_saphyr::budget! {
        max_depth: 32,
        flow_nesting_limit: 32,
        max_events: 100_000,
        max_nodes: 50_000,
        max_aliases: 200,
        max_anchors: 200,
        max_documents: 1,
        max_total_scalar_bytes: 1024 * 1024,
    };
    let aliases = serde_saphyr::alias_limits! {
        max_total_replayed_events: 20_000,
        max_replay_stack_depth: 8,
        max_alias_expansions_per_anchor: 100,
    };
    serde_saphyr::options! {
        budget: limits,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        alias_limits: aliases,
        strict_booleans: true,
        with_snippet: false,
    }
}

fn syntax(error: &serde_saphyr::Error) -> Fault {
    let told = error.without_snippet().to_string();
    let detail = match error.location() {
        Some(place) if !told.contains("line ") => format!("line {}, column {}: {told}", place.line(), place.column()),
        _ => told,
    };
    Fault::new("", FaultCode::Syntax, detail)
}

/// One key or index more on a JSON pointer.
pub(super) fn pointer(path: &str, key: &str) -> String {
    format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Builds the value at a path, noting duplicate keys on the way.
#[derive(Clone)]
struct Tree<'a> {
    path: String,
    duplicates: &'a RefCell<Vec<Fault>>,
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping, a list, a text, a number, true, false or null")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) =
            items.next_element_seed(Tree { path: format!("{}/{}", self.path, list.len()), ..self.clone() })?
        {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let path = pointer(&self.path, &key);
            let value = entries.next_value_seed(Tree { path: path.clone(), ..self.clone() })?;
            if map.contains_key(&key) {
                let detail = format!("the key {key:?} stands here more than once; only the first is read");
                self.duplicates.borrow_mut().push(Fault::new(path, FaultCode::DuplicateKey, detail));
            } else {
                map.insert(key, value);
            }
        }
        Ok(Value::Object(map))
    }
}
