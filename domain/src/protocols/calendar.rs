//! From an anchor and an offset to an instant: calendars, closed days, time zones and clock changes (PROTOCOLS section 2).

use super::duration::Offset;
use super::holidays::{self, Choices, Holiday, Holidays};
use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset as _, TimeDelta, TimeZone, Utc,
    Weekday,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A day of the week, written `mon` to `sun`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the seven days explain themselves")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    /// The seven days, Monday first.
    pub const ALL: [Day; 7] = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];
}

impl From<Weekday> for Day {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Mon => Day::Mon,
            Weekday::Tue => Day::Tue,
            Weekday::Wed => Day::Wed,
            Weekday::Thu => Day::Thu,
            Weekday::Fri => Day::Fri,
            Weekday::Sat => Day::Sat,
            Weekday::Sun => Day::Sun,
        }
    }
}

/// When an organisation works. The default is the Dutch office week, 09:00–17:00.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Calendar {
    /// The days of the week on which work is done.
    pub working_days: BTreeSet<Day>,
    /// Which holidays are observed.
    pub holidays: Holidays,
    /// Good Friday is a closed day here.
    pub good_friday_closed: bool,
    /// 5 May is a closed day every year, not only every fifth.
    pub liberation_day_yearly: bool,
    /// The organisation's own closed days.
    pub closed_days: BTreeSet<NaiveDate>,
    /// When the office opens, local time.
    pub office_opens: NaiveTime,
    /// When the office closes, local time: the default time of day for business-day offsets.
    pub office_closes: NaiveTime,
}

impl Default for Calendar {
    fn default() -> Self {
        let hour = |hours: i64| NaiveTime::MIN + TimeDelta::hours(hours);
        Self {
            working_days: BTreeSet::from([Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri]),
            holidays: Holidays::Nl,
            good_friday_closed: false,
            liberation_day_yearly: false,
            closed_days: BTreeSet::new(),
            office_opens: hour(9),
            office_closes: hour(17),
        }
    }
}

/// Why a date is no working day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closure {
    /// Not a working day of the week.
    Weekend,
    /// A public holiday.
    Holiday(Holiday),
    /// One of the organisation's own closed days.
    ClosedDay,
}

impl Closure {
    /// The stable snake_case code: `weekend`, `closed_day`, or the holiday's.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Closure::Weekend => "weekend",
            Closure::Holiday(holiday) => holiday.as_str(),
            Closure::ClosedDay => "closed_day",
        }
    }
}

impl Calendar {
    /// Why this date is no working day; `None` when it is one. A holiday counts before the weekend it falls in.
    #[must_use]
    pub fn closure(&self, date: NaiveDate) -> Option<Closure> {
        let choices =
            Choices { good_friday: self.good_friday_closed, liberation_day_yearly: self.liberation_day_yearly };
        let holiday = match self.holidays {
            Holidays::Nl => holidays::dutch(date, choices),
            Holidays::None => None,
        };
        if let Some(holiday) = holiday {
            Some(Closure::Holiday(holiday))
        } else if self.closed_days.contains(&date) {
            Some(Closure::ClosedDay)
        } else if self.working_days.contains(&Day::from(date.weekday())) {
            None
        } else {
            Some(Closure::Weekend)
        }
    }

    /// The first working day from this date on (itself included), in a direction, noting what was passed.
    fn working_day_from(&self, date: NaiveDate, direction: Direction, passed: &mut Vec<Closure>) -> NaiveDate {
        let mut day = date;
        if self.working_days.is_empty() {
            return day;
        }
        // Nor has a calendar with years of closed days an answer; the bound keeps it from looking for one forever.
        for _ in 0..3_660 {
            match self.closure(day) {
                None => break,
                Some(closure) => passed.push(closure),
            }
            day = direction.step(day);
        }
        day
    }

    /// So many business days on (or back). A start on a closed day counts from that day without counting it.
    fn business_days(&self, from: NaiveDate, days: i32, passed: &mut Vec<Closure>) -> NaiveDate {
        if days == 0 {
            return self.working_day_from(from, Direction::Forward, passed);
        }
        let direction = if days < 0 { Direction::Back } else { Direction::Forward };
        (0..days.unsigned_abs()).fold(from, |day, _| self.working_day_from(direction.step(day), direction, passed))
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Forward,
    Back,
}

impl Direction {
    fn step(self, date: NaiveDate) -> NaiveDate {
        match self {
            Direction::Forward => date.succ_opt().unwrap_or(date),
            Direction::Back => date.pred_opt().unwrap_or(date),
        }
    }
}

/// What happens to a calendar due moment that falls on a closed day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Roll {
    /// It stays.
    #[default]
    None,
    /// It moves to the next working day, keeping the time of day.
    Forward,
    /// It moves to the previous working day, keeping the time of day.
    Back,
}

