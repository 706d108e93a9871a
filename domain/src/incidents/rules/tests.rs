use super::*;
use crate::{error::Error, input::is_word};

fn at(minutes: i64) -> Instant {
    chrono::DateTime::from_timestamp(minutes * 60, 0).unwrap()
}

fn new() -> NewIncident {
    NewIncident {
        unit_id: None,
        event_class: "medical_incident".to_owned(),
        severity: None,
        event_at: at(0),
        reported_at: None,
        involved: vec![],
        external_refs: vec![],
    }
}

fn refused(new: &NewIncident) -> Vec<(String, String)> {
    match incident(new, at(60)) {
        Ok(()) => Vec::new(),
        Err(Error::Invalid(errors)) => {
            errors.into_iter().map(|error| (error.pointer, error.code.into_owned())).collect()
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn every_kind_of_event_is_a_word() {
    assert!(EVENT_CLASSES.iter().all(|class| is_word(class)));
}

#[test]
fn a_report_tells_what_happened_in_words_and_in_order() {
    assert!(refused(&new()).is_empty());
    let story = NewIncident {
        event_class: "the patient in bed 4".to_owned(),
        severity: Some("He fell".to_owned()),
        event_at: at(120),
        ..new()
    };
    let expected = [("/eventClass", "unknown"), ("/severity", "bad_format"), ("/eventAt", "in_the_future")];
    assert_eq!(refused(&story), expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
    let early = NewIncident { reported_at: Some(at(-1)), ..new() };
    assert_eq!(refused(&early), [("/reportedAt".to_owned(), "before_event".to_owned())]);
    assert!(refused(&NewIncident { event_at: at(64), ..new() }).is_empty(), "clocks differ a little");
}

#[test]
fn weights_come_back() {
    assert!(SupportOffered::all().all(|offered| of_weight(weight(offered)) == offered));
}
