//! Days, dates and numbers in the recipient's language. Digits are Western ones everywhere.

use super::gsm7;
use chrono::{DateTime, Datelike, Days, TimeZone, Utc};

/// The words of one language.
#[derive(Clone, Copy)]
pub(super) struct Words {
    /// From Monday.
    weekdays: [&'static str; 7],
    /// From January, as they stand behind the number of a day; without them a date is `24/11`.
    months: Option<[&'static str; 12]>,
    /// What stands before a telephone number.
    before_number: &'static str,
}

pub(super) const DUTCH: Words = Words {
    weekdays: ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"],
    months: Some([
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
    ]),
    before_number: "",
};

pub(super) const ENGLISH: Words = Words {
    weekdays: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    months: Some([
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
    ]),
    before_number: "",
};

/// Weekdays in the nominative, months in the genitive that follows a day's number.
pub(super) const UKRAINIAN: Words = Words {
    weekdays: ["понеділок", "вівторок", "середа", "четвер", "п’ятниця", "субота", "неділя"],
    months: Some([
        "січня",
        "лютого",
        "березня",
        "квітня",
        "травня",
        "червня",
        "липня",
        "серпня",
        "вересня",
        "жовтня",
        "листопада",
        "грудня",
    ]),
    before_number: "",
};

/// Weekdays in the nominative, months in the genitive that follows a day's number.
pub(super) const RUSSIAN: Words = Words {
    weekdays: ["понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"],
    months: Some([
        "января",
        "февраля",
        "марта",
        "апреля",
        "мая",
        "июня",
        "июля",
        "августа",
        "сентября",
        "октября",
        "ноября",
        "декабря",
    ]),
    before_number: "",
};

/// With their capitals, which they have beside a date: `3 Eylül Perşembe`.
pub(super) const TURKISH: Words = Words {
    weekdays: ["Pazartesi", "Salı", "Çarşamba", "Perşembe", "Cuma", "Cumartesi", "Pazar"],
    months: Some([
        "Ocak", "Şubat", "Mart", "Nisan", "Mayıs", "Haziran", "Temmuz", "Ağustos", "Eylül", "Ekim", "Kasım", "Aralık",
    ]),
    before_number: "",
};

/// Weekdays with their article. The months have other names in Damascus, Cairo and Rabat, and everyone reads `24/11`.
///
/// A number stands behind a left-to-right mark. Behind Arabic letters `0800-1234` would be shown as `1234-0800`, and `+31 88` as `88 31+` (UAX 9: W2
/// makes Arabic numbers of its groups, and hyphens, spaces and plus then take the direction of the line). The mark was chosen over isolates
/// (U+2066, U+2069) because it is one character instead of two, and older telephones know it. Dates and times need none: `/` and `:` hold (W4).
pub(super) const ARABIC: Words = Words {
    weekdays: ["الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت", "الأحد"],
    months: None,
    before_number: "\u{200e}",
};

impl Words {
    /// `donderdag`.
    pub(super) fn weekday<Z: TimeZone>(self, at: DateTime<Z>) -> &'static str {
        self.weekdays[at.weekday().num_days_from_monday() as usize]
    }

    /// `3 september`.
    pub(super) fn date<Z: TimeZone>(self, at: DateTime<Z>) -> String {
        match self.months {
            Some(months) => format!("{} {}", at.day(), months[at.month0() as usize]),
            None => format!("{}/{}", at.day(), at.month()),
        }
    }

    /// A telephone number, its digits kept in order.
    pub(super) fn number(self, number: &str) -> String {
        format!("{}{number}", self.before_number)
    }

    /// Moments of the longest days in words: of any, of one whose weekday is outside the GSM alphabet, and of one whose date is, either of which
    /// leaves a text less room. Four years hold every weekday of every month with two digits.
    pub(super) fn longest_days(self) -> Vec<DateTime<Utc>> {
        let days = || (0..1461).filter_map(|days| DateTime::UNIX_EPOCH.checked_add_days(Days::new(days)));
        let length = |day: &DateTime<Utc>| self.weekday(*day).chars().count() + self.date(*day).chars().count();
        let outside = |words: &str| gsm7::septets(words).is_none();
        let any = days().max_by_key(length);
        let weekday = days().max_by_key(|day| (outside(self.weekday(*day)), length(day)));
        let date = days().max_by_key(|day| (outside(&self.date(*day)), length(day)));
        [any, weekday, date].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests;
