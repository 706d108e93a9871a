//! The other side says no, says nothing, or says yes and is not heard.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use nazorg::domain::entities::{Audience, ChannelKind, JobKind, MessageStatus, jobs};
use nazorg_tests::{
    hospital::{CHECK_IN, Hospital},
    http_sink::{Does as GatewayDoes, HttpSink},
    morning::{Morning, OPENED, messages, settled},
    service::{BEGINNING, Ground, Leg, Service},
    smtp_sink::{At, Behaviour, Does, Received, SmtpSink},
};
use sea_orm::EntityTrait;
use serde_json::json;
use uuid::Uuid;

use super::{PATIENCE, talk_after_hours};

const EVENT: &str = "2026-12-01T06:59:50Z";
const REPORTED: &str = "2026-12-01T07:00:00Z";
/// Seconds: little enough that a lease is renewed before it lapses, though the clock is moved.
const LATER: i64 = 10;
/// Texts to a gateway that says nothing: more than it is asked for at a time.
const TEXTS: usize = 80;
/// Eight in Amsterdam: the questions that were planned in the night are due.
const MORNING: &str = "2026-12-02T07:00:00Z";

fn to(mail: &SmtpSink, address: &str) -> Vec<Received> {
    mail.seen().into_iter().filter(|one| one.to == [address]).collect()
}

/// A service over this mail server, with two cases whose reminders fall due.
async fn due(mail: &SmtpSink) -> (Service, Morning) {
    let url = mail.url();
    let service = Service::start_with(Ground::new(Leg::from_env()), OPENED, &[("SMTP_URL", url.as_str())]).await;
    let morning = Morning::prepare(service.app(), 4, 1).await;
    service.clock.move_to(Morning::wave(0));
    service.drain().await;
    (service, morning)
}

#[tokio::test]
async fn p17_what_was_taken_but_not_acknowledged_goes_to_staff_again_under_its_id_and_to_a_person_never() {
    let mail = SmtpSink::start().await;
    for address in ["peer-0@staff.example", "person-0@home.example"] {
        mail.behave_to(address, Behaviour { at: At::Text, does: Does::Cut, times: Some(1) });
    }
    let (service, _) = due(&mail).await;
    service.clock.pass(TimeDelta::minutes(1));
    service.drain().await;
    let (peer, person) = (to(&mail, "peer-0@staff.example"), to(&mail, "person-0@home.example"));
    assert_eq!((peer.len(), person.len()), (2, 1));
    assert_eq!(peer[0].message_id(), peer[1].message_id());
    let rows = messages(service.app()).await;
    let unknown = rows.iter().filter(|row| row.status == MessageStatus::Unknown);
    assert_eq!(unknown.map(|row| row.audience).collect::<Vec<_>>(), [Audience::Person]);
    service.is_balanced().await;
}

#[tokio::test]
async fn p31_refused_for_now_is_tried_again_and_refused_for_good_is_told_to_somebody() {
    let mail = SmtpSink::start().await;
    for (address, reply, times) in [
        ("peer-0@staff.example", 451, Some(2)),
        ("person-0@home.example", 451, Some(2)),
        ("peer-1@staff.example", 550, None),
        ("person-1@home.example", 550, None),
    ] {
        mail.behave_to(address, Behaviour { at: At::Rcpt, does: Does::Reply(reply), times });
    }
    let (service, _) = due(&mail).await;
    let app = service.app();
    let waiting: Vec<_> = jobs::Entity::find().all(app.db.reader()).await.unwrap();
    let waiting: Vec<_> = waiting.into_iter().filter(|job| job.kind == JobKind::Message).collect();
    assert!(waiting.len() == 2 && waiting.iter().all(|job| job.attempts == 1), "only 451 is tried again: {waiting:?}");
    for _ in 0..2 {
        service.clock.pass(TimeDelta::minutes(1));
        service.drain().await;
    }
    assert_eq!((to(&mail, "peer-0@staff.example").len(), to(&mail, "person-0@home.example").len()), (1, 1));
    let failed: Vec<_> = messages(app)
        .await
        .into_iter()
        .filter(|row| row.status == MessageStatus::Failed)
        .map(|row| row.audience)
        .collect();
    assert_eq!(failed.len(), 2, "550 is final: {failed:?}");
    // The peer finds a task where a person could not be written to; that staff could not be is an alarm.
    let follow_ups = nazorg::domain::entities::follow_ups::Entity::find().all(app.db.reader()).await.unwrap();
    let tasks = follow_ups.iter().filter(|one| one.step.starts_with("task:"));
    let tasks: Vec<_> = tasks.map(|one| (one.step.as_str(), one.role.as_str())).collect();
    assert_eq!(tasks, [("task:not_delivered", "peer_supporter")]);
    let events = nazorg::domain::entities::events::Entity::find().all(app.db.reader()).await.unwrap();
    let alarms = events.iter().filter(|event| event.kind == "alarm.raised").count();
    assert_eq!(alarms, 1);
    service.is_balanced().await;
}

