//! Opt-in, stages, subjects, tasks beside the protocol.

use super::super::support::{Story, at, id, small};
use crate::protocols::*;
use std::collections::BTreeMap;

fn extra(more: &str) -> Story {
    let steps = format!(
        "- {{step: extra, title: {{nl: Extra}}, actor: coach, action: talk, anchor: event_at, offset: P7D, window: {{opens: P5D, closes: P9D}}, \
         requires: [opt_in], announce: [{{to: actor}}], {more} outcomes: {{held: []}}}}"
    );
    Story::start(small(&steps, ""), "2027-01-04 12:00", &[("event_at", "2027-01-04 12:00")])
}

fn opted_in() -> What {
    What::OptedIn { steps: Vec::new() }
}

#[test]
fn without_an_opt_in_a_step_waits_and_with_one_it_is_announced() {
    let mut story = extra("");
    story.until("2027-01-10 12:00");
    assert_eq!((story.status("extra"), story.last("extra").reason.as_deref()), ("waiting", Some("opt_in")));
    assert_eq!(story.next_of("extra"), None);
    let key = story.one("extra").key.clone();
    assert_eq!(story.refuses("2027-01-10 12:00", What::Outcome { follow_up: key, code: "held".to_owned() }), "waiting");
    story.happens("2027-01-10 13:00", opted_in());
    assert_eq!(story.status("extra"), "open");
    assert_eq!(story.told(), ["2027-01-10 13:00 extra announce:0 actor"]);
    story.happens("2027-01-10 14:00", What::OptedOut { steps: vec!["extra".to_owned()] });
    assert_eq!((story.status("extra"), story.told()), ("waiting", vec![]));
    story.happens("2027-01-10 15:00", opted_in());
    assert_eq!(story.told(), ["2027-01-10 15:00 extra announce:0 actor"]);
}

#[test]
fn an_unmet_opt_in_is_skipped_or_leaves_a_task_at_the_due_moment() {
    let mut story = extra("unmet: skip, ");
    assert_eq!(story.next_of("extra").as_deref(), Some("2027-01-11 12:00"));
    story.until("2027-01-11 12:00");
    assert_eq!((story.status("extra"), story.last("extra").reason.as_deref()), ("skipped", Some("opt_in")));
    let mut story = extra("unmet: task, ");
    story.until("2027-01-11 12:00");
    assert_eq!((story.status("extra"), story.due("task:unmet:extra").as_str()), ("skipped", "2027-01-12 17:00"));
}

#[test]
fn only_steps_that_ask_for_it_can_be_opted_in_to() {
    let steps = "- {step: plain, title: {nl: Gewoon}, actor: coach, action: talk, anchor: event_at, offset: P7D, outcomes: {held: []}}";
    let mut story = Story::start(small(steps, ""), "2027-01-04 12:00", &[("event_at", "2027-01-04 12:00")]);
    assert_eq!(story.refuses("2027-01-04 12:00", What::OptedIn { steps: vec!["plain".to_owned()] }), "no_opt_in");
    assert_eq!(story.refuses("2027-01-04 12:00", What::OptedIn { steps: vec!["nothing".to_owned()] }), "unknown_step");
}

#[test]
fn a_stage_begins_its_own_steps_and_ends_the_old_ones() {
    let steps = "- {step: weekly, title: {nl: Week}, stage: acute, actor: coach, action: contact, anchor: stage.entered_at, repeat: {every: P7D}, outcomes: {safe: [{set_stage: calm}], unsafe: [{set_stage: acute}]}}\n\
        - {step: monthly, title: {nl: Maand}, stage: calm, actor: coach, action: contact, anchor: stage.entered_at, offset: P30D, repeat: {every: P30D}, outcomes: {safe: [], unsafe: [{set_stage: acute}]}}";
    let mut story =
        Story::start(small(steps, "stages: [acute, calm]"), "2027-01-04 12:00", &[("event_at", "2027-01-01 12:00")]);
    assert_eq!(story.brief(), ["weekly#1 open 2027-01-11 12:00"]);
    story.outcome("2027-01-11 13:00", "weekly", "safe");
    assert_eq!(
        story.brief(),
        ["monthly#1 open 2027-02-10 13:00", "weekly#1 done 2027-01-11 12:00", "weekly#2 superseded 2027-01-18 12:00"]
    );
    story.outcome("2027-01-20 08:00", "monthly", "unsafe");
    assert_eq!(story.due("weekly"), "2027-01-27 08:00");
    story.happens("2027-01-21 08:00", What::StageSet { stage: "acute".to_owned() });
    assert_eq!(story.due("weekly"), "2027-01-28 08:00", "the same stage again begins anew");
    assert_eq!(story.refuses("2027-01-21 08:00", What::StageSet { stage: "none".to_owned() }), "unknown_stage");
    assert_eq!(story.effects.len(), 3);
}

