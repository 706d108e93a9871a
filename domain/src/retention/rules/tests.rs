use super::*;
use crate::protocols::Offset;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn rule(days: i64, then: RetentionThen) -> (Option<Retention>, Surroundings) {
    (Some(Retention { period: Offset::Clock { seconds: days * 86_400 }, then }), Surroundings::default())
}

fn facts(rules: Vec<(Option<Retention>, Surroundings)>) -> Facts {
    Facts { closed_at: at("2027-03-12T09:00:00Z"), last_at: None, unfinished: false, rules }
}

#[test]
fn the_period_counts_from_the_last_aftercare() {
    let now = at("2027-03-12T09:00:00Z");
    let closed = facts(vec![rule(90, RetentionThen::ReduceToTally)]);
    assert_eq!(judge(&closed, now), Verdict::At(at("2027-06-10T09:00:00Z"), RetentionThen::ReduceToTally));
    let asked = Facts { last_at: Some(at("2027-03-18T12:00:00Z")), ..closed.clone() };
    assert_eq!(judge(&asked, now), Verdict::At(at("2027-06-16T12:00:00Z"), RetentionThen::ReduceToTally));
    let earlier = Facts { last_at: Some(at("2027-01-01T00:00:00Z")), ..closed };
    assert_eq!(judge(&earlier, now).look_at(), Some(at("2027-06-10T09:00:00Z")));
}

#[test]
fn what_is_still_to_come_puts_it_off() {
    let now = at("2027-07-01T00:00:00Z");
    let waiting = Facts { unfinished: true, ..facts(vec![rule(90, RetentionThen::Delete)]) };
    assert_eq!(judge(&waiting, now), Verdict::NotBefore(at("2027-07-02T00:00:00Z")));
}

#[test]
fn the_longest_of_several_holds_and_one_that_says_nothing_keeps() {
    let now = at("2027-03-12T09:00:00Z");
    let two = facts(vec![rule(90, RetentionThen::Delete), rule(400, RetentionThen::Pseudonymise)]);
    assert!(matches!(judge(&two, now), Verdict::At(_, RetentionThen::Pseudonymise)));
    let same = facts(vec![rule(90, RetentionThen::Delete), rule(90, RetentionThen::ReduceToTally)]);
    assert!(matches!(judge(&same, now), Verdict::At(_, RetentionThen::ReduceToTally)), "what leaves most");
    let kept = facts(vec![rule(90, RetentionThen::Delete), (None, Surroundings::default())]);
    assert_eq!(judge(&kept, now), Verdict::Kept);
    assert_eq!(judge(&facts(vec![]), now), Verdict::Kept);
}
