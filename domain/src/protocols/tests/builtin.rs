//! The programme that comes with the service.

use super::support::{Story, at, built_in_protocol, id};
use crate::protocols::*;

fn story() -> Story {
    let anchors = [("event_at", "2026-12-17 03:20"), ("reported_at", "2026-12-17 07:45")];
    let mut story = Story::start(built_in_protocol(), "2026-12-17 07:45", &anchors);
    story.outcome("2026-12-17 11:00", "assign", "assigned");
    story
}

#[test]
fn every_built_in_protocol_is_valid_and_bears_its_name() {
    for built_in in built_in() {
        let protocol = parse(built_in.text).unwrap_or_else(|faults| panic!("{faults:#?}"));
        assert_eq!(protocol.name, built_in.name);
        assert!(protocol.source.is_some() && protocol.confidence.is_some());
        for step in &protocol.steps {
            assert!(step.title.contains_key("nl") && step.title.contains_key("en"), "{}", step.name);
        }
    }
}

#[test]
fn a_referral_ends_when_the_person_has_arrived() {
    let mut story = story();
    story.outcome("2026-12-17 15:30", "offer", "accepted");
    story.outcome("2026-12-19 14:00", "talk_1", "refer");
    assert_eq!(story.due("handover"), "2027-01-05 17:00", "ten business days past Christmas and New Year");
    story.outcome("2026-12-29 09:00", "handover", "appointment_known");
    assert_eq!(story.due("arrived"), "2027-01-12 10:00");
    story.outcome("2027-01-12 12:00", "arrived", "not_arrived");
    assert_eq!(story.due("handover"), "2027-01-26 17:00");
    story.outcome("2027-01-20 09:00", "handover", "appointment_known");
    assert_eq!(story.due("arrived"), "2027-02-03 10:00");
    story.outcome("2027-02-03 12:00", "arrived", "arrived");
    assert_eq!(story.state.closed.as_ref().unwrap().reason, "referred_arrived");
    assert_eq!(story.status("satisfaction"), "waiting");
    story.until("2027-03-17 10:00");
    assert_eq!(story.status("satisfaction"), "skipped", "nobody asked for it");
}

#[test]
fn talks_done_it_stays_open_until_the_referral_is_followed() {
    let mut story = story();
    story.outcome("2026-12-17 15:30", "offer", "accepted");
    story.outcome("2026-12-19 14:00", "talk_1", "held");
    story.outcome("2026-12-31 14:00", "talk_2", "declined");
    story.outcome("2027-01-31 14:00", "talk_3", "refer");
    assert_eq!(story.state.closed, None);
    story.outcome("2027-02-01 14:00", "handover", "declined");
    assert_eq!(story.state.closed.as_ref().unwrap().reason, "completed");
}

#[test]
fn nobody_reached_ends_with_a_decision_not_with_silence() {
    let mut story = story();
    for day in ["2026-12-18 09:00", "2026-12-19 09:00", "2026-12-20 09:00", "2026-12-21 09:00"] {
        story.outcome(day, "offer", "no_response");
    }
    assert!(story.told().contains(&"2026-12-21 09:00 offer alert:no_response coordinator".to_owned()));
    assert_eq!(story.due("not_reached"), "2026-12-23 17:00");
    story.outcome("2026-12-22 09:00", "not_reached", "offer_again");
    assert_eq!(story.due("offer"), "2026-12-23 09:00");
    story.outcome("2026-12-22 10:00", "offer", "accepted");
    assert_eq!(story.due("talk_1"), "2026-12-23 17:00", "its window had gone by: one business day from now");
}

#[test]
fn each_milestone_is_prepared_and_followed_for_who_asked_for_it() {
    let mut story = story();
    story.outcome("2026-12-17 15:30", "offer", "accepted");
    story.happens("2026-12-18 09:00", What::OptedIn { steps: Vec::new() });
    for (number, milestone) in (50..).zip(["hearing", "interview", "report", "complaint", "disciplinary"]) {
        let set = What::AnchorSet { anchor: format!("{milestone}_at"), id: id(number), at: at("2027-03-09 13:30") };
        story.happens("2026-12-18 10:00", set);
        assert_eq!(story.due(&format!("before_{milestone}")), "2027-03-05 10:00");
        assert_eq!(story.due(&format!("after_{milestone}")), "2027-03-12 10:00");
    }
    let key = story.one("before_report").key.clone();
    assert_eq!(key.anchor_id, Some(id(52)));
    let done = What::Outcome { follow_up: key, code: "held".to_owned() };
    assert_eq!(story.refuses("2027-03-01 10:00", done.clone()), "too_early");
    story.happens("2027-03-05 10:00", done);
}

#[test]
fn a_hearing_of_last_month_calls_for_nothing() {
    let mut story = story();
    story.happens("2026-12-18 09:00", What::OptedIn { steps: Vec::new() });
    let set = What::AnchorSet { anchor: "hearing_at".to_owned(), id: id(50), at: at("2026-11-09 13:30") };
    story.happens("2026-12-18 10:00", set);
    assert_eq!((story.status("before_hearing"), story.status("after_hearing")), ("skipped", "skipped"));
}
