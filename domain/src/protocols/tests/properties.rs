//! What holds for every story: looking often or seldom makes no difference, what is final stays, and who declined
//! twice is left in peace.

use super::support::{at, built_in_protocol, id, small};
use crate::protocols::*;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A protocol with one of everything that time drives.
fn everything() -> Protocol {
    small(
        "- {step: weekly, title: {nl: Week}, actor: coach, action: contact, anchor: event_at, at: \"09:00\", repeat: {every: {param: rhythm}, until: P6M}, window: {opens: P5D, closes: P8D}, \
            remind: [{to: actor, before_due: P1D}], escalate: [{to: coordinator, after_close: PT0S}], after_missed: [{count: 2, do: [{alert: coordinator}, {activate: extra}]}, {count: 4, do: [{close: contact_lost}]}], \
            outcomes: {held: [], unreachable: [{retry: {after: P1D, times: 2, then: [{alert: coordinator}]}}], calm: [{set_stage: calm}], slow: [{set_param: {rhythm: P2W}}]}}\n\
         - {step: extra, title: {nl: Extra}, active: false, actor: coach, action: talk, anchor: event_at, offset: P14D, window: {opens: P10D, closes: P20D}, expires: P60D, roll: forward, \
            if_past: {anchor: activated_at, offset: P1BD, closes: P3BD}, remind: [{to: person, at: opens}], escalate: [{to: coordinator, after_close: P1BD}], outcomes: {held: [{cancel: weekly}], fast: [{set_param: {rhythm: P2D}}], no: [{pause: true}]}}\n\
         - {step: each, title: {nl: Elk}, stage: acute, actor: coach, action: contact, anchor: stage.entered_at, repeat: {every: PT72H, until: {count: 5}}, outcomes: {safe: [], unsafe: [{set_stage: acute}]}}\n\
         - {step: before, title: {nl: Voor}, actor: coach, action: talk, anchor: hearing_at, offset: -P2BD, at: \"10:00\", window: {opens: -P5BD, closes: PT0S}, requires: [opt_in], announce: [{to: actor}], outcomes: {held: []}}\n\
         - {step: survey, title: {nl: Vraag}, after_close: true, actor: coordinator, action: message, anchor: event_at, offset: P3M, window: {opens: P3M, closes: P4M}, expires: P4M, requires: [opt_in], unmet: task, outcomes: {answered: []}}\n\
         - {step: after, title: {nl: Na}, after_close: true, actor: coach, action: contact, anchor: closed_at, offset: P1M, expires: P2M, outcomes: {fine: [], back: [{reopen: true}, {restart: extra}]}}",
        "stages: [acute, calm]\nstacking: re_anchor\nparams: {rhythm: {default: P1W, min: P2D, max: P4W}}\nend: [{all_final: extra, none_open: [before], close: completed}]",
    )
}

/// Something that may happen, by number: mostly allowed, sometimes refused.
fn what(protocol: &Protocol, state: &State, (kind, pick, hours): (u8, usize, i64)) -> What {
    let now = state.settled_until;
    let later = now + TimeDelta::hours(hours);
    let keys: Vec<&Key> = state.follow_ups.values().filter(|one| !one.status.is_final()).map(|one| &one.key).collect();
    let key = keys
        .get(pick % keys.len().max(1))
        .map_or(Key { step: "weekly".to_owned(), anchor_id: None, occurrence: 1 }, |key| (*key).clone());
    let codes: Vec<String> =
        protocol.step(&key.step).map_or(vec!["done".to_owned()], |step| step.outcomes.keys().cloned().collect());
    let code = codes[pick % codes.len()].clone();
    match kind {
        0..=9 => What::Outcome { follow_up: key, code },
        10 => What::AnchorSet { anchor: "event_at".to_owned(), id: id(1), at: now - TimeDelta::hours(hours) },
        11 | 12 => {
            What::AnchorSet { anchor: "hearing_at".to_owned(), id: id(10 + u128::from(pick % 2 == 0)), at: later }
        }
        13 => What::AnchorRemoved { anchor: "hearing_at".to_owned(), id: id(10) },
        14 => What::OptedIn { steps: vec![] },
        15 => What::OptedOut { steps: vec![] },
        16 => What::Rescheduled { follow_up: key, due_at: later },
        17 => What::CalledOff { follow_up: key, reason: "holiday".to_owned() },
        18 => What::Paused,
        19 | 20 => What::Resumed,
        21 => What::StageSet { stage: if pick % 2 == 0 { "acute" } else { "calm" }.to_owned() },
        22 => What::ParamSet {
            param: "rhythm".to_owned(),
            value: Offset::Calendar { months: 0, days: i32::try_from(pick % 30).unwrap() },
        },
        23 => {
            What::TaskAdded { id: id(pick as u128), code: "call".to_owned(), role: "coach".to_owned(), due_at: later }
        }
        24 => What::Closed { reason: "moved".to_owned() },
        25 => What::Reopened,
        26 => What::Activated { steps: vec!["extra".to_owned()] },
        27 => What::Ended { reason: "person_erased".to_owned() },
        _ => What::ReferralArrived,
    }
}

