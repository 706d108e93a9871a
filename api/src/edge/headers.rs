//! The headers every answer carries (API.md section 1), and the conditional read.

use poem::{
    Request, Response,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
};

use super::Trail;

/// The version of the interface, as ADR `/core/version-header` wants it in every answer.
pub const API_VERSION: &str = "1.0.0";

const FIXED: [(HeaderName, &str); 7] = [
    (HeaderName::from_static("api-version"), API_VERSION),
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "frame-ancestors 'none'"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// Puts the headers on an answer; a policy that a page brought itself stays.
pub(crate) fn put(response: &mut Response, trail: &Trail) {
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    insert(headers, HeaderName::from_static("x-request-id"), &trail.request_id.to_string());
    insert(headers, HeaderName::from_static("traceparent"), &trail.traceparent());
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// `If-None-Match` of a read: who has this version already gets 304 and no body.
pub(crate) struct Preconditions(Option<Vec<String>>);

impl Preconditions {
    /// Notes what the caller has. Only GET and HEAD are conditional in this way (RFC 9110, 13.1.2).
    pub(crate) fn of(request: &Request) -> Self {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let tags = || {
            let lists = request.headers().get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
            lists.flat_map(|list| list.split(',')).map(|tag| weak(tag.trim()).to_owned()).collect::<Vec<_>>()
        };
        Self(reads.then(tags).filter(|tags| !tags.is_empty()))
    }

    /// The answer, or 304 where the caller has this version.
    pub(crate) fn apply(self, mut response: Response) -> Response {
        let (Some(tags), StatusCode::OK) = (self.0, response.status()) else { return response };
        let current = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(weak);
        if current.is_some_and(|current| tags.iter().any(|tag| tag == "*" || tag == current)) {
            response.set_status(StatusCode::NOT_MODIFIED);
            response.headers_mut().remove(header::CONTENT_TYPE);
            response.set_body(());
        }
        response
    }
}

/// The opaque part: a read compares weakly (RFC 9110, 8.8.3.2).
fn weak(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}
