//! From the schemas of OpenAPI 3.0 to those of JSON Schema, and on to a validator.

use std::collections::BTreeSet;

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::ContractError;
use crate::types::{is_day, is_instant};

/// A validator for `schema`, with the named schemas it leads to.
pub(crate) fn compile(schema: &Value, named: &Value) -> Result<Validator, ContractError> {
    let mut reached = Map::new();
    reach(schema, named, &mut reached);
    let root = json!({ "allOf": [translate(schema)], "components": { "schemas": reached } });
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(true)
        .with_format("date-time", is_instant)
        .with_format("date", is_day)
        .build(&root)
        .map_err(|error| ContractError(error.to_string()))
}

/// Collects, translated, every named schema that `schema` leads to.
fn reach(schema: &Value, named: &Value, reached: &mut Map<String, Value>) {
    let mut names = BTreeSet::new();
    references(schema, &mut names);
    for name in names {
        if reached.contains_key(&name) {
            continue;
        }
        let target = named.get(&name).cloned().unwrap_or(Value::Bool(true));
        reached.insert(name, translate(&target));
        reach(&target, named, reached);
    }
}

fn references(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(name) = members.get("$ref").and_then(Value::as_str).and_then(|at| at.rsplit('/').next()) {
                names.insert(name.to_owned());
            }
            members.values().for_each(|member| references(member, names));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// One schema in the words of JSON Schema 2020-12: `nullable`, the boolean `exclusive…` and the bounded integers differ.
fn translate(schema: &Value) -> Value {
    let Value::Object(members) = schema else { return schema.clone() };
    let mut out = Map::new();
    for (key, value) in members {
        match key.as_str() {
            "example" | "description" | "title" | "default" | "nullable" | "deprecated" | "externalDocs" | "xml"
            | "discriminator" | "readOnly" | "writeOnly" => {}
            "properties" => {
                out.insert(key.clone(), value.as_object().map(each).unwrap_or_default());
            }
            "items" | "additionalProperties" | "not" => {
                out.insert(key.clone(), translate(value));
            }
            "allOf" | "anyOf" | "oneOf" => {
                let all = value.as_array().map(|all| all.iter().map(translate).collect::<Vec<_>>());
                out.insert(key.clone(), all.unwrap_or_default().into());
            }
            "exclusiveMinimum" | "exclusiveMaximum" => {}
            _ => {
                out.insert(key.clone(), value.clone());
            }
        }
    }
    exclusive(members, &mut out);
    bounded(members, &mut out);
    nullable(members, &mut out);
    Value::Object(out)
}

fn each(members: &Map<String, Value>) -> Value {
    Value::Object(members.iter().map(|(name, schema)| (name.clone(), translate(schema))).collect())
}

fn exclusive(members: &Map<String, Value>, out: &mut Map<String, Value>) {
    for (flag, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if members.get(flag) == Some(&Value::Bool(true))
            && let Some(limit) = out.remove(bound)
        {
            out.insert(flag.to_owned(), limit);
        }
    }
}

fn bounded(members: &Map<String, Value>, out: &mut Map<String, Value>) {
    let (least, most) = match members.get("format").and_then(Value::as_str) {
        Some("int32") => (i64::from(i32::MIN), i64::from(i32::MAX)),
        Some("int64") => (i64::MIN, i64::MAX),
        _ => return,
    };
    out.entry("minimum").or_insert(least.into());
    out.entry("maximum").or_insert(most.into());
}

fn nullable(members: &Map<String, Value>, out: &mut Map<String, Value>) {
    if members.get("nullable") != Some(&Value::Bool(true)) {
        return;
    }
    if let Some(kind) = out.get("type").cloned() {
        out.insert("type".to_owned(), json!([kind, "null"]));
    }
    if let Some(Value::Array(values)) = out.get_mut("enum") {
        values.push(Value::Null);
    }
}
