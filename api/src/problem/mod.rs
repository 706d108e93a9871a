//! `application/problem+json` (RFC 9457): what every failure looks like, and the one mapping from the domain's errors.

mod catalogue;
mod from_poem;
mod pages;

use std::{borrow::Cow, time::Duration};

use nazorg_domain::error::{Error, FieldError, Place, Violation, ViolationCode};
use poem::{
    Response,
    error::ResponseError,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use poem_openapi::{
    ApiResponse, Object,
    registry::{MetaResponses, Registry},
    types::ToJSON,
};

pub use catalogue::{Code, Entry};
pub(crate) use from_poem::{INTERNAL, unauthenticated};
pub(crate) use pages::pages;

use crate::edge::Trail;

/// The media type of every failure.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// A failure on its way out: what the caller will read, and beside it what only the log may have.
#[derive(Debug, thiserror::Error)]
#[error("{}", code.as_str())]
pub struct Problem {
    /// Which entry of the catalogue.
    pub code: Code,
    /// This occurrence in words, without internals and without values somebody sent.
    pub detail: Cow<'static, str>,
    /// All that is wrong with the input, for 400.
    pub errors: Vec<FieldError>,
    /// Headers that belong to the answer, such as `Allow` or `Retry-After`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The cause, for the log.
    pub log: Option<String>,
}

/// What a handler gives back: the answer, or the reason there is none.
pub type Answer<T> = Result<T, Problem>;

impl Problem {
    /// A problem of this code with these words about the occurrence.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), headers: Vec::new(), log: None }
    }

    /// Input that does not fit, with everything that is wrong with it.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => one.detail.clone(),
            many => format!("{} things are wrong with this request; see errors.", many.len()),
        };
        Self { errors, ..Self::new(Code::InvalidInput, detail) }
    }

    /// The same, carrying this header, in the place of one with the same name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.retain(|(known, _)| *known != name);
            self.headers.push((name, value));
        }
        self
    }

    /// The same, asking the caller to come back after at least this long (whole seconds, one at least).
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.with_header(header::RETRY_AFTER, &seconds.max(1).to_string())
    }

    /// The same, with the cause for the log.
    #[must_use]
    pub fn because(mut self, log: impl Into<String>) -> Self {
        self.log = Some(log.into());
        self
    }

    /// The answer on the wire, named after the request it belongs to.
    pub(crate) fn respond(self, trail: &Trail) -> Response {
        let entry = self.code.entry();
        let view = ProblemView {
            r#type: format!("/problems/{}", self.code.as_str()),
            title: entry.title.to_owned(),
            status: i32::from(entry.status),
            detail: self.detail.into_owned(),
            instance: format!("urn:uuid:{}", trail.request_id),
            code: self.code.as_str().to_owned(),
            trace_id: trail.trace_id.clone(),
            errors: (!self.errors.is_empty()).then(|| self.errors.into_iter().map(ProblemError::from).collect()),
        };
        let mut response = Response::builder()
            .status(self.code.status())
            .header(header::CONTENT_TYPE, PROBLEM_JSON)
            .body(view.to_json_string());
        response.headers_mut().extend(self.headers);
        response
    }
}

impl From<Error> for Problem {
    /// The one mapping from the domain to HTTP (API.md, section 2).
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::new(Code::NotFound, "There is nothing here that you may see."),
            Error::Forbidden => Self::new(Code::Forbidden, "Your role or scopes do not allow this."),
            Error::OnBehalfOfRequired => {
                Self::new(Code::OnBehalfOfRequired, "Name the user you act for in the header X-On-Behalf-Of.")
            }
            Error::Invalid(errors) => Self::invalid(errors),
            Error::Violation(Violation { code: ViolationCode::IdempotencyInProgress, detail }) => {
                Self::new(Code::Violation(ViolationCode::IdempotencyInProgress), detail)
                    .retry_after(Duration::from_secs(2))
            }
            Error::Violation(Violation { code, detail }) => Self::new(Code::Violation(code), detail),
            Error::Stale => {
                Self::new(Code::PreconditionFailed, "The resource is no longer in the version that If-Match names.")
            }
            Error::KeyReused => {
                Self::new(Code::IdempotencyKeyReused, "This Idempotency-Key was used before with another body.")
            }
            Error::Unavailable { retry_after, log } => {
                Self::new(Code::Unavailable, "The service cannot do this right now.")
                    .retry_after(retry_after)
                    .because(log)
            }
            Error::Internal(log) => Self::new(Code::InternalError, INTERNAL).because(log),
        }
    }
}

impl ResponseError for Problem {
    fn status(&self) -> StatusCode {
        self.code.status()
    }
}

/// Handlers name only their success; the normaliser adds what can fail, by rule (`document/failures.rs`).
impl ApiResponse for Problem {
    fn meta() -> MetaResponses {
        MetaResponses { responses: Vec::new() }
    }

    fn register(_registry: &mut Registry) {}
}

/// What went wrong (RFC 9457).
#[derive(Debug, Object)]
#[oai(rename = "Problem", skip_serializing_if_is_none)]
pub(crate) struct ProblemView {
    /// A page about this kind of problem, relative to the service.
    r#type: String,
    /// The kind of problem in words, the same for every occurrence.
    title: String,
    /// The HTTP status.
    status: i32,
    /// This occurrence in words.
    detail: String,
    /// The id of the request, as in X-Request-Id.
    instance: String,
    /// The kind of problem as a stable name. New kinds can appear: treat an unknown one by its status.
    code: String,
    /// The trace this request belongs to (W3C Trace Context).
    #[oai(rename = "traceId")]
    trace_id: String,
    /// For status 400: everything that is wrong with the input.
    errors: Option<Vec<ProblemError>>,
}

/// One thing that is wrong with the input.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub(crate) struct ProblemError {
    /// Where it stands: body, query, path or header.
    r#in: String,
    /// In the body a JSON Pointer (RFC 6901), elsewhere the name.
    pointer: String,
    /// What is wrong, as a stable name.
    code: String,
    /// What is wrong, in words.
    detail: String,
}

impl From<FieldError> for ProblemError {
    fn from(error: FieldError) -> Self {
        let FieldError { place, pointer, code, detail } = error;
        let place = match place {
            Place::Body => "body",
            Place::Query => "query",
            Place::Path => "path",
            Place::Header => "header",
        };
        Self { r#in: place.to_owned(), pointer, code: code.into_owned(), detail }
    }
}
