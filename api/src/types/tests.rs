use super::{Day, Instant, TimeOfDay};

#[test]
fn an_instant_is_read_with_any_offset_and_written_in_utc_with_milliseconds() {
    let written = |text: &str| Instant::read(text).map(Instant::write);
    assert_eq!(written("2027-03-28T03:30:00+02:00").as_deref(), Some("2027-03-28T01:30:00.000Z"));
    assert_eq!(written("2027-03-28T01:30:00.123456789Z").as_deref(), Some("2027-03-28T01:30:00.123Z"));
    for bad in ["2027-03-28", "2027-03-28T01:30:00", "2027-02-30T00:00:00Z", "9999-12-31T23:59:59-23:59", "now", ""] {
        assert_eq!(written(bad), None, "{bad}");
    }
}

#[test]
fn a_day_is_exactly_a_date() {
    assert_eq!(Day::read("2028-02-29").map(Day::write).as_deref(), Some("2028-02-29"));
    for bad in ["2027-02-29", "2027-2-1", "+2027-02-01", "2027-02-01T00:00:00Z", "0001-01-01"] {
        assert_eq!(Day::read(bad), None, "{bad}");
    }
}

#[test]
fn a_time_of_day_has_minutes() {
    assert_eq!(TimeOfDay::read("09:30").map(TimeOfDay::write).as_deref(), Some("09:30"));
    assert!(TimeOfDay::read("24:00").is_none() && TimeOfDay::read("9:30").is_none());
}
