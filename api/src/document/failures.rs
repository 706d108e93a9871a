//! What can fail, by rule, and the headers of every answer.

use poem_openapi::{registry::Registry, types::Type};
use serde_json::{Map, Value, json};

use super::operations;
use crate::problem::{Code, PROBLEM_JSON, ProblemView};

/// Adds the failures each operation can have, 304 where there is an `ETag`, and the headers of every answer.
pub(super) fn apply(document: &mut Value) {
    for (path, method, operation) in operations(document) {
        let statuses = statuses(path, method, operation);
        let conditional = refers(operation, "IfNoneMatch");
        let replays = refers(operation, "IdempotencyKey");
        let Some(Value::Object(responses)) = operation.get_mut("responses") else { continue };
        for (_, response) in responses.iter_mut() {
            headers(response, replays);
        }
        if conditional {
            responses.insert("304".to_owned(), reference("responses", "NotModified"));
        }
        for status in statuses {
            responses.insert(status.to_string(), reference("responses", name(status)));
        }
    }
    let components = &mut document["components"];
    components["responses"] = responses();
    components["headers"] = header_definitions();
    let mut registry = Registry::new();
    ProblemView::register(&mut registry);
    for (name, schema) in &registry.schemas {
        components["schemas"][name] = json!(schema);
    }
    let codes: Vec<_> = Code::all().map(Code::as_str).collect();
    components["schemas"]["Problem"]["properties"]["code"]["x-extensible-enum"] = codes.into();
}

/// The statuses an operation can fail with.
fn statuses(path: &str, method: &str, operation: &Value) -> Vec<u16> {
    let writes = method != "get";
    let keyed = refers(operation, "IdempotencyKey");
    let guarded = refers(operation, "IfMatch");
    let reads_body = operation.get("requestBody").is_some();
    let secured = operation.get("security").is_some();
    let rules = [
        (400, true),
        (401, secured),
        (403, secured),
        (404, path.contains('{')),
        (406, true),
        // A copy of everything is the one thing read that a rule can refuse.
        (409, writes || path.ends_with("/export")),
        (412, guarded),
        (413, writes),
        (415, reads_body),
        (422, keyed),
        (428, guarded),
        (429, true),
        (500, true),
        (503, true),
    ];
    rules.into_iter().filter(|(_, applies)| *applies).map(|(status, _)| status).collect()
}

/// Whether the operation has the shared parameter of this name, or the required form of it.
fn refers(operation: &Value, parameter: &str) -> bool {
    let all = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut names = all.iter().filter_map(|one| one["$ref"].as_str()?.rsplit('/').next());
    names.any(|name| name.trim_end_matches("Required") == parameter)
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// The name of the shared response of a status.
fn name(status: u16) -> &'static str {
    match status {
        400 => "InvalidInput",
        401 => "Unauthenticated",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        406 => "NotAcceptable",
        409 => "Conflict",
        412 => "PreconditionFailed",
        413 => "ContentTooLarge",
        415 => "UnsupportedMediaType",
        422 => "IdempotencyKeyReused",
        428 => "PreconditionRequired",
        429 => "TooManyRequests",
        503 => "Unavailable",
        _ => "InternalError",
    }
}

/// One shared response per status of the catalogue.
fn responses() -> Value {
    let mut all = Map::new();
    for code in Code::all() {
        all.entry(name(code.entry().status)).or_insert_with(|| failure(code));
    }
    let unmodified = json!({ "description": "You have the current version.", "headers": common_headers() });
    all.insert("NotModified".to_owned(), unmodified);
    all.into()
}

/// The shared response of the status of `code`, which is the first with that status.
fn failure(code: Code) -> Value {
    let status = code.entry().status;
    let codes: Vec<_> = Code::all().filter(|other| other.entry().status == status).map(Code::as_str).collect();
    let codes = codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ");
    let what = match status {
        409 => "A rule says no",
        503 => "Unavailable for a moment",
        _ => code.entry().title,
    };
    let mut headers = common_headers();
    let own = [
        ("Retry-After", "RetryAfter", &[409, 429, 503][..]),
        ("WWW-Authenticate", "Challenge", &[401]),
        ("Allow", "Allow", &[405]),
    ];
    for (header, component, at) in own {
        if at.contains(&status) {
            headers.insert(header.to_owned(), reference("headers", component));
        }
    }
    json!({
        "description": format!("{what}. Codes: {codes}."),
        "headers": headers,
        "content": { PROBLEM_JSON: { "schema": reference("schemas", "Problem"), "example": example(code) } },
    })
}

fn example(code: Code) -> Value {
    let entry = code.entry();
    let mut problem = json!({
        "type": format!("/problems/{}", code.as_str()),
        "title": entry.title,
        "status": entry.status,
        "detail": entry.title,
        "instance": "urn:uuid:0193f5a2-7c1e-7d3a-9f00-4b8e7a6c5d10",
        "code": code.as_str(),
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
    });
    if code == Code::InvalidInput {
        let error =
            json!({ "in": "body", "pointer": "/name", "code": "required", "detail": "This member is required." });
        problem["errors"] = json!([error]);
    }
    problem
}

/// Adds to a success what every answer carries, and says what its own headers are.
fn headers(response: &mut Value, replays: bool) {
    let own = response.get("headers").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut headers = common_headers();
    headers.extend(own.into_iter().map(|(name, header)| {
        let shared = ["ETag", "Link", "Location"].contains(&name.as_str());
        let header = if shared { reference("headers", &name) } else { header };
        (name, header)
    }));
    if replays {
        headers.insert("Idempotency-Replayed".to_owned(), reference("headers", "IdempotencyReplayed"));
    }
    response["headers"] = headers.into();
}

fn common_headers() -> Map<String, Value> {
    let all = [
        ("API-Version", "ApiVersion"),
        ("X-Request-Id", "RequestId"),
        ("RateLimit", "RateLimit"),
        ("RateLimit-Policy", "RateLimitPolicy"),
    ];
    all.into_iter().map(|(header, name)| (header.to_owned(), reference("headers", name))).collect()
}

fn header_definitions() -> Value {
    let text = |description: &str, example: &str| json!({ "description": description, "schema": { "type": "string" }, "example": example });
    json!({
        "ApiVersion": text("The full version of the interface.", crate::edge::API_VERSION),
        "RequestId": {
            "description": "The id of this request; yours, where you sent a UUID.",
            "schema": { "type": "string", "format": "uuid" },
        },
        "RateLimit": text("How many requests are left, and after how many seconds all are back.", "\"default\";r=2999;t=1"),
        "RateLimitPolicy": text("How many requests a client may make in how many seconds.", "\"default\";q=3000;w=60"),
        "ETag": text("The version of the resource, for If-Match and If-None-Match.", "\"3\""),
        "Link": text("Where the next stretch is. Absent at the end.", "</v1/units?cursor=WyIwMTkzIl0>; rel=\"next\""),
        "Location": text("Where the resource is.", "/v1/units/0193f5a2-7c1e-7d3a-9f00-4b8e7a6c5d10"),
        "IdempotencyReplayed": text("`true` where this is the stored answer of an earlier request with the same key.", "true"),
        "RetryAfter": {
            "description": "Come back after this many seconds.",
            "schema": { "type": "integer", "format": "int32" }, "example": 2,
        },
        "Challenge": text("How to authenticate.", "Bearer realm=\"nazorg\""),
        "Allow": text("The methods this path knows.", "GET, HEAD"),
    })
}
