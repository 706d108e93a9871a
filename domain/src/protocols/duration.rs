//! Offsets: ISO 8601 durations with business days (PROTOCOLS section 2).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// How far from an anchor: exact time, calendar days, or business days; negative goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Offset {
    /// Elapsed time in seconds, through nights, weekends and clock changes (`PT24H`).
    Clock {
        /// Seconds, negative to go back.
        seconds: i64,
    },
    /// Local calendar: years and months first, clamping to the last day, then weeks and days (`P1M15D`).
    Calendar {
        /// Years and months, in months.
        months: i32,
        /// Weeks and days, in days.
        days: i32,
    },
    /// Working days that are no holiday (`P5BD`).
    Business {
        /// Business days, negative to go back.
        days: i32,
    },
}

/// Why a text is no offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OffsetError {
    /// Not of the form the language knows.
    #[error("expected an ISO 8601 duration such as PT24H, P14D, P3M, P1Y6M or P5BD, with an optional leading '-'")]
    Malformed,
    /// Clock, calendar and business parts in one duration.
    #[error("a duration counts clock time, calendar days or business days, never two of them (P1DT2H is refused)")]
    Mixed,
    /// More than a hundred years, or more than 2,600 business days.
    #[error("a duration is at most a hundred years, or 2600 business days")]
    TooLarge,
}

const MAX_SECONDS: i64 = 100 * 366 * 86_400;
const MAX_MONTHS: i64 = 1_200;
const MAX_DAYS: i64 = 36_600;
const MAX_BUSINESS: i64 = 2_600;

impl Offset {
    /// No time at all.
    pub const ZERO: Offset = Offset::Clock { seconds: 0 };

    /// Whether it is no distance at all, in whichever unit.
    #[must_use]
    pub fn is_zero(self) -> bool {
        matches!(
            self,
            Offset::Clock { seconds: 0 } | Offset::Calendar { months: 0, days: 0 } | Offset::Business { days: 0 }
        )
    }

    /// Whether local dates decide (so that a time of day has a meaning).
    #[must_use]
    pub fn is_local(self) -> bool {
        !matches!(self, Offset::Clock { .. })
    }

    /// The same distance the other way.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Offset::Clock { seconds } => Offset::Clock { seconds: -seconds },
            Offset::Calendar { months, days } => Offset::Calendar { months: -months, days: -days },
            Offset::Business { days } => Offset::Business { days: -days },
        }
    }

    /// `self + times × every`, unit by unit; `None` when the two count in different units.
    #[must_use]
    pub fn plus(self, every: Offset, times: i32) -> Option<Offset> {
        if times == 0 || every.is_zero() {
            return Some(self);
        }
        match (self, every) {
            (Offset::Clock { seconds: a }, Offset::Clock { seconds: b }) => {
                Some(Offset::Clock { seconds: a.saturating_add(b.saturating_mul(i64::from(times))) })
            }
            (Offset::Calendar { months: am, days: ad }, Offset::Calendar { months: bm, days: bd }) => {
                Some(Offset::Calendar {
                    months: am.saturating_add(bm.saturating_mul(times)),
                    days: ad.saturating_add(bd.saturating_mul(times)),
                })
            }
            (Offset::Business { days: a }, Offset::Business { days: b }) => {
                Some(Offset::Business { days: a.saturating_add(b.saturating_mul(times)) })
            }
            (zero, Offset::Clock { .. }) if zero.is_zero() => Offset::ZERO.plus(every, times),
            (zero, Offset::Calendar { .. }) if zero.is_zero() => {
                Offset::Calendar { months: 0, days: 0 }.plus(every, times)
            }
            (zero, Offset::Business { .. }) if zero.is_zero() => Offset::Business { days: 0 }.plus(every, times),
            _ => None,
        }
    }

    /// Roughly how long, in seconds: for bounds and estimates only, never for a moment.
    #[must_use]
    pub fn nominal_seconds(self) -> i64 {
        match self {
            Offset::Clock { seconds } => seconds,
            Offset::Calendar { months, days } => i64::from(months) * 2_629_746 + i64::from(days) * 86_400,
            Offset::Business { days } => i64::from(days) * 120_960,
        }
    }

    /// The shortest and the longest it can be, in seconds, whatever the anchor and the time of day.
    fn extent(self) -> (i64, i64) {
        const DAY: i64 = 86_400;
        match self {
            Offset::Clock { seconds } => (seconds, seconds),
            Offset::Calendar { months, days } => {
                let (short, long) = if months < 0 { (31, 28) } else { (28, 31) };
                let (months, days) = (i64::from(months), i64::from(days));
                ((months * short + days) * DAY, (months * long + days) * DAY)
            }
            Offset::Business { days } => {
                let days = i64::from(days);
                let (near, far) = (days * DAY, days * 2 * DAY + days.signum() * 10 * DAY);
                (near.min(far), near.max(far))
            }
        }
    }

    /// Whether this surely lies after the other, measured from one anchor with one time of day.
    #[must_use]
    pub fn surely_after(self, other: Offset) -> bool {
        match (self, other) {
            (Offset::Business { days: a }, Offset::Business { days: b }) => a > b,
            (Offset::Calendar { months: am, days: ad }, Offset::Calendar { months: bm, days: bd }) if am == bm => {
                ad > bd
            }
            _ => {
                let same = std::mem::discriminant(&self) == std::mem::discriminant(&other);
                let slack = if same { 0 } else { 2 * 86_400 };
                self.extent().0 > other.extent().1 + slack
            }
        }
    }
}

