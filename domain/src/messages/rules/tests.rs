use chrono::{TimeZone, Utc};
use chrono_tz::Europe::Amsterdam;
use nazorg_entities::{ChannelKind, ConsentId, ContactPointId, OrganisationId, Voicemail};
use uuid::Uuid;

use super::*;
use crate::people::contact_points::Window;

/// A moment in Amsterdam in the winter of 2027, when 1 March is a Monday.
fn local(day: u32, hour: u32, minute: u32) -> Instant {
    Amsterdam.with_ymd_and_hms(2027, 3, day, hour, minute, 0).unwrap().with_timezone(&Utc)
}

fn about(audience: Audience) -> About {
    About {
        status: MessageStatus::Pending,
        audience,
        because: "message_due".to_owned(),
        follow_up: Some(AboutFollowUp { status: "due".to_owned(), reason: None, window_until: Some(local(20, 17, 0)) }),
        due_at: local(2, 10, 0),
        safety_file: false,
        now: local(2, 10, 0),
        restored_at: None,
        rests_on: RestsOn::default(),
    }
}

fn point(safe: Safe) -> ContactPoint {
    ContactPoint {
        id: ContactPointId(Uuid::nil()),
        person_id: PersonId(Uuid::nil()),
        channel: ChannelKind::Email,
        address: None,
        safe,
        verified_at: Some(local(1, 9, 0)),
        expires_at: Some(local(30, 9, 0)),
        allowed: None,
        voicemail: Voicemail::No,
        contact_mode: ContactMode::WeContact,
        preference: 1,
        ended_at: None,
        created_at: local(1, 9, 0),
        version: 1,
    }
}

fn window(from: (u32, u32), until: (u32, u32)) -> Option<Window> {
    let time = |(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
    Some(Window { from: time(from), until: time(until) })
}

fn candidate<'a>(number: u128, points: &[&'a ContactPoint]) -> Candidate<'a> {
    Candidate {
        person: PersonId(Uuid::from_u128(number)),
        deceased: false,
        do_not_contact: false,
        points: points.to_vec(),
        zone: Amsterdam,
        consent: Consented::Yes,
        agreed: Consented::Yes,
        recent: Vec::new(),
    }
}

fn person(about: &About, candidate: Candidate<'_>) -> String {
    word(&to_person(about, &[candidate]))
}

/// A verdict in one line.
fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Go { to, point } => format!("go {} {point}", to.0.as_u128()),
        Verdict::Later { at, reason } => format!("{reason} {}", at.with_timezone(&Amsterdam).format("%d %H:%M")),
        Verdict::End(Ending { status, reason, then }) => match then {
            Then::Nothing => format!("{status} {reason}"),
            Then::Alarm => format!("{status} {reason} alarm"),
            Then::Task(task) => format!("{status} {reason} task {task}"),
        },
    }
}

#[test]
fn what_is_said_yes_to_goes() {
    assert_eq!(person(&about(Audience::Person), candidate(1, &[&point(Safe::Unknown)])), "go 1 0");
}

#[test]
fn stop_rules_override_everything() {
    let safe = point(Safe::Yes);
    let about = about(Audience::Person);
    let with = |change: fn(&mut Candidate<'_>)| {
        let mut one = candidate(1, &[&safe]);
        change(&mut one);
        person(&about, one)
    };
    assert_eq!(with(|one| one.deceased = true), "suppressed deceased");
    assert_eq!(with(|one| one.do_not_contact = true), "suppressed do_not_contact");
    assert_eq!(with(|one| one.consent = Consented::Missing), "suppressed no_consent");
    assert_eq!(with(|one| one.consent = Consented::Revoked), "suppressed consent_revoked");
    assert_eq!(with(|one| one.consent = Consented::Expired), "suppressed consent_expired");
}

#[test]
fn a_follow_up_that_is_over_is_not_announced_but_its_outcome_is() {
    let unknown = point(Safe::Unknown);
    let with = |status: &str, reason: Option<&str>, because: &str| {
        let mut about = about(Audience::Person);
        about.follow_up =
            Some(AboutFollowUp { status: status.to_owned(), reason: reason.map(str::to_owned), window_until: None });
        about.because = because.to_owned();
        person(&about, candidate(1, &[&unknown]))
    };
    assert_eq!(with("done", None, "before_due"), "cancelled follow_up_final");
    assert_eq!(with("cancelled", Some("case_closed"), "before_due"), "cancelled case_closed");
    assert_eq!(with("overdue", None, "after_close"), "go 1 0");
    assert_eq!(with("done", None, "outcome"), "go 1 0");
    let gone = About { follow_up: None, ..about(Audience::Staff) };
    assert_eq!(word(&to_staff(&gone, None)), "cancelled follow_up_gone");
}