/// Somebody with a telephone who will be asked at eight how they are; answers their case.
async fn asked(hospital: &mut Hospital, name: &'static str, number: &str) -> Uuid {
    let api = &hospital.coordinator;
    let person = api.post("/v1/persons", json!({"name": name, "language": "nl"})).await.id_of(201);
    let point = json!({"channel": "sms", "address": number, "safe": "yes"});
    api.post(&format!("/v1/persons/{person}/contact-points"), point).await.expect(201);
    api.post(&format!("/v1/persons/{person}/consents"), json!({"purpose": "messages"})).await.expect(201);
    hospital.people.insert(name, person);
    let case = hospital.open(name, (EVENT, REPORTED), None).await;
    hospital.assign(case, "peer_supporter", "peer").await;
    case
}

#[tokio::test]
async fn p32_a_gateway_that_says_when_to_come_again_is_asked_then_and_a_day_later_at_most() {
    let gateway = HttpSink::start(None).await;
    let url = gateway.url();
    let service = Service::start_with(Ground::new(Leg::from_env()), BEGINNING, &[("SMS_URL", url.as_str())]).await;
    let mut hospital = Hospital::found(&service).await;
    hospital.publish(CHECK_IN).await;
    let numbers = ["+31600000001", "+31600000002", "+31600000003"];
    for (name, number) in ["soon", "busy", "long"].into_iter().zip(numbers) {
        asked(&mut hospital, name, number).await;
    }
    gateway.behave_to(numbers[0], GatewayDoes::Away(3_600));
    gateway.behave_to(numbers[1], GatewayDoes::Busy(3_600));
    gateway.behave_to(numbers[2], GatewayDoes::Away(999_999));
    service.travel_to(MORNING).await;
    assert_eq!((gateway.count(), gateway.taken().len()), (3, 0));
    numbers.iter().for_each(|number| gateway.behave_to(number, GatewayDoes::Take));
    service.clock.pass(TimeDelta::minutes(59));
    service.drain().await;
    assert_eq!(gateway.count(), 3, "nobody is asked before the hour");
    service.clock.pass(TimeDelta::minutes(2));
    service.drain().await;
    assert_eq!(gateway.taken(), numbers[..2]);
    service.clock.pass(TimeDelta::hours(22));
    service.drain().await;
    assert_eq!(gateway.count(), 5, "nor the third within a day");
    service.clock.pass(TimeDelta::hours(1));
    service.drain().await;
    assert_eq!(gateway.taken(), numbers, "but a day is the longest");
    service.is_balanced().await;
}

