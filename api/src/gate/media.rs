//! `Accept` and `Content-Type`, which the web framework does not look at.

use poem::{Request, http::header};

use super::{Operation, contract::BodyRule};
use crate::problem::{Answer, Code, PROBLEM_JSON, Problem};

/// Refuses with 406 what cannot be answered in a form the caller accepts. Operations that answer without a body always can.
pub(crate) fn acceptable(request: &Request, operation: &Operation) -> Answer<()> {
    let lists: Vec<&str> =
        request.headers().get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let ranges: Vec<&str> =
        lists.iter().flat_map(|list| list.split(',')).map(str::trim).filter(|r| !r.is_empty()).collect();
    if ranges.is_empty() || operation.produces.is_empty() {
        return Ok(());
    }
    if operation.produces.iter().any(|offered| allows(&ranges, offered)) {
        return Ok(());
    }
    let offers = operation.produces.join(", ");
    Err(Problem::new(
        Code::NotAcceptable,
        format!("This operation answers with {offers}; failures are {PROBLEM_JSON}."),
    ))
}

/// Whether the ranges let this media type through; the most specific one decides (RFC 9110, 12.5.1).
fn allows(ranges: &[&str], offered: &str) -> bool {
    let kind = offered.split('/').next().unwrap_or_default();
    let fitting = ranges.iter().filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next()?;
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
        let rank = if media.eq_ignore_ascii_case(offered) {
            2
        } else if media.strip_suffix("/*").is_some_and(|wild| wild.eq_ignore_ascii_case(kind)) {
            1
        } else if media == "*/*" {
            0
        } else {
            return None;
        };
        Some((rank, weight))
    });
    fitting.max_by_key(|(rank, _)| *rank).is_some_and(|(_, weight)| weight > 0.0)
}

/// What kind of body a request brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Brought {
    /// JSON, to be read here.
    Json,
    /// Another format of the document, read by the operation.
    Other,
}

/// Refuses with 415 a body in a format or charset that the operation does not read.
pub(crate) fn content_type(request: &Request, rule: &BodyRule) -> Answer<Brought> {
    let readable = || rule.media.join(", ");
    let Some(header) = request.content_type() else {
        return Err(Problem::new(
            Code::UnsupportedMediaType,
            format!("Say in Content-Type what the body is: {}.", readable()),
        ));
    };
    let mut parts = header.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default().to_ascii_lowercase();
    let utf8 = parts.filter_map(|part| part.split_once('=')).filter(|(key, _)| key.eq_ignore_ascii_case("charset"));
    if !utf8.into_iter().all(|(_, charset)| charset.trim_matches('"').eq_ignore_ascii_case("utf-8")) {
        return Err(Problem::new(Code::UnsupportedMediaType, "Only UTF-8 is read."));
    }
    let json = rule.media.iter().any(|known| known == "application/json");
    match media.as_str() {
        "application/json" if json => Ok(Brought::Json),
        "application/merge-patch+json" if json && request.method() == poem::http::Method::PATCH => Ok(Brought::Json),
        other if rule.media.iter().any(|known| known == other) => Ok(Brought::Other),
        _ => Err(Problem::new(Code::UnsupportedMediaType, format!("This operation reads {}.", readable()))),
    }
}