#[test]
fn too_late_for_a_person_is_a_task_and_staff_is_told_however_late() {
    let unknown = point(Safe::Unknown);
    let late = About { now: local(4, 10, 1), ..about(Audience::Person) };
    assert_eq!(person(&late, candidate(1, &[&unknown])), "expired late task message_late");
    let just = About { now: local(4, 10, 0), ..about(Audience::Person) };
    assert_eq!(person(&just, candidate(1, &[&unknown])), "go 1 0");
    let however_late = RestsOn { however_late: true, ..RestsOn::default() };
    let runs = About { now: local(19, 10, 0), rests_on: however_late, ..about(Audience::Person) };
    assert_eq!(person(&runs, candidate(1, &[&unknown])), "go 1 0", "a step that says `late: run`");
    let weeks = About { now: local(30, 10, 0), ..about(Audience::Staff) };
    assert_eq!(word(&to_staff(&weeks, Some(&candidate(2, &[&unknown])))), "go 2 0");
}

#[test]
fn an_interrupted_sending_is_never_repeated_to_a_person_and_always_to_staff() {
    let unknown = point(Safe::Unknown);
    let interrupted = About { status: MessageStatus::Sending, ..about(Audience::Family) };
    let one = candidate(1, &[&unknown]);
    assert_eq!(person(&interrupted, one.clone()), "unknown interrupted task delivery_unknown");
    assert_eq!(word(&to_staff(&interrupted, Some(&one))), "go 1 0");
}

#[test]
fn what_may_have_gone_after_the_backup_is_never_repeated_to_a_person_and_always_to_staff() {
    let (yes, no) = (point(Safe::Yes), point(Safe::No));
    let restored = |at| About { restored_at: Some(at), ..about(Audience::Person) };
    let (before, after) = (restored(local(2, 9, 59)), restored(local(2, 10, 0)));
    assert_eq!(person(&before, candidate(1, &[&yes])), "go 1 0");
    assert_eq!(person(&after, candidate(1, &[&yes])), "unknown restored task delivery_unknown");
    let late = About { now: local(9, 10, 0), ..after.clone() };
    assert_eq!(person(&late, candidate(1, &[&yes])), "unknown restored task delivery_unknown");
    assert!(person(&after, candidate(1, &[&no])).starts_with("suppressed"), "it went neither before nor now");
    assert_eq!(word(&to_staff(&after, Some(&candidate(2, &[&yes])))), "go 2 0");
}

#[test]
fn safe_contact_is_asked_for_and_how_strictly_depends_on_the_file() {
    let (yes, no, unknown) = (point(Safe::Yes), point(Safe::No), point(Safe::Unknown));
    let old = ContactPoint { expires_at: Some(local(2, 10, 0)), ..point(Safe::Yes) };
    let theirs = ContactPoint { contact_mode: ContactMode::PersonContactsUs, ..point(Safe::Yes) };
    let usual = about(Audience::Person);
    let safety = About { safety_file: true, ..usual.clone() };
    for (points, in_usual, in_safety) in [
        (vec![&yes], "go 1 0", "go 1 0"),
        (vec![&no, &yes], "go 1 1", "go 1 1"),
        (vec![&unknown], "go 1 0", "suppressed unsafe_contact_point task unsafe_contact_point"),
        (
            vec![&old],
            "suppressed expired_safety_check task expired_safety_check",
            "suppressed expired_safety_check task expired_safety_check",
        ),
        (
            vec![&no],
            "suppressed unsafe_contact_point task unsafe_contact_point",
            "suppressed unsafe_contact_point task unsafe_contact_point",
        ),
        (vec![&theirs], "suppressed contact_mode task contact_mode", "suppressed contact_mode task contact_mode"),
        (
            vec![],
            "suppressed no_contact_point task no_contact_point",
            "suppressed no_contact_point task no_contact_point",
        ),
    ] {
        assert_eq!(person(&usual, candidate(1, &points)), in_usual);
        assert_eq!(person(&safety, candidate(1, &points)), in_safety);
    }
}

