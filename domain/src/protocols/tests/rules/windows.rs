//! Windows, moves, retries, lateness.

use super::super::support::{Story, at, id, local, small};
use crate::protocols::*;

const TALK: &str = "- {step: talk, title: {nl: Gesprek}, actor: coach, action: talk, anchor: event_at, offset: P14D, at: \"10:00\", \
    window: {opens: P10D, closes: P24D}, expires: P30D, remind: [{to: actor, before_due: P2D}, {to: actor, at: opens}], \
    escalate: [{to: coordinator, after_close: PT0S}], outcomes: {held: [], moved: [{counts_as: skipped}], \
    unreachable: [{retry: {after: PT24H, times: 2, then: [{alert: coordinator}]}}]}}";

fn talk() -> Story {
    Story::start(small(TALK, ""), "2027-01-04 12:00", &[("event_at", "2027-01-04 09:30")])
}

fn outcome(code: &str) -> What {
    What::Outcome { follow_up: Key { step: "talk".to_owned(), anchor_id: None, occurrence: 1 }, code: code.to_owned() }
}

#[test]
fn from_scheduled_to_expired() {
    let mut story = talk();
    let path = [
        ("2027-01-14 09:59", "scheduled", Some("2027-01-14 10:00")),
        ("2027-01-14 10:00", "open", Some("2027-01-16 10:00")),
        ("2027-01-16 10:00", "open", Some("2027-01-18 10:00")),
        ("2027-01-18 10:00", "due", Some("2027-01-28 10:00")),
        ("2027-01-28 10:00", "escalated", Some("2027-02-03 10:00")),
    ];
    for (when, status, next) in path {
        story.until(when);
        assert_eq!(story.status("talk"), status, "{when}");
        assert_eq!(story.next_of("talk").as_deref(), next, "{when}");
    }
    story.until("2027-02-03 10:00");
    assert_eq!(story.status("talk"), "expired");
    assert_eq!(
        story.told(),
        [
            "2027-01-14 10:00 talk remind:1 actor",
            "2027-01-16 10:00 talk remind:0 actor",
            "2027-01-28 10:00 talk escalate:0 coordinator"
        ]
    );
    assert_eq!(story.refuses("2027-02-04 10:00", outcome("held")), "already_final");
}

#[test]
fn too_early_and_too_late_and_unknown() {
    let mut story = talk();
    let refusal = story.tries("2027-01-14 09:59", outcome("held")).unwrap_err();
    assert_eq!(refusal, Refusal::TooEarly { opens_at: at("2027-01-14 10:00") });
    assert_eq!(refusal.code(), "too_early");
    assert_eq!(story.refuses("2027-01-15 10:00", outcome("nonsense")), "unknown_outcome");
    assert_eq!(story.refuses("2027-01-04 11:59", What::Paused), "out_of_order");
}

#[test]
fn a_rung_stays_silent_when_the_follow_up_was_acknowledged_as_it_is_planned_now() {
    const HEEDS: &str =
        "escalate: [{to: coordinator, after_close: PT0S, unless: acknowledged}, {to: coordinator, after_close: P1D}]";
    let start = || {
        let text = TALK.replace("escalate: [{to: coordinator, after_close: PT0S}]", HEEDS);
        Story::start(small(&text, ""), "2027-01-04 12:00", &[("event_at", "2027-01-04 09:30")])
    };
    let seen = || {
        let follow_up = Key { step: "talk".to_owned(), anchor_id: None, occurrence: 1 };
        What::Acknowledged { follow_up }
    };
    let told = |story: &Story| story.told().into_iter().filter(|line| line.contains("escalate")).collect::<Vec<_>>();
    let (first, second) =
        ("2027-01-28 10:00 talk escalate:0 coordinator", "2027-01-29 10:00 talk escalate:1 coordinator");

    let mut unseen = start();
    unseen.until("2027-02-01 10:00");
    assert_eq!(told(&unseen), [first, second]);

    let mut story = start();
    story.happens("2027-01-18 10:05", seen());
    story.until("2027-01-28 10:00");
    assert_eq!((story.status("talk"), story.next_of("talk").as_deref()), ("overdue", Some("2027-01-29 10:00")));
    story.until("2027-02-01 10:00");
    assert_eq!(told(&story), [second], "a rung that does not ask is told all the same");

    let mut moved = start();
    moved.happens("2027-01-18 10:05", seen());
    let follow_up = Key { step: "talk".to_owned(), anchor_id: None, occurrence: 1 };
    moved.happens("2027-01-19 10:00", What::Rescheduled { follow_up, due_at: at("2027-01-20 10:00") });
    moved.until("2027-02-01 10:00");
    assert_eq!(told(&moved), [first, second], "what moved was not seen yet");

    let mut done = talk();
    done.happens("2027-01-18 10:05", outcome("held"));
    assert_eq!(done.refuses("2027-01-18 10:06", seen()), "already_final");
}

