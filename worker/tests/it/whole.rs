//! Whole workers over a real domain, with everything under them failing in turn.

use crate::redis_server::RedisServer;
use crate::rig::{AtWork, Rig};
use crate::smtp_sink::{At, Behaviour, Does, SmtpSink};
use chrono::TimeDelta;
use nazorg_domain::entities::{JobKind, MessageStatus};
use nazorg_domain::jobs;
use nazorg_worker::queue::{Queue, RedisQueue, RedisQueueSettings};
use nazorg_worker::{QUEUE, WorkerSettings};
use redis::AsyncCommands;
use std::collections::HashMap;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(60);

/// How often each address was reached.
fn reached(sink: &SmtpSink) -> HashMap<String, usize> {
    let mut found = HashMap::new();
    for message in sink.seen() {
        for to in message.to {
            *found.entry(to).or_default() += 1;
        }
    }
    found
}

/// Everyone was reached; persons once.
fn assert_all_once(sink: &SmtpSink, cases: usize) {
    let reached = reached(sink);
    for number in 0..cases {
        assert_eq!(reached.get(&format!("person{number}@example.net")), Some(&1), "person {number}");
        assert!(reached.contains_key(&format!("coach{number}@example.org")), "coach {number} was not told");
    }
}

fn over_smtp(rig: &Rig, sink: &SmtpSink) -> WorkerSettings {
    WorkerSettings { smtp_url: Some(sink.url()), ..rig.settings() }
}