#[test]
fn p26_quiet_hours_last_from_nine_to_eight_on_the_recipients_clock() {
    let unknown = point(Safe::Unknown);
    let at = |now: Instant| person(&About { now, due_at: now, ..about(Audience::Person) }, candidate(1, &[&unknown]));
    assert_eq!(at(local(2, 20, 59)), "go 1 0");
    assert_eq!(at(local(2, 21, 0)), "quiet_hours 03 08:00");
    assert_eq!(at(local(3, 2, 0)), "quiet_hours 03 08:00");
    assert_eq!(at(local(3, 8, 0)), "go 1 0");
    // The night in which the clocks go forward is an hour shorter, and eight o'clock is eight o'clock.
    assert_eq!(at(local(27, 23, 0)), "quiet_hours 28 08:00");
    let elsewhere = Candidate { zone: chrono_tz::America::New_York, ..candidate(1, &[&unknown]) };
    assert_eq!(person(&about(Audience::Person), elsewhere), "quiet_hours 02 14:00");
}

#[test]
fn hours_a_person_chose_narrow_the_day_and_hold_at_night_when_they_lie_there() {
    let at = |window, now: Instant| {
        let point = ContactPoint { allowed: window, ..point(Safe::Yes) };
        person(&About { now, due_at: now, ..about(Audience::Person) }, candidate(1, &[&point]))
    };
    let school = window((9, 30), (14, 30));
    assert_eq!(at(school, local(2, 9, 0)), "quiet_hours 02 09:30");
    assert_eq!(at(school, local(2, 9, 30)), "go 1 0");
    assert_eq!(at(school, local(2, 14, 30)), "quiet_hours 03 09:30");
    let evening = window((20, 0), (23, 0));
    assert_eq!(at(evening, local(2, 22, 0)), "quiet_hours 03 20:00");
    let night = window((22, 0), (23, 0));
    assert_eq!(at(night, local(2, 10, 0)), "quiet_hours 02 22:00");
    assert_eq!(at(night, local(2, 22, 30)), "go 1 0");
    let over_midnight = window((22, 0), (9, 0));
    assert_eq!(at(over_midnight, local(2, 7, 0)), "quiet_hours 02 08:00");
}

#[test]
fn p37_at_most_two_in_seven_days_then_later_while_the_window_lasts() {
    let unknown = point(Safe::Unknown);
    let with = |recent: &[Instant], window_until| {
        let mut about = about(Audience::Person);
        about.follow_up =
            Some(AboutFollowUp { status: "due".to_owned(), reason: None, window_until: Some(window_until) });
        person(&about, Candidate { recent: recent.to_vec(), ..candidate(1, &[&unknown]) })
    };
    let (friday, saturday) = (local(2, 10, 0) - TimeDelta::days(4), local(2, 10, 0) - TimeDelta::days(3));
    assert_eq!(with(&[friday], local(20, 17, 0)), "go 1 0");
    assert_eq!(with(&[saturday, friday], local(20, 17, 0)), "frequency 05 10:00");
    assert_eq!(with(&[friday, saturday], local(5, 9, 59)), "suppressed frequency");
    let week_ago = local(2, 10, 0) - CAP_SPAN;
    assert_eq!(with(&[week_ago, saturday], local(20, 17, 0)), "go 1 0");
    let at_night = local(1, 22, 0) - TimeDelta::days(1);
    assert_eq!(with(&[at_night, at_night], local(20, 17, 0)), "frequency 08 08:00");
}

