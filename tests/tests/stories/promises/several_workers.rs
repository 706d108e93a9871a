//! Several workers on the same work: each thing is done once, also when one of them dies, or has another idea of the time.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use nazorg::domain::{
    Clock, SystemClock,
    entities::MessageStatus,
    jobs::{self, lease_due},
};
use nazorg_tests::{
    morning::{Morning, messages, settled},
    processes::Processes,
    service::{Ground, Leg},
    smtp_sink::SmtpSink,
};

use super::{BINARY, HOURS, PATIENCE, Trial, once::wait_until, size, talk_after_hours};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p15_of_three_relays_one_is_killed_and_the_others_dispatch_nothing_twice() {
    let waves = size("PROMISES_WAVES", 3).max(2);
    let mut trial = Trial::ready(3, (size("PROMISES_REMINDERS", 90), waves)).await;
    for wave in 0..waves {
        trial.begin(wave);
        if wave == 1 {
            trial.chance.wait(300).await;
            trial.service.workers[2].kill();
            trial.fault_is_over();
        }
        settled(trial.service.app(), PATIENCE).await;
    }
    // What the one that was killed held goes to staff once more; nothing else does.
    let of_wave = |to: &str| to.split(['-', '@']).nth(1).unwrap().parse::<usize>().unwrap() % waves;
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    for mail in trial.mail.seen() {
        *seen.entry(mail.to[0].clone()).or_default() += 1;
    }
    let twice: Vec<_> = seen.iter().filter(|(_, times)| **times > 1).map(|(to, _)| to).collect();
    println!("P15: {} of {} went twice, all of them while a worker was killed", twice.len(), seen.len());
    assert!(twice.iter().all(|to| of_wave(to) == 1), "{twice:?}");
    trial.ends("P15").await;
}

/// The same batch lies in the queue a hundred times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p16_a_batch_pushed_a_hundred_times_is_executed_once() {
    let mut trial = Trial::ready(1, (20, 1)).await;
    trial.service.workers[0].terminate();
    trial.service.clock.move_to(Morning::wave(0));
    let batches = lease_due(trial.service.app(), 100).await.unwrap();
    let redis = trial.service.ground.redis.as_ref().unwrap();
    for (nth, batch) in batches.iter().cycle().take(100 * batches.len()).enumerate() {
        let (id, payload) = (format!("again-{nth}"), serde_json::to_string(batch).unwrap());
        redis.command(&["HSET", "{nazorg}:data", &id, &payload]).unwrap();
        let meta = format!("{{nazorg}}:meta:{id}");
        redis.command(&["HSET", &meta, "attempts", "0", "max_attempts", "1", "status", "Pending"]).unwrap();
        redis.command(&["RPUSH", "{nazorg}:active", &id]).unwrap();
    }
    assert_eq!(redis.command(&["LLEN", "{nazorg}:active"]).unwrap(), format!(":{}", 100 * batches.len()));
    trial.over = Instant::now();
    trial.service.add_worker().await;
    // By these, and not by what is leased anew when the lease is over.
    trial.mail.wait_for(20, jobs::LEASE - Duration::from_secs(5)).await;
    let redis = trial.service.ground.redis.as_ref().unwrap();
    let waiting = || redis.command(&["LLEN", "{nazorg}:active"]).unwrap();
    wait_until("each was looked at", || waiting() == ":0").await;
    let ends = trial.ends("P16").await;
    assert!(ends.keys().all(|(_, end, times)| (end.as_str(), *times) == ("sent", 1)), "{ends:?}");
}

/// One worker's clock is an hour fast, the other's an hour slow, and both jump while they work; the database's clock rules.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p21_workers_whose_clocks_are_an_hour_wrong_are_neither_early_nor_late() {
    let mail = SmtpSink::start().await;
    let url = mail.url();
    let now = SystemClock.now();
    // No story's clock in the processes: the one they have in production.
    let settings = [("SMTP_URL", url.as_str()), ("STORY_CLOCK", "")];
    let ground = Ground::new(Leg::Distributed);
    let mut service = Processes::start_on(BINARY, ground, &now.to_rfc3339(), (1, 2, &settings)).await;
    let faketime = Faketime::new(&service, ["+3600s", "-3600s"]);
    for (nth, worker) in service.workers.iter_mut().enumerate() {
        worker.terminate();
        worker.set(faketime.settings(nth));
    }
    service.start_all().await;

    let morning = Morning::found(service.app(), &talk_after_hours()).await;
    let first = SystemClock.now() + TimeDelta::seconds(8);
    let second = first + TimeDelta::seconds(3);
    for nth in 0..20 {
        let due = if nth < 10 { first } else { second };
        morning.open_at(service.app(), nth, due - TimeDelta::hours(HOURS)).await;
    }
    let told = service.log().matches("this machine's clock differs from the database's").count();
    assert!(told >= 2, "both are an hour wrong, and know it");
    mail.wait_for(10, PATIENCE).await;
    faketime.jump(0, "-7200s");
    faketime.jump(1, "+7200s");
    mail.wait_for(20, PATIENCE).await;
    let lateness = lateness(&mail, (first, second));
    println!("P21: from {:?} to {:?} ms after the due moment", lateness.iter().min(), lateness.iter().max());
    assert!(lateness.iter().all(|late| *late >= 0), "early: {lateness:?}");
    assert!(lateness.iter().all(|late| *late < 60_000), "an hour late: {lateness:?}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(mail.seen().len(), 20, "none went twice");
    service.clock.move_to(SystemClock.now());
    let rows = messages(service.app()).await;
    assert!(rows.iter().all(|row| row.status == MessageStatus::Sent), "{rows:?}");
    service.is_balanced().await;
    service.end().await;
}

/// How many milliseconds after its due moment each mail came.
fn lateness(mail: &SmtpSink, (first, second): (DateTime<Utc>, DateTime<Utc>)) -> Vec<i64> {
    let (wall, instant) = (SystemClock.now(), Instant::now());
    let came = |at: Instant| wall - TimeDelta::from_std(instant - at).unwrap();
    let nth = |to: &str| to.trim_start_matches("peer-").split('@').next().unwrap().parse::<usize>().unwrap();
    let due = |to: &str| if nth(to) < 10 { first } else { second };
    mail.seen().iter().map(|one| (came(one.at) - due(&one.to[0])).num_milliseconds()).collect()
}

/// libfaketime: a clock for each worker, in a file.
struct Faketime {
    files: [std::path::PathBuf; 2],
}

impl Faketime {
    fn new(service: &Processes, ahead: [&str; 2]) -> Self {
        let files = [0, 1].map(|nth| service.ground.dir.path().join(format!("clock-{nth}")));
        let found = Self { files };
        ahead.into_iter().enumerate().for_each(|(nth, ahead)| found.jump(nth, ahead));
        found
    }

    fn jump(&self, nth: usize, ahead: &str) {
        std::fs::write(&self.files[nth], ahead).unwrap();
    }

    fn settings(&self, nth: usize) -> [(&'static str, String); 4] {
        let libraries = std::fs::read_dir("/usr/lib").unwrap().flatten();
        let library = libraries.map(|dir| dir.path().join("faketime/libfaketimeMT.so.1")).find(|path| path.exists());
        let library = library.expect("libfaketime is installed (Debian: apt-get install faketime)");
        [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.files[nth].display().to_string()),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }
}