#[test]
fn each_household_member_has_a_follow_up_of_their_own() {
    let steps = "- {step: check, title: {nl: Check}, actor: coach, action: contact, anchor: event_at, offset: P7D, outcomes: {safe: [{activate: after}]}}\n\
        - {step: after, title: {nl: Daarna}, active: false, actor: coach, action: contact, anchor: check.final_at, offset: P1D, outcomes: {safe: []}}";
    let mut protocol = small(steps, "");
    // No document may ask for it yet; the engine runs it.
    protocol.steps.iter_mut().for_each(|step| step.for_each = Some(ForEach::HouseholdMember));
    let around = Surroundings::default();
    let mut state = State::default();
    let anchors =
        BTreeMap::from([("event_at".to_owned(), vec![AnchorValue { id: id(1), at: at("2027-01-04 12:00") }])]);
    let subjects = BTreeMap::from([(ForEach::HouseholdMember, vec![id(21), id(22)])]);
    let mut happens = |when: &str, what: What| {
        next(&protocol, &around, &mut state, &Input { at: at(when), what }).map(|_| state.clone()).unwrap()
    };
    happens("2027-01-04 12:00", What::Started { anchors, params: BTreeMap::new(), subjects });
    happens("2027-01-05 12:00", What::SubjectAdded { subject: ForEach::HouseholdMember, id: id(23) });
    happens("2027-01-06 12:00", What::SubjectRemoved { subject: ForEach::HouseholdMember, id: id(21) });
    let key = Key { step: "check".to_owned(), anchor_id: Some(id(22)), occurrence: 1 };
    let state = happens("2027-01-07 12:00", What::Outcome { follow_up: key, code: "safe".to_owned() });
    let brief: Vec<_> = state
        .follow_ups
        .values()
        .map(|one| (one.key.step.as_str(), one.key.anchor_id.unwrap(), one.status.as_str()))
        .collect();
    assert_eq!(
        brief,
        [
            ("after", id(22), "open"),
            ("check", id(21), "cancelled"),
            ("check", id(22), "done"),
            ("check", id(23), "open")
        ]
    );
}

#[test]
fn a_task_beside_the_protocol() {
    let mut story = extra("");
    let task = What::TaskAdded {
        id: id(99),
        code: "call".to_owned(),
        role: "coach".to_owned(),
        due_at: at("2027-01-05 17:00"),
    };
    story.happens("2027-01-04 13:00", task.clone());
    assert_eq!(story.refuses("2027-01-04 13:00", task), "task_exists");
    let key = Key { step: "task:call".to_owned(), anchor_id: Some(id(99)), occurrence: 1 };
    assert_eq!(story.next_of("task:call").as_deref(), Some("2027-01-05 17:00"));
    story.until("2027-01-05 17:00");
    assert_eq!(story.status("task:call"), "overdue");
    assert_eq!(
        story.refuses("2027-01-05 17:00", What::Outcome { follow_up: key.clone(), code: "held".to_owned() }),
        "unknown_outcome"
    );
    story.happens("2027-01-06 09:00", What::Outcome { follow_up: key, code: "done".to_owned() });
    assert_eq!(story.status("task:call"), "done");
}