#[test]
fn an_outcome_may_count_as_something_else() {
    let mut story = talk();
    story.happens("2027-01-15 10:00", outcome("moved"));
    assert_eq!(story.status("talk"), "skipped");
    assert_eq!(story.last("talk").outcome.as_deref(), Some("moved"));
}

#[test]
fn retries_move_the_window_and_end_in_an_alert() {
    let mut story = talk();
    story.outcome("2027-01-18 12:00", "talk", "unreachable");
    assert_eq!(story.due("talk"), "2027-01-19 12:00");
    assert_eq!(local(story.one("talk").closes_at.unwrap()), "2027-01-29 12:00");
    assert_eq!(story.state.of_step("talk").next().unwrap().status, Status::Unreachable);
    story.outcome("2027-01-19 12:00", "talk", "unreachable");
    story.outcome("2027-01-20 12:00", "talk", "unreachable");
    assert_eq!(story.state.of_step("talk").count(), 3);
    assert!(!story.state.has_unfinished());
    assert_eq!(story.told().last().unwrap(), "2027-01-20 12:00 talk alert:unreachable coordinator");
}

#[test]
fn a_moved_anchor_calls_off_what_was_announced_and_announces_it_anew_once() {
    let mut story = talk();
    story.until("2027-01-17 00:00");
    let set = |moment: &str| What::AnchorSet { anchor: "event_at".to_owned(), id: id(1), at: at(moment) };
    story.happens("2027-01-17 08:00", set("2027-01-06 09:30"));
    assert_eq!(story.due("talk"), "2027-01-20 10:00");
    assert_eq!(
        story.told(),
        ["2027-01-17 08:00 talk remind:1 actor"],
        "open already, so at once; the other comes again on the 18th"
    );
    story.until("2027-01-20 10:00");
    assert_eq!(story.told(), ["2027-01-17 08:00 talk remind:1 actor", "2027-01-18 10:00 talk remind:0 actor"]);
    let before = story.state.follow_ups.clone();
    story.happens("2027-01-20 11:00", set("2027-01-06 09:30"));
    assert_eq!(story.state.follow_ups, before, "an anchor set to where it lies already moves nothing");
}

#[test]
fn a_person_reschedules_within_the_window() {
    let mut story = talk();
    let key = story.one("talk").key.clone();
    let to = |moment: &str| What::Rescheduled { follow_up: key.clone(), due_at: at(moment) };
    assert_eq!(story.refuses("2027-01-05 10:00", to("2027-01-29 10:00")), "outside_window");
    story.happens("2027-01-05 10:00", to("2027-01-21 15:00"));
    assert_eq!(story.due("talk"), "2027-01-21 15:00");
    story.until("2027-01-21 15:00");
    assert!(story.told().contains(&"2027-01-19 15:00 talk remind:0 actor".to_owned()), "{:?}", story.told());
    story.happens(
        "2027-01-21 16:00",
        What::AnchorSet { anchor: "event_at".to_owned(), id: id(1), at: at("2027-01-08 09:30") },
    );
    assert_eq!(story.due("talk"), "2027-01-22 10:00", "a moved anchor places it anew");
}

