//! How long to leave alone what failed: one table for everything that is tried again.
//!
//! | failures so far | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13… |
//! |---|---|---|---|---|---|---|---|---|---|---|---|---|---|
//! | wait | 10 s | 30 s | 1 min | 2 min | 5 min | 10 min | 20 min | 30 min | 1 h | 2 h | 3 h | 4 h | 6 h |
//!
//! Each ± 10 %, by a hash of the job and the attempt: spread, yet the same when it is worked out again. After [`ATTEMPTS`] it is given
//! up: some 29 hours after the first failure, so that a provider may be away for a night and a day.

use std::time::Duration;
use uuid::Uuid;

/// How often something is tried before it is given up.
pub const ATTEMPTS: u32 = 16;

const SECONDS: [u64; 13] = [10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600];

/// The wait after the `failures`-th failure of this job in a row, wall time; `None` when it is given up.
#[must_use]
pub fn after(job: Uuid, failures: u32) -> Option<Duration> {
    if failures >= ATTEMPTS {
        return None;
    }
    let place = (failures.max(1) as usize - 1).min(SECONDS.len() - 1);
    let wait = Duration::from_secs(SECONDS[place]);
    let permille = 900 + spread(job, failures) % 201;
    Some(wait * u32::try_from(permille).unwrap_or(1_000) / 1_000)
}

/// FNV-1a over the job's id and the attempt.
fn spread(job: Uuid, failures: u32) -> u64 {
    let bytes = job.as_bytes().iter().copied().chain(failures.to_be_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests;
