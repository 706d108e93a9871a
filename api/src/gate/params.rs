//! Path, query and header parameters against the document.

use nazorg_domain::error::{FieldError, Place};
use poem::{Request, http::header};
use serde_json::Value;

use super::{
    Operation,
    contract::{Kind, Parameter},
    faults::{fault, told},
};
use crate::{
    edge,
    problem::{Answer, Code, Problem},
};

/// Reads the query and judges every key of it; unknown keys and keys given twice are errors too.
pub(crate) fn query(request: &Request, operation: &Operation, errors: &mut Vec<FieldError>) -> Vec<(String, String)> {
    let pairs = pairs(edge::asked_for(request).query().unwrap_or_default(), errors);
    for (index, (name, _)) in pairs.iter().enumerate() {
        let known = operation.query.iter().find(|parameter| parameter.name == *name);
        let again = pairs[..index].iter().any(|(earlier, _)| earlier == name);
        match known {
            None if !again => {
                let short: String = name.chars().take(64).collect();
                errors.push(fault(Place::Query, short, "unknown_key", "This query key is not known here."));
            }
            Some(parameter) if again && !parameter.many => {
                errors.push(fault(Place::Query, name, "given_twice", "This query key may stand once."));
            }
            _ => {}
        }
    }
    for parameter in &operation.query {
        let given: Vec<&str> =
            pairs.iter().filter(|(name, _)| *name == parameter.name).map(|(_, v)| v.as_str()).collect();
        judge(Place::Query, parameter, &given, errors);
    }
    pairs
}

/// Judges the named segments of the path.
pub(crate) fn path(request: &Request, operation: &Operation, errors: &mut Vec<FieldError>) {
    let path = edge::asked_for(request).path();
    for (name, raw) in operation.named(path) {
        let Some(parameter) = operation.path.iter().find(|parameter| parameter.name == name) else { continue };
        match decode(raw, false) {
            Some(text) => judge(Place::Path, parameter, &[&text], errors),
            None => errors.push(undecodable(Place::Path, name)),
        }
    }
}

/// Judges the headers the document names. `If-Match` has its own statuses: [`preconditions`].
pub(crate) fn headers(request: &Request, operation: &Operation, errors: &mut Vec<FieldError>) {
    for parameter in &operation.headers {
        let given: Vec<_> = request.headers().get_all(parameter.name.as_str()).iter().collect();
        if given.len() > 1 {
            errors.push(fault(Place::Header, &parameter.name, "given_twice", "This header may stand once."));
            continue;
        }
        let Ok(text) = given.first().map(|value| value.to_str()).transpose() else {
            errors.push(fault(Place::Header, &parameter.name, "bad_format", "This header must be visible ASCII."));
            continue;
        };
        judge(Place::Header, parameter, text.as_slice(), errors);
    }
}

/// Refuses with 428 a change that does not say which version it is about.
pub(crate) fn preconditions(request: &Request, operation: &Operation) -> Answer<()> {
    let named = request.headers().get(header::IF_MATCH).is_some_and(|value| value != "*");
    if operation.guarded && !named {
        let detail = "Send the ETag of the version you read in If-Match; * is not accepted.";
        return Err(Problem::new(Code::PreconditionRequired, detail));
    }
    Ok(())
}

fn judge(place: Place, parameter: &Parameter, given: &[&str], errors: &mut Vec<FieldError>) {
    let name = parameter.name.as_str();
    if given.is_empty() {
        if parameter.required {
            errors.push(fault(place, name, "required", "This parameter is required."));
        }
        return;
    }
    if given.iter().any(|text| text.contains('\0')) {
        errors.push(fault(place, name, "forbidden_character", "U+0000 is not accepted."));
        return;
    }
    let mut values: Vec<Value> = given.iter().map(|text| typed(parameter.kind, text)).collect();
    let value = if parameter.many { Value::Array(values) } else { values.swap_remove(0) };
    errors.extend(parameter.validator.iter_errors(&value).flat_map(|error| told(place, name, &error)));
}

/// The value a text stands for; what cannot be read stays text and fails as the wrong type.
fn typed(kind: Kind, text: &str) -> Value {
    let value = match kind {
        Kind::Text => None,
        Kind::Integer => text.parse::<i64>().ok().map(Value::from),
        Kind::Number => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from),
        Kind::Boolean => text.parse::<bool>().ok().map(Value::from),
    };
    value.unwrap_or_else(|| text.into())
}

fn pairs(query: &str, errors: &mut Vec<FieldError>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (decode(name, true), decode(value, true)) {
            (Some(name), Some(value)) => pairs.push((name, value)),
            (Some(name), None) => errors.push(undecodable(Place::Query, &name)),
            (None, _) => errors.push(undecodable(Place::Query, "")),
        }
    }
    pairs
}

fn undecodable(place: Place, name: &str) -> FieldError {
    fault(place, name, "bad_format", "This must be percent-encoded UTF-8.")
}

/// Percent-decoded text, or nothing where an escape is broken or the bytes are not UTF-8.
fn decode(text: &str, form: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
            }
            b'+' if form => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).ok()
}
