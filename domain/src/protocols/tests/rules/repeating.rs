//! Repetition: exactly once, without drift, and what happens when turns are missed.

use super::super::support::{Story, at, id, small};
use crate::protocols::*;

fn review(repeat: &str, more: &str) -> Protocol {
    small(
        &format!(
            "- {{step: review, title: {{nl: Evaluatie}}, actor: coach, action: review, anchor: event_at, at: \"09:00\", repeat: {repeat}, {more} \
             outcomes: {{held: [], unreachable: [], stop: [{{cancel: review}}]}}}}"
        ),
        "params: {rhythm: {default: P1W, min: P1W, max: P4W}}",
    )
}

fn dues(story: &Story) -> Vec<String> {
    story.brief().into_iter().map(|line| line.replace("review", "")).collect()
}

#[test]
fn p24_no_drift_from_clamping_and_each_turn_once() {
    let protocol = review("{every: P1M, until: {count: 4}}", "");
    let mut story = Story::start(protocol, "2027-01-31 12:00", &[("event_at", "2027-01-31 12:00")]);
    assert_eq!(dues(&story), ["#1 open 2027-02-28 09:00"]);
    story.until("2027-12-31 00:00");
    assert_eq!(
        dues(&story),
        [
            "#1 expired 2027-02-28 09:00",
            "#2 expired 2027-03-31 09:00",
            "#3 expired 2027-04-30 09:00",
            "#4 overdue 2027-05-31 09:00"
        ]
    );
    assert_eq!(story.state.of_step("review").next().unwrap().reason.as_deref(), Some("next_occurrence"));
}

#[test]
fn the_next_turn_is_planned_when_this_one_is_done_or_due() {
    let mut story = Story::start(review("{every: P7D}", ""), "2027-01-04 12:00", &[("event_at", "2027-01-04 12:00")]);
    story.outcome("2027-01-08 10:00", "review", "held");
    assert_eq!(dues(&story), ["#1 done 2027-01-11 09:00", "#2 open 2027-01-18 09:00"]);
    story.until("2027-01-18 09:00");
    assert_eq!(dues(&story)[2], "#3 open 2027-01-25 09:00");
    story.outcome("2027-01-19 09:00", "review", "stop");
    story.until("2028-01-01 00:00");
    assert_eq!(dues(&story)[1..], ["#2 done 2027-01-18 09:00", "#3 cancelled 2027-01-25 09:00"], "stopped is stopped");
}

#[test]
fn a_turn_called_off_is_not_the_end_of_the_series() {
    let mut story =
        Story::start(review("{every: P7D, until: P3W}", ""), "2027-01-04 12:00", &[("event_at", "2027-01-04 12:00")]);
    let key = story.one("review").key.clone();
    story.happens("2027-01-05 12:00", What::CalledOff { follow_up: key, reason: "holiday".to_owned() });
    assert_eq!(dues(&story), ["#1 cancelled 2027-01-11 09:00", "#2 open 2027-01-18 09:00"]);
    story.outcome("2027-01-18 10:00", "review", "held");
    story.outcome("2027-01-25 10:00", "review", "held");
    assert_eq!(dues(&story).len(), 3, "nothing lies beyond three weeks");
}

#[test]
fn enrolled_late_a_series_begins_at_its_present_turn() {
    let mut story = Story::start(review("{every: P7D}", ""), "2027-06-01 12:00", &[("event_at", "2027-01-04 12:00")]);
    assert_eq!(dues(&story), ["#1 overdue 2027-05-31 09:00", "#2 open 2027-06-07 09:00"]);
    story.until("2027-06-07 09:00");
    assert_eq!(dues(&story)[0], "#1 expired 2027-05-31 09:00");
}

#[test]
fn three_missed_in_a_row_are_noticed_once() {
    let protocol = review("{every: P7D}", "after_missed: {count: 3, do: [{alert: coordinator}]}, ");
    let mut story = Story::start(protocol, "2027-01-04 12:00", &[("event_at", "2027-01-04 12:00")]);
    story.until("2027-01-18 08:00");
    assert_eq!(story.told(), [""; 0]);
    story.until("2027-02-01 09:00");
    assert_eq!(story.told(), ["2027-02-01 09:00 review alert:missed coordinator"]);
    story.until("2027-03-01 08:00");
    assert_eq!(story.told().len(), 1);
    story.outcome("2027-03-01 08:30", "review", "held");
    story.until("2027-04-05 09:00");
    assert_eq!(story.told().len(), 2, "three more in a row are noticed again: {:?}", dues(&story));
}

