//! Public holidays of the Netherlands (PROTOCOLS section 2).

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

/// Which set of holidays a calendar follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holidays {
    /// The Netherlands.
    #[default]
    Nl,
    /// None at all.
    None,
}

/// A holiday with a name, so that a preview can say what moved a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holiday {
    /// 1 January.
    NewYear,
    /// The Friday before Easter; closed only where the organisation says so.
    GoodFriday,
    /// Easter Sunday.
    EasterSunday,
    /// Easter Monday.
    EasterMonday,
    /// 27 April; 26 April when the 27th is a Sunday.
    KingsDay,
    /// 5 May, in years divisible by five, or every year where the organisation says so.
    LiberationDay,
    /// 39 days after Easter.
    AscensionDay,
    /// 49 days after Easter.
    WhitSunday,
    /// 50 days after Easter.
    WhitMonday,
    /// 25 December.
    ChristmasDay,
    /// 26 December.
    SecondChristmasDay,
}

impl Holiday {
    /// The stable snake_case code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Holiday::NewYear => "new_year",
            Holiday::GoodFriday => "good_friday",
            Holiday::EasterSunday => "easter_sunday",
            Holiday::EasterMonday => "easter_monday",
            Holiday::KingsDay => "kings_day",
            Holiday::LiberationDay => "liberation_day",
            Holiday::AscensionDay => "ascension_day",
            Holiday::WhitSunday => "whit_sunday",
            Holiday::WhitMonday => "whit_monday",
            Holiday::ChristmasDay => "christmas_day",
            Holiday::SecondChristmasDay => "second_christmas_day",
        }
    }
}

/// What an organisation decides itself about two of the days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Choices {
    /// Good Friday is a closed day.
    pub(super) good_friday: bool,
    /// 5 May is a closed day every year.
    pub(super) liberation_day_yearly: bool,
}

/// The Dutch holiday on this date, if it is one.
#[must_use]
pub(super) fn dutch(date: NaiveDate, choices: Choices) -> Option<Holiday> {
    fixed(date, choices).or_else(|| around_easter(date, choices))
}

fn fixed(date: NaiveDate, choices: Choices) -> Option<Holiday> {
    match (date.month(), date.day()) {
        (1, 1) => Some(Holiday::NewYear),
        (4, 26) if date.weekday() == Weekday::Sat => Some(Holiday::KingsDay),
        (4, 27) if date.weekday() != Weekday::Sun => Some(Holiday::KingsDay),
        (5, 5) if choices.liberation_day_yearly || date.year() % 5 == 0 => Some(Holiday::LiberationDay),
        (12, 25) => Some(Holiday::ChristmasDay),
        (12, 26) => Some(Holiday::SecondChristmasDay),
        _ => None,
    }
}

fn around_easter(date: NaiveDate, choices: Choices) -> Option<Holiday> {
    let easter = easter(date.year())?;
    let days = date.signed_duration_since(easter).num_days();
    match days {
        -2 if choices.good_friday => Some(Holiday::GoodFriday),
        0 => Some(Holiday::EasterSunday),
        1 => Some(Holiday::EasterMonday),
        39 => Some(Holiday::AscensionDay),
        49 => Some(Holiday::WhitSunday),
        50 => Some(Holiday::WhitMonday),
        _ => None,
    }
}

/// Easter Sunday of a year in the Gregorian calendar (the anonymous algorithm of Meeus, Jones and Butcher).
fn easter(year: i32) -> Option<NaiveDate> {
    let a = year.rem_euclid(19);
    let (b, c) = (year.div_euclid(100), year.rem_euclid(100));
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - b / 4 - g + 15).rem_euclid(30);
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4).rem_euclid(7);
    let m = (a + 11 * h + 22 * l) / 451;
    let days = h + l - 7 * m + 114;
    let first = NaiveDate::from_ymd_opt(year, u32::try_from(days / 31).ok()?, 1)?;
    first.checked_add_days(Days::new(u64::try_from(days % 31).ok()?))
}

#[cfg(test)]
mod tests;
