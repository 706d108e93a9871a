//! What a text may be given: its template's fields and nothing else. There is no field for a name, a programme, a reason or a score.

use super::Given;
use super::dates::Words;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use minijinja::Value;
use nazorg_domain::messages::Template;

/// A number to call, as it is to be read: digits, spaces, `+`, `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone(String);

impl Phone {
    /// The longest E.164 number with its `+`, and room for the spaces people write in it.
    pub const LONGEST: usize = 20;

    /// `None` for anything but a number of at most [`Self::LONGEST`] characters.
    #[must_use]
    pub fn parse(number: &str) -> Option<Self> {
        let number = number.trim();
        let fits = (3..=Self::LONGEST).contains(&number.len());
        let reads = number.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | ' '));
        (fits && reads).then(|| Self(number.to_owned()))
    }
}

/// Everything a text could be given; each template takes its own from it.
#[derive(Clone, Debug)]
pub struct Fields {
    /// The moment it is about.
    pub at: DateTime<Utc>,
    /// The recipient's time zone.
    pub zone: Tz,
    /// How many things it is about.
    pub count: u32,
    /// The number to call, where the organisation has one.
    pub phone: Option<Phone>,
}

impl Fields {
    /// Only what this template may know.
    pub(super) fn for_template(&self, template: Template, words: Words) -> Given {
        let local = self.at.with_timezone(&self.zone);
        let phone = || ("phone", Value::from(self.phone.as_ref().map(|phone| words.number(&phone.0))));
        let (weekday, time) =
            (("weekday", words.weekday(local).into()), ("time", local.format("%H:%M").to_string().into()));
        let given: Vec<(&'static str, Value)> = match template {
            Template::Login | Template::FamilyCheckIn | Template::Survey => vec![],
            Template::Appointment => vec![weekday, ("date", words.date(local).into()), time, phone()],
            Template::AppointmentMasked => vec![weekday, time],
            Template::CheckIn | Template::FamilySupport | Template::Stop => vec![phone()],
            Template::Task | Template::Overdue => vec![("count", self.count.into())],
        };
        given.into_iter().collect()
    }
}

/// The fillings a text is checked with: the longest of everything, with and without a number, one and many.
pub(super) fn worst_cases(words: Words) -> Vec<Fields> {
    let phone = || Phone("+".to_owned() + &"8".repeat(Phone::LONGEST - 1));
    let fillings = [(1, None), (9_999, None), (9_999, Some(phone()))];
    let days = words.longest_days();
    let on =
        |at: &DateTime<Utc>| fillings.clone().map(|(count, phone)| Fields { at: *at, zone: Tz::UTC, count, phone });
    days.iter().flat_map(on).collect()
}
