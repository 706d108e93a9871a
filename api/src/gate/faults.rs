//! What a validator found, told to the caller: place, pointer, a stable code and words. Never a value that was sent.

use std::borrow::Cow;

use jsonschema::{ValidationError, error::ValidationErrorKind as Kind};
use nazorg_domain::error::{FieldError, Place};
use serde_json::Value;

/// As many errors as one answer tells.
pub(crate) const MOST: usize = 100;

/// An error at this place.
pub(crate) fn fault(
    place: Place,
    pointer: impl Into<String>,
    code: &'static str,
    detail: impl Into<String>,
) -> FieldError {
    FieldError { place, pointer: pointer.into(), code: Cow::Borrowed(code), detail: detail.into() }
}

/// One finding of a validator as one or more errors; `base` is the name of a parameter, or empty for the body.
pub(crate) fn told(place: Place, base: &str, error: &ValidationError<'_>) -> Vec<FieldError> {
    let path = error.instance_path().as_str();
    let at = if matches!(place, Place::Body) { path.to_owned() } else { base.to_owned() };
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let unknown =
                |name: &String| fault(place, member(&at, name), "unknown_field", "This member is not known here.");
            unexpected.iter().map(unknown).collect()
        }
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![fault(place, member(&at, name), "required", "This member is required.")]
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            // The variant that got furthest knows best what was meant.
            let best = context.iter().min_by_key(|errors| errors.len());
            let inner: Vec<_> = best.into_iter().flatten().flat_map(|error| told(place, base, error)).collect();
            if inner.is_empty() {
                vec![fault(place, at, "invalid", "This fits none of the forms it may have.")]
            } else {
                inner
            }
        }
        kind => {
            let (code, detail) = words(kind);
            vec![fault(place, at, code, detail)]
        }
    }
}

fn words(kind: &Kind) -> (&'static str, String) {
    match kind {
        Kind::Type { kind } => ("wrong_type", format!("This must be of type {}.", types(kind))),
        Kind::Enum { options } => ("not_allowed", format!("This must be one of {}.", list(options))),
        Kind::Constant { .. } => ("not_allowed", "This must be the one value the document gives.".to_owned()),
        Kind::Format { format } => ("bad_format", format!("This must be a valid {}.", format_name(format))),
        Kind::Pattern { pattern } => ("bad_format", format!("This must match {pattern}.")),
        Kind::MaxLength { limit } => ("too_long", format!("This may have {limit} characters at most.")),
        Kind::MinLength { limit } => ("too_short", format!("This must have at least {limit} characters.")),
        Kind::Maximum { limit } => ("too_large", format!("This may be {limit} at most.")),
        Kind::ExclusiveMaximum { limit } => ("too_large", format!("This must be less than {limit}.")),
        Kind::Minimum { limit } => ("too_small", format!("This must be at least {limit}.")),
        Kind::ExclusiveMinimum { limit } => ("too_small", format!("This must be more than {limit}.")),
        Kind::MaxItems { limit } => ("too_many", format!("This may have {limit} items at most.")),
        Kind::MinItems { limit } => ("too_few", format!("This must have at least {limit} items.")),
        Kind::MaxProperties { limit } => ("too_many", format!("This may have {limit} members at most.")),
        Kind::MinProperties { limit } => ("too_few", format!("This must have at least {limit} members.")),
        Kind::UniqueItems => ("not_unique", "The items must differ from each other.".to_owned()),
        _ => ("invalid", "This does not fit the published document.".to_owned()),
    }
}

fn types(kind: &jsonschema::error::TypeKind) -> String {
    use jsonschema::error::TypeKind;
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(many) => many.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or "),
    }
}

fn list(options: &Value) -> String {
    let names = options.as_array().map(Vec::as_slice).unwrap_or_default();
    names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

fn format_name(format: &str) -> &str {
    match format {
        "date-time" => "instant with an offset (RFC 3339), such as 2027-03-01T09:00:00.000Z",
        "date" => "date, such as 2027-03-01",
        "uuid" => "UUID",
        other => other,
    }
}

/// The pointer of a member of the object at `at` (RFC 6901), with names of reasonable length only.
pub(crate) fn member(at: &str, name: &str) -> String {
    let short: String = name.chars().take(64).collect();
    format!("{at}/{}", short.replace('~', "~0").replace('/', "~1"))
}
