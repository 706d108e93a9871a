//! `docs/protocol-language.md` is held against the code: every key, effect and code stands in it, and its example runs.

use super::support::at;
use crate::protocols::*;

const PAGE: &str = include_str!("../../../../docs/protocol-language.md");
const CHECK: [&str; 6] = [
    include_str!("../check/mod.rs"),
    include_str!("../check/steps.rs"),
    include_str!("../check/effects.rs"),
    include_str!("../check/ends.rs"),
    include_str!("../check/tellers.rs"),
    include_str!("../check/timing.rs"),
];

/// The texts that stand between two others.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
}

#[test]
fn every_key_the_check_asks_for_is_explained() {
    let mut keys: Vec<&str> = CHECK.iter().flat_map(|source| between(source, "f, \"", "\"")).collect();
    keys.extend(CHECK.iter().flat_map(|source| between(source, "get(\"", "\"")));
    keys.extend(CHECK.iter().flat_map(|source| between(source, "&mut fields, \"", "\"")));
    assert!(keys.len() > 60, "{}", keys.len());
    for key in keys {
        let written = [format!("`{key}`"), format!("{key}:"), format!("{key},"), format!("{key}}}")];
        assert!(written.iter().any(|form| PAGE.contains(form)), "the key {key} is not explained");
    }
}

#[test]
fn every_code_is_listed() {
    for code in FaultCode::ALL {
        assert!(PAGE.contains(&format!("| `{}` |", code.as_str())), "the fault {} is not listed", code.as_str());
    }
    let refusals = between(include_str!("../input.rs"), "=> \"", "\"");
    assert!(refusals.len() > 20);
    for code in refusals {
        assert!(PAGE.contains(&format!("| `{code}` |")), "the refusal {code} is not listed");
    }
    for (word, _) in Status::WORDS {
        assert!(PAGE.contains(&format!("`{word}`")), "the status {word} is not explained");
    }
}

#[test]
fn the_worked_example_comes_out_as_the_page_says() {
    let text = between(PAGE, "```yaml\n", "```")[0];
    let protocol = parse(text).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let outcomes = ["first=unreachable@2027-02-16T10:00:00Z", "first#2=held", "closing=held", "before_hearing=held"];
    let request = PreviewRequest {
        anchors: vec![
            ("event_at".to_owned(), at("2027-02-14 03:00")),
            ("hearing_at".to_owned(), at("2027-03-31 13:30")),
        ],
        outcomes: outcomes.iter().map(|text| parse_outcome_argument(text).unwrap()).collect(),
        ..PreviewRequest::default()
    };
    let around = protocol.surroundings(&Surroundings::default());
    let shown = preview(&protocol, &around, &request).unwrap();
    let when = |at: chrono::DateTime<chrono::Utc>| at.with_timezone(&around.zone).format("%a %-d %b %H:%M").to_string();
    for one in &shown.follow_ups {
        let moments = [one.opens_at, one.due_at, one.closes_at].map(|at| when(at.unwrap())).join(" | ");
        let line = format!("| `{}` #{} | {moments} | {} |", one.step, one.occurrence, one.status.as_str());
        assert!(PAGE.contains(&line), "{line}");
    }
    assert_eq!((shown.follow_ups.len(), shown.messages.len()), (5, 4));
    for message in &shown.messages {
        let line = format!("| {} | {} |", when(message.at), message.to);
        assert!(PAGE.contains(&line), "{line}");
    }
}
