//! Everything that can go wrong, as one closed set: code, status, fixed title and the text of its page.

use nazorg_domain::error::ViolationCode;
use poem::http::StatusCode;

/// A kind of failure an integrator can meet. Its [`Code::as_str`] is stable for the whole of `/v1`; texts may be improved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// 400: fields, query keys or headers that do not fit the document.
    InvalidInput,
    /// 400: the body is no JSON at all.
    MalformedJson,
    /// 401: no credential, or one that is not valid (any more).
    Unauthenticated,
    /// 403: the caller may know it exists, but not do this.
    Forbidden,
    /// 403: an integration must name the user it acts for.
    OnBehalfOfRequired,
    /// 404: there is nothing here that the caller may see.
    NotFound,
    /// 405: the path exists, the method does not.
    MethodNotAllowed,
    /// 406: no representation fits `Accept`.
    NotAcceptable,
    /// 409: a rule of the domain says no; the code is the rule's.
    Violation(ViolationCode),
    /// 412: the resource is no longer in the version the caller read.
    PreconditionFailed,
    /// 413: the body is larger than accepted.
    ContentTooLarge,
    /// 415: the body is in a format the operation does not read.
    UnsupportedMediaType,
    /// 422: the Idempotency-Key was used before with another body.
    IdempotencyKeyReused,
    /// 428: `If-Match` is missing.
    PreconditionRequired,
    /// 429: too many requests, or too many failed authentications.
    TooManyRequests,
    /// 500: a fault of ours.
    InternalError,
    /// 503: something we depend on is away for a moment.
    Unavailable,
    /// 503: the request took too long and was rolled back.
    TimedOut,
}

/// The page of a rule: its title says which, the detail of the answer says how it came to it.
const RULE: &str = "A rule of the domain does not allow this in the present state. The detail of the answer says why; \
    sending the request again unchanged helps only after the state has changed.";

/// What stands about a code in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The HTTP status it always comes with.
    pub status: u16,
    /// The title, the same for every occurrence (RFC 9457, section 3.1.3).
    pub title: &'static str,
    /// What happened and what a client can do about it: the text of the page.
    pub advice: &'static str,
}

impl Code {
    /// Every code, in the order of the status, for the document, the pages and the tests.
    pub fn all() -> impl Iterator<Item = Self> {
        use Code::{
            ContentTooLarge, Forbidden, IdempotencyKeyReused, InternalError, InvalidInput, MalformedJson,
            MethodNotAllowed, NotAcceptable, NotFound, OnBehalfOfRequired, PreconditionFailed, PreconditionRequired,
            TimedOut, TooManyRequests, Unauthenticated, Unavailable, UnsupportedMediaType,
        };
        let before = [
            InvalidInput,
            MalformedJson,
            Unauthenticated,
            Forbidden,
            OnBehalfOfRequired,
            NotFound,
            MethodNotAllowed,
            NotAcceptable,
        ];
        let after = [
            PreconditionFailed,
            ContentTooLarge,
            UnsupportedMediaType,
            IdempotencyKeyReused,
            PreconditionRequired,
            TooManyRequests,
            InternalError,
            Unavailable,
            TimedOut,
        ];
        before.into_iter().chain(ViolationCode::ALL.iter().copied().map(Code::Violation)).chain(after)
    }

