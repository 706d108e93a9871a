//! The links in messages to staff: where they begin. What they lead to is signed by the domain, and nobody's to log.

use nazorg_domain::links::LENGTH;
use std::fmt;

/// Where links begin, such as `https://nazorg.example.org/l/`.
#[derive(Clone, PartialEq, Eq)]
pub struct Links(String);

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Links { .. }")
    }
}

impl Links {
    /// The most characters a link may have: a mail's line has to hold it whole.
    pub const LONGEST: usize = 300;

    /// Below the address at which the API is reached; `None` for one that no link can begin with.
    #[must_use]
    pub fn at(public_url: &str) -> Option<Self> {
        let start = format!("{}/l/", public_url.trim_end_matches('/'));
        let begins = start.starts_with("https://") || start.starts_with("http://");
        let plain = start
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'@' | b'"' | b'<' | b'>'));
        (begins && plain && start.len() + LENGTH <= Self::LONGEST).then_some(Self(start))
    }

    /// The link with this token.
    #[must_use]
    pub fn link(&self, token: &str) -> String {
        format!("{}{token}", self.0)
    }
}
