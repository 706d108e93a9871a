//! The door of time: nothing else asks what time it is.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, SubsecRound, Utc};

/// Two clocks (DESIGN section 5), both in whole milliseconds.
pub trait Clock: Send + Sync {
    /// The organisations' time: due moments, windows, quiet hours, caps, retention.
    fn now(&self) -> DateTime<Utc>;
    /// The wall's time: leases, provider back-off, expiry of keys, rate limits, audit.
    fn wall(&self) -> DateTime<Utc>;
}

/// The system's clock, as it is.
pub struct SystemClock;

#[expect(clippy::disallowed_methods, reason = "this is the door of time")]
fn system_now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        self.wall()
    }

    fn wall(&self) -> DateTime<Utc> {
        system_now()
    }
}

/// A clock that stands still until moved; its wall is the system's. For stories and the demo.
pub struct TravellingClock(Mutex<DateTime<Utc>>);

impl TravellingClock {
    /// Stands at `start`.
    #[must_use]
    pub fn at(start: DateTime<Utc>) -> Self {
        Self(Mutex::new(start.trunc_subsecs(3)))
    }

    /// Moves to `moment`, forward or back.
    pub fn travel_to(&self, moment: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = moment.trunc_subsecs(3);
    }
}

impl Clock for TravellingClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wall(&self) -> DateTime<Utc> {
        system_now()
    }
}
