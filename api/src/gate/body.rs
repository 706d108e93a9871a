//! The body against the document: size, format, and every error in it.

use nazorg_domain::error::{FieldError, Place};
use poem::{Request, error::ReadBodyError, http::header};
use serde_json::Value;

use super::{
    Operation,
    contract::BodyRule,
    faults::{fault, told},
    json,
    media::{self, Brought},
};
use crate::problem::{Answer, Code, Problem};

/// The largest body of an ordinary operation: 1 MiB.
pub(crate) const LARGEST: usize = 1024 * 1024;

/// Reads and judges the body. Formats other than JSON are left for the operation to read.
pub(crate) async fn read(
    request: &mut Request,
    operation: &Operation,
    errors: &mut Vec<FieldError>,
) -> Answer<Option<Value>> {
    let Some(rule) = &operation.body else { return nothing_expected(request, errors).await };
    if is_absent(request) {
        if rule.required {
            errors.push(fault(Place::Body, "", "required", "This operation needs a body."));
        }
        return Ok(None);
    }
    if media::content_type(request, rule)? == Brought::Other {
        return Ok(None);
    }
    let bytes = bytes(request).await?;
    if bytes.is_empty() && !rule.required {
        return Ok(None);
    }
    let value = json::parse(&bytes)?;
    judge(rule, &value, errors);
    Ok(Some(value))
}

fn judge(rule: &BodyRule, value: &Value, errors: &mut Vec<FieldError>) {
    json::without_nul(value, "", errors);
    if let Some(validator) = &rule.validator {
        errors.extend(validator.iter_errors(value).flat_map(|error| told(Place::Body, "", &error)));
    }
}

async fn nothing_expected(request: &mut Request, errors: &mut Vec<FieldError>) -> Answer<Option<Value>> {
    if !is_absent(request) && !bytes(request).await?.is_empty() {
        errors.push(fault(Place::Body, "", "unknown_field", "This operation takes no body."));
    }
    Ok(None)
}

/// Whether the request says it has no body (RFC 9112, 6.3).
fn is_absent(request: &Request) -> bool {
    let length = request.header(header::CONTENT_LENGTH);
    let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    length == Some("0") || (length.is_none() && !chunked && request.content_type().is_none())
}

async fn bytes(request: &mut Request) -> Answer<Vec<u8>> {
    let too_large = || Problem::new(Code::ContentTooLarge, format!("A body may have {LARGEST} bytes at most."));
    let announced = request.header(header::CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > LARGEST) {
        return Err(too_large());
    }
    match request.take_body().into_bytes_limit(LARGEST).await {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(ReadBodyError::PayloadTooLarge) => Err(too_large()),
        Err(_) => Err(Problem::new(Code::MalformedJson, "The body ended before it was complete, or is not UTF-8.")),
    }
}
