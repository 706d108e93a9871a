//! When an organisation or a unit works; part of both.

use nazorg_domain::protocols;
use poem_openapi::{Enum, Object};

use crate::types::{Day, TimeOfDay};

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename = "Weekday", rename_all = "snake_case", remote = "protocols::Day")]
pub(crate) enum WeekdayView {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// Which public holidays are observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "Holidays", rename_all = "snake_case", remote = "protocols::Holidays")]
pub(crate) enum HolidaysView {
    /// Those of the Netherlands.
    Nl,
    /// None.
    None,
}

/// When work is done. Business days and office hours of a protocol follow it.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Calendar", rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct CalendarView {
    /// The days of the week on which work is done.
    #[oai(validator(unique_items, max_items = 7))]
    working_days: Vec<WeekdayView>,
    /// Which public holidays are observed.
    holidays: HolidaysView,
    /// Whether Good Friday is a closed day.
    #[oai(default)]
    good_friday_closed: bool,
    /// Whether 5 May is a closed day every year, not only every fifth.
    #[oai(default)]
    liberation_day_yearly: bool,
    /// The organisation's own closed days.
    #[oai(default, validator(unique_items, max_items = 400))]
    closed_days: Vec<Day>,
    /// When the office opens, local time.
    office_opens: TimeOfDay,
    /// When the office closes, local time.
    office_closes: TimeOfDay,
}

impl From<protocols::Calendar> for CalendarView {
    fn from(calendar: protocols::Calendar) -> Self {
        let protocols::Calendar {
            working_days,
            holidays,
            good_friday_closed,
            liberation_day_yearly,
            closed_days,
            office_opens,
            office_closes,
        } = calendar;
        Self {
            working_days: working_days.into_iter().map(WeekdayView::from).collect(),
            holidays: holidays.into(),
            good_friday_closed,
            liberation_day_yearly,
            closed_days: closed_days.into_iter().map(Day).collect(),
            office_opens: TimeOfDay(office_opens),
            office_closes: TimeOfDay(office_closes),
        }
    }
}

impl From<CalendarView> for protocols::Calendar {
    fn from(view: CalendarView) -> Self {
        let CalendarView {
            working_days,
            holidays,
            good_friday_closed,
            liberation_day_yearly,
            closed_days,
            office_opens,
            office_closes,
        } = view;
        Self {
            working_days: working_days.into_iter().map(protocols::Day::from).collect(),
            holidays: holidays.into(),
            good_friday_closed,
            liberation_day_yearly,
            closed_days: closed_days.into_iter().map(|Day(day)| day).collect(),
            office_opens: office_opens.0,
            office_closes: office_closes.0,
        }
    }
}
