//! Processes are killed at random moments, and told to stop in the middle of their work.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use nazorg::domain::entities::{MessageStatus, PersonId, Role, cases, jobs, messages};
use nazorg_tests::{
    client::{Client, With, fresh_key},
    morning::OPENED,
    processes::Member,
    redis::Redis,
    service::{Ground, Leg},
    smtp_sink::{At, Behaviour, Does},
};
use reqwest::Method;
use sea_orm::EntityTrait;
use serde_json::json;
use uuid::Uuid;

use super::{PATIENCE, Trial, size};

/// Where in the conversation a mail server may be slow.
const SLOW: [At; 4] = [At::Mail, At::Rcpt, At::Data, At::Text];

/// The mail server takes its time, so that there is something to be killed in the middle of; the last time, it holds what everybody has in
/// hand, and all are killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_workers_killed_at_random_moments_lose_nothing_and_double_nothing_to_a_person() {
    let kills = size("PROMISES_KILLS", 5);
    let mut trial = Trial::ready(2, (size("PROMISES_REMINDERS", 100), kills)).await;
    for nth in 0..kills - 1 {
        let at = SLOW[trial.chance.below(SLOW.len() as u64) as usize];
        trial.mail.behave(Behaviour { at, does: Does::Wait(Duration::from_millis(200)), times: None });
        trial.begin(nth);
        trial.chance.wait(1_500).await;
        trial.fault_begins();
        let working = trial.service.working();
        let one = nth % working.len();
        working[one].kill();
        trial.service.start_all().await;
        trial.fault_is_over();
    }
    trial.mail.behave(Behaviour { at: At::Text, does: Does::Hold, times: None });
    trial.begin(kills - 1);
    trial.mail.wait_for_held(PATIENCE).await;
    trial.fault_begins();
    trial.service.working().iter_mut().for_each(Member::kill);
    trial.mail.release();
    trial.mail.behave(None);
    trial.service.start_all().await;
    trial.fault_is_over();
    let ends = trial.ends("P05").await;
    let struck: usize =
        ends.iter().filter(|((_, end, times), _)| end == "unknown" || *times > 1).map(|(_, count)| count).sum();
    println!("P05: {struck} were in the hands of somebody who was killed");
    assert!(struck > 0, "{ends:?}");
}

