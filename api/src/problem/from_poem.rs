//! The web layer's own errors, converted once: whatever it refuses becomes a complete problem.

use nazorg_domain::error::{FieldError, Place};
use poem::{
    Error,
    error::{MethodNotAllowedError, NotFoundError, ParsePathError as PoemPathError, SizedLimitError},
    http::{StatusCode, header},
};
use poem_openapi::error::{
    AuthorizationError, ContentTypeError, ParseMultipartError, ParseParamError, ParsePathError,
    ParseRequestPayloadError,
};

use super::{Code, Problem};

impl Problem {
    /// The problem inside an error of the web layer. The gate refuses nearly all of these first, with a pointer; what
    /// still comes here says no more than its kind, since the layer's own texts hold values and type names.
    pub(crate) fn from_poem(error: Error) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(problem) => return problem,
            Err(error) => error,
        };
        if error.is::<AuthorizationError>() {
            return unauthenticated("The API key is missing or not valid.");
        }
        if error.is::<ContentTypeError>() {
            return Self::new(Code::UnsupportedMediaType, "The operation does not read this Content-Type.");
        }
        if error.is::<NotFoundError>() {
            return Self::new(Code::NotFound, "There is no such path.");
        }
        if error.is::<MethodNotAllowedError>() {
            return Self::new(Code::MethodNotAllowed, "This path only knows GET and HEAD.")
                .with_header(header::ALLOW, "GET, HEAD");
        }
        if error.is::<SizedLimitError>() {
            return Self::new(Code::ContentTooLarge, "The body is larger than this operation accepts.");
        }
        if let Some(place) = unreadable(&error) {
            let detail = "This does not fit the published document.";
            return Self::invalid(vec![FieldError {
                place,
                pointer: String::new(),
                code: "invalid".into(),
                detail: detail.into(),
            }]);
        }
        Self::by_status(error)
    }

    fn by_status(error: Error) -> Self {
        match error.status() {
            StatusCode::NOT_FOUND => Self::new(Code::NotFound, "There is no such path."),
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(Code::ContentTooLarge, "The body is too large."),
            status if status.is_client_error() => {
                Self::new(Code::InvalidInput, "The request does not fit the published document.")
            }
            _ => Self::new(Code::InternalError, INTERNAL).because(error.to_string()),
        }
    }
}

/// All that a caller learns of a fault of ours.
pub(crate) const INTERNAL: &str = "An unexpected fault. The log has the details under this instance.";

/// A 401 with the challenge that RFC 9110 (11.6.1) asks for.
pub(crate) fn unauthenticated(detail: &'static str) -> Problem {
    Problem::new(Code::Unauthenticated, detail).with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"nazorg\"")
}

/// Where in the request the thing stands that the web layer could not read.
fn unreadable(error: &Error) -> Option<Place> {
    if error.is::<PoemPathError>() || error.is::<ParsePathError>() {
        return Some(Place::Path);
    }
    if error.is::<ParseParamError>() {
        return Some(Place::Query);
    }
    (error.is::<ParseRequestPayloadError>() || error.is::<ParseMultipartError>()).then_some(Place::Body)
}
