//! Days and months in the recipient's language.

use chrono::{DateTime, Datelike, Days, TimeZone, Utc};

/// The words of one language.
#[derive(Clone, Copy)]
pub(super) struct Language {
    /// From Monday.
    weekdays: [&'static str; 7],
    /// From January.
    months: [&'static str; 12],
}

pub(super) const DUTCH: Language = Language {
    weekdays: ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"],
    months: [
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ],
};

pub(super) const ENGLISH: Language = Language {
    weekdays: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
};

impl Language {
    /// `donderdag`.
    pub(super) fn weekday<Z: TimeZone>(self, at: DateTime<Z>) -> &'static str {
        self.weekdays[at.weekday().num_days_from_monday() as usize]
    }

    /// `3 september`.
    pub(super) fn date<Z: TimeZone>(self, at: DateTime<Z>) -> String {
        format!("{} {}", at.day(), self.months[at.month0() as usize])
    }

    /// A moment of a day that is as long as any in words; four years hold every weekday of every month with two digits.
    pub(super) fn longest_day(self) -> DateTime<Utc> {
        let first = DateTime::UNIX_EPOCH;
        (0..1461)
            .filter_map(|days| first.checked_add_days(Days::new(days)))
            .max_by_key(|day| self.weekday(*day).len() + self.date(*day).len())
            .unwrap_or(first)
    }
}
