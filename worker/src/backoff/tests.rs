use super::*;

/// As `docs/operations.md` tells it, in seconds: from ten seconds to four times six hours.
const TOLD: [u64; 15] = [10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 21_600, 21_600];

#[test]
fn p30_the_table_holds_within_ten_percent_and_repeats_itself() {
    for job in (0..1_000).map(Uuid::from_u128) {
        for (failures, seconds) in (1..).zip(TOLD) {
            let middle = Duration::from_secs(seconds);
            let wait = after(job, failures).unwrap();
            assert!(wait >= middle * 9 / 10 && wait <= middle * 11 / 10, "{failures}: {wait:?}");
            assert_eq!(after(job, failures), Some(wait));
        }
        assert_eq!(after(job, ATTEMPTS), None);
    }
}

#[test]
fn jobs_that_fail_together_do_not_return_together() {
    let waits: std::collections::BTreeSet<_> = (0..500).map(|n| after(Uuid::from_u128(n), 3).unwrap()).collect();
    assert!(waits.len() > 150, "{} different waits", waits.len());
}

#[test]
fn a_night_and_a_day_pass_before_it_is_given_up() {
    let whole: Duration = (1..ATTEMPTS).filter_map(|failures| after(Uuid::nil(), failures)).sum();
    assert!(whole > Duration::from_secs(26 * 3_600), "{whole:?}");
}
