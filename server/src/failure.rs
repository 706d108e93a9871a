//! Why a process could not start or go on, for the operator.

use std::{fmt, path::Path};

use crate::config::Faults;

/// Why the service did not start, or a command did not work. Printed once, to standard error; never holds a secret.
#[derive(Debug)]
pub enum Failure {
    /// The configuration cannot be; exit code 2.
    Config(Faults),
    /// A file or socket cannot be used.
    Io {
        /// What was being done, with the path or address.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The schema is not the one this version works with.
    Schema(String),
    /// The database or the key store does not answer.
    Database(String),
    /// What was asked for cannot be done; the text says why.
    Refused(String),
    /// Our own fault.
    Internal(String),
}

impl Failure {
    /// One fault of the configuration that only showed when it was used.
    pub fn config(text: impl Into<String>) -> Self {
        Self::Config(Faults(vec![text.into()]))
    }

    /// For `map_err`: names what was being done with `path`.
    pub fn io(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let what = format!("{what} ({})", path.display());
        move |source| Self::Io { what, source }
    }

    /// Our own fault.
    pub fn internal(text: impl fmt::Display) -> Self {
        Self::Internal(text.to_string())
    }

    /// The exit code of the process: 2 for a configuration that cannot be, 1 for everything else.
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::Config(_)) { 2 } else { 1 }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(faults) => faults.fmt(f),
            Self::Io { what, source } => write!(f, "{what}: {source}"),
            Self::Schema(text) | Self::Refused(text) => f.write_str(text),
            Self::Database(text) => write!(f, "the database does not answer: {text}"),
            Self::Internal(text) => write!(f, "internal: {text}"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Self {
        Self::Config(faults)
    }
}

impl From<nazorg_domain::Error> for Failure {
    fn from(error: nazorg_domain::Error) -> Self {
        use nazorg_domain::Error;
        match error {
            Error::Unavailable { log, .. } => Self::Database(log),
            Error::Internal(log) => Self::Internal(log),
            Error::Invalid(errors) => {
                let all: Vec<String> =
                    errors.iter().map(|error| format!("{}: {}", error.pointer, error.detail)).collect();
                Self::Refused(all.join("\n"))
            }
            other => Self::Refused(other.to_string()),
        }
    }
}