    /// The stable name, as in the member `code` and at the end of `type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::InvalidInput => "invalid_input",
            Code::MalformedJson => "malformed_json",
            Code::Unauthenticated => "unauthenticated",
            Code::Forbidden => "forbidden",
            Code::OnBehalfOfRequired => "on_behalf_of_required",
            Code::NotFound => "not_found",
            Code::MethodNotAllowed => "method_not_allowed",
            Code::NotAcceptable => "not_acceptable",
            Code::Violation(rule) => rule.as_str(),
            Code::PreconditionFailed => "precondition_failed",
            Code::ContentTooLarge => "content_too_large",
            Code::UnsupportedMediaType => "unsupported_media_type",
            Code::IdempotencyKeyReused => "idempotency_key_reused",
            Code::PreconditionRequired => "precondition_required",
            Code::TooManyRequests => "too_many_requests",
            Code::InternalError => "internal_error",
            Code::Unavailable => "unavailable",
            Code::TimedOut => "timed_out",
        }
    }

    /// The code with this name, where there is one.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|code| code.as_str() == name)
    }

    /// The status as a type of the web layer.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.entry().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Status, title and advice.
    pub fn entry(self) -> Entry {
        match self {
            Code::Violation(rule) => Entry { status: 409, title: rule.title(), advice: RULE },
            _ if self.is_about_the_request() => self.request_entry(),
            _ => self.state_entry(),
        }
    }

    fn is_about_the_request(self) -> bool {
        use Code::{
            ContentTooLarge, InvalidInput, MalformedJson, MethodNotAllowed, NotAcceptable, PreconditionRequired,
            UnsupportedMediaType,
        };
        matches!(
            self,
            InvalidInput
                | MalformedJson
                | MethodNotAllowed
                | NotAcceptable
                | ContentTooLarge
                | UnsupportedMediaType
                | PreconditionRequired
        )
    }

    /// The request itself cannot be accepted: sending it again unchanged gives the same answer.
    fn request_entry(self) -> Entry {
        let entry = |status, title, advice| Entry { status, title, advice };
        match self {
            Code::MalformedJson => entry(
                400,
                "The body is not valid JSON",
                "The body could not be read as JSON (RFC 8259, UTF-8, no key twice in one object). The detail says at which line and column.",
            ),
            Code::MethodNotAllowed => entry(
                405,
                "The method is not allowed here",
                "The response header Allow lists the methods this path knows.",
            ),
            Code::NotAcceptable => entry(
                406,
                "No acceptable representation",
                "The request header Accept allows none of the media types this operation answers with. Leave it out, or include application/json.",
            ),
            Code::ContentTooLarge => entry(
                413,
                "The body is too large",
                "A body may be 1 MiB at most. Send fewer or smaller items per request.",
            ),
            Code::UnsupportedMediaType => entry(
                415,
                "The media type is not supported",
                "Send the body as application/json in UTF-8 (for PATCH also application/merge-patch+json), and say so in Content-Type.",
            ),
            Code::PreconditionRequired => entry(
                428,
                "If-Match is required",
                "Changing a resource needs the ETag of the version you read, in the header If-Match, so that nobody's change is lost.",
            ),
            _ => entry(
                400,
                "The request is not valid",
                "One or more parameters, headers or members of the body do not fit the published document. All of them are listed in errors, each with its place and pointer.",
            ),
        }
    }

    /// The request was understood; who asks, or the state of things, decides otherwise.
    fn state_entry(self) -> Entry {
        let entry = |status, title, advice| Entry { status, title, advice };
        match self {
            Code::Unauthenticated => entry(
                401,
                "Authentication is required",
                "Send a valid API key as Authorization: Bearer nzg_live_…. The key may be missing, mistyped, expired or revoked.",
            ),
            Code::Forbidden => entry(
                403,
                "This is not allowed",
                "The resource exists, but the role or the scopes of the caller do not allow this action.",
            ),
            Code::OnBehalfOfRequired => entry(
                403,
                "The responsible user must be named",
                "An integration that touches personal data names the user it acts for in the header X-On-Behalf-Of.",
            ),
            Code::NotFound => entry(
                404,
                "Not found",
                "There is nothing here that the caller may see. What belongs to someone else is not found either.",
            ),
            Code::PreconditionFailed => entry(
                412,
                "The resource has changed meanwhile",
                "If-Match names another version than the current one. Read the resource again, redo the change and send the new ETag.",
            ),
            Code::IdempotencyKeyReused => entry(
                422,
                "The Idempotency-Key was used for another request",
                "A key belongs to one request, body included. Make a new key for a new request.",
            ),
            Code::TooManyRequests => entry(
                429,
                "Too many requests",
                "Wait for the time in Retry-After. The headers RateLimit and RateLimit-Policy say how much is left and what the quota is.",
            ),
            Code::Unavailable => entry(
                503,
                "The service is unavailable for a moment",
                "Something the service depends on is away. Nothing was changed; repeat the request after the time in Retry-After.",
            ),
            Code::TimedOut => entry(
                503,
                "The request took too long",
                "The request was stopped and rolled back. Repeat it after the time in Retry-After, a POST with the same Idempotency-Key.",
            ),
            _ => entry(
                500,
                "Something went wrong on our side",
                "This is a fault of the service. Report the instance or the traceId of the answer; the log has the rest.",
            ),
        }
    }
}
