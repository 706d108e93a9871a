//! A trajectory to tell stories with: moments in Amsterdam time, outcomes by step.

use crate::protocols::*;
use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Europe::Amsterdam;
use std::collections::BTreeMap;
use uuid::Uuid;

/// An instant from local time in Amsterdam: `2026-12-17 03:20`.
pub(super) fn at(local: &str) -> DateTime<Utc> {
    let naive = NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M").unwrap();
    Amsterdam.from_local_datetime(&naive).earliest().unwrap().with_timezone(&Utc)
}

/// The other way round, for messages of failing tests.
pub(super) fn local(instant: DateTime<Utc>) -> String {
    instant.with_timezone(&Amsterdam).format("%Y-%m-%d %H:%M").to_string()
}

pub(super) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(super) fn built_in_protocol() -> Protocol {
    parse(built_in()[0].text).unwrap()
}

/// A protocol that comes with the service.
pub(super) fn shipped(name: &str) -> Protocol {
    parse(built_in().iter().find(|one| one.name == name).unwrap().text).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// Whether a trajectory has come to nothing while it is open: nothing of its own way has a moment. What waits for the closing or
/// for an opt-in, and a sign that is answered beside the way, is no way on. Stricter than what the ledger calls stalled.
pub(super) fn idle(state: &State) -> bool {
    let way = |one: &FollowUp| {
        let beside = one.after_close || one.key.step == "sign" || one.reason.as_deref() == Some("opt_in");
        !one.status.is_final() && !beside && one.due_at.is_some()
    };
    state.closed.is_none() && !state.follow_ups.values().any(way)
}

/// A small protocol around the given steps, with anchors `event_at` and `hearing_at` (many).
pub(super) fn small(steps: &str, rest: &str) -> Protocol {
    let text = format!(
        "protocol: small\ntitle: {{nl: Klein}}\nkind: recovery_coaching\nrecord_profile: support_file\n\
         anchors: {{event_at: required, later_at: optional, hearing_at: {{optional: true, many: true}}}}\n\
         roles: [coach, coordinator]\n{rest}\nsteps:\n{steps}\n"
    );
    parse(&text).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// One running trajectory and the log of what happened in it.
pub(super) struct Story {
    pub(super) protocol: Protocol,
    pub(super) around: Surroundings,
    pub(super) state: State,
    pub(super) log: Vec<Input>,
    pub(super) effects: Vec<Effect>,
}

impl Story {
    pub(super) fn start(protocol: Protocol, when: &str, anchors: &[(&str, &str)]) -> Self {
        let around = protocol.surroundings(&Surroundings::default());
        let mut story = Story { protocol, around, state: State::default(), log: Vec::new(), effects: Vec::new() };
        let mut values: BTreeMap<String, Vec<AnchorValue>> = BTreeMap::new();
        for (number, (name, moment)) in (1..).zip(anchors) {
            values.entry((*name).to_owned()).or_default().push(AnchorValue { id: id(number), at: at(moment) });
        }
        story.happens(when, What::Started { anchors: values, params: BTreeMap::new(), subjects: BTreeMap::new() });
        story
    }

    pub(super) fn tries(&mut self, when: &str, what: What) -> Result<Vec<Effect>, Refusal> {
        let input = Input { at: at(when), what };
        let before = self.state.clone();
        let taken = next(&self.protocol, &self.around, &mut self.state, &input);
        match &taken {
            Ok(effects) => {
                self.effects.extend(effects.clone());
                self.log.push(input);
            }
            Err(_) => assert_eq!(self.state, before, "a refusal changes nothing"),
        }
        self.unbroken(&before);
        taken
    }

    pub(super) fn happens(&mut self, when: &str, what: What) {
        self.tries(when, what).unwrap_or_else(|refusal| panic!("{when}: {refusal}"));
    }

    pub(super) fn outcome(&mut self, when: &str, step: &str, code: &str) {
        let key = self.one(step).key.clone();
        self.happens(when, What::Outcome { follow_up: key, code: code.to_owned() });
    }

    pub(super) fn refuses(&mut self, when: &str, what: What) -> &'static str {
        self.tries(when, what).expect_err("should be refused").code()
    }

    pub(super) fn until(&mut self, when: &str) {
        let before = self.state.clone();
        let effects = advance(&self.protocol, &self.around, &mut self.state, at(when));
        self.effects.extend(effects);
        self.unbroken(&before);
    }

    /// What always holds: final follow-ups do not change, and the log replays to the same state.
    fn unbroken(&self, before: &State) {
        for (key, old) in before.follow_ups.iter().filter(|(_, old)| old.status.is_final()) {
            assert_eq!(self.state.follow_ups.get(key), Some(old), "a final follow-up changed");
        }
        let replayed = replay(&self.protocol, &self.around, &self.log, self.state.settled_until).unwrap();
        assert_eq!(replayed, self.state, "the log tells another story");
    }

    /// The follow-up of a step that is not final.
    pub(super) fn one(&self, step: &str) -> &FollowUp {
        let mut open = self.state.of_step(step).filter(|follow_up| !follow_up.status.is_final());
        open.next().unwrap_or_else(|| panic!("{step} has nothing unfinished: {:#?}", self.brief()))
    }

    pub(super) fn last(&self, step: &str) -> &FollowUp {
        self.state.of_step(step).max_by_key(|follow_up| follow_up.key.occurrence).unwrap()
    }

    pub(super) fn due(&self, step: &str) -> String {
        local(self.one(step).due_at.unwrap())
    }

    pub(super) fn status(&self, step: &str) -> &'static str {
        self.last(step).status.as_str()
    }

    /// Everything in one line each: what, where it stands, when it is due.
    pub(super) fn brief(&self) -> Vec<String> {
        let line = |follow_up: &FollowUp| {
            let due = follow_up.due_at.map(local).unwrap_or_default();
            format!("{}#{} {} {due}", follow_up.key.step, follow_up.key.occurrence, follow_up.status.as_str())
        };
        self.state.follow_ups.values().map(line).collect()
    }

    /// The announcements that hold, in order of time: when, which step and rule, to whom.
    pub(super) fn told(&self) -> Vec<String> {
        let mut all: Vec<_> = self
            .state
            .follow_ups
            .values()
            .flat_map(|of| of.announcements.iter().map(move |told| (told.at, of, told)))
            .collect();
        all.retain(|(_, _, told)| told.called_off.is_none());
        all.sort_by_key(|(at, ..)| *at);
        all.into_iter()
            .map(|(at, of, told)| format!("{} {} {} {}", local(at), of.key.step, told.rule, told.to))
            .collect()
    }

    pub(super) fn next_of(&self, step: &str) -> Option<String> {
        let key = &self.one(step).key;
        next_moment(&self.protocol, &self.around, &self.state, key).map(local)
    }
}
