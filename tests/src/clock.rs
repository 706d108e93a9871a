//! The clock of a story.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use nazorg::domain::{Clock, SystemClock};

/// Organisation time stands still until the story moves it; the wall's time moves along and ticks on from there, so that
/// back-offs and expiries pass too when a weekend does.
pub struct StoryClock(Mutex<(DateTime<Utc>, TimeDelta)>);

impl StoryClock {
    /// Stands at `start`.
    pub fn at(start: DateTime<Utc>) -> Self {
        Self(Mutex::new((start.trunc_subsecs(3), start - SystemClock::default().wall())))
    }

    /// Moves both times forward to `moment`; a clock never runs back.
    pub fn move_to(&self, moment: DateTime<Utc>) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let step = (moment - times.0).max(TimeDelta::zero());
        *times = (times.0 + step, times.1 + step);
    }

    /// Lets only the wall's time pass: a machine that was asleep.
    pub fn pass(&self, time: TimeDelta) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1 += time;
    }
}

impl Clock for StoryClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn wall(&self) -> DateTime<Utc> {
        SystemClock::default().wall() + self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}
