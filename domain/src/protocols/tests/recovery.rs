//! Long programmes: recovery coaching and the track of someone close, over years and clock changes.

use super::support::{Story, at, id, shipped};
use crate::protocols::*;

/// Applied, matched and met: coach and person go on, from Monday 23 November 2026.
fn matched() -> Story {
    let mut story =
        Story::start(shipped("recovery_coaching"), "2026-11-02 11:00", &[("applied_at", "2026-11-02 11:00")]);
    assert_eq!(story.due("acknowledge"), "2026-11-09 17:00", "five business days");
    story.outcome("2026-11-04 10:00", "acknowledge", "fits");
    story.outcome("2026-11-09 09:00", "match", "assigned");
    assert_eq!(story.due("meet"), "2026-11-23 10:00");
    story.outcome("2026-11-23 14:00", "meet", "match_ok");
    story
}

/// With a plan agreed on 21 December, and the weekly meetings left to the person's own telling.
fn planned() -> Story {
    let mut story = matched();
    story.outcome("2026-12-21 15:00", "goals", "plan_agreed");
    story
}

fn dues(story: &Story, step: &str) -> Vec<String> {
    story.state.of_step(step).map(|one| super::support::local(one.due_at.unwrap())).collect()
}

#[test]
fn reviews_come_every_three_months_at_ten_for_years() {
    let mut story = planned();
    for month in ["2027-03", "2027-06", "2027-09", "2027-12", "2028-03", "2028-06"] {
        assert_eq!(story.due("review"), format!("{month}-21 10:00"), "ten o'clock on either side of a clock change");
        story.until(&format!("{month}-21 10:00"));
        let review = story.state.of_step("review").find(|one| one.status == Status::Due).unwrap().key.clone();
        story.happens(&format!("{month}-21 11:00"), What::Outcome { follow_up: review, code: "continue".to_owned() });
    }
    let told = story.told();
    assert!(told.contains(&"2027-03-14 10:00 review remind:0 person".to_owned()), "{told:#?}");
    assert!(!told.iter().any(|line| line.contains("review escalate")), "what is held is not chased");
}

#[test]
fn three_missed_meetings_are_a_call_and_not_a_closing() {
    let mut story = matched();
    story.outcome("2026-11-30 11:00", "meeting", "no_show");
    story.until("2026-12-14 10:00");
    assert!(story.state.of_step("call").next().is_none(), "two missed");
    story.until("2026-12-21 10:00");
    assert_eq!(story.due("call"), "2026-12-23 17:00", "two business days");
    assert_eq!(story.state.closed, None);
    story.outcome("2026-12-22 10:00", "call", "reached");
}

#[test]
fn a_meeting_that_is_moved_is_not_missed() {
    let mut story = matched();
    story.outcome("2026-11-30 11:00", "meeting", "no_show");
    story.outcome("2026-12-07 11:00", "meeting", "moved");
    story.outcome("2026-12-14 11:00", "meeting", "no_show");
    assert!(story.state.of_step("call").next().is_none());
    story.outcome("2026-12-21 11:00", "meeting", "no_show");
    assert_eq!(story.due("call"), "2026-12-23 17:00", "held meetings alone begin the count anew");
}