fn started() -> Input {
    let anchors =
        BTreeMap::from([("event_at".to_owned(), vec![AnchorValue { id: id(1), at: at("2027-01-29 11:00") }])]);
    Input {
        at: at("2027-01-29 12:00"),
        what: What::Started { anchors, params: BTreeMap::new(), subjects: BTreeMap::new() },
    }
}

/// What is checked after every step of a story.
fn sound(before: &State, after: &State, protocol: &Protocol, around: &Surroundings) {
    for (key, old) in before.follow_ups.iter().filter(|(_, old)| old.status.is_final()) {
        assert_eq!(after.follow_ups.get(key), Some(old), "a final follow-up changed");
    }
    for (key, one) in &after.follow_ups {
        assert_eq!(one.status.is_final(), one.final_at.is_some());
        let next = next_moment(protocol, around, after, key);
        assert!(next.is_none_or(|at| at > after.settled_until), "{key:?} is late");
        assert!(
            after.paused_at.is_some() || one.status.is_final() || next == one.next_at,
            "{key:?}: {next:?} {:?}",
            one.next_at
        );
        assert!(one.announcements.iter().all(|told| told.at <= after.settled_until), "announced too early");
        let mut rules: Vec<_> = one.announcements.iter().map(|told| (&told.rule, told.nth)).collect();
        rules.sort();
        rules.dedup();
        assert_eq!(rules.len(), one.announcements.len(), "two announcements with one identity");
        let mut holding: Vec<_> = one
            .announcements
            .iter()
            .filter(|told| told.nominal.is_some() && told.called_off.is_none())
            .map(|told| &told.rule)
            .collect();
        holding.sort();
        let all = holding.len();
        holding.dedup();
        assert_eq!(holding.len(), all, "one rule is announced twice");
        assert!(after.closed.is_none() || one.after_close || one.status.is_final(), "{key:?} survived the close");
    }
}

/// Few in every run of the suite; as many as `PROPTEST_CASES` says when someone wants to be sure.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn looking_often_or_seldom_makes_no_difference(
        story in prop::collection::vec(((0u8..29, 0usize..64, 1i64..3_000), 0i64..400, prop::collection::vec(1i64..200, 0..4)), 0..24)
    ) {
        let protocol = everything();
        let around = protocol.surroundings(&Surroundings::default());
        let mut state = State::default();
        let mut log = vec![started()];
        next(&protocol, &around, &mut state, &log[0]).unwrap();
        for (event, gap, looks) in story {
            let before = state.clone();
            let mut looked = state.settled_until;
            for hours in looks {
                looked += TimeDelta::hours(hours);
                advance(&protocol, &around, &mut state, looked);
                sound(&before, &state, &protocol, &around);
            }
            let input = Input { at: looked + TimeDelta::hours(gap), what: what(&protocol, &state, event) };
            let before = state.clone();
            match next(&protocol, &around, &mut state, &input) {
                Ok(_) => log.push(input),
                Err(_) => prop_assert_eq!(&state, &before),
            }
            sound(&before, &state, &protocol, &around);
        }
        let end = state.settled_until + TimeDelta::days(500);
        let replayed = replay(&protocol, &around, &log, end).unwrap();
        let mut step: DateTime<Utc> = state.settled_until;
        while step < end {
            step = (step + TimeDelta::hours(171)).min(end);
            advance(&protocol, &around, &mut state, step);
        }
        prop_assert_eq!(replayed, state);
    }

    #[test]
    fn who_declines_twice_is_left_in_peace(first in 0i64..60, second in 270i64..600, opted in any::<bool>(), hearing in 0i64..4_000) {
        let protocol = built_in_protocol();
        let around = protocol.surroundings(&Surroundings::default());
        let start = at("2026-12-17 07:45");
        let value = |number: u128, moment| vec![AnchorValue { id: id(number), at: moment }];
        let anchors = BTreeMap::from([
            ("event_at".to_owned(), value(1, start)),
            ("reported_at".to_owned(), value(2, start)),
            ("hearing_at".to_owned(), value(3, start + TimeDelta::hours(hearing))),
        ]);
        let mut state = State::default();
        let outcome = |step: &str| What::Outcome { follow_up: Key { step: step.to_owned(), anchor_id: None, occurrence: 1 }, code: "declined".to_owned() };
        let mut inputs = vec![(start, What::Started { anchors, params: BTreeMap::new(), subjects: BTreeMap::new() })];
        if opted {
            inputs.push((start, What::OptedIn { steps: vec![] }));
        }
        inputs.push((start + TimeDelta::hours(first), outcome("offer")));
        inputs.push((start + TimeDelta::hours(first + second), outcome("reoffer")));
        for (at, what) in inputs {
            next(&protocol, &around, &mut state, &Input { at, what }).unwrap();
        }
        prop_assert!(state.closed.is_some() && !state.has_unfinished());
        let mut later = state.clone();
        advance(&protocol, &around, &mut later, start + TimeDelta::days(3_650));
        prop_assert_eq!(&later.follow_ups, &state.follow_ups);
    }
}
