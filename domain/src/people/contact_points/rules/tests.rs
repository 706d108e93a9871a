use nazorg_entities::{ContactMode, ContactPointId, PersonId, Voicemail};
use uuid::Uuid;

use super::*;

fn at(hours: i64) -> Instant {
    chrono::DateTime::from_timestamp(hours * 3600, 0).unwrap()
}

fn time(hour: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, 0, 0).unwrap()
}

fn point() -> ContactPoint {
    ContactPoint {
        id: ContactPointId(Uuid::nil()),
        person_id: PersonId(Uuid::nil()),
        channel: ChannelKind::Sms,
        address: None,
        safe: Safe::Yes,
        verified_at: Some(at(0)),
        expires_at: Some(at(10)),
        allowed: None,
        voicemail: Voicemail::No,
        contact_mode: ContactMode::WeContact,
        preference: 1,
        ended_at: None,
        created_at: at(0),
        version: 1,
    }
}

#[test]
fn addresses() {
    for good in ["a@b.nl", "anna.de-vries+nazorg@mail.ziekenhuis.nl", "o'neil@example.org"] {
        assert!(is_email(good), "{good}");
    }
    for bad in
        ["", "a", "a@b", "@b.nl", "a@", "a b@c.nl", "a@b..nl", "a@-b.nl", "a@b.nl\nBcc: x@y.nl", ".a@b.nl", "a@b@c.nl"]
    {
        assert!(!is_email(bad), "{bad}");
    }
    assert!(!is_email(&format!("{}@b.nl", "x".repeat(65))));
    assert!(is_e164("+31612345678"));
    for bad in ["", "+", "0612345678", "+0612345678", "+31 6 12345678", "+1234567", "+1234567890123456", "31612345678"]
    {
        assert!(!is_e164(bad), "{bad}");
    }
}

#[test]
fn a_window_may_run_over_midnight() {
    let day = Window { from: time(9), until: time(17) };
    assert!(day.contains(time(9)) && !day.contains(time(17)) && !day.contains(time(8)));
    let night = Window { from: time(22), until: time(2) };
    assert!(
        night.contains(time(23)) && night.contains(time(1)) && !night.contains(time(2)) && !night.contains(time(12))
    );
}

#[test]
fn what_was_said_holds_for_ninety_days() {
    assert_eq!(asked(Safe::Yes, None, at(0)).unwrap(), (Some(at(0)), Some(at(90 * 24))));
    assert_eq!(asked(Safe::No, Some(at(5)), at(0)).unwrap(), (Some(at(0)), Some(at(5))));
    assert_eq!(asked(Safe::Unknown, None, at(0)).unwrap(), (None, None));
    assert!(asked(Safe::Yes, Some(at(0)), at(0)).is_err());
    assert!(is_safe(&point(), at(9)));
    assert!(!is_safe(&point(), at(10)));
    assert!(!is_safe(&ContactPoint { safe: Safe::Unknown, ..point() }, at(1)));
}

#[test]
fn half_a_window_is_none() {
    let half = ContactPointChange { allowed_from: Some(Some(time(9))), ..ContactPointChange::default() };
    assert!(changed(point(), half.clone()).is_err());
    let whole = ContactPointChange { allowed_until: Some(Some(time(12))), ..half };
    let after = changed(point(), whole).unwrap();
    assert_eq!(after.allowed, Some(Window { from: time(9), until: time(12) }));
    let cleared =
        ContactPointChange { allowed_from: Some(None), allowed_until: Some(None), ..ContactPointChange::default() };
    assert_eq!(changed(after, cleared).unwrap().allowed, None);
    assert!(changed(ContactPoint { ended_at: Some(at(1)), ..point() }, ContactPointChange::default()).is_err());
}
