//! The clock of a story, in this process or shared by several.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::Path,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use nazorg::domain::{Clock, SystemClock};

/// Organisation time stands still until the story moves it; the wall's time moves along and ticks on from there, so that
/// back-offs and expiries pass too when a weekend does.
pub struct StoryClock {
    times: Mutex<Times>,
    /// Where other processes read these times.
    shared: Option<File>,
}

#[derive(Clone, Copy)]
struct Times {
    now: DateTime<Utc>,
    /// How far the wall's time is ahead of the system's.
    ahead: TimeDelta,
}

/// How long [`Times::line`] is.
const LINE: usize = 42;

impl Times {
    /// Always as long, so that it can be written over.
    fn line(self) -> String {
        format!("{:>20} {:>20}\n", self.now.timestamp_millis(), self.ahead.num_milliseconds())
    }

    fn of(line: &str) -> Self {
        let (now, ahead) = line.trim().split_once(' ').unwrap();
        let now = DateTime::from_timestamp_millis(now.parse().unwrap()).unwrap();
        Self { now, ahead: TimeDelta::milliseconds(ahead.trim().parse().unwrap()) }
    }
}

impl StoryClock {
    /// Stands at `start`.
    pub fn at(start: DateTime<Utc>) -> Self {
        let times = Times { now: start.trunc_subsecs(3), ahead: start - SystemClock.wall() };
        Self { times: Mutex::new(times), shared: None }
    }

    /// Stands at `start`, and tells it to the processes that read `file`.
    pub fn shared(start: DateTime<Utc>, file: &Path) -> Self {
        let clock = Self { shared: Some(File::create(file).unwrap()), ..Self::at(start) };
        clock.change(|_| {});
        clock
    }

    /// Moves both times forward to `moment`, never back.
    pub fn move_to(&self, moment: DateTime<Utc>) {
        self.change(|times| {
            let step = (moment - times.now).max(TimeDelta::zero());
            *times = Times { now: times.now + step, ahead: times.ahead + step };
        });
    }

    /// Both times jump back, as when somebody sets the machine's clock.
    pub fn jump_back(&self, by: TimeDelta) {
        self.change(|times| *times = Times { now: times.now - by, ahead: times.ahead - by });
    }

    /// Lets only the wall's time pass: back-offs and leases end, nothing new falls due.
    pub fn pass(&self, time: TimeDelta) {
        self.change(|times| times.ahead += time);
    }

    fn change(&self, change: impl FnOnce(&mut Times)) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut times);
        if let Some(file) = &self.shared {
            // Twice: who reads while it is written sees that the two differ.
            file.write_all_at(times.line().repeat(2).as_bytes(), 0).unwrap();
        }
    }

    fn times(&self) -> Times {
        *self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for StoryClock {
    fn now(&self) -> DateTime<Utc> {
        self.times().now
    }

    fn wall(&self) -> DateTime<Utc> {
        SystemClock.wall() + self.times().ahead
    }
}

/// The story's clock as another process sees it.
pub struct FollowedClock(File);

impl FollowedClock {
    /// Follows the clock that writes `file`.
    pub fn of(file: impl AsRef<Path>) -> Self {
        Self(File::open(file).unwrap())
    }

    /// Read anew each time, in one call to the system: what is measured should not be this.
    fn times(&self) -> Times {
        let mut read = [0; 2 * LINE];
        loop {
            self.0.read_exact_at(&mut read, 0).unwrap();
            let (one, other) = read.split_at(LINE);
            if one == other {
                return Times::of(std::str::from_utf8(one).unwrap());
            }
        }
    }
}

impl Clock for FollowedClock {
    fn now(&self) -> DateTime<Utc> {
        self.times().now
    }

    fn wall(&self) -> DateTime<Utc> {
        SystemClock.wall() + self.times().ahead
    }
}

#[cfg(test)]
mod tests;
