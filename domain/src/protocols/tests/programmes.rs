//! Every programme that comes with the service, lived through at random for years: whatever people answer, miss or end, an open
//! trajectory always has a next moment of its own, and the rhythm that was promised is there.

use super::support::{at, id, idle};
use crate::protocols::*;
use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What happens at one moment of a life: what kind of thing, to which follow-up, with which outcome, after how many hours.
type Event = (u8, usize, usize, i64);

/// A life in a programme.
struct Life {
    protocol: Protocol,
    around: Surroundings,
    state: State,
    /// The person chose to meet only when there is something to meet about.
    on_call: bool,
    told: Vec<String>,
}

impl Life {
    fn begin(built_in: &BuiltIn) -> Self {
        let protocol = parse(built_in.text).unwrap();
        let around = protocol.surroundings(&Surroundings::default());
        let start = at("2027-01-29 11:00");
        let value = |number: u128| vec![AnchorValue { id: id(number), at: start }];
        let anchors: BTreeMap<_, _> =
            (1..).zip(protocol.required_anchors()).map(|(number, name)| (name.to_owned(), value(number))).collect();
        let mut life = Life { protocol, around, state: State::default(), on_call: false, told: Vec::new() };
        life.tries(start, What::Started { anchors, params: BTreeMap::new(), subjects: BTreeMap::new() });
        assert!(life.state.started_at.is_some());
        life
    }

    /// Something is said, or refused, and what was promised still holds.
    fn tries(&mut self, when: DateTime<chrono::Utc>, what: What) {
        let said = format!("{when} {what:?}");
        let Ok(effects) = next(&self.protocol, &self.around, &mut self.state, &Input { at: when, what: what.clone() })
        else {
            return;
        };
        self.told.push(said);
        if let What::Outcome { code, .. } = &what {
            match code.as_str() {
                "on_call" => self.on_call = true,
                "weekly" | "two_weekly" | "monthly" | "wants_to_talk" | "match_ok" => self.on_call = false,
                _ => {}
            }
        }
        if effects.contains(&Effect::Reopened) {
            let again: &[&str] = match self.protocol.name.as_str() {
                "recovery_coaching" => &["meeting", "review", "taper"],
                "naaste_support" => &["call", "ask", "talk", "support"],
                _ => &[],
            };
            assert!(again.iter().all(|step| self.runs(&[step])), "came back to less than they left: {:#?}", self.told);
        }
        self.holds();
    }

    /// Looks several times on the way there: what time alone brings is held to the promise too.
    fn passes(&mut self, hours: i64) {
        for _ in 0..4 {
            let until = self.state.settled_until + TimeDelta::minutes(hours * 15);
            advance(&self.protocol, &self.around, &mut self.state, until);
            self.holds();
        }
    }

    fn runs(&self, steps: &[&str]) -> bool {
        steps.iter().any(|step| self.state.of_step(step).any(|one| !one.status.is_final()))
    }

    fn holds(&self) {
        let state = &self.state;
        assert!(!idle(state), "open, and nothing comes: {:#?}", self.told);
        assert!(!stalled(&self.protocol, state));
        if state.closed.is_some() {
            return;
        }
        let began = |step: &str| state.of_step(step).next().is_some();
        match self.protocol.name.as_str() {
            "recovery_coaching" => {
                let sought = self.runs(&["match", "meet", "waiting", "match_again", "meet_again"]);
                assert!(!began("meeting") || self.on_call || sought || self.runs(&["meeting"]), "{:#?}", self.told);
                assert!(!began("review") || self.runs(&["review"]), "no review: {:#?}", self.told);
                assert!(!began("goals") || self.runs(&["goals", "review"]), "no plan ever: {:#?}", self.told);
            }
            "naaste_support" => {
                let sought = self.runs(&["match", "intake"]);
                assert!(!began("talk") || sought || self.runs(&["talk"]), "{:#?}", self.told);
            }
            _ => {}
        }
    }

    fn event(&mut self, (kind, pick, code, hours): Event) {
        self.passes(hours);
        let now = self.state.settled_until;
        let many: Vec<_> = self.protocol.anchors.keys().filter(|name| self.protocol.is_many(name)).cloned().collect();
        match kind {
            0..=19 => self.answer(kind, pick, code),
            20 => self.tries(now, What::OptedIn { steps: Vec::new() }),
            21 => self.tries(now, What::OptedOut { steps: Vec::new() }),
            22 if !many.is_empty() => {
                let moment = now + TimeDelta::days(i64::try_from(code).unwrap());
                self.tries(
                    now,
                    What::AnchorSet { anchor: many[pick % many.len()].clone(), id: id(100 + code as u128), at: moment },
                );
            }
            23 => {
                let value = Offset::Calendar { months: 0, days: 7 + i32::try_from(code % 22).unwrap() };
                self.tries(now, What::ParamSet { param: "rhythm".to_owned(), value });
            }
            24 => self.tries(now, What::Paused),
            25 => self.tries(now, What::Closed { reason: "enough_for_now".to_owned() }),
            // Silence: whatever was due is missed.
            _ => {}
        }
        if self.state.paused_at.is_some() && kind % 2 == 1 {
            self.tries(now, What::Resumed);
        }
    }

    /// Something that is planned ends, mostly without ending everything, and sometimes in the way of who cannot be reached.
    fn answer(&mut self, kind: u8, pick: usize, code: usize) {
        let now = self.state.settled_until;
        let open: Vec<Key> =
            self.state.follow_ups.values().filter(|one| one.is_open()).map(|one| one.key.clone()).collect();
        let Some(key) = open.get(pick % open.len().max(1)) else { return };
        let Some(step) = self.protocol.step(&key.step) else { return };
        let ends = |effects: &Vec<Do>| effects.iter().any(|effect| matches!(effect, Do::Close(_)));
        let codes: Vec<&String> = match kind {
            0..=11 => step.outcomes.iter().filter(|(_, effects)| !ends(effects)).map(|(code, _)| code).collect(),
            12..=16 => step
                .outcomes
                .keys()
                .filter(|code| ["unreachable", "no_show", "no_response"].contains(&code.as_str()))
                .collect(),
            17 => step
                .outcomes
                .keys()
                .filter(|code| ["rematch", "on_call", "taper", "wants_to_talk"].contains(&code.as_str()))
                .collect(),
            _ => step.outcomes.keys().collect(),
        };
        let Some(code) = codes.get(code % codes.len().max(1)).map(|code| (*code).clone()) else { return };
        self.tries(now, What::Outcome { follow_up: key.clone(), code });
    }
}

/// Few in every run of the suite; as many as `PROPTEST_CASES` says when someone wants to be sure.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(48)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn an_open_trajectory_always_has_a_next_moment(
        life in prop::collection::vec((0u8..30, 0usize..64, 0usize..64, 1i64..1_400), 1..60)
    ) {
        for programme in built_in() {
            let mut one = Life::begin(programme);
            for event in &life {
                one.event(*event);
            }
            one.passes(10_000);
        }
    }
}