#[test]
fn among_close_ones_the_first_who_may_be_written_to_is() {
    let (yes, no) = (point(Safe::Yes), point(Safe::No));
    let about = about(Audience::Family);
    let refused = Candidate { consent: Consented::Revoked, ..candidate(1, &[&yes]) };
    let unsafe_one = candidate(2, &[&no]);
    let asleep = Candidate { zone: chrono_tz::America::New_York, ..candidate(3, &[&yes]) };
    let awake = candidate(4, &[&yes]);
    let judge =
        |all: &[&Candidate<'_>]| word(&to_person(&about, &all.iter().map(|one| (*one).clone()).collect::<Vec<_>>()));
    assert_eq!(judge(&[&refused, &unsafe_one, &asleep, &awake]), "go 4 0");
    assert_eq!(judge(&[&refused, &asleep]), "quiet_hours 02 14:00");
    assert_eq!(judge(&[&refused, &unsafe_one]), "suppressed consent_revoked");
    assert_eq!(judge(&[]), "suppressed no_close_one");
}

#[test]
fn a_restricted_person_is_not_written_to_and_somebody_is_told() {
    let yes = point(Safe::Yes);
    let restricted = Candidate { consent: Consented::Restricted, ..candidate(1, &[&yes]) };
    assert_eq!(person(&about(Audience::Person), restricted), "suppressed restricted task restricted");
}

#[test]
fn what_a_step_rests_on_is_waited_for_left_to_staff_or_left_out() {
    let (yes, unknown) = (point(Safe::Yes), point(Safe::Unknown));
    let asks = |unmet, safe_contact| {
        let rests_on = RestsOn { consents: vec!["research".to_owned()], safe_contact, unmet, ..RestsOn::default() };
        About { rests_on, ..about(Audience::Person) }
    };
    let agreed = |agreed| Candidate { agreed, ..candidate(1, &[&yes]) };
    for (consent, code) in [
        (Consented::Missing, "no_consent"),
        (Consented::Revoked, "consent_revoked"),
        (Consented::Expired, "consent_expired"),
    ] {
        assert_eq!(person(&asks(Unmet::Wait, false), agreed(consent)), format!("{code} 03 10:00"));
        let late = About { now: local(20, 10, 0), due_at: local(20, 10, 0), ..asks(Unmet::Wait, false) };
        assert_eq!(person(&late, agreed(consent)), format!("suppressed {code}"), "the window does not last till then");
        assert_eq!(person(&asks(Unmet::Task, false), agreed(consent)), format!("suppressed {code} task {code}"));
        assert_eq!(person(&asks(Unmet::Skip, false), agreed(consent)), format!("suppressed {code}"));
    }
    assert_eq!(person(&asks(Unmet::Wait, true), agreed(Consented::Yes)), "go 1 0");
    // A contact point that would do elsewhere.
    assert_eq!(person(&asks(Unmet::Wait, false), candidate(1, &[&unknown])), "go 1 0");
    assert_eq!(person(&asks(Unmet::Wait, true), candidate(1, &[&unknown])), "unsafe_contact_point 03 10:00");
    let task = "suppressed unsafe_contact_point task unsafe_contact_point";
    assert_eq!(person(&asks(Unmet::Task, true), candidate(1, &[&unknown])), task);
    assert_eq!(person(&asks(Unmet::Skip, true), candidate(1, &[&unknown])), "suppressed unsafe_contact_point");
    let no = Candidate { consent: Consented::Revoked, ..agreed(Consented::Missing) };
    assert_eq!(person(&asks(Unmet::Task, false), no), "suppressed consent_revoked", "who says no to messages says no");
}

#[test]
fn staff_is_someone_reachable_or_an_alarm() {
    let (no, unknown) = (point(Safe::No), point(Safe::Unknown));
    let about = about(Audience::Staff);
    assert_eq!(word(&to_staff(&about, None)), "failed no_recipient alarm");
    assert_eq!(word(&to_staff(&about, Some(&candidate(1, &[&no])))), "failed no_contact_point alarm");
    assert_eq!(word(&to_staff(&about, Some(&candidate(1, &[&no, &unknown])))), "go 1 1");
    let dead = Candidate { deceased: true, ..candidate(1, &[&unknown]) };
    assert_eq!(word(&to_staff(&about, Some(&dead))), "failed no_recipient alarm");
}

fn consent(purpose: &str, to: Option<u128>) -> consents::Model {
    consents::Model {
        id: ConsentId(Uuid::nil()),
        organisation_id: OrganisationId(Uuid::nil()),
        person_id: PersonId(Uuid::from_u128(1)),
        purpose: purpose.to_owned(),
        recipient_person_id: to.map(|to| PersonId(Uuid::from_u128(to))),
        recipient: None,
        items: serde_json::json!([]),
        legal_basis: "consent".to_owned(),
        given_by: "self".to_owned(),
        valid_from: local(1, 9, 0),
        valid_until: None,
        revoked_at: None,
        created_at: local(1, 9, 0),
        version: 1,
    }
}

#[test]
fn a_consent_holds_for_its_purpose_its_recipient_and_its_time() {
    let now = local(2, 10, 0);
    let ask = |rows: &[consents::Model], towards: Option<u128>| {
        let rows: Vec<_> = rows.iter().collect();
        consented(&rows, PURPOSE, towards.map(|to| PersonId(Uuid::from_u128(to))), now)
    };
    let ours = consent(PURPOSE, None);
    let revoked = consents::Model { revoked_at: Some(now), ..ours.clone() };
    let over = consents::Model { valid_until: Some(now), ..ours.clone() };
    let to_come = consents::Model { valid_from: local(3, 9, 0), ..ours.clone() };
    assert_eq!(ask(&[], None), Consented::Missing);
    assert_eq!(ask(&[consent("research", None)], None), Consented::Missing);
    assert_eq!(ask(&[consent(PURPOSE, Some(2))], None), Consented::Missing);
    assert_eq!(ask(&[consent(PURPOSE, Some(2))], Some(2)), Consented::Yes);
    assert_eq!(ask(std::slice::from_ref(&revoked), None), Consented::Revoked);
    assert_eq!(ask(&[over], None), Consented::Expired);
    assert_eq!(ask(&[to_come], None), Consented::Expired);
    assert_eq!(ask(&[revoked, ours], None), Consented::Yes, "taken back, and given again");
}

fn going(id: u128, to: u128, template: Template) -> Going {
    Going {
        id: MessageId(Uuid::from_u128(id)),
        planned_at: local(2, 10, u32::try_from(id).unwrap()),
        to: PersonId(Uuid::from_u128(to)),
        staff: true,
        again: false,
        template,
    }
}

#[test]
fn what_falls_together_for_one_recipient_is_one_message() {
    let all = vec![
        going(3, 1, Template::Task),
        going(1, 1, Template::Task),
        going(2, 2, Template::Task),
        going(4, 2, Template::Overdue),
        Going { staff: false, ..going(5, 1, Template::CheckIn) },
        Going { again: true, ..going(6, 1, Template::Task) },
    ];
    let seen: Vec<_> = digests(all)
        .into_iter()
        .map(|digest| (digest.leader.0.as_u128(), digest.merged.len(), digest.template))
        .collect();
    assert_eq!(
        seen,
        [
            (1, 1, Template::Task),
            (2, 1, Template::Login),
            (5, 0, Template::CheckIn),
            (6, 0, Template::Task), // it may have arrived before, and goes again as itself
        ]
    );
}

#[test]
fn a_safety_file_masks_appointments_and_tasks_go_to_someone_who_works_here() {
    assert_eq!(masked(Template::Appointment, true), Template::AppointmentMasked);
    assert_eq!(masked(Template::Appointment, false), Template::Appointment);
    assert_eq!(masked(Template::Task, true), Template::Task);
    assert_eq!(
        (task_role("person"), task_role("close_one"), task_role("coach")),
        ("coordinator", "coordinator", "coach")
    );
}

#[test]
fn that_it_arrived_is_believed_of_whatever_may_have_been_sent_and_the_rest_of_what_is_in_doubt() {
    use MessageStatus as M;
    let judged = |status, reason: Option<&str>, delivered| {
        [Report::Delivered, Report::Failed].map(|report| heard(status, reason, delivered, report))
    };
    let heard_of = |status, reason, delivered| judged(status, reason, delivered).map(Result::ok);
    assert_eq!(heard_of(M::Sent, None, false), [Some(Heard::Arrived), Some(Heard::Lost)]);
    assert_eq!(heard_of(M::Sent, None, true), [Some(Heard::Known), None]);
    assert_eq!(heard_of(M::Failed, Some(NOT_DELIVERED), false), [Some(Heard::Arrived), Some(Heard::Known)]);
    assert_eq!(heard_of(M::Unknown, Some("interrupted"), false), [Some(Heard::Arrived), Some(Heard::Lost)]);
    let refused = |status, reason| judged(status, reason, false).map(|result| result.unwrap_err().to_string());
    let never = "Only a message that was sent can arrive.";
    for status in [M::Pending, M::Suppressed, M::Merged, M::Expired, M::Cancelled, M::Failed] {
        assert_eq!(refused(status, Some("sms_refused_400")), [never, never], "{status}");
    }
    assert!(refused(M::Sending, None).iter().all(|error| error.starts_with("unavailable")));
}
