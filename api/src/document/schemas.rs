//! The shapes: what poem-openapi writes that generators stumble over, put right.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::operations;

/// Puts the schemas right, and closes the objects that requests are made of.
pub(super) fn apply(document: &mut Value) {
    walk(document);
    close_requests(document);
}

fn walk(value: &mut Value) {
    match value {
        Value::Object(members) => {
            describe_reference(members);
            whole_numbers(members);
            plain_integers(members);
            read_only_is_not_required(members);
            members.values_mut().for_each(walk);
        }
        Value::Array(items) => items.iter_mut().for_each(walk),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `allOf: [{$ref}, {description}]` beside the same description: the second entry says nothing new, and
/// openapi-python-client drops the whole schema over it.
fn describe_reference(members: &mut Map<String, Value>) {
    let Some(Value::Array(parts)) = members.get_mut("allOf") else { return };
    let all = std::mem::take(parts).into_iter();
    let (references, others): (Vec<_>, Vec<_>) = all.partition(|part| part.get("$ref").is_some());
    *parts = references;
    for (key, value) in others.into_iter().filter_map(|part| part.as_object().cloned()).flatten() {
        members.entry(key).or_insert(value);
    }
}

/// Bounds of whole numbers as whole numbers.
fn whole_numbers(members: &mut Map<String, Value>) {
    for key in ["minimum", "maximum", "multipleOf"] {
        if let Some(bound) = members.get_mut(key)
            && let Some(number) = bound.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9e15)
        {
            *bound = json!(number as i64);
        }
    }
}

/// Formats that OpenAPI does not have become the one it has that holds them, with a bound.
fn plain_integers(members: &mut Map<String, Value>) {
    let (format, bounds) = match members.get("format").and_then(Value::as_str) {
        Some("uint8") => ("int32", Some((0, Some(i64::from(u8::MAX))))),
        Some("uint16") => ("int32", Some((0, Some(i64::from(u16::MAX))))),
        Some("uint32") => ("int64", Some((0, Some(i64::from(u32::MAX))))),
        Some("uint64" | "uint") => ("int64", Some((0, None))),
        Some("int8" | "int16") => ("int32", None),
        _ => return,
    };
    if let Some((least, most)) = bounds {
        members.entry("minimum").or_insert(json!(least));
        if let Some(most) = most {
            members.entry("maximum").or_insert(json!(most));
        }
    }
    members.insert("format".to_owned(), json!(format));
}

/// What only an answer holds cannot be required of a request with the same schema.
fn read_only_is_not_required(members: &mut Map<String, Value>) {
    let Some(Value::Object(properties)) = members.get("properties") else { return };
    let read_only: BTreeSet<String> =
        properties.iter().filter(|(_, schema)| schema["readOnly"] == true).map(|(name, _)| name.clone()).collect();
    if let Some(Value::Array(required)) = members.get_mut("required") {
        required.retain(|name| !name.as_str().is_some_and(|name| read_only.contains(name)));
    }
}

/// Request objects are read with `deny_unknown_fields`; the document says so too.
fn close_requests(document: &mut Value) {
    let mut names = BTreeSet::new();
    for (_, _, operation) in operations(document) {
        if let Some(body) = operation.get("requestBody") {
            references(body, &mut names);
        }
    }
    let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") else { return };
    let mut open: Vec<String> = names.iter().cloned().collect();
    while let Some(name) = open.pop() {
        let mut more = BTreeSet::new();
        references(schemas.get(&name).unwrap_or(&Value::Null), &mut more);
        open.extend(more.into_iter().filter(|name| names.insert(name.clone())));
    }
    for name in names {
        if let Some(Value::Object(members)) = schemas.get_mut(&name)
            && members.contains_key("properties")
        {
            members.entry("additionalProperties").or_insert(Value::Bool(false));
        }
    }
}

fn references(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let target = members.get("$ref").and_then(Value::as_str);
            if let Some(name) = target.and_then(|at| at.strip_prefix("#/components/schemas/")) {
                names.insert(name.to_owned());
            }
            members.values().for_each(|member| references(member, names));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
