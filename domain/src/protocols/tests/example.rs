//! The example of PROTOCOLS section 1, as written.

use super::support::at;
use crate::protocols::*;
use chrono::{DateTime, Utc};

const EXAMPLE: &str = include_str!("../../../tests/data/example.yaml");

fn request() -> PreviewRequest {
    PreviewRequest {
        anchors: vec![
            ("event_at".to_owned(), at("2026-12-17 03:20")),
            ("reported_at".to_owned(), at("2026-12-17 07:45")),
        ],
        ..PreviewRequest::default()
    }
}

fn shown(request: &PreviewRequest) -> Preview {
    let protocol = parse(EXAMPLE).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let around = protocol.surroundings(&Surroundings::default());
    preview(&protocol, &around, request).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn messages(preview: &Preview) -> Vec<(&str, &str, DateTime<Utc>, &str)> {
    preview
        .messages
        .iter()
        .map(|message| (message.step.as_str(), message.to.as_str(), message.at, message.because))
        .collect()
}

#[test]
fn unanswered_it_escalates() {
    let preview = shown(&request());
    let steps: Vec<_> =
        preview.follow_ups.iter().map(|one| (one.step.as_str(), one.due_at.unwrap(), one.status.as_str())).collect();
    assert_eq!(
        steps,
        [
            ("offer", at("2026-12-18 07:45"), "escalated"),
            ("assign", at("2026-12-18 17:00"), "escalated"),
            ("satisfaction", at("2027-03-17 10:00"), "overdue"),
        ]
    );
    assert_eq!(
        messages(&preview),
        [
            ("offer", "peer_supporter", at("2026-12-18 03:45"), "before_due"),
            ("offer", "coordinator", at("2026-12-19 07:45"), "after_close"),
            ("offer", "deputy_coordinator", at("2026-12-20 07:45"), "after_close"),
            ("assign", "deputy_coordinator", at("2026-12-21 17:00"), "after_close"),
            ("satisfaction", "person", at("2027-03-17 10:00"), "message_due"),
        ]
    );
}

#[test]
fn with_outcomes_it_runs_to_its_end() {
    let outcomes =
        ["assign=assigned", "offer=accepted@2026-12-17T14:30:00Z", "talk_1=held", "talk_2=held", "talk_3=held"];
    let outcomes = outcomes.iter().map(|text| parse_outcome_argument(text).unwrap()).collect();
    let mut request = PreviewRequest { outcomes, ..request() };
    request.anchors.push(("hearing_at".to_owned(), at("2027-03-09 13:30")));
    let preview = shown(&request);
    let due = |step: &str| preview.follow_ups.iter().find(|one| one.step == step).and_then(|one| one.due_at).unwrap();
    assert_eq!(due("talk_1"), at("2026-12-19 03:20"));
    assert_eq!(due("talk_2"), at("2026-12-31 10:00"));
    assert_eq!(due("talk_3"), at("2027-01-31 10:00"));
    assert_eq!(due("before_hearing"), at("2027-03-05 10:00"));
    assert_eq!(due("after_hearing"), at("2027-03-12 10:00"));
    assert!(!messages(&preview).iter().any(|(step, ..)| *step == "assign"), "an outcome at the due moment is in time");
}

#[test]
fn as_json_it_has_instants_in_milliseconds_and_no_nulls() {
    let json = serde_json::to_string(&shown(&request())).unwrap();
    assert!(!json.contains("null"), "{json}");
    assert!(json.starts_with(r#"{"followUps":[{"step":"offer","occurrence":1,"actor":"peer_supporter","opensAt":"2026-12-17T06:45:00.000Z","dueAt":"2026-12-18T06:45:00.000Z""#), "{json}");
    assert!(json.contains(r#""messages":[{"step":"offer","occurrence":1,"to":"peer_supporter","at":"2026-12-18T02:45:00.000Z","because":"before_due""#), "{json}");
}

#[test]
fn faults_of_the_request_are_told_at_once() {
    let protocol = parse(EXAMPLE).unwrap();
    let around = Surroundings::default();
    let request = PreviewRequest {
        anchors: vec![("nowhere_at".to_owned(), at("2026-12-17 03:20"))],
        ..PreviewRequest::default()
    };
    let faults = preview(&protocol, &around, &request).unwrap_err();
    let paths: Vec<_> = faults.iter().map(|fault| (fault.path.as_str(), fault.code.as_str())).collect();
    assert_eq!(
        paths,
        [
            ("/anchors/event_at", "missing"),
            ("/anchors/reported_at", "missing"),
            ("/anchors/nowhere_at", "unknown_anchor")
        ]
    );
    let wrong = ["nothing=held", "offer=held", "talk_1=held", "offer=accepted@2026-12-17T01:00:00Z"];
    let outcomes = wrong.iter().map(|text| parse_outcome_argument(text).unwrap()).collect::<Vec<_>>();
    let faults =
        preview(&protocol, &around, &PreviewRequest { outcomes: outcomes[..2].to_vec(), ..super::example::request() })
            .unwrap_err();
    assert_eq!(faults.iter().map(|fault| fault.code.as_str()).collect::<Vec<_>>(), ["unknown_step", "unknown_outcome"]);
    let faults =
        preview(&protocol, &around, &PreviewRequest { outcomes: outcomes[2..].to_vec(), ..super::example::request() })
            .unwrap_err();
    assert_eq!(faults.iter().map(|fault| fault.code.as_str()).collect::<Vec<_>>(), ["not_recorded", "not_recorded"]);
}

#[test]
fn arguments_of_the_command_line() {
    let full = parse_outcome_argument("offer#2=accepted@2026-12-17T15:30:00+01:00").unwrap();
    assert_eq!((full.step.as_str(), full.occurrence, full.code.as_str()), ("offer", Some(2), "accepted"));
    assert_eq!(full.at, Some(at("2026-12-17 15:30")));
    for text in ["offer", "=x", "offer=", "offer#0=x", "offer#x=y", "offer=x@yesterday"] {
        assert!(parse_outcome_argument(text).is_err(), "{text}");
    }
}
