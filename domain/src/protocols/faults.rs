//! What is wrong with a protocol, told all at once.

use serde::{Serialize, Serializer};
use std::fmt;

/// One mistake in a protocol document (or in a preview request).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where, as a JSON pointer (`/steps/2/outcomes/accepted/0`); empty for the document as a whole.
    pub path: String,
    /// What kind of mistake; stable.
    pub code: FaultCode,
    /// For a person: what stands there and what was expected.
    pub detail: String,
}

impl Fault {
    /// A fault at a place.
    pub fn new(path: impl Into<String>, code: FaultCode, detail: impl Into<String>) -> Self {
        Self { path: path.into(), code, detail: detail.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.path, self.code.as_str(), self.detail)
    }
}

macro_rules! fault_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// The kinds of mistake a protocol can hold. The codes are part of the API and never change meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum FaultCode { $($(#[$doc])* $name,)* }

        impl FaultCode {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [FaultCode] = &[$(FaultCode::$name,)*];

            /// The stable snake_case code.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(FaultCode::$name => $code,)* }
            }
        }
    };
}

fault_codes! {
    /// The text is neither YAML nor JSON, or breaks the limits on depth, nodes and aliases.
    Syntax = "syntax",
    /// The text is longer than 256 KiB.
    TooLarge = "too_large",
    /// A key stands twice in one mapping.
    DuplicateKey = "duplicate_key",
    /// Another type of value was expected.
    WrongType = "wrong_type",
    /// A required key is absent, or a required list is empty.
    Missing = "missing",
    /// The language has no such key here.
    UnknownField = "unknown_field",
    /// A name does not follow `[a-z][a-z0-9_]*` (at most 64 characters), or is taken by the language.
    InvalidName = "invalid_name",
    /// The value is not one of the allowed ones.
    UnknownValue = "unknown_value",
    /// Not a duration of the language, or one that is not allowed here.
    InvalidDuration = "invalid_duration",
    /// Not a time of day as `HH:MM`.
    InvalidTime = "invalid_time",
    /// Not a time zone of the IANA database.
    InvalidZone = "invalid_zone",
    /// A number outside its bounds.
    OutOfRange = "out_of_range",
    /// Names a step that does not exist.
    UnknownStep = "unknown_step",
    /// Names an anchor that does not exist, or that cannot be used here.
    UnknownAnchor = "unknown_anchor",
    /// Names a role that does not exist.
    UnknownRole = "unknown_role",
    /// Names a stage that does not exist.
    UnknownStage = "unknown_stage",
    /// Names a parameter that does not exist.
    UnknownParam = "unknown_param",
    /// Names an outcome that the step does not have.
    UnknownOutcome = "unknown_outcome",
    /// A name that must be unique is used twice.
    DuplicateName = "duplicate_name",
    /// The window closes before it opens, or the due moment lies outside it.
    WindowInverted = "window_inverted",
    /// Two keys that exclude each other, or one that can have no effect here.
    Contradiction = "contradiction",
    /// An inactive step that nothing activates.
    NeverActivated = "never_activated",
    /// Steps that wait for each other's end.
    CircularAnchor = "circular_anchor",
    /// The record profile forbids what the step would store.
    ProfileForbids = "profile_forbids",
    /// Part of the language that this version does not run yet.
    NotSupportedYet = "not_supported_yet",
    /// Preview only: the moment lies outside the years 1900 to 2200.
    InvalidMoment = "invalid_moment",
    /// Preview only: the given outcome could not be recorded; the detail says why.
    NotRecorded = "not_recorded",
}

impl Serialize for FaultCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
