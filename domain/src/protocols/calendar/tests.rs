use super::*;
use chrono_tz::Europe::Amsterdam;

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

fn shift(text: &str) -> Shift {
    Shift::new(text.parse().unwrap())
}

fn time(text: &str) -> Option<NaiveTime> {
    NaiveTime::parse_from_str(text, "%H:%M").ok()
}

#[test]
fn p23_the_spring_gap_ends_at_three_and_the_autumn_overlap_begins_at_the_first_of_two() {
    let around = Surroundings::default();
    let spring = offset(at("2027-03-27T12:00:00Z"), shift("P1D").at(time("02:30")), &around);
    assert_eq!(spring, at("2027-03-28T03:00:00+02:00"));
    let autumn = offset(at("2027-10-30T12:00:00Z"), shift("P1D").at(time("02:30")), &around);
    assert_eq!(autumn, at("2027-10-31T02:30:00+02:00"));
}

#[test]
fn clock_offsets_run_through_the_change_and_calendar_offsets_keep_the_time_of_day() {
    let around = Surroundings::default();
    let anchor = at("2027-03-27T12:00:00+01:00");
    assert_eq!(offset(anchor, shift("PT24H"), &around), at("2027-03-28T13:00:00+02:00"));
    assert_eq!(offset(anchor, shift("P1D"), &around), at("2027-03-28T12:00:00+02:00"));
}

#[test]
fn p24_months_end_where_they_end_and_years_roll_over() {
    let around = Surroundings::default();
    for (anchor, by, expected) in [
        ("2027-01-31", "P1M", "2027-02-28"),
        ("2028-01-31", "P1M", "2028-02-29"),
        ("2027-11-30", "P3M", "2028-02-29"),
        ("2027-10-31", "P1M", "2027-11-30"),
        ("2028-02-29", "P1Y", "2029-02-28"),
        ("2028-02-29", "P4Y", "2032-02-29"),
        ("2028-02-28", "P1D", "2028-02-29"),
        ("2027-12-31", "P1D", "2028-01-01"),
        ("2027-12-31", "P2M", "2028-02-29"),
        ("2028-03-31", "-P1M", "2028-02-29"),
    ] {
        let noon = |date: &str| Amsterdam.from_local_datetime(&format!("{date}T12:00:00").parse().unwrap()).unwrap();
        assert_eq!(offset(noon(anchor).to_utc(), shift(by), &around), noon(expected), "{anchor} {by}");
    }
}

#[test]
fn p25_five_business_days_over_easter() {
    let around = Surroundings::default();
    let found = moment(at("2027-03-25T11:00:00+01:00"), shift("P5BD"), &around);
    assert_eq!(found.at, at("2027-04-02T17:00:00+02:00"));
    let passed: Vec<_> = found.passed.iter().map(|closure| closure.as_str()).collect();
    assert_eq!(passed, ["weekend", "easter_sunday", "easter_monday"]);
}

#[test]
fn an_organisation_closes_days_of_its_own() {
    let mut around = Surroundings::default();
    let anchor = at("2027-03-25T11:00:00+01:00");
    around.calendar.good_friday_closed = true;
    assert_eq!(offset(anchor, shift("P1BD"), &around), at("2027-03-30T17:00:00+02:00"));
    around.calendar.closed_days.insert(NaiveDate::from_ymd_opt(2027, 3, 30).unwrap());
    assert_eq!(offset(anchor, shift("P1BD"), &around), at("2027-03-31T17:00:00+02:00"));
}

#[test]
fn a_calendar_without_a_working_day_still_answers() {
    let mut around = Surroundings::default();
    around.calendar.working_days.clear();
    let _ = offset(at("2027-03-25T11:00:00Z"), shift("P3BD"), &around);
}

#[test]
fn surroundings_survive_being_stored() {
    let around = Surroundings::default();
    let text = serde_json::to_string(&around).unwrap();
    assert!(text.contains("Europe/Amsterdam"), "{text}");
    assert_eq!(serde_json::from_str::<Surroundings>(&text).unwrap(), around);
}
