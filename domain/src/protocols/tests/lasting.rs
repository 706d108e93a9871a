//! What was promised goes on: nobody is forgotten because nobody answered, and who comes back finds the rhythm they left.

use super::support::{Story, idle, shipped, small};
use crate::protocols::*;

fn coaching() -> Story {
    Story::start(shipped("recovery_coaching"), "2026-11-02 11:00", &[("applied_at", "2026-11-02 11:00")])
}

/// Matched, met on 23 November, and with a plan from 21 December on.
fn planned() -> Story {
    let mut story = coaching();
    story.outcome("2026-11-04 10:00", "acknowledge", "fits");
    story.outcome("2026-11-09 09:00", "match", "assigned");
    story.outcome("2026-11-23 14:00", "meet", "match_ok");
    story.outcome("2026-12-21 15:00", "goals", "plan_agreed");
    story
}

fn close_one() -> Story {
    Story::start(shipped("naaste_support"), "2026-12-01 11:00", &[("applied_at", "2026-12-01 11:00")])
}

/// Four tries reach nobody.
fn nobody_there(story: &mut Story, step: &str, days: [&str; 4]) {
    for day in days {
        story.outcome(day, step, "unreachable");
    }
}

#[test]
fn who_wants_to_talk_again_has_talks_again() {
    let mut story = close_one();
    story.outcome("2026-12-03 10:00", "match", "assigned");
    story.outcome("2026-12-21 15:00", "intake", "agreed");
    story.until("2027-03-21 11:00");
    story.outcome("2027-03-21 11:00", "talk", "enough_for_now");
    story.happens("2027-03-21 11:30", What::OptedIn { steps: Vec::new() });
    story.until("2027-06-21 10:00");
    story.outcome("2027-06-22 10:00", "check_3m", "wants_to_talk");
    story.outcome("2027-06-23 10:00", "call", "reached");
    assert!(!idle(&story.state), "{:#?}", story.brief());
    assert_eq!(story.due("support"), "2027-08-03 10:00");
    assert_eq!(story.due("ask"), "2027-09-12 10:00");
    assert_eq!(story.due("talk"), "2027-09-22 10:00", "three months on, as before");
    story.until("2027-09-22 10:00");
    story.outcome("2027-09-22 11:00", "talk", "enough_for_now");
    story.until("2027-12-22 10:00");
    assert_eq!(story.status("check_3m"), "due", "and is asked again after closing again");
}

#[test]
fn a_talk_may_have_been_enough_for_who_came_back() {
    let mut story = close_one();
    story.outcome("2026-12-03 10:00", "match", "assigned");
    story.outcome("2026-12-21 15:00", "intake", "declined");
    story.happens("2026-12-21 16:00", What::OptedIn { steps: Vec::new() });
    story.until("2027-03-21 10:00");
    story.outcome("2027-03-22 10:00", "check_3m", "wants_to_talk");
    story.outcome("2027-03-23 10:00", "call", "enough_for_now");
    assert_eq!(story.state.closed.as_ref().unwrap().reason, "enough_for_now");
}

#[test]
fn who_comes_back_has_meetings_reviews_and_tapering_again() {
    let mut story = planned();
    story.until("2027-06-21 11:00");
    story.outcome("2027-06-21 11:00", "review", "enough_for_now");
    story.happens("2027-06-21 11:30", What::OptedIn { steps: Vec::new() });
    story.until("2027-09-21 10:00");
    story.outcome("2027-09-22 12:00", "check_3m", "wants_to_talk");
    assert_eq!(story.due("meeting"), "2027-09-29 10:00");
    assert_eq!(story.due("review"), "2027-12-22 10:00", "three months on");
    assert_eq!(story.due("taper"), "2028-06-22 10:00", "nine months on");
    story.outcome("2027-12-22 12:00", "review", "taper");
    assert_eq!(story.due("taper_on"), "2028-02-02 10:00");
    let key = story.state.of_step("review").find(|one| !one.status.is_final()).unwrap().key.clone();
    story.happens("2028-03-22 12:00", What::Outcome { follow_up: key, code: "goals_met".to_owned() });
    story.until("2028-06-22 10:00");
    assert_eq!(story.status("check_3m"), "due", "and is asked again after closing again");
}

#[test]
fn who_meets_on_call_may_choose_a_rhythm_again() {
    for (chosen, latest) in [("weekly", "2027-12-29"), ("two_weekly", "2028-01-05"), ("monthly", "2028-01-19")] {
        let mut story = planned();
        story.until("2027-03-21 10:00");
        story.outcome("2027-03-21 11:00", "review", "taper");
        story.outcome("2027-05-02 11:00", "taper_on", "on_call");
        assert!(story.state.of_step("meeting").all(|one| one.status.is_final()), "they meet when there is a reason to");
        story.until("2027-12-21 10:00");
        let review = story.one("review").key.clone();
        story.happens("2027-12-21 11:00", What::Outcome { follow_up: review, code: "taper".to_owned() });
        story.outcome("2027-12-22 11:00", "taper_on", chosen);
        let due = story.due("meeting");
        assert!(*"2027-12-22 11:00" < *due && *due <= *format!("{latest} 11:00"), "{chosen}: {due}");
        let planned: Vec<_> = story.state.of_step("meeting").filter(|one| !one.status.is_final()).collect();
        assert_eq!(planned.len(), 1);
        assert_eq!(planned[0].status, Status::Open, "nothing of it is late from the start");
    }
}