#[test]
fn enrolled_late_it_runs_at_once_or_is_skipped_or_leaves_a_task() {
    let late = |policy: &str| TALK.replace("expires: P30D", policy);
    let start = |steps: &str| Story::start(small(steps, ""), "2027-03-01 12:00", &[("event_at", "2027-01-04 09:30")]);
    let mut story = start(&late("late: run"));
    assert_eq!(story.status("talk"), "escalated");
    assert_eq!(story.told().last().unwrap(), "2027-03-01 12:00 talk escalate:0 coordinator");
    assert!(
        !story.told().iter().any(|line| line.contains("remind:0")),
        "nobody is reminded of what will be due two months ago"
    );
    story.outcome("2027-03-02 12:00", "talk", "held");
    let story = start(&late("late: skip"));
    assert_eq!((story.status("talk"), story.last("talk").reason.as_deref()), ("skipped", Some("late")));
    let mut story = start(&late("late: task"));
    assert_eq!(story.status("talk"), "skipped");
    assert_eq!(story.due("task:late:talk"), "2027-03-02 17:00");
    assert_eq!(story.one("task:late:talk").role, "coach");
    story.outcome("2027-03-02 09:00", "task:late:talk", "done");
    assert!(!story.state.has_unfinished());
}

#[test]
fn a_message_to_a_person_two_days_late_becomes_a_task() {
    let steps = "- {step: card, title: {nl: Kaart}, actor: coach, action: message, anchor: event_at, offset: PT1H, outcomes: {sent: []}}";
    let start = |when: &str| Story::start(small(steps, ""), when, &[("event_at", "2027-01-04 09:00")]);
    let story = start("2027-01-06 09:59");
    assert_eq!(story.told(), ["2027-01-06 09:59 card message person"]);
    let story = start("2027-01-06 10:00");
    assert_eq!(story.told(), [""; 0]);
    assert_eq!((story.status("card"), story.due("task:late:card").as_str()), ("skipped", "2027-01-07 17:00"));
}

#[test]
fn activated_when_its_window_has_gone_by_it_takes_its_other_plan() {
    let steps = "- {step: offer, title: {nl: Aanbod}, actor: coach, action: offer, anchor: event_at, offset: PT24H, outcomes: {yes: [{activate: talk}]}}\n\
        - {step: talk, title: {nl: Gesprek}, active: false, actor: coach, action: talk, anchor: event_at, offset: PT48H, window: {opens: PT0S, closes: PT72H}, \
           if_past: {anchor: activated_at, offset: P1BD, closes: P3BD}, outcomes: {held: []}}";
    let mut story = Story::start(small(steps, ""), "2027-01-04 12:00", &[("event_at", "2027-01-04 12:00")]);
    story.outcome("2027-01-08 09:00", "offer", "yes");
    assert_eq!(story.due("talk"), "2027-01-11 17:00");
    assert_eq!(local(story.one("talk").closes_at.unwrap()), "2027-01-13 17:00");
    story.happens(
        "2027-01-08 10:00",
        What::AnchorSet { anchor: "event_at".to_owned(), id: id(1), at: at("2027-01-07 12:00") },
    );
    assert_eq!(story.due("talk"), "2027-01-09 12:00", "the corrected window had not gone by");
}

#[test]
fn a_guard_forbids_one_outcome_until_its_day() {
    let steps = TALK.replace(
        "outcomes: {held: []",
        "guards: [{not_before: P28D, outcomes: [screened]}], outcomes: {held: [], screened: []",
    );
    let mut story = Story::start(
        small(&steps.replace("expires: P30D", "late: run"), ""),
        "2027-01-04 12:00",
        &[("event_at", "2027-01-04 09:30")],
    );
    let refusal = story.tries("2027-01-31 10:00", outcome("screened")).unwrap_err();
    assert_eq!(refusal, Refusal::TooEarly { opens_at: at("2027-02-01 10:00") });
    story.happens("2027-02-01 10:00", outcome("screened"));
}

