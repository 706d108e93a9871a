//! Reads single values out of the merged layers, and remembers what is wrong instead of stopping at it.

use std::{net::SocketAddr, ops::RangeInclusive, time::Duration};

use figment::value::Value;

use super::{Secret, Store, layers::Layers};

/// Reads values and gathers faults. Every method gives `None` after a fault, so that the caller can read on.
pub(super) struct Reader {
    layers: Layers,
    pub(super) faults: Vec<String>,
}

impl Reader {
    pub(super) fn new(mut layers: Layers) -> Self {
        let faults = std::mem::take(&mut layers.faults);
        Self { layers, faults }
    }

    /// Notes that `key` is wrong, and where it was set. `what` must not quote a value that could be a secret.
    pub(super) fn fault(&mut self, key: &str, what: &str) {
        let origin = self.layers.origins.get(key).map(|origin| format!(" ({origin})")).unwrap_or_default();
        self.faults.push(format!("{key}{origin} {what}"));
    }

    /// A text that may be empty: `Some(None)` then.
    pub(super) fn optional(&mut self, key: &str) -> Option<Option<String>> {
        match self.layers.figment.find_value(key) {
            Ok(Value::String(_, text)) => Some(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            _ => {
                self.fault(key, "must be a text");
                None
            }
        }
    }

    /// A text that must not be empty.
    pub(super) fn required(&mut self, key: &str) -> Option<String> {
        let text = self.optional(key)?;
        if text.is_none() {
            self.fault(key, "must not be empty");
        }
        text
    }

    /// An address and port.
    pub(super) fn address(&mut self, key: &str) -> Option<SocketAddr> {
        let address = self.optional_address(key)?;
        if address.is_none() {
            self.fault(key, "must not be empty");
        }
        address
    }

    /// An address and port, or nothing.
    pub(super) fn optional_address(&mut self, key: &str) -> Option<Option<SocketAddr>> {
        let Some(text) = self.optional(key)? else {
            return Some(None);
        };
        let address = text.parse().ok();
        if address.is_none() {
            self.fault(key, &format!("must be an address and port such as 127.0.0.1:8080, not {text:?}"));
        }
        address.map(Some)
    }

    /// A URL of one of `schemes`, or nothing. Its text is a secret: it may hold a password.
    pub(super) fn optional_url(&mut self, key: &str, schemes: &[&str]) -> Option<Option<Secret>> {
        let Some(text) = self.optional(key)? else {
            return Some(None);
        };
        let fits = url::Url::parse(&text).is_ok_and(|url| schemes.contains(&url.scheme()) && url.has_host());
        if !fits {
            self.fault(key, &format!("must be a URL that starts with {}", starts(schemes)));
            return None;
        }
        Some(Some(Secret::new(text)))
    }

    /// A database: `sqlite:///file`, `postgres://…`, or nothing.
    pub(super) fn store(&mut self, key: &str) -> Option<Option<Store>> {
        let text = self.optional(key)?;
        if let Some(path) = text.as_deref().and_then(sqlite_path) {
            return Some(Some(Store::Sqlite(path.into())));
        }
        if text.as_deref().is_some_and(|text| text.starts_with("sqlite:")) {
            self.fault(key, "must name a file: sqlite:///var/lib/nazorg/nazorg.db");
            return None;
        }
        self.optional_url(key, &["postgres", "postgresql"]).map(|url| url.map(Store::Postgres))
    }

    /// A whole number within `range`.
    pub(super) fn number(&mut self, key: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let found = self.layers.figment.find_value(key).ok();
        let number = found.and_then(|value| value.to_i128()).and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            self.fault(key, &format!("must be a whole number from {} to {}", range.start(), range.end()));
        }
        number
    }

    /// A whole number of seconds within `range`.
    pub(super) fn seconds(&mut self, key: &str, range: RangeInclusive<u32>) -> Option<Duration> {
        self.number(key, range).map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// One of a few words.
    pub(super) fn one_of<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.required(key)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.fault(key, &format!("must be one of {}, not {text:?}", known.join(", ")));
        }
        found
    }
}

/// The file of `sqlite:///absolute`, `sqlite://relative` or `sqlite:relative`; none for memory, which could not be shared.
fn sqlite_path(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("sqlite:")?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    (!path.is_empty() && !path.contains(":memory:") && !path.contains('?')).then_some(path)
}

fn starts(schemes: &[&str]) -> String {
    schemes.iter().map(|scheme| format!("{scheme}://")).collect::<Vec<_>>().join(" or ")
}