#[test]
fn a_pause_holds_everything_and_what_came_in_between_comes_once() {
    let mut story = Story::start(
        review("{every: P7D}", "remind: [{to: actor, before_due: PT1H}], "),
        "2027-01-04 12:00",
        &[("event_at", "2027-01-04 12:00")],
    );
    story.happens("2027-01-05 12:00", What::Paused);
    assert_eq!(story.refuses("2027-01-05 12:00", What::Paused), "already_paused");
    story.until("2027-02-16 12:00");
    assert_eq!(dues(&story), ["#1 open 2027-01-11 09:00"]);
    assert_eq!((story.told(), story.next_of("review")), (vec![], None));
    story.happens("2027-02-16 12:00", What::Resumed);
    assert_eq!(
        dues(&story),
        ["#1 superseded 2027-01-11 09:00", "#2 overdue 2027-02-15 09:00", "#3 open 2027-02-22 09:00"]
    );
    assert_eq!(story.refuses("2027-02-16 12:00", What::Resumed), "not_paused");
    story.until("2027-02-22 09:00");
    assert_eq!(story.told(), ["2027-02-22 08:00 review remind:0 actor"]);
}

#[test]
fn a_person_sets_the_rhythm_within_bounds() {
    let mut story =
        Story::start(review("{every: {param: rhythm}}", ""), "2027-01-04 12:00", &[("event_at", "2027-01-04 12:00")]);
    assert_eq!(dues(&story), ["#1 open 2027-01-11 09:00"]);
    let rhythm = |value: &str| What::ParamSet { param: "rhythm".to_owned(), value: value.parse().unwrap() };
    assert_eq!(story.refuses("2027-01-05 12:00", rhythm("P5W")), "param_out_of_bounds");
    assert_eq!(story.refuses("2027-01-05 12:00", rhythm("PT200H")), "param_out_of_bounds");
    story.outcome("2027-01-11 09:00", "review", "held");
    story.happens("2027-01-12 12:00", rhythm("P2W"));
    assert_eq!(dues(&story)[1..], ["#2 superseded 2027-01-18 09:00", "#3 open 2027-01-18 09:00"]);
    story.until("2027-01-18 09:00");
    assert_eq!(dues(&story)[3..], ["#4 open 2027-02-01 09:00"]);
    story.happens("2027-01-19 12:00", rhythm("P3W"));
    assert_eq!(
        dues(&story)[2..],
        ["#3 superseded 2027-01-18 09:00", "#4 superseded 2027-02-01 09:00", "#5 open 2027-01-25 09:00"]
    );
}

#[test]
fn an_anchor_moved_far_back_does_not_make_a_year_of_missed_turns() {
    let protocol = review("{every: P7D}", "after_missed: {count: 3, do: [{alert: coordinator}]}, ");
    let mut story = Story::start(protocol, "2027-01-04 12:00", &[("event_at", "2027-01-04 12:00")]);
    story.happens(
        "2027-01-05 12:00",
        What::AnchorSet { anchor: "event_at".to_owned(), id: id(1), at: at("2026-01-05 12:00") },
    );
    assert_eq!(
        dues(&story),
        ["#1 superseded 2026-01-12 09:00", "#2 overdue 2027-01-04 09:00", "#3 open 2027-01-11 09:00"]
    );
    assert_eq!(story.told(), [""; 0]);
}

#[test]
fn a_protocol_that_sets_itself_off_for_ever_comes_to_an_end() {
    let steps = "- {step: loop, title: {nl: Rond}, actor: coach, action: contact, anchor: event_at, offset: PT0S, expires: PT1S, \
        after_missed: {count: 1, do: [{restart: loop}]}, outcomes: {held: []}}";
    let protocol = small(steps, "");
    let around = Surroundings::default();
    let anchors = [("event_at".to_owned(), vec![AnchorValue { id: id(1), at: at("2027-01-04 12:00") }])].into();
    let what = What::Started { anchors, params: Default::default(), subjects: Default::default() };
    let mut state = State::default();
    let start = Input { at: at("2027-01-04 11:00"), what };
    next(&protocol, &around, &mut state, &start).unwrap();
    advance(&protocol, &around, &mut state, at("2027-01-05 12:00"));
    assert_eq!(state.follow_ups.len(), 2_000);
    assert!(!state.has_unfinished());
}
