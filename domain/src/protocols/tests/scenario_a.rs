//! Scenario A, the night shift, moment by moment: three professionals, three trajectories.

use super::support::{Story, at, built_in_protocol, id, local};
use crate::protocols::*;

const REPORTED: &str = "2026-12-17 07:45";

fn story() -> Story {
    Story::start(built_in_protocol(), REPORTED, &[("event_at", "2026-12-17 03:20"), ("reported_at", REPORTED)])
}

#[test]
fn the_first_tasks_are_due_on_friday() {
    let story = story();
    assert_eq!(story.brief(), ["assign#1 open 2026-12-18 17:00", "offer#1 open 2026-12-18 07:45"]);
}

#[test]
fn the_nurse() {
    let mut story = story();
    story.outcome("2026-12-17 11:00", "assign", "assigned");
    story.outcome("2026-12-17 15:30", "offer", "accepted");
    assert_eq!(story.due("talk_1"), "2026-12-19 03:20");
    assert_eq!(local(story.one("talk_1").closes_at.unwrap()), "2026-12-20 03:20");
    assert_eq!(story.due("talk_2"), "2026-12-31 10:00");
    assert_eq!(story.due("talk_3"), "2027-01-31 10:00");
    assert_eq!(story.status("satisfaction"), "waiting");
    story.outcome("2026-12-19 14:00", "talk_1", "held");
    story.outcome("2026-12-31 11:00", "talk_2", "held");
    story.happens("2027-01-20 09:00", What::OptedIn { steps: Vec::new() });
    let hearing = |moment: &str| What::AnchorSet { anchor: "hearing_at".to_owned(), id: id(77), at: at(moment) };
    story.happens("2027-01-20 09:05", hearing("2027-03-02 13:30"));
    assert_eq!(story.due("before_hearing"), "2027-02-26 10:00");
    assert_eq!(story.due("after_hearing"), "2027-03-05 10:00");
    story.outcome("2027-01-31 10:30", "talk_3", "held");
    assert_eq!(story.state.closed, None, "the hearing keeps it open");
    story.happens("2027-02-10 16:00", hearing("2027-03-09 13:30"));
    assert_eq!(story.due("before_hearing"), "2027-03-05 10:00");
    assert_eq!(story.due("after_hearing"), "2027-03-12 10:00");
    let about_hearing: Vec<_> = story.told().into_iter().filter(|line| line.contains("hearing announce")).collect();
    assert_eq!(
        about_hearing,
        ["2027-02-10 16:00 after_hearing announce:0 actor", "2027-02-10 16:00 before_hearing announce:0 actor"],
        "the peer is told of the new moments once; what was told of the old ones is called off"
    );
    story.outcome("2027-03-05 11:00", "before_hearing", "held");
    story.outcome("2027-03-12 10:45", "after_hearing", "held");
    let closed = story.state.closed.clone().unwrap();
    assert_eq!((closed.reason.as_str(), local(closed.at).as_str()), ("completed", "2027-03-12 10:45"));
    assert_eq!(story.status("satisfaction"), "scheduled");
    story.until("2027-03-17 10:00");
    assert_eq!(story.told().last().unwrap(), "2027-03-17 10:00 satisfaction message person");
    assert_eq!(story.one("satisfaction").announcements[0].template.as_deref(), Some("survey"));
    story.outcome("2027-03-18 20:00", "satisfaction", "answered");
    assert!(!story.state.has_unfinished());
    story.until("2029-01-01 00:00");
    assert_eq!(story.told().last().unwrap(), "2027-03-17 10:00 satisfaction message person");
}

#[test]
fn the_resident_declines_twice_and_is_left_in_peace() {
    let mut story = story();
    story.outcome("2026-12-17 11:00", "assign", "assigned");
    story.outcome("2026-12-17 16:00", "offer", "declined");
    assert_eq!(story.due("reoffer"), "2026-12-31 10:00");
    story.outcome("2026-12-31 10:00", "reoffer", "declined");
    assert_eq!(story.state.closed.as_ref().unwrap().reason, "declined");
    assert!(!story.state.has_unfinished(), "{:#?}", story.brief());
    let told = story.told();
    story.until("2036-01-01 00:00");
    assert_eq!(story.told(), told);
    assert_eq!(
        story.refuses("2036-01-01 00:00", What::Activated { steps: vec!["offer".to_owned()] }),
        "trajectory_closed"
    );
}

#[test]
fn the_trainee_wants_another_peer() {
    let mut story = story();
    story.outcome("2026-12-17 11:00", "assign", "assigned");
    story.outcome("2026-12-17 13:00", "offer", "wants_other_peer");
    assert_eq!(story.effects, [Effect::Rematch { role: "peer_supporter".to_owned() }]);
    assert_eq!(story.due("assign"), "2026-12-18 17:00");
    assert_eq!(story.due("offer"), "2026-12-18 13:00");
    assert_eq!(story.one("offer").key.occurrence, 2);
    story.outcome("2026-12-17 14:00", "assign", "assigned");
    story.outcome("2026-12-18 09:00", "offer", "accepted");
    assert_eq!(story.due("talk_1"), "2026-12-19 03:20");
}
