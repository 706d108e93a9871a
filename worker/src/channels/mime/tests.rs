use super::*;
use crate::templates::{Fields, Language, Phone, Texts};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{TimeZone, Utc};
use nazorg_domain::entities::{ChannelKind, MessageId, OrganisationId};
use nazorg_domain::messages::Template;
use uuid::Uuid;

fn outgoing(to: &str) -> Outgoing {
    Outgoing {
        id: MessageId(Uuid::from_u128(7)),
        organisation: OrganisationId(Uuid::from_u128(9)),
        channel: ChannelKind::Email,
        to: to.to_owned(),
        subject: "Bericht voor één".to_owned(),
        text: "Zorgen voor één ander.".to_owned(),
        language: "nl",
        template: "login",
        at: Utc.with_ymd_and_hms(2026, 11, 24, 9, 30, 0).unwrap(),
        begin_by: tokio::time::Instant::now(),
    }
}

#[test]
fn the_mail_is_ascii_dated_and_bears_the_rows_id() {
    let sender = Sender::new("nazorg@example.org", "Nazorg").unwrap();
    let (envelope, bytes) = sender.write(&outgoing("anna@example.net")).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.is_ascii());
    assert_eq!(envelope.to()[0].to_string(), "anna@example.net");
    for line in [
        "Message-ID: <00000000-0000-0000-0000-000000000007@example.org>",
        "Date: Tue, 24 Nov 2026 09:30:00 +0000",
        "Auto-Submitted: auto-generated",
        "From: Nazorg <nazorg@example.org>",
        "To: anna@example.net",
    ] {
        assert!(text.contains(&format!("{line}\r\n")), "{line} in\n{text}");
    }
}

#[test]
fn an_address_that_is_none_is_refused_and_injects_nothing() {
    let sender = Sender::new("nazorg@example.org", "").unwrap();
    for to in ["", "anna", "anna@", "a@b.nl\r\nBcc: c@d.nl", "a@b.nl, c@d.nl", "<a@b.nl> RCPT TO:<c@d.nl>"] {
        assert_eq!(sender.write(&outgoing(to)).err(), Some(NoAddress), "{to}");
    }
}

/// A letter as whoever gets it reads it (RFC 2045, RFC 2047).
pub(in crate::channels) struct Letter {
    pub(in crate::channels) subject: String,
    pub(in crate::channels) text: String,
}

impl Letter {
    pub(in crate::channels) fn read(bytes: Vec<u8>) -> Self {
        let letter = String::from_utf8(bytes).unwrap();
        assert!(letter.is_ascii() && letter.lines().all(|line| line.len() <= 78), "{letter}");
        let (head, body) = letter.split_once("\r\n\r\n").unwrap();
        let head = head.replace("\r\n ", " ");
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap();
        assert_eq!(header("Content-Type"), "text/plain; charset=utf-8");
        let text = match header("Content-Transfer-Encoding") {
            "base64" => STANDARD.decode(body.replace("\r\n", "")).unwrap(),
            "quoted-printable" => quoted(&body.replace("=\r\n", "")),
            "7bit" => body.as_bytes().to_vec(),
            other => panic!("{other}"),
        };
        Self { subject: words(header("Subject")), text: String::from_utf8(text).unwrap().trim_end().to_owned() }
    }
}

/// Encoded words side by side are one text; each holds whole letters.
fn words(value: &str) -> String {
    let word = |word: &str| {
        let coded = word.strip_prefix("=?utf-8?b?")?.strip_suffix("?=")?;
        Some(String::from_utf8(STANDARD.decode(coded).unwrap()).unwrap())
    };
    let read: Option<String> = value.split(' ').map(word).collect();
    read.unwrap_or_else(|| value.to_owned())
}

fn quoted(text: &str) -> Vec<u8> {
    let mut parts = text.split('=');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(part[2..].bytes());
    }
    bytes
}

/// A message about an appointment, as it goes out in this language.
pub(in crate::channels) fn appointment(language: Language) -> Outgoing {
    let at = Utc.with_ymd_and_hms(2026, 11, 24, 9, 30, 0).unwrap();
    let fields = Fields { at, zone: chrono_tz::Europe::Amsterdam, count: 1, phone: Phone::parse("+31 88 000 0000") };
    let rendered = Texts::load().unwrap().render(language, Template::Appointment, &fields).unwrap();
    let language = language.tag();
    Outgoing { subject: rendered.subject, text: rendered.text, language, ..outgoing("anna@example.net") }
}

#[test]
fn a_letter_in_any_alphabet_is_read_as_it_was_written() {
    let sender = Sender::new("post@example.org", "").unwrap();
    for language in Language::ALL {
        let outgoing = appointment(language);
        let (_, bytes) = sender.write(&outgoing).unwrap();
        let head = format!("Content-Language: {}\r\n", language.tag());
        assert!(String::from_utf8_lossy(&bytes).contains(&head), "{language:?}");
        let letter = Letter::read(bytes);
        assert_eq!((letter.subject, letter.text), (outgoing.subject, outgoing.text));
    }
    let (arabic, ukrainian) = (appointment(Language::Ar), appointment(Language::Uk));
    assert_eq!(arabic.subject, "تذكير");
    assert_eq!(arabic.text, "موعدكم: الثلاثاء 24/11 الساعة 10:30. للتغيير: \u{200e}+31 88 000 0000");
    assert_eq!(ukrainian.subject, "Нагадування");
    assert_eq!(ukrainian.text, "Зустріч: вівторок, 24 листопада, 10:30. Тел. +31 88 000 0000");
}

#[test]
fn a_long_subject_is_folded_between_letters() {
    let sender = Sender::new("post@example.org", "").unwrap();
    let subject = "Повідомлення для Вас і ще одне повідомлення для Вас, і ще одне";
    let outgoing = Outgoing { subject: subject.to_owned(), ..outgoing("anna@example.net") };
    let letter = Letter::read(sender.write(&outgoing).unwrap().1);
    assert_eq!(letter.subject, subject);
}
