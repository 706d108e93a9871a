//! How a request is called, here and in every system it came through.

use nazorg_domain::app::Ids;
use poem::{Request, http::HeaderMap};
use uuid::Uuid;

/// The names of one request: its own id, and its place in a trace (W3C Trace Context).
#[derive(Debug, Clone)]
pub struct Trail {
    /// The caller's `X-Request-Id` where it is a UUID, else one of ours.
    pub request_id: Uuid,
    /// What the tables call it, and nobody else: under a name that a caller shares between requests, an incident and its support could be
    /// found together after their link is cut.
    pub kept_as: Uuid,
    /// The trace: 32 hexadecimal digits, the caller's where `traceparent` names one.
    pub trace_id: String,
    /// Our own span within the trace: 16 hexadecimal digits.
    pub span_id: String,
    /// The trace flags to hand on: sampled or not, as the caller said.
    pub flags: String,
}

impl Trail {
    /// Reads the names a request came with and makes those it lacks.
    pub(crate) fn of(request: &Request, ids: &Ids) -> Self {
        let (fresh, kept_as) = (ids.next(), ids.next());
        let request_id = one(request.headers(), "x-request-id").and_then(|id| Uuid::try_parse(id).ok());
        let span_id = format!("{:016x}", fresh.as_u64_pair().1);
        let (trace_id, flags) = match one(request.headers(), "traceparent").and_then(parent) {
            Some((trace, flags)) => (trace.to_owned(), flags.to_owned()),
            None => (fresh.simple().to_string(), "01".to_owned()),
        };
        Self { request_id: request_id.unwrap_or(fresh), kept_as, trace_id, span_id, flags }
    }

    /// The header `traceparent` that names our span.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{}", self.trace_id, self.span_id, self.flags)
    }
}

/// The value of a header that stands exactly once.
pub(crate) fn one<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Trace id and flags out of a `traceparent`; versions after 00 may carry more, ff and all-zero ids are invalid.
fn parent(header: &str) -> Option<(&str, &str)> {
    let mut parts = header.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let extra = parts.next().is_some();
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let named = |text: &str| text.bytes().any(|b| b != b'0');
    let valid = hex(version, 2)
        && version != "ff"
        && !(version == "00" && extra)
        && hex(trace, 32)
        && named(trace)
        && hex(span, 16)
        && named(span)
        && hex(flags, 2);
    valid.then_some((trace, flags))
}

#[cfg(test)]
mod tests;
