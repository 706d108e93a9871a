//! Mistakes: all of them, each where it stands, each once.

use crate::protocols::*;

const GOOD: &str = include_str!("../../../tests/data/example.yaml");

fn told(text: &str) -> Vec<(String, &'static str)> {
    let faults = parse(text).expect_err("should be faulty");
    assert!(faults.iter().all(|fault| !fault.detail.is_empty()));
    let mut told: Vec<_> = faults.into_iter().map(|fault| (fault.path, fault.code.as_str())).collect();
    told.sort();
    told
}

fn with(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(GOOD.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

#[test]
fn sixteen_mistakes_are_sixteen_faults() {
    let text = with(&[
        ("protocol: second_victim_peer_support", "protocol: Second Victim"),
        ("record_profile: contact_log", "record_profile: contactlog"),
        ("period: P90D", "period: 90 days"),
        ("confidence: medium", "confidence: 3"),
        ("office: \"09:00-17:00\"", "office: \"9-5\""),
        ("actor: coordinator\n", "actor: boss\n"),
        ("action: task ", "action: chore "),
        ("anchor: reported_at", "anchor: repoted_at"),
        ("offset: P1BD", "offset: P1DT2H"),
        ("after_close: P1BD", "afterclose: P1BD"),
        ("times: 3", "times: 0"),
        ("{activate: [reoffer]}", "{activate: [reofer]}"),
        (
            "at: \"10:00\"\n    window: {opens: P10D, closes: P21D}",
            "at: \"25:00\"\n    window: {opens: P21D, closes: P10D}",
        ),
        ("none_open: [before_hearing, after_hearing]", "none_open: [before_haering, after_hearing]"),
        ("closes: P3BD}", "closes: P3BD, until: now}"),
    ]);
    let expected = [
        ("/confidence", "wrong_type"),
        ("/calendar/office", "invalid_time"),
        ("/end/0/none_open/0", "unknown_step"),
        ("/protocol", "invalid_name"),
        ("/record_profile", "unknown_value"),
        ("/retention/period", "invalid_duration"),
        ("/steps/0/action", "unknown_value"),
        ("/steps/0/actor", "unknown_role"),
        ("/steps/0/anchor", "unknown_anchor"),
        ("/steps/0/escalate/0", "missing"),
        ("/steps/0/escalate/0/afterclose", "unknown_field"),
        ("/steps/0/offset", "invalid_duration"),
        ("/steps/1/outcomes/declined/0/activate/0", "unknown_step"),
        ("/steps/1/outcomes/no_response/0/retry/times", "out_of_range"),
        ("/steps/2", "window_inverted"),
        ("/steps/2/at", "invalid_time"),
        ("/steps/3/if_past/until", "unknown_field"),
    ];
    let mut expected: Vec<_> = expected.map(|(path, code)| (path.to_owned(), code)).to_vec();
    expected.sort();
    assert_eq!(told(&text), expected);
}

#[test]
fn one_mistake_is_one_fault() {
    let cases = [
        ("step: satisfaction", "step: satis-faction", "/steps/8/step", "invalid_name"),
        ("title: {nl: Collega koppelen, en: Match a peer}", "title: {en: Match a peer}", "/steps/0/title", "missing"),
        ("outcomes: {assigned: []}", "outcomes: {}", "/steps/0/outcomes", "missing"),
        ("outcomes: {assigned: []}", "outcomes: {assigned: {close: x}}", "/steps/0/outcomes/assigned", "wrong_type"),
        (
            "outcomes: {assigned: []}",
            "outcomes: {assigned: [{close: x, alert: coordinator}]}",
            "/steps/0/outcomes/assigned/0",
            "wrong_type",
        ),
        (
            "outcomes: {assigned: []}",
            "outcomes: {assigned: [{explode: x}]}",
            "/steps/0/outcomes/assigned/0/explode",
            "unknown_field",
        ),
        (
            "outcomes: {assigned: []}",
            "outcomes: {assigned: [{restart: offer}], assigned: []}",
            "/steps/0/outcomes/assigned",
            "duplicate_key",
        ),
        (
            "outcomes: {assigned: []}",
            "spread: PT15M\n    outcomes: {assigned: []}",
            "/steps/0/spread",
            "not_supported_yet",
        ),
        (
            "outcomes: {assigned: []}",
            "for_each: household_member\n    outcomes: {assigned: []}",
            "/steps/0/for_each",
            "not_supported_yet",
        ),
        (
            "outcomes: {assigned: []}",
            "outcomes: {assigned: [{message: {to: peer_supporter, template: survay}}]}",
            "/steps/0/outcomes/assigned/0/message/template",
            "unknown_value",
        ),
        ("outcomes: {assigned: []}", "roll: forward\n    outcomes: {assigned: []}", "/steps/0/roll", "contradiction"),
        ("outcomes: {assigned: []}", "unmet: skip\n    outcomes: {assigned: []}", "/steps/0/unmet", "contradiction"),
        (
            "outcomes: {assigned: []}",
            "message: {to: person}\n    outcomes: {assigned: []}",
            "/steps/0/message",
            "contradiction",
        ),
        ("outcomes: {assigned: []}", "stage: none\n    outcomes: {assigned: []}", "/steps/0/stage", "unknown_stage"),
        (
            "outcomes: {assigned: []}",
            "repeat: {every: PT48H}\n    outcomes: {assigned: []}",
            "/steps/0/repeat",
            "contradiction",
        ),
        (
            "outcomes: {assigned: []}",
            "repeat: {every: {param: x}}\n    outcomes: {assigned: []}",
            "/steps/0/repeat/every/param",
            "unknown_param",
        ),
        (
            "outcomes: {assigned: []}",
            "requires: [love]\n    outcomes: {assigned: []}",
            "/steps/0/requires/0",
            "unknown_value",
        ),
        ("action: task ", "action: assessment ", "/steps/0/action", "profile_forbids"),
        (
            "anchor: reported_at\n    offset: P1BD",
            "anchor: assign.final_at\n    offset: P1BD",
            "/steps/0/anchor",
            "contradiction",
        ),
        (
            "anchor: reported_at\n    offset: P1BD",
            "anchor: closed_at\n    offset: P1BD",
            "/steps/0/anchor",
            "contradiction",
        ),
        ("anchor: reported_at\n    offset: P1BD", "anchor: reported_at", "/steps/0", "missing"),
        ("remind: [{to: actor, before_due: PT4H}]", "remind: [{to: actor}]", "/steps/1/remind/0", "missing"),
        (
            "remind: [{to: actor, before_due: PT4H}]",
            "remind: [{to: actor, before_due: PT4H, after_due: PT4H}]",
            "/steps/1/remind/0",
            "contradiction",
        ),
        (
            "remind: [{to: actor, before_due: PT4H}]",
            "remind: [{to: actor, before_due: -PT4H}]",
            "/steps/1/remind/0/before_due",
            "invalid_duration",
        ),
        ("declined: [{activate: [reoffer]}]", "declined: []", "/steps/2", "never_activated"),
        (
            "  - {referral: arrived, close: referred_arrived}",
            "  - {none_open: [talk_1], close: nothing}",
            "/end/1",
            "missing",
        ),
        (
            "  - {referral: arrived, close: referred_arrived}",
            "  - {outcome: {offer: eaten}, close: nothing}",
            "/end/1/outcome/offer",
            "unknown_outcome",
        ),
        ("{step: satisfaction,", "{step: after_hearing,", "/steps/8/step", "duplicate_name"),
        ("kind: second_victim_peer_support", "kind: gardening", "/kind", "unknown_value"),
        ("event_at: required", "event_at: sometimes", "/anchors/event_at", "unknown_value"),
        ("  event_at: required", "  started_at: optional\n  event_at: required", "/anchors/started_at", "invalid_name"),
        ("roles: [peer_supporter,", "roles: [peer_supporter, person,", "/roles/1", "invalid_name"),
        ("roles: [peer_supporter,", "roles: [peer_supporter, peer_supporter,", "/roles/1", "duplicate_name"),
        ("confidence: medium", "confidence: medium\nzone: Europe/Rotterdam", "/zone", "invalid_zone"),
        (
            "if_past: {anchor: activated_at, offset: P1BD,",
            "if_past: {anchor: hearing_at, offset: P1BD,",
            "/steps/3/if_past/anchor",
            "unknown_anchor",
        ),
        (
            "after_close: true, requires: [opt_in], unmet: skip",
            "after_close: true, requires: [opt_in]",
            "/steps/8/after_close",
            "contradiction",
        ),
    ];
    for (from, to, path, code) in cases {
        let found = told(&with(&[(from, to)]));
        assert_eq!(found, [(path.to_owned(), code)], "{to}");
    }
}

#[test]
fn steps_that_wait_for_each_other_are_told_once() {
    let text = with(&[
        ("anchor: reported_at\n    offset: P1BD", "anchor: offer.final_at\n    offset: P1BD"),
        ("anchor: reported_at\n    offset: PT24H", "anchor: assign.final_at\n    offset: PT24H"),
    ]);
    assert_eq!(told(&text), [("/steps/0/anchor".to_owned(), "circular_anchor")]);
}

#[test]
fn text_that_is_no_document() {
    for text in ["", "just words", "[1, 2]", "42", "null"] {
        assert_eq!(told(text), [(String::new(), "wrong_type")], "{text:?}");
    }
    for text in ["a: [1, 2", "a: b: c", "a:\n\t- x", "a: *nowhere", "---\na: 1\n---\nb: 2\n"] {
        let faults = parse(text).unwrap_err();
        assert_eq!(
            (faults.len(), faults[0].path.as_str(), faults[0].code),
            (1, "", FaultCode::Syntax),
            "{text:?}: {faults:?}"
        );
    }
    let faults = parse("protocol: x\nsteps: [1, 2\n").unwrap_err();
    assert!(faults[0].detail.contains("line ") && faults[0].detail.contains("column "), "{}", faults[0].detail);
    assert_eq!(told(&" ".repeat(MAX_TEXT + 1)), [(String::new(), "too_large")]);
}

#[test]
fn bombs_are_refused_quickly() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let previous = format!("*a{}", level - 1);
        laughs += &format!("a{level}: &a{level} [{}]\n", vec![previous; 9].join(", "));
    }
    let deep = format!("a: {}{}", "[".repeat(5_000), "]".repeat(5_000));
    let json = format!("{{\"a\": {}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    for bomb in [laughs, deep, json] {
        let faults = parse(&bomb).unwrap_err();
        assert_eq!(faults[0].code, FaultCode::Syntax, "{:?}", faults.first());
    }
}

#[test]
fn the_same_document_as_json_is_the_same_protocol() {
    let protocol = parse(GOOD).unwrap();
    let json = serde_json::to_string_pretty(&protocol).unwrap();
    assert_eq!(parse(&json).unwrap(), protocol);
    assert_eq!(parse(&json.replace("  ", "\t")).unwrap(), protocol, "tabs are no matter in JSON");
    assert_eq!(serde_json::from_str::<Protocol>(&json).unwrap(), protocol);
    assert!(serde_json::from_str::<Protocol>("{}").unwrap_err().to_string().contains("required"));
}

#[test]
fn every_code_is_snake_case_and_used_once() {
    let mut codes: Vec<_> = FaultCode::ALL.iter().map(|code| code.as_str()).collect();
    assert!(codes.iter().all(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), FaultCode::ALL.len());
}