/// The longest statement is cut short from two seconds on, so that this does not take a minute.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p35_a_handler_that_hangs_is_cut_off_and_its_work_done_again() {
    let mail = SmtpSink::start().await;
    let (url, ground) = (mail.url(), Ground::new(Leg::from_env()));
    let store = match &ground.postgres {
        Some(postgres) => postgres.url(),
        None => format!("sqlite://{}", ground.dir.path().join("data/nazorg.db").display()),
    };
    let settings = [("SMTP_URL", url.as_str()), ("NAZORG_DATABASE_STATEMENT_TIMEOUT_SECONDS", "1")];
    let service = Service::start_with(ground, OPENED, &settings).await;
    Morning::prepare(service.app(), 10, 1).await;
    service.drain().await;
    let outside = sea_orm::Database::connect(store).await.unwrap();
    let held = sea_orm::TransactionTrait::begin(&outside).await.unwrap();
    let lock = match service.ground.leg {
        Leg::Distributed => "LOCK TABLE trajectories IN ACCESS EXCLUSIVE MODE",
        Leg::Embedded => "UPDATE jobs SET version = version",
    };
    sea_orm::ConnectionTrait::execute_unprepared(&held, lock).await.unwrap();
    service.clock.move_to(Morning::wave(0));
    service.app().bell.ring();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(mail.seen().len(), 0);
    let waiting = jobs::Entity::find().all(service.app().db.reader()).await.unwrap();
    assert!(waiting.iter().all(|job| job.attempts == 0 && job.given_up_at.is_none()), "no attempt was burned");
    held.rollback().await.unwrap();
    let free = Instant::now();
    settled(service.app(), PATIENCE).await;
    println!("P35: everything had its end {:.1?} after the lock was gone", free.elapsed());
    assert_eq!(mail.accepted().len(), 10);
    service.is_balanced().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p36_one_receiver_that_says_nothing_does_not_hold_up_the_others() {
    let gateway = HttpSink::start(None).await;
    let url = gateway.url();
    let service = Service::start_with(Ground::new(Leg::from_env()), BEGINNING, &[("SMS_URL", url.as_str())]).await;
    let mut hospital = Hospital::found(&service).await;
    hospital.publish(CHECK_IN).await;
    for nth in 0..TEXTS {
        asked(&mut hospital, format!("asked-{nth}").leak(), &format!("+316000000{nth:02}")).await;
    }
    // One of them, and one at each end: every batch has somebody who says nothing.
    let silent = ["+31600000000", "+31600000040", "+31600000079"];
    silent.iter().for_each(|number| gateway.behave_to(number, GatewayDoes::Hold));
    service.travel_to("2026-12-02T06:59:59Z").await;
    let began = Instant::now();
    service.clock.move_to(MORNING.parse().unwrap());
    service.app().bell.ring();
    let others = || gateway.taken().into_iter().filter(|number| !silent.contains(&number.as_str())).count();
    while others() < TEXTS - silent.len() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{} of the others arrived, and nobody may wait longer",
            others()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("P36: the last of the others got theirs {:.1?} after its moment", began.elapsed());
    gateway.release();
    service.drain().await;
    assert_eq!(others(), TEXTS - silent.len(), "none of them twice");
    service.is_balanced().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p36_a_gateway_that_says_nothing_does_not_hold_up_the_mail() {
    let (mail, gateway) = (SmtpSink::start().await, HttpSink::start(None).await);
    let (smtp, sms) = (mail.url(), gateway.url());
    let settings = [("SMTP_URL", smtp.as_str()), ("SMS_URL", sms.as_str())];
    let ground = Ground::new(Leg::from_env());
    let service = Service::start_with(ground, BEGINNING, &settings).await;
    let mut hospital = Hospital::found(&service).await;
    hospital.publish(CHECK_IN).await;
    for nth in 0..TEXTS {
        let number = format!("+316000000{nth:02}");
        gateway.behave_to(&number, GatewayDoes::Hold);
        asked(&mut hospital, format!("held-{nth}").leak(), &number).await;
    }
    let morning = Morning::found(service.app(), &talk_after_hours()).await;
    let due: chrono::DateTime<chrono::Utc> = MORNING.parse().unwrap();
    for nth in 0..20 {
        // Half with the texts, half when these hang already.
        let due = due + TimeDelta::seconds(if nth < 10 { 0 } else { LATER });
        morning.open_at(service.app(), nth, due - TimeDelta::hours(super::HOURS)).await;
    }
    service.travel_to("2026-12-02T06:59:00Z").await;
    let began = Instant::now();
    service.clock.move_to(due);
    service.app().bell.ring();
    gateway.wait_for_held(PATIENCE).await;
    service.clock.move_to(due + TimeDelta::seconds(LATER));
    service.app().bell.ring();
    mail.wait_for(20, PATIENCE).await;
    println!("P36: the last of the mail went {:.1?} after its moment, with {TEXTS} texts due", began.elapsed());
    let ended = async |status| {
        let texts = messages(service.app()).await.into_iter().filter(|row| row.channel == Some(ChannelKind::Sms));
        texts.filter(|row| row.status == status).count()
    };
    while ended(MessageStatus::Unknown).await == 0 {
        assert!(began.elapsed() < PATIENCE, "nobody gave it up");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // It answers again, and whoever did not find out that it did not is asked.
    gateway.release();
    let again = Instant::now();
    while ended(MessageStatus::Pending).await + ended(MessageStatus::Sending).await > 0 {
        assert!(again.elapsed() < PATIENCE, "{} wait", ended(MessageStatus::Pending).await);
        tokio::time::sleep(Duration::from_secs(4)).await;
        service.clock.pass(TimeDelta::minutes(5));
        service.drain().await;
    }
    let (sent, unknown) = (ended(MessageStatus::Sent).await, ended(MessageStatus::Unknown).await);
    assert_eq!(sent + unknown, TEXTS);
    assert!(unknown <= TEXTS / 2, "{unknown} found out that the gateway says nothing");
    service.is_balanced().await;
}
