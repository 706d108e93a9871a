//! Neither early nor late, however much falls due at once, and whatever a clock does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use nazorg::domain::entities::{Role, jobs};
use nazorg_tests::{
    client::Client,
    morning::Morning,
    service::{Ground, Leg, Service},
    smtp_sink::SmtpSink,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::{Chance, HOURS, PATIENCE, Trial, size, talk_after_hours};

/// The time of which only one in a hundred is longer.
fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() * 99 / 100).or(times.last()).copied().unwrap_or_default()
}

async fn ask(client: Client, stop: Arc<AtomicBool>) -> Vec<Duration> {
    let mut times = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let asked = Instant::now();
        client.get("/v1/follow-ups?limit=5").await.expect(200);
        times.push(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    times
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p18_everything_due_at_once_goes_out_while_the_api_answers() {
    let mut trial = Trial::ready(2, (size("PROMISES_PEAK", 200), 1)).await;
    let client = trial.service.key(trial.morning.organisation, Role::Coordinator, None).await;
    let stop = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn(ask(client, Arc::clone(&stop)));
    trial.over = Instant::now();
    trial.begin(0);
    trial.mail.wait_for(trial.morning.reminders, PATIENCE).await;
    let rate = trial.morning.reminders as f32 / trial.over.elapsed().as_secs_f32();
    stop.store(true, Ordering::Relaxed);
    let times = asking.await.unwrap();
    println!("P18: {rate:.0} a second; {} answers of the API meanwhile, p99 {:.0?}", times.len(), p99(times));
    let ends = trial.ends("P18").await;
    assert!(ends.keys().all(|(_, end, times)| (end.as_str(), *times) == ("sent", 1)), "{ends:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p19_nothing_goes_a_millisecond_before_its_moment() {
    let moments = size("PROMISES_MOMENTS", 20);
    let mail = SmtpSink::start().await;
    let start = Morning::wave(0);
    let url = mail.url();
    let ground = Ground::new(Leg::from_env());
    let service = Service::start_with(ground, &start.to_rfc3339(), &[("SMTP_URL", url.as_str())]).await;
    let (app, mut chance) = (service.app(), Chance::new());
    let morning = Morning::found(app, &talk_after_hours()).await;
    let mut dues = Vec::new();
    for nth in 0..moments {
        let due = start + TimeDelta::milliseconds(1_000 + i64::try_from(chance.below(3 * 86_400_000)).unwrap());
        morning.open_at(app, nth, due - TimeDelta::hours(HOURS)).await;
        dues.push(due);
    }
    dues.sort_unstable();
    for due in dues.iter().copied() {
        service.clock.move_to(due - TimeDelta::milliseconds(1));
        service.drain().await;
        let (went, ought) = (mail.seen().len(), dues.iter().filter(|other| **other < due).count());
        assert_eq!(went, ought, "a millisecond before {due}");
    }
    service.clock.move_to(*dues.last().unwrap());
    service.drain().await;
    assert_eq!(mail.accepted().len(), moments, "and in the end all");
    service.is_balanced().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p20_when_idle_what_falls_due_goes_at_once() {
    let moments = size("PROMISES_WAITS", 6);
    let mut trial = Trial::ready(1, (2 * moments, moments)).await;
    let mut late = Vec::new();
    for wave in 0..moments {
        trial.chance.wait(300).await;
        trial.service.clock.move_to(Morning::wave(wave)); // nobody rings: time passes in silence
        let due = Instant::now();
        trial.mail.wait_for(2 * (wave + 1), PATIENCE).await;
        late.push(due.elapsed());
    }
    println!("P20: p99 {:.0?} after the moment, at the latest of {moments} pairs", p99(late));
    trial.over = Instant::now();
    trial.ends("P20").await;
}

/// Nothing is leased, and nothing is due that could be: a clock that comes back ahead would let what is under way lapse.
async fn nothing_is_in_hand(trial: &Trial) {
    let app = trial.service.app();
    let began = Instant::now();
    loop {
        let leased = jobs::Entity::find().filter(jobs::Column::LeaseUntil.gt(app.clock.wall()));
        if leased.count(app.db.reader()).await.unwrap() == 0 && nazorg::domain::jobs::due(app).await.unwrap() == 0 {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "something stays in hand");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p22_a_clock_that_jumps_back_doubles_nothing() {
    let mut trial = Trial::ready(2, (size("PROMISES_REMINDERS", 60), 2)).await;
    for wave in 0..2 {
        trial.begin(wave);
        trial.chance.wait(400).await;
        trial.service.clock.jump_back(TimeDelta::minutes(10));
        trial.chance.wait(400).await;
    }
    nothing_is_in_hand(&trial).await;
    trial.begin(1); // and comes to the same moments once more
    trial.over = Instant::now();
    let ends = trial.ends("P22").await;
    assert!(ends.keys().all(|(_, end, times)| (end.as_str(), *times) == ("sent", 1)), "{ends:?}");
}