#[test]
fn the_first_question_about_tapering_begins_the_meetings_again_too() {
    let mut story = planned();
    story.until("2027-03-21 10:00");
    story.outcome("2027-03-21 11:00", "review", "taper");
    story.outcome("2027-05-02 11:00", "taper_on", "on_call");
    story.until("2027-09-21 10:00");
    story.outcome("2027-09-21 12:00", "taper", "two_weekly");
    assert!(*"2027-09-21 12:00" < *story.due("meeting") && *story.due("meeting") <= *"2027-10-05 12:00");
}

#[test]
fn an_applicant_nobody_reaches_is_asked_again_until_somebody_decides() {
    let mut story = coaching();
    nobody_there(
        &mut story,
        "acknowledge",
        ["2026-11-04 10:00", "2026-11-07 10:00", "2026-11-10 10:00", "2026-11-13 10:00"],
    );
    assert!(!idle(&story.state), "{:#?}", story.brief());
    assert_eq!(story.due("waiting"), "2026-12-11 10:00", "four weeks on");
    story.until("2026-12-20 10:00");
    story.outcome("2026-12-20 10:00", "waiting", "unreachable");
    assert_eq!(story.due("waiting"), "2027-01-08 10:00");
    story.outcome("2027-01-08 11:00", "waiting", "contact_lost");
    assert_eq!(story.state.closed.as_ref().unwrap().reason, "contact_lost");
}

#[test]
fn who_is_not_reached_goes_back_to_who_matches() {
    let mut story = coaching();
    story.outcome("2026-11-04 10:00", "acknowledge", "fits");
    story.outcome("2026-11-09 09:00", "match", "assigned");
    nobody_there(&mut story, "meet", ["2026-11-23 14:00", "2026-11-26 10:00", "2026-11-29 10:00", "2026-12-02 10:00"]);
    assert!(!idle(&story.state), "{:#?}", story.brief());
    assert_eq!(story.due("match"), "2026-12-16 10:00");
    story.outcome("2026-12-03 10:00", "match", "waitlist");
    assert_eq!(story.due("waiting"), "2026-12-31 10:00", "in the rhythm of who waits");
    story.outcome("2026-12-31 11:00", "waiting", "place_found");
    story.outcome("2027-01-04 10:00", "match", "assigned");
    assert_eq!(story.due("meet"), "2027-01-18 10:00");

    let mut sister = close_one();
    sister.outcome("2026-12-03 10:00", "match", "assigned");
    nobody_there(
        &mut sister,
        "intake",
        ["2026-12-17 10:00", "2026-12-20 10:00", "2026-12-23 10:00", "2026-12-26 10:00"],
    );
    assert!(!idle(&sister.state), "{:#?}", sister.brief());
    sister.outcome("2026-12-28 10:00", "match", "contact_lost");
    assert_eq!(sister.state.closed.as_ref().unwrap().reason, "contact_lost");
}

#[test]
fn the_other_coach_reaches_nobody_and_still_nobody_is_forgotten() {
    let mut story = coaching();
    story.outcome("2026-11-04 10:00", "acknowledge", "fits");
    story.outcome("2026-11-09 09:00", "match", "assigned");
    story.outcome("2026-11-23 14:00", "meet", "match_ok");
    story.outcome("2026-11-30 11:00", "meeting", "rematch");
    story.outcome("2026-12-01 11:00", "match_again", "assigned");
    nobody_there(
        &mut story,
        "meet_again",
        ["2026-12-15 11:00", "2026-12-18 10:00", "2026-12-21 10:00", "2026-12-24 10:00"],
    );
    nobody_there(&mut story, "goals", ["2026-12-25 10:00", "2027-01-01 10:00", "2027-01-08 10:00", "2027-01-15 10:00"]);
    assert!(!idle(&story.state), "{:#?}", story.brief());
    assert_eq!(story.due("match_again"), "2026-12-31 10:00");
    assert_eq!(story.due("goals"), "2027-02-12 10:00", "the goals come up again");
    story.outcome("2027-02-13 11:00", "match_again", "contact_lost");
    assert_eq!(story.state.closed.as_ref().unwrap().reason, "contact_lost");
}

#[test]
fn who_goes_on_missing_is_called_each_time_three_more_were_missed() {
    let mut story = planned();
    story.until("2026-12-28 10:00");
    let calls = |story: &Story| story.state.of_step("call").count();
    assert_eq!(calls(&story), 1, "at the third, and not at the fourth");
    story.outcome("2026-12-29 10:00", "call", "reached");
    story.until("2027-01-11 09:59");
    assert_eq!(calls(&story), 1, "five missed");
    story.until("2027-01-11 10:00");
    assert_eq!(calls(&story), 2, "six missed");
    // A call that is still to be made is one call.
    story.until("2027-03-01 10:00");
    assert_eq!(calls(&story), 2);
    story.outcome("2027-03-02 10:00", "call", "reached");
    story.until("2027-03-15 10:00");
    assert_eq!(calls(&story), 3, "fifteen missed");
}

#[test]
fn what_is_missed_again_and_again_is_told_again_only_where_the_protocol_says_so() {
    let protocol = |again: &str| {
        let step = "{step: daily, title: {nl: Dag}, actor: coach, action: contact, anchor: event_at, repeat: {every: P1D, until: closed}, \
            after_missed: {count: 2, AGAIN do: [{alert: coordinator}]}, outcomes: {held: []}}";
        small(&format!("  - {}", step.replace("AGAIN", again)), "")
    };
    for (again, alerts) in [("", 1), ("again: false,", 1), ("again: true,", 3)] {
        let mut story = Story::start(protocol(again), "2027-01-04 10:00", &[("event_at", "2027-01-04 10:00")]);
        story.until("2027-01-11 10:00");
        assert_eq!(story.told().len(), alerts, "six missed, {again:?}: {:#?}", story.told());
    }
}
