//! Pure rules about retention: when what is done with a closed case (DOMAIN 7.1, PROTOCOLS section 3).

use std::cmp::Reverse;

use chrono::TimeDelta;
use nazorg_entities::Instant;

use crate::protocols::{Retention, RetentionThen, Shift, Surroundings, offset};

/// How long to wait at least before a case whose aftercare still goes on is looked at again.
const LATER: TimeDelta = TimeDelta::days(1);

/// What is known of a closed case.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// When it closed.
    pub closed_at: Instant,
    /// When the last of it ended, aftercare included.
    pub last_at: Option<Instant>,
    /// Whether something in it is still to be done or sent.
    pub unfinished: bool,
    /// What each of its protocols says, with the zone it counts in; `None` is a protocol that says nothing.
    pub rules: Vec<(Option<Retention>, Surroundings)>,
}

/// When what happens to a closed case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing by itself: one of its protocols does not say how long it is kept.
    Kept,
    /// Not before this moment: something in it is still to come.
    NotBefore(Instant),
    /// This, then.
    At(Instant, RetentionThen),
}

impl Verdict {
    /// When to look at it.
    #[must_use]
    pub const fn look_at(self) -> Option<Instant> {
        match self {
            Self::Kept => None,
            Self::NotBefore(at) | Self::At(at, _) => Some(at),
        }
    }
}

/// Judges a closed case at `now`. The period counts from the closing or the end of the last aftercare step; of several
/// protocols the longest holds, and at the same moment the one that leaves most.
#[must_use]
pub fn judge(facts: &Facts, now: Instant) -> Verdict {
    let Facts { closed_at, last_at, unfinished, rules } = facts;
    let from = last_at.map_or(*closed_at, |last| last.max(*closed_at));
    let ends: Option<Vec<_>> = rules
        .iter()
        .map(|(retention, around)| {
            let retention = retention.as_ref()?;
            Some((offset(from, Shift::new(retention.period), around), Reverse(thoroughness(retention.then)), retention))
        })
        .collect();
    let longest = ends.and_then(|ends| ends.into_iter().max_by_key(|(at, thorough, _)| (*at, *thorough)));
    let Some((at, _, retention)) = longest else { return Verdict::Kept };
    if *unfinished { Verdict::NotBefore(at.max(now + LATER)) } else { Verdict::At(at, retention.then) }
}

/// How little is left.
const fn thoroughness(then: RetentionThen) -> u8 {
    match then {
        RetentionThen::Pseudonymise => 0,
        RetentionThen::ReduceToTally => 1,
        RetentionThen::Delete => 2,
    }
}

/// The month something is counted in.
#[must_use]
pub fn month(at: Instant) -> String {
    at.format("%Y-%m").to_string()
}

#[cfg(test)]
mod tests {
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
}
