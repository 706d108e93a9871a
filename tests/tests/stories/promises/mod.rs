//! What the service promises, one test a promise, each with its number. Sizes are small unless the environment says otherwise:
//! `PROMISES_REMINDERS`, `PROMISES_KILLS` and the like; what was measured is printed.

mod crashes;
mod enqueue;
mod judged;
mod moments;
mod once;
mod overlapping;
mod postgres_away;
mod redis_away;
mod refusals;
mod repeating;
mod several_workers;
mod sqlite;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use nazorg::domain::jobs::LEASE;
use nazorg_tests::{
    client::fresh_id,
    hospital::ONE_MORNING,
    morning::{Ends, Morning, OPENED, judge, settled},
    processes::Processes,
    service::{Ground, Leg},
    smtp_sink::SmtpSink,
};

const BINARY: &str = env!("CARGO_BIN_EXE_nazorg-process");
/// How long anything may take before it counts as stuck. What is promised in seconds is measured and printed, and timed only where somebody
/// asks for it with `PROMISES_WITHIN`.
const PATIENCE: Duration = Duration::from_secs(300);
/// A little more than a lease.
const PAST_A_LEASE: TimeDelta = TimeDelta::seconds(26);

/// From the event to the talk of [`talk_after_hours`].
const HOURS: i64 = 336;

/// The protocol of one talk, a number of hours to the millisecond after the event, of which the peer is reminded at that moment.
fn talk_after_hours() -> String {
    ONE_MORNING.replace("offset: P14D", &format!("offset: PT{HOURS}H")).replace("    at: \"10:00\"\n", "")
}

/// A number from the environment, for the full size of a promise.
fn size(name: &str, usual: usize) -> usize {
    let wanted = std::env::var(name).ok();
    wanted.map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Chance, the same again for the same `PROMISES_SEED`.
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        let [.., high, low] = fresh_id().as_u128().to_be_bytes();
        let seed = size("PROMISES_SEED", usize::from(u16::from_be_bytes([high, low])) + 1);
        println!("PROMISES_SEED={seed}");
        Self(seed as u64)
    }

    /// Less than `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// Waits less than `bound` milliseconds.
    async fn wait(&mut self, bound: u64) {
        tokio::time::sleep(Duration::from_millis(self.below(bound))).await;
    }
}

/// A morning of reminders on processes that something happens to.
struct Trial {
    service: Processes,
    mail: SmtpSink,
    morning: Morning,
    chance: Chance,
    /// When the last fault was over.
    over: Instant,
    /// When each wave fell due, one after the other.
    begun: Vec<Instant>,
    faults: Vec<Fault>,
    /// When the fault began that is not over yet.
    since: Option<Instant>,
}

struct Fault {
    began: Instant,
    over: Instant,
    /// How much of a lease passed at once when it was over.
    skipped: Duration,
}

impl Trial {
    /// On the leg of the environment: two API processes and so many workers, or the one process that is both.
    async fn ready(workers: usize, (reminders, waves): (usize, usize)) -> Self {
        Self::on(Ground::new(Leg::from_env()), workers, (reminders, waves, &[])).await
    }

    /// On stores of the caller's own, with more settings.
    async fn on(ground: Ground, workers: usize, (reminders, waves, more): (usize, usize, &[(&str, &str)])) -> Self {
        let mail = SmtpSink::start().await;
        let url = mail.url();
        let settings: Vec<_> = [("SMTP_URL", url.as_str())].into_iter().chain(more.iter().copied()).collect();
        let service = Processes::start_on(BINARY, ground, OPENED, (1, workers, &settings)).await;
        let morning = Morning::prepare(service.app(), reminders, waves).await;
        service.drain().await;
        assert_eq!(mail.seen().len(), 0, "nothing goes out before its time");
        Self {
            service,
            mail,
            morning,
            chance: Chance::new(),
            over: Instant::now(),
            begun: vec![],
            faults: vec![],
            since: None,
        }
    }

    /// The reminders of a wave fall due.
    fn begin(&mut self, wave: usize) {
        self.begun.push(Instant::now());
        self.service.clock.move_to(Morning::wave(wave));
        self.service.app().bell.ring();
    }

    /// Something happens, and goes on for a while.
    fn fault_begins(&mut self) {
        self.since = Some(Instant::now());
    }

    /// Whatever it was, it is over; what somebody held when it happened falls free, since the time of a lease passes at once.
    fn fault_is_over(&mut self) {
        self.is_over(LEASE);
        self.service.clock.pass(PAST_A_LEASE);
    }

    /// It is over, and no lease has to lapse for that: whoever held anything still lives, and knows what was lost.
    fn nobody_died(&mut self) {
        self.is_over(Duration::ZERO);
    }

    fn is_over(&mut self, skipped: Duration) {
        self.over = Instant::now();
        self.faults.push(Fault { began: self.since.take().unwrap_or(self.over), over: self.over, skipped });
    }

    /// How long after the end of the first fault since it fell due the slowest reminder arrived. The time of later faults is not counted,
    /// the time after them is.
    fn slowest_since_its_own_fault(&self) -> Option<Duration> {
        let nth = |to: &str| to.split(['-', '@']).nth(1).unwrap().parse::<usize>().unwrap();
        let mut first = HashMap::<String, Instant>::new();
        for mail in self.mail.accepted() {
            first.entry(mail.to[0].clone()).or_insert(mail.at);
        }
        let since = first.iter().filter_map(|(to, at)| {
            let begun = self.begun[nth(to) % self.begun.len()];
            let mut faults = self.faults.iter().skip_while(|fault| fault.over < begun);
            let own = faults.next()?;
            let later: Duration = faults.map(|fault| fault.over.min(*at).saturating_duration_since(fault.began)).sum();
            Some(at.checked_duration_since(own.over)? + own.skipped - later)
        });
        since.max()
    }

    /// Everything has its end, and it is the right one.
    async fn ends(mut self, promise: &str) -> Ends {
        settled(self.service.app(), PATIENCE).await;
        let reminders = self.morning.reminders;
        let within = Duration::from_secs(size("PROMISES_WITHIN", 1_000) as u64);
        if let Some(Fault { over, skipped, .. }) = self.faults.last() {
            let (took, slowest) = (over.elapsed() + *skipped, self.slowest_since_its_own_fault().unwrap_or_default());
            println!(
                "{promise}: all {reminders} reminders had their end {took:.1?} after the last fault, and the slowest arrived \
                 {slowest:.1?} after its own, with a lease of {skipped:?} in it"
            );
            assert!(took.max(slowest) <= within, "{promise}: {within:?} are promised");
        }
        let ends = judge(self.service.app(), &self.mail, reminders).await;
        self.service.is_balanced().await;
        self.service.end().await;
        ends
    }
}
