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
mod tests;
