//! Redis forgets, restarts, hangs, and moves to another machine: nothing is lost, since nothing was only there.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use nazorg::domain::entities::Role;
use nazorg_tests::{
    morning::Morning,
    sentinel::Watched,
    service::{Ground, Leg},
};
use serde_json::{Value, json};

use super::{Trial, size};

/// Redis hangs, then is gone, while cases are opened and fall due; nobody who opens one waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p03_cases_are_opened_while_redis_is_away_and_their_reminders_go_when_it_is_back() {
    let mut trial = Trial::ready(1, (4, 1)).await;
    let coordinator = trial.service.key(trial.morning.organisation, Role::Coordinator, None).await;
    let base = trial.service.apis[0].base.clone();
    let event = Morning::wave(0) - TimeDelta::days(14);
    let mut slowest = Duration::ZERO;
    for nth in 10..20 {
        let redis = trial.service.ground.redis.as_mut().unwrap();
        match nth {
            10 => redis.freeze(),
            15 => redis.kill(),
            _ => {}
        }
        let person = trial.morning.person(trial.service.app(), &format!("person-{nth}@home.example")).await;
        let peer = trial.morning.person(trial.service.app(), &format!("peer-{nth}@staff.example")).await;
        let body = json!({
            "personId": person.0,
            "protocolId": trial.morning.protocol.0,
            "anchors": [{"anchor": "event_at", "at": event}, {"anchor": "reported_at", "at": event}],
            "assignments": [{"role": "peer_supporter", "personId": peer.0}],
        });
        let asked = Instant::now();
        coordinator.post("/v1/cases", body).await.expect(201);
        slowest = slowest.max(asked.elapsed());
        trial.morning.reminders += 2;
    }
    trial.begin(0);
    let report: Value = reqwest::get(format!("{base}/readyz")).await.unwrap().json().await.unwrap();
    assert_eq!((&report["ready"], &report["parts"]["queue"]), (&json!(true), &json!("degraded")), "{report}");
    // A minute later somebody is told that work is late.
    trial.service.clock.move_to(Morning::wave(0) + TimeDelta::seconds(61));
    let told = Instant::now();
    while trial.service.workers[0].metric("nazorg_jobs_oldest_due_seconds").await.is_none_or(|oldest| oldest <= 60.0) {
        assert!(told.elapsed() < super::PATIENCE, "nobody measures how old work is");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(trial.service.log().contains("work_late"), "and an alarm is called");
    assert_eq!(trial.mail.seen().len(), 0);
    trial.service.ground.redis.as_mut().unwrap().start_again();
    trial.nobody_died();
    println!("P03: the slowest case was opened in {slowest:.1?}");
    trial.ends("P03").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p07_redis_flushed_at_random_moments_loses_nothing() {
    let flushes = size("PROMISES_FLUSHES", 4);
    let mut trial = Trial::ready(2, (size("PROMISES_REMINDERS", 60), flushes)).await;
    for wave in 0..flushes {
        trial.begin(wave);
        trial.chance.wait(400).await;
        trial.service.ground.redis.as_ref().unwrap().flush();
        trial.nobody_died();
    }
    trial.ends("P07").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p08_redis_killed_and_hanging_at_random_moments_loses_nothing() {
    let faults = size("PROMISES_FAULTS", 3);
    let mut trial = Trial::ready(2, (size("PROMISES_REMINDERS", 60), faults)).await;
    for wave in 0..faults {
        trial.begin(wave);
        trial.chance.wait(400).await;
        trial.fault_begins();
        if wave % 2 == 0 {
            trial.service.ground.redis.as_mut().unwrap().restart(); // without persistence: empty
        } else {
            let redis = trial.service.ground.redis.as_ref().unwrap();
            redis.freeze();
            trial.chance.wait(3_000).await;
            trial.service.ground.redis.as_ref().unwrap().thaw();
        }
        trial.nobody_died();
    }
    trial.ends("P08").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p09_sentinel_fail_over_in_the_middle_loses_nothing() {
    let mut watched = Watched::start();
    let settings = watched.settings();
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut ground = Ground::new(Leg::Distributed);
    ground.redis = None; // who is asked is in the settings
    let reminders = size("PROMISES_REMINDERS", 60);
    let mut trial = Trial::on(ground, 2, (reminders, 2, &settings)).await;
    trial.begin(0);
    trial.mail.wait_for(reminders / 4, super::PATIENCE).await;
    let killed = Instant::now();
    watched.master.kill();
    trial.begin(1);
    watched.failed_over();
    let failed_over = killed.elapsed();
    trial.nobody_died();
    trial.mail.wait_for(reminders * 3 / 4, super::PATIENCE).await;
    println!(
        "P09: failed over {failed_over:.1?} after the kill, at work again {:.1?} after that",
        trial.over.elapsed()
    );
    let queue = trial.service.apis[0].base.clone();
    let queue = reqwest::get(format!("{queue}/readyz")).await.unwrap().text().await.unwrap();
    assert!(queue.contains("\"queue\":\"ok\""), "the new master is found: {queue}");

    // The old one comes back as a replica; whoever still knew it as the master would be refused.
    watched.master.start_again();
    tokio::time::sleep(Duration::from_millis(200)).await;
    trial.ends("P09").await;
}