#[test]
fn what_may_be_said_at_any_time_waits_for_no_window() {
    let steps = TALK
        .replace("outcomes: {held: []", "any_time: [enough], outcomes: {enough: [{close: enough_for_now}], held: []");
    let mut story = Story::start(small(&steps, ""), "2027-01-04 12:00", &[("event_at", "2027-01-04 09:30")]);
    assert_eq!(story.refuses("2027-01-05 10:00", outcome("held")), "too_early");
    story.happens("2027-01-05 10:00", outcome("enough"));
    assert_eq!(story.status("talk"), "done");
    assert_eq!(story.state.closed.as_ref().unwrap().reason, "enough_for_now");
}

#[test]
fn anchors_come_later_move_and_go() {
    let steps = "- {step: before, title: {nl: Voor}, actor: coach, action: talk, anchor: hearing_at, offset: -P2BD, at: \"10:00\", announce: [{to: actor}], outcomes: {held: []}}\n\
        - {step: later, title: {nl: Later}, actor: coach, action: talk, anchor: later_at, offset: P1D, outcomes: {held: []}}";
    let protocol = small(steps, "");
    let mut story = Story::start(protocol.clone(), "2027-01-04 12:00", &[("event_at", "2027-01-04 09:30")]);
    assert_eq!(story.brief(), ["later#1 waiting "]);
    let key = story.one("later").key.clone();
    assert_eq!(story.refuses("2027-01-04 12:00", What::Outcome { follow_up: key, code: "held".to_owned() }), "waiting");
    let set = |anchor: &str, value: u128, moment: &str| What::AnchorSet {
        anchor: anchor.to_owned(),
        id: id(value),
        at: at(moment),
    };
    story.happens("2027-01-05 12:00", set("hearing_at", 11, "2027-02-02 13:00"));
    story.happens("2027-01-05 12:00", set("hearing_at", 12, "2027-03-02 13:00"));
    assert_eq!(story.state.of_step("before").count(), 2);
    story.happens("2027-01-06 12:00", What::AnchorRemoved { anchor: "hearing_at".to_owned(), id: id(11) });
    assert_eq!(story.state.of_step("before").map(|one| one.status.as_str()).collect::<Vec<_>>(), ["cancelled", "open"]);
    assert_eq!(story.told(), ["2027-01-05 12:00 before announce:0 actor"], "the other one was called off");
    story.happens("2027-01-06 12:00", set("hearing_at", 11, "2027-02-09 13:00"));
    assert_eq!(local(story.last("before").due_at.unwrap()), "2027-02-05 10:00", "set again, it begins again");
    story.happens("2027-01-06 12:00", set("later_at", 5, "2027-01-10 13:00"));
    assert_eq!(story.due("later"), "2027-01-11 13:00");
    assert_eq!(story.refuses("2027-01-06 12:00", set("later_at", 6, "2027-01-10 13:00")), "anchor_not_many");
    story.happens("2027-01-06 12:00", What::AnchorRemoved { anchor: "later_at".to_owned(), id: id(5) });
    assert_eq!(story.status("later"), "waiting");
    for (what, code) in [
        (What::AnchorRemoved { anchor: "later_at".to_owned(), id: id(5) }, "unknown_anchor_value"),
        (What::AnchorRemoved { anchor: "event_at".to_owned(), id: id(1) }, "anchor_missing"),
        (set("no_such_at", 1, "2027-01-10 13:00"), "unknown_anchor"),
        (set("hearing_at", 12, "1850-01-10 13:00"), "moment_out_of_range"),
    ] {
        assert_eq!(story.refuses("2027-01-07 12:00", what), code);
    }
    let mut fresh = State::default();
    let start = What::Started { anchors: Default::default(), params: Default::default(), subjects: Default::default() };
    let refusal =
        next(&protocol, &story.around, &mut fresh, &Input { at: at("2027-01-04 12:00"), what: start }).unwrap_err();
    assert_eq!(refusal, Refusal::AnchorMissing { anchors: vec!["event_at".to_owned()] });
    let refusal = next(&protocol, &story.around, &mut fresh, &Input { at: at("2027-01-04 12:00"), what: What::Paused })
        .unwrap_err();
    assert_eq!(refusal.code(), "not_started");
}
