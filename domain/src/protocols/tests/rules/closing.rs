//! Closing, aftercare, reopening, stacking, and inputs that survive being stored.

use super::super::support::{Story, at, id, small};
use crate::protocols::*;

const STEPS: &str = "- {step: talk, title: {nl: Gesprek}, actor: coach, action: talk, anchor: event_at, offset: P7D, announce: [{to: actor}], outcomes: {held: [], stop: [{close: enough_for_now}]}}\n\
    - {step: more, title: {nl: Meer}, actor: coach, action: talk, anchor: event_at, offset: P90D, outcomes: {held: []}}\n\
    - {step: after, title: {nl: Nazorg}, after_close: true, actor: coach, action: contact, anchor: closed_at, offset: P3M, at: \"10:00\", window: {opens: P3M, closes: P4M}, expires: P4M, outcomes: {fine: [], back: [{reopen: true}, {restart: talk}]}}\n\
    - {step: never, title: {nl: Nooit}, after_close: true, actor: coach, action: contact, anchor: later_at, offset: P3M, expires: P4M, outcomes: {fine: []}}";

fn story(rest: &str) -> Story {
    Story::start(small(STEPS, rest), "2027-01-04 12:00", &[("event_at", "2027-01-04 12:00")])
}

#[test]
fn closing_calls_off_what_is_open_and_keeps_aftercare() {
    let mut story = story("end: [{all_final: talk, close: completed}]");
    story.outcome("2027-01-11 10:00", "talk", "held");
    assert_eq!(story.effects, [Effect::Closed { reason: "completed".to_owned() }]);
    let brief = [
        "after#1 scheduled 2027-04-11 10:00",
        "more#1 cancelled 2027-04-04 12:00",
        "never#1 cancelled ",
        "talk#1 done 2027-01-11 12:00",
    ];
    assert_eq!(story.brief(), brief);
    assert_eq!(story.last("more").reason.as_deref(), Some("case_closed"));
    for (what, code) in [
        (What::Closed { reason: "x".to_owned() }, "trajectory_closed"),
        (What::Paused, "trajectory_closed"),
        (What::AnchorSet { anchor: "event_at".to_owned(), id: id(1), at: at("2027-01-05 12:00") }, "trajectory_closed"),
        (What::ReferralArrived, "trajectory_closed"),
    ] {
        assert_eq!(story.refuses("2027-01-12 10:00", what), code);
    }
    story.outcome("2027-04-11 10:00", "after", "back");
    assert_eq!(story.state.closed, None, "reopened, and not closed again by the rule that held already");
    assert_eq!(story.due("talk"), "2027-04-18 10:00");
    story.outcome("2027-04-18 10:00", "talk", "held");
    assert_eq!(story.state.closed.as_ref().unwrap().at, at("2027-04-18 10:00"));
}

#[test]
fn by_hand_it_closes_and_opens_again_and_nothing_final_comes_back() {
    let mut story = story("");
    assert_eq!(story.refuses("2027-01-05 10:00", What::Reopened), "not_closed");
    story.happens("2027-01-05 10:00", What::Closed { reason: "moved".to_owned() });
    assert_eq!(story.told(), [""; 0], "what was announced of a cancelled talk is called off");
    story.happens("2027-01-06 10:00", What::Reopened);
    assert_eq!(story.status("talk"), "cancelled");
    assert_eq!(story.status("after"), "waiting", "closed_at no longer holds");
    story.happens("2027-01-06 10:00", What::Activated { steps: vec!["talk".to_owned()] });
    assert_eq!(story.brief().last().unwrap(), "talk#2 open 2027-01-11 12:00");
}

#[test]
fn an_outcome_closes_with_its_reason() {
    let mut story = story("");
    story.outcome("2027-01-05 10:00", "talk", "stop");
    assert_eq!(story.state.closed.as_ref().unwrap().reason, "enough_for_now");
}

#[test]
fn a_newer_trajectory_takes_over() {
    let mut apart = story("");
    assert_eq!(apart.refuses("2027-01-05 10:00", What::Superseded), "stacking_not_allowed");
    let mut story = story("stacking: re_anchor");
    story.happens("2027-01-05 10:00", What::Superseded);
    let reasons: Vec<_> =
        story.state.follow_ups.values().map(|one| (one.status.as_str(), one.reason.as_deref().unwrap())).collect();
    assert_eq!(reasons, [("superseded", "re_anchored"); 4]);
    assert_eq!(story.state.closed.as_ref().unwrap().reason, "superseded");
}

#[test]
fn inputs_survive_being_stored() {
    let mut story = story("");
    story.happens("2027-01-05 10:00", What::Closed { reason: "moved".to_owned() });
    let text = serde_json::to_string(&story.log).unwrap();
    assert!(text.contains(r#""kind":"closed""#), "{text}");
    assert_eq!(serde_json::from_str::<Vec<Input>>(&text).unwrap(), story.log);
}

#[test]
fn what_is_ended_has_no_aftercare_and_no_next_turn() {
    let steps = STEPS.replace(
        "offset: P3M, at: \"10:00\", window: {opens: P3M, closes: P4M}, expires: P4M,",
        "repeat: {every: P3M, until: {count: 9}},",
    );
    let mut story = Story::start(
        small(&steps, "end: [{all_final: talk, close: completed}]"),
        "2027-01-04 12:00",
        &[("event_at", "2027-01-04 12:00")],
    );
    story.outcome("2027-01-11 10:00", "talk", "held");
    story.happens("2027-01-12 10:00", What::Ended { reason: "person_erased".to_owned() });
    assert_eq!((story.status("after"), story.last("after").reason.as_deref()), ("cancelled", Some("person_erased")));
    assert_eq!(story.state.closed.as_ref().unwrap().reason, "completed", "it was over already");
    story.until("2030-01-12 10:00");
    assert!(
        story.state.follow_ups.values().all(|one| one.status.is_final()),
        "nothing came after: {:?}",
        story.brief()
    );
    assert_eq!(story.state.series("after", None).count(), 1);
}