#[test]
fn the_person_sets_the_rhythm_and_tapering_sets_it_too() {
    let mut story = planned();
    let weeks = |value: &str| What::ParamSet { param: "rhythm".to_owned(), value: value.parse().unwrap() };
    assert_eq!(story.refuses("2026-12-21 16:00", weeks("P8W")), "param_out_of_bounds");
    story.happens("2026-12-21 16:00", weeks("P2W"));
    assert_eq!(dues(&story, "meeting").last().unwrap(), "2026-12-28 10:00");
    story.until("2027-09-21 10:00");
    assert_eq!(story.status("taper"), "due", "from nine months on");
    story.outcome("2027-09-22 10:00", "taper", "monthly");
    assert_eq!(story.state.params["rhythm"].to_string(), "P28D".parse::<Offset>().unwrap().to_string());
    let meeting = story.one("meeting").due_at.unwrap();
    assert!(meeting > at("2027-09-22 10:00") && meeting <= at("2027-10-20 10:00"));
    assert_eq!(story.due("taper_on"), "2027-11-03 10:00");
    story.outcome("2027-11-03 11:00", "taper_on", "weekly");
    assert!(story.one("meeting").due_at.unwrap() <= at("2027-11-10 11:00"), "and back again when that is better");
    story.outcome("2027-12-15 11:00", "taper_on", "on_call");
    story.until("2028-02-01 10:00");
    assert_eq!(story.status("meeting"), "cancelled");
    assert_eq!(story.status("review"), "scheduled", "the reviews go on");
}

#[test]
fn either_may_end_the_match_and_the_plan_goes_on() {
    let mut story = planned();
    let review = story.due("review");
    story.until("2027-01-05 10:00");
    story.outcome("2027-01-05 10:00", "meeting", "rematch");
    assert_eq!(story.effects.last().unwrap(), &Effect::Rematch { role: "recovery_coach".to_owned() });
    assert_eq!(story.status("meeting"), "cancelled", "no meeting without a coach");
    assert_eq!(story.due("match_again"), "2027-01-12 10:00");
    story.outcome("2027-01-07 10:00", "match_again", "assigned");
    story.outcome("2027-01-14 10:00", "meet_again", "rematch");
    assert_eq!(story.due("match_again"), "2027-01-21 10:00", "a mutual choice, as often as it takes");
    story.outcome("2027-01-15 10:00", "match_again", "assigned");
    story.outcome("2027-01-20 15:00", "meet_again", "match_ok");
    assert_eq!(story.due("meeting"), "2027-01-27 10:00");
    assert_eq!(story.due("review"), review, "the reviews stay where they are");
}

#[test]
fn either_may_end_the_match_on_a_day_without_an_appointment() {
    let mut story = planned();
    story.until("2027-03-21 10:00");
    story.outcome("2027-03-21 11:00", "review", "taper");
    story.outcome("2027-05-02 11:00", "taper_on", "on_call");
    let review = |code: &str| {
        let follow_up = Key { step: "review".to_owned(), anchor_id: None, occurrence: 2 };
        What::Outcome { follow_up, code: code.to_owned() }
    };
    assert_eq!(story.refuses("2027-05-10 15:00", review("continue")), "too_early");
    story.happens("2027-05-10 15:00", review("rematch"));
    assert_eq!(story.effects.last().unwrap(), &Effect::Rematch { role: "recovery_coach".to_owned() });
    assert_eq!(story.due("match_again"), "2027-05-17 10:00");
    assert_eq!(story.due("review"), "2027-08-10 10:00", "three months with whoever comes");
    story.outcome("2027-05-12 10:00", "match_again", "assigned");
    story.outcome("2027-05-20 10:00", "meet_again", "match_ok");
    assert_eq!(story.due("meeting"), "2027-05-27 10:00");
    story.until("2027-08-10 10:00");
    story.outcome("2027-08-10 11:00", "review", "continue");
    assert_eq!(story.due("review"), "2027-11-10 10:00");
}

#[test]
fn a_sign_is_answered_within_a_business_day_whatever_else_runs() {
    let mut story = planned();
    let sign = |number, moment| What::AnchorSet { anchor: "sign_at".to_owned(), id: id(number), at: at(moment) };
    story.happens("2027-02-05 19:30", sign(50, "2027-02-05 19:30"));
    assert_eq!(story.due("sign"), "2027-02-08 17:00", "Friday evening, so Monday");
    assert!(story.told().contains(&"2027-02-05 19:30 sign announce:0 actor".to_owned()));
    story.outcome("2027-02-08 09:00", "sign", "called");
    story.happens("2027-02-20 10:00", sign(51, "2027-02-20 10:00"));
    story.until("2027-02-23 17:00");
    let escalated: Vec<_> = story.told().into_iter().filter(|line| line.contains("sign escalate")).collect();
    assert_eq!(
        escalated,
        ["2027-02-22 17:00 sign escalate:0 deputy_coach", "2027-02-23 17:00 sign escalate:1 coordinator"]
    );
}

