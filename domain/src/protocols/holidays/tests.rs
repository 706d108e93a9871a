use super::*;
use chrono::Datelike;

/// Month and day of Good Friday, Easter Sunday, King's Day, Ascension Day and Whit Sunday, as PyPI `holidays` (NL) has them.
const MOVABLE: [(i32, [(u32, u32); 5]); 11] = [
    (2025, [(4, 18), (4, 20), (4, 26), (5, 29), (6, 8)]),
    (2026, [(4, 3), (4, 5), (4, 27), (5, 14), (5, 24)]),
    (2027, [(3, 26), (3, 28), (4, 27), (5, 6), (5, 16)]),
    (2028, [(4, 14), (4, 16), (4, 27), (5, 25), (6, 4)]),
    (2029, [(3, 30), (4, 1), (4, 27), (5, 10), (5, 20)]),
    (2030, [(4, 19), (4, 21), (4, 27), (5, 30), (6, 9)]),
    (2031, [(4, 11), (4, 13), (4, 26), (5, 22), (6, 1)]),
    (2032, [(3, 26), (3, 28), (4, 27), (5, 6), (5, 16)]),
    (2033, [(4, 15), (4, 17), (4, 27), (5, 26), (6, 5)]),
    (2034, [(4, 7), (4, 9), (4, 27), (5, 18), (5, 28)]),
    (2035, [(3, 23), (3, 25), (4, 27), (5, 3), (5, 13)]),
];

fn expected(year: i32, movable: [(u32, u32); 5], choices: Choices) -> Vec<(NaiveDate, Holiday)> {
    let day = |(month, day)| NaiveDate::from_ymd_opt(year, month, day).unwrap();
    let [good_friday, easter, kings_day, ascension, whit] = movable.map(day);
    let mut all = vec![
        (day((1, 1)), Holiday::NewYear),
        (easter, Holiday::EasterSunday),
        (easter.succ_opt().unwrap(), Holiday::EasterMonday),
        (kings_day, Holiday::KingsDay),
        (ascension, Holiday::AscensionDay),
        (whit, Holiday::WhitSunday),
        (whit.succ_opt().unwrap(), Holiday::WhitMonday),
        (day((12, 25)), Holiday::ChristmasDay),
        (day((12, 26)), Holiday::SecondChristmasDay),
    ];
    if choices.good_friday {
        all.push((good_friday, Holiday::GoodFriday));
    }
    if choices.liberation_day_yearly || year % 5 == 0 {
        all.push((day((5, 5)), Holiday::LiberationDay));
    }
    all.sort();
    all
}

#[test]
fn p25_every_day_of_eleven_years_is_a_holiday_or_not() {
    let both = Choices { good_friday: true, liberation_day_yearly: true };
    for choices in [Choices::default(), both] {
        for (year, movable) in MOVABLE {
            let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
            let found: Vec<_> = first
                .iter_days()
                .take_while(|date| date.year() == year)
                .filter_map(|date| dutch(date, choices).map(|holiday| (date, holiday)))
                .collect();
            assert_eq!(found, expected(year, movable, choices), "{year}");
        }
    }
}