fn over_redis(rig: &Rig, sink: &SmtpSink, redis: &RedisServer) -> WorkerSettings {
    WorkerSettings { redis: Some(redis.address()), ..over_smtp(rig, sink) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_owed_goes_out_once_over_mail_and_into_the_outbox() {
    let (rig, sink) = (Rig::new().await, SmtpSink::start().await);
    rig.cases(20).await;
    let worker = AtWork::start(&rig, over_smtp(&rig, &sink));
    rig.later(TimeDelta::minutes(59));
    rig.drained(SOON).await;
    assert!(sink.seen().is_empty(), "never early");
    rig.later(TimeDelta::minutes(1));
    rig.drained(SOON).await;
    worker.stop().await;
    assert_all_once(&sink, 20);
    assert_eq!(rig.count(MessageStatus::Sent).await, 40);
    rig.assert_balanced().await;

    rig.cases(1).await;
    let worker = AtWork::start(&rig, rig.settings());
    rig.later(TimeDelta::hours(1));
    rig.drained(SOON).await;
    worker.stop().await;
    let files = std::fs::read_dir(rig.files.path().join("outbox")).unwrap().count();
    assert_eq!(files, 4, "a letter and a sheet for each of two");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_flushed_and_killed_in_the_middle_loses_and_doubles_nothing() {
    let (rig, sink, mut redis) = (Rig::new().await, SmtpSink::start().await, RedisServer::start().await);
    rig.cases(150).await;
    let workers: Vec<_> = (0..3).map(|_| AtWork::start(&rig, over_redis(&rig, &sink, &redis))).collect();
    rig.later(TimeDelta::hours(1));
    sink.wait_for(20, SOON).await;
    redis.flush().await;
    sink.wait_for(60, SOON).await;
    redis.kill();
    tokio::time::sleep(Duration::from_millis(500)).await;
    redis.start_again().await;
    rig.drained(SOON).await;
    for worker in workers {
        worker.stop().await;
    }
    assert_all_once(&sink, 150);
    rig.assert_balanced().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_nothing_happens_and_nothing_is_lost() {
    let (rig, sink, mut redis) = (Rig::new().await, SmtpSink::start().await, RedisServer::start().await);
    rig.cases(10).await;
    redis.kill();
    let worker = AtWork::start(&rig, over_redis(&rig, &sink, &redis));
    rig.later(TimeDelta::hours(1));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(sink.seen().is_empty());
    redis.start_again().await;
    let back = Instant::now();
    sink.wait_for(20, SOON).await;
    assert!(back.elapsed() < Duration::from_secs(10), "{:?}", back.elapsed());
    rig.drained(SOON).await;
    worker.stop().await;
    assert_all_once(&sink, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_stop_in_an_orderly_way_hand_over_without_a_gap() {
    let (rig, sink) = (Rig::new().await, SmtpSink::start().await);
    rig.cases(200).await;
    let first = AtWork::start(&rig, over_smtp(&rig, &sink));
    rig.later(TimeDelta::hours(1));
    sink.wait_for(10, SOON).await;
    first.stop().await;
    let sent = sink.seen().len();
    assert!(sent < 400, "it was stopped in the middle");
    assert_eq!(rig.count(MessageStatus::Sending).await, 0, "nothing is left half-way");
    let second = AtWork::start(&rig, over_smtp(&rig, &sink));
    let began = Instant::now();
    rig.drained(Duration::from_secs(20)).await;
    println!("{sent} before the stop, the rest within {:?} of the next start", began.elapsed());
    second.stop().await;
    assert_all_once(&sink, 200);
    rig.assert_balanced().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_dropped_loses_nothing_and_doubles_nothing_to_a_person() {
    let (rig, sink) = (Rig::new().await, SmtpSink::start().await);
    rig.cases(100).await;
    let first = AtWork::start(&rig, over_smtp(&rig, &sink));
    rig.later(TimeDelta::hours(1));
    sink.wait_for(30, SOON).await;
    first.drop_it();
    tokio::time::sleep(Duration::from_millis(300)).await;
    // The half minute that its leases would last passes at once.
    rig.sql("UPDATE jobs SET lease_until = NULL").await;
    let second = AtWork::start(&rig, over_smtp(&rig, &sink));
    rig.drained(SOON).await;
    second.stop().await;
    let reached = reached(&sink);
    let persons = reached.iter().filter(|(to, _)| to.starts_with("person"));
    assert!(persons.clone().all(|(_, times)| *times == 1));
    let unknown = rig.count(MessageStatus::Unknown).await;
    assert!(persons.count() + unknown >= 100, "reached, or known to be unknown");
    assert!((0..100).all(|number| reached.contains_key(&format!("coach{number}@example.org"))));
    println!("{unknown} unknown after the drop");
    rig.assert_balanced().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_for_now_is_tried_again_and_what_is_refused_for_good_is_not() {
    let (rig, sink) = (Rig::new().await, SmtpSink::start().await);
    rig.cases(3).await;
    sink.behave_to("coach0@example.org", Behaviour { at: At::Rcpt, does: Does::Reply(451), times: Some(1) });
    sink.behave_to("coach1@example.org", Behaviour { at: At::Rcpt, does: Does::Reply(550), times: None });
    sink.behave_to("person2@example.net", Behaviour { at: At::Text, does: Does::Cut, times: None });
    let worker = AtWork::start(&rig, over_smtp(&rig, &sink));
    rig.later(TimeDelta::hours(1));
    rig.drained(SOON).await;
    assert_eq!(rig.count(MessageStatus::Failed).await, 1, "550");
    assert_eq!(rig.count(MessageStatus::Unknown).await, 1, "the cut");
    assert_eq!(rig.count(MessageStatus::Pending).await, 1, "451");
    let waiting = rig.jobs(JobKind::Message).await;
    assert_eq!((waiting.len(), waiting[0].attempts, waiting[0].last_error.as_deref()), (1, 1, Some("smtp_refused")));
    rig.sql("UPDATE jobs SET retry_at = NULL").await;
    rig.drained(SOON).await;
    worker.stop().await;
    assert_eq!(rig.count(MessageStatus::Sent).await, 4);
    assert_eq!(reached(&sink).get("person2@example.net"), Some(&1), "never twice");
    rig.assert_balanced().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p33_one_that_cannot_be_handled_fails_alone_and_is_at_last_given_up() {
    let (rig, sink) = (Rig::new().await, SmtpSink::start().await);
    let cases = rig.cases(40).await;
    let poison = cases[17];
    rig.sql("UPDATE trajectories SET surroundings = '{\"zone\": 3}' WHERE id = (SELECT trajectory_id FROM follow_ups ORDER BY id LIMIT 1 OFFSET 34)").await;
    let worker = AtWork::start(&rig, over_smtp(&rig, &sink));
    rig.later(TimeDelta::hours(1));
    rig.drained(SOON).await;
    assert_eq!(rig.count(MessageStatus::Sent).await, 78, "all but those of {poison}");
    let failed: Vec<_> = rig.jobs(JobKind::FollowUp).await.into_iter().filter(|job| job.attempts > 0).collect();
    assert!(!failed.is_empty() && failed.iter().all(|job| job.last_error.as_deref() == Some("internal")));
    rig.sql("UPDATE jobs SET retry_at = NULL, attempts = 15 WHERE attempts > 0").await;
    rig.drained(SOON).await;
    worker.stop().await;
    let given_up = rig.jobs(JobKind::FollowUp).await.into_iter().filter(|job| job.given_up_at.is_some()).count();
    assert_eq!(given_up, failed.len());
}

/// Somebody holds the writer's turn in this process and does not let go: no statement hangs, so that no time-out of a database helps. A
/// minute is half a second here.
/// The queue of the workers, to push to past their relay.
fn queue(rig: &Rig, redis: &RedisServer) -> Queue {
    let (address, process) = (redis.address(), rig.app.ids.next());
    let poll = Duration::from_millis(50);
    Queue::Redis(RedisQueue::new(RedisQueueSettings { address, name: QUEUE.to_owned(), poll, process }))
}

/// Nothing waits in the queue any more.
async fn all_taken(redis: &RedisServer) {
    let began = Instant::now();
    while redis.connection().await.llen::<_, u64>(format!("{QUEUE}:active")).await.unwrap() > 0 {
        assert!(began.elapsed() < SOON, "the queue is not taken");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p16_a_batch_pushed_a_hundred_times_is_executed_once() {
    let (rig, sink, redis) = (Rig::new().await, SmtpSink::start().await, RedisServer::start().await);
    rig.cases(20).await;
    rig.later(TimeDelta::hours(1));
    let batches = jobs::lease_due(&rig.app, 100).await.unwrap();
    let queue = queue(&rig, &redis);
    for _ in 0..100 {
        queue.push(&batches).await.unwrap();
    }
    let worker = AtWork::start(&rig, over_redis(&rig, &sink, &redis));
    all_taken(&redis).await;
    rig.drained(SOON).await;
    worker.stop().await;
    assert_all_once(&sink, 20);
    assert_eq!(sink.seen().len(), 40, "and the coaches, too");
    rig.assert_balanced().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p35_a_handler_that_hangs_is_cut_off_and_its_work_done_again() {
    let (rig, sink, redis) = (Rig::new().await, SmtpSink::start().await, RedisServer::start().await);
    if rig.app.db.is_postgres() {
        return; // nobody waits for a turn there
    }
    rig.cases(1).await;
    rig.later(TimeDelta::hours(1));
    let batch = jobs::lease_due(&rig.app, 1).await.unwrap().remove(0);
    // The other follow-up of the case stays out of it: whoever wakes it wakes this one as well.
    assert_eq!(jobs::lease_due(&rig.app, 100).await.unwrap().len(), 1);
    let turn = rig.app.db.begin().await.unwrap();
    let patience = Duration::from_millis(500);
    let worker = AtWork::start(&rig, WorkerSettings { patience, ..over_redis(&rig, &sink, &redis) });
    queue(&rig, &redis).push(std::slice::from_ref(&batch)).await.unwrap();
    all_taken(&redis).await;
    tokio::time::sleep(Duration::from_secs(3)).await; // tried once with what it announces, and once without
    drop(turn);
    let freed = Instant::now();
    let cut = loop {
        let all = rig.jobs(JobKind::FollowUp).await;
        if let Some(job) = all.into_iter().find(|job| job.attempts > 0) {
            break job;
        }
        assert!(freed.elapsed() < SOON, "nothing was cut off");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!((cut.id, cut.attempts, cut.last_error.as_deref()), (batch.leases[0].id, 1, Some("timed_out")));
    rig.sql("UPDATE jobs SET retry_at = NULL, lease_until = NULL").await;
    rig.drained(SOON).await;
    worker.stop().await;
    assert_all_once(&sink, 1);
    rig.assert_balanced().await;
}