impl FromStr for Offset {
    type Err = OffsetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let body = rest.strip_prefix('P').ok_or(OffsetError::Malformed)?;
        let positive = match body.split_once('T') {
            Some(("", clock)) => clock_parts(clock)?,
            Some(_) => return Err(OffsetError::Mixed),
            None => match body.strip_suffix("BD") {
                Some(count) => business(count)?,
                None => calendar_parts(body)?,
            },
        };
        Ok(if sign < 0 { positive.negated() } else { positive })
    }
}

fn business(count: &str) -> Result<Offset, OffsetError> {
    if count.contains(|c: char| c.is_ascii_uppercase()) {
        return Err(OffsetError::Mixed);
    }
    let days = number(count)?;
    if days > MAX_BUSINESS {
        return Err(OffsetError::TooLarge);
    }
    Ok(Offset::Business { days: narrow(days)? })
}

fn clock_parts(text: &str) -> Result<Offset, OffsetError> {
    let [hours, minutes, seconds] = parts(text, ['H', 'M', 'S'])?;
    let total = hours.saturating_mul(3_600).saturating_add(minutes.saturating_mul(60)).saturating_add(seconds);
    if total > MAX_SECONDS {
        return Err(OffsetError::TooLarge);
    }
    Ok(Offset::Clock { seconds: total })
}

fn calendar_parts(text: &str) -> Result<Offset, OffsetError> {
    let [years, months, weeks, days] = parts(text, ['Y', 'M', 'W', 'D'])?;
    let months = years.saturating_mul(12).saturating_add(months);
    let days = weeks.saturating_mul(7).saturating_add(days);
    if months > MAX_MONTHS || days > MAX_DAYS {
        return Err(OffsetError::TooLarge);
    }
    Ok(Offset::Calendar { months: narrow(months)?, days: narrow(days)? })
}

/// Numbers with units, in the order of the units, each at most once and at least one of them.
fn parts<const N: usize>(text: &str, units: [char; N]) -> Result<[i64; N], OffsetError> {
    let mut found = [0; N];
    let mut next = 0;
    let mut rest = text;
    if rest.is_empty() {
        return Err(OffsetError::Malformed);
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or(OffsetError::Malformed)?;
        let (digits, tail) = rest.split_at(end);
        let unit = tail.chars().next().ok_or(OffsetError::Malformed)?;
        let place = units.iter().skip(next).position(|u| *u == unit).ok_or(OffsetError::Malformed)? + next;
        let slot = found.get_mut(place).ok_or(OffsetError::Malformed)?;
        *slot = number(digits)?;
        next = place + 1;
        rest = tail.get(unit.len_utf8()..).unwrap_or_default();
    }
    Ok(found)
}

fn number(digits: &str) -> Result<i64, OffsetError> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(OffsetError::Malformed);
    }
    digits.parse().map_err(|_| OffsetError::TooLarge)
}

fn narrow(value: i64) -> Result<i32, OffsetError> {
    i32::try_from(value).map_err(|_| OffsetError::TooLarge)
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let back = match *self {
            Offset::Clock { seconds } => seconds < 0,
            Offset::Calendar { months, days } => months < 0 || (months == 0 && days < 0),
            Offset::Business { days } => days < 0,
        };
        let forward = if back { self.negated() } else { *self };
        f.write_str(if back { "-P" } else { "P" })?;
        match forward {
            Offset::Clock { seconds } => write_clock(f, seconds),
            Offset::Business { days } => write!(f, "{days}BD"),
            Offset::Calendar { months: 0, days } => write!(f, "{days}D"),
            Offset::Calendar { months, days: 0 } => write!(f, "{months}M"),
            Offset::Calendar { months, days } => write!(f, "{months}M{days}D"),
        }
    }
}

fn write_clock(f: &mut fmt::Formatter<'_>, seconds: i64) -> fmt::Result {
    f.write_str("T")?;
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        write!(f, "{hours}H")?;
    }
    if minutes > 0 {
        write!(f, "{minutes}M")?;
    }
    if rest > 0 || seconds == 0 {
        write!(f, "{rest}S")?;
    }
    Ok(())
}

impl Serialize for Offset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
