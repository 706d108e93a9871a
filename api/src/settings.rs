//! What an operator may set about this room.

use std::{num::NonZeroU32, time::Duration};

/// Settings of the API; `server` fills them in from its configuration.
#[derive(Clone)]
pub struct Settings {
    /// How long one request may take before it is stopped and rolled back.
    pub request_timeout: Duration,
    /// Requests per client and minute.
    pub requests_per_minute: NonZeroU32,
    /// Failed authentications per address and minute, before they are answered with 429.
    pub failed_authentications_per_minute: NonZeroU32,
    /// How many proxies of your own stand before the service, each adding to `X-Forwarded-For`; 0 is none.
    pub proxies: usize,
    /// Seals cursors, so it must be the same in every process of one installation.
    pub cursor_key: [u8; 32],
}

impl Settings {
    /// The defaults, with the key that seals cursors.
    pub fn new(cursor_key: [u8; 32]) -> Self {
        Self {
            request_timeout: Duration::from_secs(25),
            requests_per_minute: NonZeroU32::MIN.saturating_add(2_999),
            failed_authentications_per_minute: NonZeroU32::MIN.saturating_add(29),
            proxies: 0,
            cursor_key,
        }
    }
}
