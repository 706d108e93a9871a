//! An operation as a line that can be run.

use serde_json::{Map, Value, json};

use super::{Operation, object, resolve, string};

/// An id that stands for any.
const ID: &str = "0193f5a2-7c1e-7d3a-9f00-4b8e7a6c5d10";

/// How deep an example of a body goes before it ends in empty objects.
const DEPTH: u8 = 4;

/// A curl command for the operation, with the headers and members it requires.
pub(super) fn line(document: &Value, operation: &Operation<'_>) -> String {
    let Operation { path, method, value } = operation;
    let path = path.split('/').map(|part| if part.starts_with('{') { ID } else { part }).collect::<Vec<_>>().join("/");
    let mut line = match *method {
        "get" => format!("curl \"$NAZORG/v1{path}\""),
        other => format!("curl -X {} \"$NAZORG/v1{path}\"", other.to_uppercase()),
    };
    if value.get("security").is_some() {
        line.push_str(" \\\n  -H \"Authorization: Bearer $NAZORG_KEY\"");
    }
    let parameters = value["parameters"].as_array().into_iter().flatten().map(|parameter| resolve(document, parameter));
    for header in
        parameters.filter(|one| one["in"] == "header" && (one["required"] == true || one["name"] == "Idempotency-Key"))
    {
        let example = header["example"].as_str().unwrap_or(ID);
        line.push_str(&format!(" \\\n  -H '{}: {example}'", string(&header["name"])));
    }
    if let Some(body) = value.get("requestBody") {
        let example = example(document, &body["content"]["application/json"]["schema"], DEPTH);
        line.push_str(" \\\n  -H 'Content-Type: application/json' \\\n  -d '");
        line.push_str(&example.to_string().replace('\'', "'\\''"));
        line.push('\'');
    }
    line
}

/// A small value that fits a schema: its example, or its required members.
fn example(document: &Value, schema: &Value, depth: u8) -> Value {
    let schema = resolve(document, schema);
    if let Some(example) = schema.get("example").or_else(|| schema.get("default")) {
        return example.clone();
    }
    if let Some(inner) = schema["allOf"].get(0) {
        return example(document, inner, depth);
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("string"), Some("uuid")) => json!(ID),
        (Some("string"), Some("date-time")) => json!("2027-03-01T09:00:00.000Z"),
        (Some("string"), Some("date")) => json!("2027-03-01"),
        (Some("string"), _) if schema["pattern"] == "^([01][0-9]|2[0-3]):[0-5][0-9]$" => json!("09:00"),
        (Some("string"), _) => json!("text"),
        (Some("integer" | "number"), _) => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        (Some("boolean"), _) => json!(true),
        (Some("array"), _) if depth > 0 => json!([example(document, &schema["items"], depth - 1)]),
        (Some("array"), _) => json!([]),
        _ => members(document, schema, depth),
    }
}

/// The required members; of a change, where nothing is required, the first one.
fn members(document: &Value, schema: &Value, depth: u8) -> Value {
    let Some(less) = depth.checked_sub(1) else { return json!({}) };
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = object(&schema["properties"]);
    let shown = properties.iter().filter(|(name, _)| required.contains(&name.as_str()));
    let mut out: Map<String, Value> =
        shown.map(|(name, shape)| (name.clone(), example(document, shape, less))).collect();
    if out.is_empty()
        && let Some((name, shape)) = properties.iter().find(|(_, shape)| shape["type"] == "string")
    {
        out.insert(name.clone(), example(document, shape, less));
    }
    out.into()
}
