//! The parameters that come with a convention, written out once under `components` and referred to.
//!
//! An extractor marks its parameter with a format (`idempotency-key`, `if-match`, `paging`); here the mark becomes the
//! real parameters. `If-None-Match` and `X-On-Behalf-Of` come by rule: where there is an `ETag` to compare, and where
//! there is a credential.

use serde_json::{Value, json};

use super::operations;
use crate::ask::{KEY_PATTERN, LIMIT_DEFAULT, LIMIT_MOST};

/// Writes the parameters out.
pub(super) fn apply(document: &mut Value) {
    for (_, method, operation) in operations(document) {
        let mut parameters = Vec::new();
        for parameter in operation["parameters"].as_array().cloned().unwrap_or_default() {
            match parameter["schema"]["format"].as_str() {
                Some("idempotency-key") if parameter["required"] == true => {
                    parameters.push(shared("IdempotencyKeyRequired"));
                }
                Some("idempotency-key") => parameters.push(shared("IdempotencyKey")),
                Some("if-match") => parameters.push(shared("IfMatch")),
                Some("paging") => parameters.extend([shared("Cursor"), shared("Limit")]),
                _ => parameters.push(tidy(parameter)),
            }
        }
        if method == "get" && operation.pointer("/responses/200/headers/ETag").is_some() {
            parameters.push(shared("IfNoneMatch"));
        }
        if operation.get("security").is_some() {
            parameters.push(shared("OnBehalfOf"));
        }
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        } else if let Some(members) = operation.as_object_mut() {
            members.remove("parameters");
        }
    }
    document["components"]["parameters"] = definitions();
}

fn shared(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

/// Leaves out what poem-openapi writes though it is the default.
fn tidy(mut parameter: Value) -> Value {
    let single = parameter["schema"]["type"] != "array";
    if let Some(members) = parameter.as_object_mut() {
        members.retain(|key, value| match key.as_str() {
            "deprecated" => value == true,
            "explode" => !single,
            _ => true,
        });
    }
    parameter
}

fn definitions() -> Value {
    json!({
        "IdempotencyKey": idempotency_key(false),
        "IdempotencyKeyRequired": idempotency_key(true),
        "IfMatch": {
            "name": "If-Match", "in": "header", "required": true,
            "description": "The `ETag` of the version you read. 428 without it, 412 when the resource has changed since.",
            "schema": { "type": "string" }, "example": "\"3\"",
        },
        "IfNoneMatch": {
            "name": "If-None-Match", "in": "header", "required": false,
            "description": "The `ETag` of the version you have; when it is still the current one, the answer is 304 without a body.",
            "schema": { "type": "string" }, "example": "\"3\"",
        },
        "Cursor": {
            "name": "cursor", "in": "query", "required": false,
            "description": "The `next` of the stretch before, with the same filters. Leave it out to start.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 1024 },
        },
        "Limit": {
            "name": "limit", "in": "query", "required": false,
            "description": "How many items to answer with at most.",
            "schema": { "type": "integer", "format": "int32", "minimum": 1, "maximum": LIMIT_MOST, "default": LIMIT_DEFAULT },
        },
        "OnBehalfOf": {
            "name": "X-On-Behalf-Of", "in": "header", "required": false,
            "description": "The person (id) who is responsible for this request; it goes into the audit log. \
                Required for integrations that touch personal data.",
            "schema": { "type": "string", "format": "uuid" },
        },
    })
}

fn idempotency_key(required: bool) -> Value {
    let more = if required { "Required here, since a message or a case follows." } else { "Recommended." };
    let description = format!(
        "A key of your own for this one request, such as a UUID, bare or quoted. Sent again with the same body it gives \
         the stored answer. {more}"
    );
    json!({
        "name": "Idempotency-Key", "in": "header", "required": required, "description": description,
        "schema": { "type": "string", "minLength": 1, "maxLength": 257, "pattern": KEY_PATTERN },
        "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    })
}
