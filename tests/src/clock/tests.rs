use super::*;

#[test]
fn another_process_sees_the_same_times() {
    let dir = tempfile::tempdir().unwrap();
    let start: DateTime<Utc> = "2026-12-17T02:20:00Z".parse().unwrap();
    let clock = StoryClock::shared(start, &dir.path().join("clock"));
    let followed = FollowedClock::of(dir.path().join("clock"));
    clock.move_to(start + TimeDelta::days(14));
    assert_eq!((followed.now(), clock.now()), (start + TimeDelta::days(14), start + TimeDelta::days(14)));
    clock.pass(TimeDelta::hours(1));
    assert_eq!(followed.now(), clock.now());
    assert!((followed.wall() - clock.wall()).abs() < TimeDelta::seconds(5));
    assert!(followed.wall() - followed.now() >= TimeDelta::hours(1));
}
