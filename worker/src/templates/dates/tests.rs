use super::*;
use crate::templates::Language;
use std::collections::BTreeSet;

#[test]
fn a_day_reads_as_its_language_writes_it() {
    let day = Utc.with_ymd_and_hms(2026, 9, 3, 8, 0, 0).unwrap();
    let read = Language::ALL.map(|language| (language.words().weekday(day), language.words().date(day)));
    let expected = [
        ("donderdag", "3 september"),
        ("Thursday", "3 September"),
        ("четвер", "3 вересня"),
        ("четверг", "3 сентября"),
        ("الخميس", "3/9"),
        ("Perşembe", "3 Eylül"),
    ];
    assert_eq!(read, expected.map(|(weekday, date)| (weekday, date.to_owned())));
}

#[test]
fn no_two_days_read_the_same() {
    for words in Language::ALL.map(Language::words) {
        let days: Vec<_> = (0..365).map(|days| DateTime::UNIX_EPOCH + Days::new(days)).collect();
        assert_eq!(days.iter().map(|day| words.date(*day)).collect::<BTreeSet<_>>().len(), 365);
        assert_eq!(days.iter().map(|day| words.weekday(*day)).collect::<BTreeSet<_>>().len(), 7);
    }
}