#[test]
fn after_closing_only_what_was_asked_for_comes() {
    let mut story = planned();
    story.until("2027-06-21 11:00");
    story.outcome("2027-06-21 11:00", "review", "enough_for_now");
    assert_eq!(story.state.closed.as_ref().unwrap().reason, "enough_for_now");
    story.happens("2027-06-21 11:30", What::OptedIn { steps: vec!["check_6m".to_owned()] });
    story.until("2027-10-30 10:00");
    assert_eq!((story.status("check_3m"), story.status("check_6m")), ("skipped", "scheduled"));
    story.until("2027-12-21 10:00");
    let told: Vec<_> = story.told().into_iter().filter(|line| line.contains("check_")).collect();
    assert_eq!(told, ["2027-12-21 10:00 check_6m message person"]);
    story.outcome("2027-12-22 12:00", "check_6m", "wants_to_talk");
    assert_eq!(story.state.closed, None, "back without a new intake");
    assert_eq!(story.due("meeting"), "2027-12-29 10:00");
    story.outcome("2027-12-29 12:00", "meeting", "held");
}

#[test]
fn a_relative_is_asked_in_the_same_rhythm_and_never_chased() {
    let mut story = Story::start(shipped("naaste_support"), "2026-12-01 11:00", &[("applied_at", "2026-12-01 11:00")]);
    assert_eq!(story.protocol.subject, Subject::CloseOne);
    story.outcome("2026-12-03 10:00", "match", "assigned");
    story.outcome("2026-12-21 15:00", "intake", "agreed");
    story.until("2027-07-01 00:00");
    let told: Vec<_> = story.told().into_iter().filter(|line| line.ends_with("person")).collect();
    assert_eq!(
        told,
        [
            "2027-02-01 10:00 support message person",
            "2027-03-14 10:00 ask message person",
            "2027-05-02 10:00 support message person",
            "2027-06-11 10:00 ask message person"
        ]
    );
    assert_eq!(dues(&story, "talk")[..2], ["2027-03-21 10:00", "2027-06-21 10:00"]);
}

#[test]
fn a_rhythm_an_effect_sets_lies_within_the_bounds() {
    let text = built_in().iter().find(|one| one.name == "recovery_coaching").unwrap().text;
    let faults = |from: &str, to: &str| -> Vec<(String, &'static str)> {
        let told = parse(&text.replacen(from, to, 1)).expect_err("should be faulty");
        told.into_iter().map(|fault| (fault.path, fault.code.as_str())).collect()
    };
    let monthly = "monthly: [{activate: [meeting]}, {set_param: {rhythm: P4W}}, {activate";
    let place = "/steps/10/outcomes/monthly";
    let with = |value: &str| format!("monthly: [{{activate: [meeting]}}, {{set_param: {value}}}, {{activate");
    assert_eq!(faults(monthly, &with("{rhythm: P8W}")), [(place.to_owned(), "out_of_range")]);
    assert_eq!(faults(monthly, &with("{rhythm: P1M}")), [(place.to_owned(), "out_of_range")]);
    assert_eq!(faults(monthly, &with("{tempo: P4W}")), [(format!("{place}/1/set_param/tempo"), "unknown_param")]);
    assert_eq!(
        faults(monthly, &with("{rhythm: often}")),
        [(format!("{place}/1/set_param/rhythm"), "invalid_duration")]
    );
    assert_eq!(faults(monthly, &with("{}")), [(format!("{place}/1/set_param"), "missing")]);
    assert_eq!(
        faults("record_profile", "subject: neighbour\nrecord_profile"),
        [("/subject".to_owned(), "unknown_value")]
    );
}