/// Where and when a trajectory runs: kept with it as a snapshot, so that a later change of settings moves nothing by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Surroundings {
    /// The time zone in which local dates and times of day are read.
    #[serde(with = "zone_name")]
    pub zone: Tz,
    /// The working week, the holidays and the closed days.
    pub calendar: Calendar,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self { zone: Tz::Europe__Amsterdam, calendar: Calendar::default() }
    }
}

mod zone_name {
    use chrono_tz::Tz;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(zone.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(|_| serde::de::Error::custom(format!("{name:?} is no time zone")))
    }
}

/// An offset with its time of day and its roll: the whole rule from an anchor to an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    /// How far.
    pub offset: Offset,
    /// The local time of day; clock offsets ignore it. Without it: the anchor's own, or the end of office hours for business days.
    pub at: Option<NaiveTime>,
    /// What to do on a closed day; only calendar offsets roll.
    pub roll: Roll,
}

impl Shift {
    /// A bare offset: no time of day, no roll.
    #[must_use]
    pub fn new(offset: Offset) -> Self {
        Self { offset, at: None, roll: Roll::None }
    }

    /// With a local time of day.
    #[must_use]
    pub fn at(self, at: Option<NaiveTime>) -> Self {
        Self { at, ..self }
    }

    /// With a roll.
    #[must_use]
    pub fn roll(self, roll: Roll) -> Self {
        Self { roll, ..self }
    }
}

/// An instant, and which closed days lay in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: DateTime<Utc>,
    /// What was counted past or rolled off, in the order met.
    pub passed: Vec<Closure>,
}

/// The instant that lies a shift away from an anchor (PROTOCOLS section 2).
#[must_use]
pub fn offset(anchor: DateTime<Utc>, shift: Shift, around: &Surroundings) -> DateTime<Utc> {
    moment(anchor, shift, around).at
}

/// As [`offset`], and tells which weekends, holidays and closed days moved it.
#[must_use]
pub fn moment(anchor: DateTime<Utc>, shift: Shift, around: &Surroundings) -> Moment {
    let local = anchor.with_timezone(&around.zone).naive_local();
    let mut passed = Vec::new();
    let (date, time) = match shift.offset {
        Offset::Clock { seconds } => {
            let at =
                TimeDelta::try_seconds(seconds).and_then(|delta| anchor.checked_add_signed(delta)).unwrap_or(anchor);
            return Moment { at, passed };
        }
        Offset::Calendar { months, days } => {
            let date = add_days(add_months(local.date(), months), days);
            (roll(date, shift.roll, &around.calendar, &mut passed), shift.at.unwrap_or(local.time()))
        }
        Offset::Business { days } => (
            around.calendar.business_days(local.date(), days, &mut passed),
            shift.at.unwrap_or(around.calendar.office_closes),
        ),
    };
    Moment { at: instant(around.zone, date.and_time(time)), passed }
}

fn roll(date: NaiveDate, roll: Roll, calendar: &Calendar, passed: &mut Vec<Closure>) -> NaiveDate {
    match roll {
        Roll::None => date,
        Roll::Forward => calendar.working_day_from(date, Direction::Forward, passed),
        Roll::Back => calendar.working_day_from(date, Direction::Back, passed),
    }
}

fn add_months(date: NaiveDate, months: i32) -> NaiveDate {
    let count = Months::new(months.unsigned_abs());
    let moved = if months < 0 { date.checked_sub_months(count) } else { date.checked_add_months(count) };
    moved.unwrap_or(date)
}

fn add_days(date: NaiveDate, days: i32) -> NaiveDate {
    let count = Days::new(u64::from(days.unsigned_abs()));
    let moved = if days < 0 { date.checked_sub_days(count) } else { date.checked_add_days(count) };
    moved.unwrap_or(date)
}

/// A local time as an instant: in the spring gap the first instant after it, in the autumn overlap the first of the two.
pub(crate) fn instant(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&local).earliest() {
        Some(found) => found.with_timezone(&Utc),
        None => end_of_gap(zone, local),
    }
}

/// The moment the clocks jump over a local time that does not exist: found by halving the stretch in which the jump lies.
fn end_of_gap(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    let shift = |at: DateTime<Utc>| i64::from(zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc());
    let middle = local.and_utc();
    let (mut before, mut after) = (middle - TimeDelta::days(2), middle + TimeDelta::days(2));
    let old = shift(before);
    while after - before > TimeDelta::seconds(1) {
        let half = before + (after - before) / 2;
        if shift(half) == old {
            before = half;
        } else {
            after = half;
        }
    }
    DateTime::from_timestamp(after.timestamp(), 0).unwrap_or(after)
}

#[cfg(test)]
mod tests;
