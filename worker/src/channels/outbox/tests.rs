use super::*;
use crate::channels::mime::tests::{Letter, appointment};
use crate::templates::Language;
use chrono::{TimeZone, Utc};
use nazorg_domain::entities::{MessageId, OrganisationId};
use std::time::Duration;
use uuid::Uuid;

fn outgoing(channel: ChannelKind, to: &str) -> Outgoing {
    Outgoing {
        id: MessageId(Uuid::from_u128(7)),
        organisation: OrganisationId(Uuid::from_u128(9)),
        channel,
        to: to.to_owned(),
        subject: "Bericht".to_owned(),
        text: "Er staat een bericht.".to_owned(),
        language: "nl",
        template: "login",
        at: Utc.with_ymd_and_hms(2026, 11, 24, 9, 30, 0).unwrap(),
        begin_by: tokio::time::Instant::now() + Duration::from_secs(5),
    }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn outbox(dir: &Path) -> Outbox {
    Outbox::open(dir.to_owned(), Sender::new("nazorg@example.org", "Nazorg").unwrap()).unwrap()
}

#[tokio::test]
async fn mail_is_a_sheet_and_a_letter_and_a_second_attempt_replaces_both() {
    let dir = tempfile::tempdir().unwrap();
    let (outbox, mail) = (outbox(dir.path()), outgoing(ChannelKind::Email, "anna@example.net"));
    for _ in 0..2 {
        assert!(matches!(outbox.send(&mail).await, Delivery::Sent { .. }));
    }
    let id = mail.id;
    assert_eq!(names(dir.path()), [format!("{id}.eml"), format!("{id}.json")]);
    let sheet: serde_json::Value =
        serde_json::from_slice(&std::fs::read(dir.path().join(format!("{id}.json"))).unwrap()).unwrap();
    assert_eq!(sheet["to"], "anna@example.net");
    assert_eq!(sheet["messageId"], format!("<{id}@example.org>"));
    assert_eq!(sheet["at"], "2026-11-24T09:30:00.000Z");
}

#[tokio::test]
async fn sheet_and_letter_hold_the_same_words_in_any_alphabet() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    for language in Language::ALL {
        let mail = Outgoing { begin_by: outgoing(ChannelKind::Email, "").begin_by, ..appointment(language) };
        assert!(matches!(outbox.send(&mail).await, Delivery::Sent { .. }));
        let read = |ending| std::fs::read(dir.path().join(format!("{}.{ending}", mail.id))).unwrap();
        let sheet: serde_json::Value = serde_json::from_slice(&read("json")).unwrap();
        let letter = Letter::read(read("eml"));
        assert_eq!([&letter.subject, &letter.text], [&mail.subject, &mail.text]);
        assert_eq!([&sheet["subject"], &sheet["text"]], [&mail.subject, &mail.text]);
        assert_eq!(sheet["language"], language.tag());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_reads_it() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("outbox");
    let sms = outgoing(ChannelKind::Sms, "+31612345678");
    assert!(matches!(outbox(&inner).send(&sms).await, Delivery::Sent { .. }));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&inner), mode(&inner.join(format!("{}.json", sms.id)))), (0o700, 0o600));
    assert_eq!(names(&inner).len(), 1, "a text message has no letter");
}

#[tokio::test]
async fn a_folder_that_is_gone_is_known_unsent_and_an_address_that_is_none_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(&dir.path().join("outbox"));
    let nobody = outbox.send(&outgoing(ChannelKind::Email, "anna")).await;
    assert_eq!(nobody, Delivery::unsent(Reason::of("address_invalid"), true));
    std::fs::remove_dir(dir.path().join("outbox")).unwrap();
    let nowhere = outbox.send(&outgoing(ChannelKind::Email, "anna@example.net")).await;
    assert_eq!(nowhere, Delivery::unsent(Reason::of("outbox_unwritable"), false));
}