/// Opens a case for each person; answers the ids that were acknowledged, and how many requests got no answer.
async fn post_cases(
    client: Client,
    (protocol, persons): (Uuid, Vec<PersonId>),
    done: Arc<AtomicBool>,
) -> (Vec<Uuid>, usize) {
    let (mut acknowledged, mut cut) = (Vec::new(), 0);
    for person in persons.iter().cycle() {
        if done.load(Ordering::Relaxed) {
            break;
        }
        let body = json!({
            "personId": person.0,
            "protocolId": protocol,
            "anchors": [{"anchor": "event_at", "at": OPENED}, {"anchor": "reported_at", "at": OPENED}],
        });
        let with = With { idempotency_key: Some(fresh_key()), ..With::default() };
        match client.try_send(Method::POST, "/v1/cases", Some(body), with).await {
            Ok(answer) if answer.status == 201 => acknowledged.push(answer.id()),
            Ok(answer) => assert_eq!(answer.status, 503, "{}", answer.text),
            Err(_) => cut += 1,
        }
    }
    (acknowledged, cut)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p06_an_api_killed_at_random_moments_forgets_nothing_it_said_yes_to() {
    let kills = size("PROMISES_KILLS", 4);
    let mut trial = Trial::ready(1, (2, 1)).await;
    let key = trial.service.key(trial.morning.organisation, Role::Coordinator, None).await.key().unwrap().to_owned();
    let mut persons = Vec::new();
    for nth in 0..4 {
        persons.push(trial.morning.person(trial.service.app(), &format!("reported-{nth}@home.example")).await);
    }
    let done = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let of = (trial.morning.protocol.0, persons.clone());
            tokio::spawn(post_cases(trial.service.client(0, &key), of, Arc::clone(&done)))
        })
        .collect();
    for _ in 0..kills {
        trial.chance.wait(500).await;
        trial.service.apis[0].kill();
        trial.service.start_all().await;
    }
    done.store(true, Ordering::Relaxed);
    let (mut acknowledged, mut cut) = (Vec::new(), 0);
    for caller in callers {
        let (yes, no) = caller.await.unwrap();
        acknowledged.extend(yes);
        cut += no;
    }
    let kept = cases::Entity::find().all(trial.service.app().db.reader()).await.unwrap();
    println!("P06: {} acknowledged, {cut} cut off, {} cases kept", acknowledged.len(), kept.len());
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    for id in acknowledged {
        assert!(kept.iter().any(|case| case.id.0 == id), "{id} was acknowledged and is not there");
    }
    // Each case has its follow-ups and each of those its job, whether it was acknowledged or not: the ledger replays them all.
    trial.service.is_balanced().await;
    trial.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_a_worker_told_to_stop_finishes_what_it_holds_and_hands_back_the_rest() {
    // One hand, which is held with its first mails; what else is due waits in the queue.
    let reminders = size("PROMISES_REMINDERS", 100);
    let one_hand = [("NAZORG_WORKER_CONCURRENCY", "1")];
    let mut trial = Trial::on(Ground::new(Leg::from_env()), 1, (reminders, 1, &one_hand)).await;
    trial.mail.behave(Behaviour { at: At::Text, does: Does::Hold, times: None });
    trial.begin(0);
    trial.mail.wait_for_held(PATIENCE).await;

    let asked = Instant::now();
    trial.service.working()[0].tell_to_stop();
    tokio::time::sleep(Duration::from_secs(2)).await;
    trial.mail.release();
    trial.service.working()[0].ended();
    let took = asked.elapsed();
    println!("P12: it ended {took:.1?} after SIGTERM, two seconds of which a mail was held");
    let app = trial.service.app();
    let left = jobs::Entity::find().all(app.db.reader()).await.unwrap();
    assert!(left.iter().all(|job| job.attempts == 0), "no attempt was burned");
    let rows = messages::Entity::find().all(app.db.reader()).await.unwrap();
    let half = rows.iter().filter(|row| row.status == MessageStatus::Sending).count();
    assert_eq!(half, 0, "nothing is left half-way");
    // What is still leased waits in Redis, for any other worker; everything else was handed back.
    let queued = trial.service.ground.redis.as_ref().map(Redis::dump).unwrap_or_default();
    let lies_there = |id: &str| queued.windows(id.len()).any(|bytes| bytes == id.as_bytes());
    let leased: Vec<_> =
        left.iter().filter(|job| job.lease_until.is_some_and(|until| until > app.clock.wall())).collect();
    let held: Vec<_> = leased.iter().filter(|job| !lies_there(&job.id.0.to_string())).collect();
    assert!(held.is_empty(), "neither handed back nor in the queue: {held:?}");
    let done = rows.iter().filter(|row| row.status == MessageStatus::Sent).count();
    println!("P12: {} of {} that are left wait in the queue", leased.len(), left.len());
    println!("P12: {done} of {reminders} were sent before the end");

    trial.mail.behave(None);
    trial.service.start_all().await;
    trial.over = Instant::now(); // no lease has to lapse: what was not done was handed back
    let ends = trial.ends("P12").await;
    assert!(ends.keys().all(|(_, end, times)| (end.as_str(), *times) == ("sent", 1)), "everything went once: {ends:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_what_it_cannot_finish_in_time_it_lets_go_of_and_another_does_it() {
    const AT_ONCE: usize = 20;
    let mut trial = Trial::ready(1, (AT_ONCE, 1)).await;
    trial.mail.behave(Behaviour { at: At::Text, does: Does::Hold, times: None });
    trial.begin(0);
    trial.mail.wait_for_held(PATIENCE).await;
    let asked = Instant::now();
    trial.service.working()[0].tell_to_stop();
    trial.service.working()[0].ended();
    println!("P12: it ended {:.1?} after SIGTERM, though every mail was held for good", asked.elapsed());
    trial.mail.release();
    trial.mail.behave(None);
    let app = trial.service.app();
    let left = jobs::Entity::find().all(app.db.reader()).await.unwrap();
    assert!(left.iter().all(|job| job.attempts == 0), "no attempt was burned");
    trial.service.start_all().await;
    trial.fault_is_over();
    // The judge of the end counts none lost and no person's twice; staff may have had theirs again.
    let ends = trial.ends("P12").await;
    assert_eq!(ends.values().sum::<usize>(), AT_ONCE, "{ends:?}");
}
