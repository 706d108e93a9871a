//! Names as they are written: headers in their own casing, JSON without a charset.

use serde_json::{Map, Value};

/// Headers whose parts are not simply capitalised.
const IRREGULAR: [(&str, &str); 6] = [
    ("api-version", "API-Version"),
    ("etag", "ETag"),
    ("ratelimit", "RateLimit"),
    ("ratelimit-policy", "RateLimit-Policy"),
    ("traceparent", "traceparent"),
    ("www-authenticate", "WWW-Authenticate"),
];

const CHARSET: &str = "; charset=utf-8";

/// Walks the whole document.
pub(super) fn apply(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.get("in").is_some_and(|place| place == "header")
                && let Some(Value::String(name)) = members.get_mut("name")
            {
                *name = header(name);
            }
            if let Some(Value::Object(headers)) = members.get_mut("headers") {
                rename(headers, header);
            }
            if let Some(Value::Object(content)) = members.get_mut("content") {
                rename(content, |media| media.trim_end_matches(CHARSET).to_owned());
            }
            members.values_mut().for_each(apply);
        }
        Value::Array(items) => items.iter_mut().for_each(apply),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn rename(members: &mut Map<String, Value>, name: impl Fn(&str) -> String) {
    *members = std::mem::take(members).into_iter().map(|(key, value)| (name(&key), value)).collect();
}

/// A header's name in its usual casing.
fn header(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    if let Some((_, usual)) = IRREGULAR.iter().find(|(known, _)| *known == lower) {
        return (*usual).to_owned();
    }
    let capital = |part: &str| part.get(..1).unwrap_or_default().to_uppercase() + part.get(1..).unwrap_or_default();
    lower.split('-').map(capital).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests;
