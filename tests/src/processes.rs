//! The service as it runs in production, in processes that can be killed: several API and worker processes on one PostgreSQL and one
//! Redis, or one process that is both on SQLite.

use std::{fs, path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use nazorg::{
    Parts, Running,
    domain::{
        App, Clock,
        entities::{OrganisationId, PersonId, Role},
    },
};

use crate::{
    client::Client,
    clock::StoryClock,
    process::{Process, Signal, free_port, guarded},
    service::{Ground, Leg, MASTER_KEY, Tenant, config, key, launch, tenant},
    time::{drain, is_balanced, travel},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// Which process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `nazorg api`.
    Api,
    /// `nazorg worker`.
    Worker,
    /// `nazorg serve`: both in one, on SQLite.
    Serve,
}

/// One process of the service, running or dead.
pub struct Member {
    part: Part,
    /// Where it listens: the API, or a worker's health page.
    pub base: String,
    ports: (u16, u16),
    /// Variables of its own.
    own: Vec<(&'static str, String)>,
    process: Option<Process>,
}

/// Several processes on the same stores.
pub struct Processes {
    binary: PathBuf,
    /// What they stand on.
    pub ground: Ground,
    /// The clock they all follow.
    pub clock: Arc<StoryClock>,
    /// The API processes; on SQLite the only process.
    pub apis: Vec<Member>,
    /// The worker processes.
    pub workers: Vec<Member>,
    settings: Vec<(String, String)>,
    /// The story's own view of the stores; it does no work of the service.
    app: Arc<App>,
    running: Option<Running>,
}

impl Processes {
    /// Starts so many of each at a moment (RFC 3339), with more settings, and waits until all are ready.
    ///
    /// `binary` is `env!("CARGO_BIN_EXE_nazorg-process")`, which only a test target knows.
    ///
    /// # Panics
    /// When one does not become ready within a minute.
    pub async fn start(binary: &str, moment: &str, (apis, workers): (usize, usize), settings: &[(&str, &str)]) -> Self {
        Self::start_on(binary, Ground::new(Leg::Distributed), moment, (apis, workers, settings)).await
    }

    /// Like [`Self::start`], on stores of the caller's own; on SQLite one process is all there is.
    ///
    /// # Panics
    /// When one does not become ready within a minute.
    pub async fn start_on(
        binary: &str,
        ground: Ground,
        moment: &str,
        (apis, workers, settings): (usize, usize, &[(&str, &str)]),
    ) -> Self {
        if ground.leg == Leg::Embedded {
            share_master_key(&ground);
        }
        nazorg::migrate(&config(&ground.environment())).await.expect("a fresh database can be migrated");
        let moment: DateTime<Utc> = moment.parse().expect("a moment in RFC 3339");
        let clock = Arc::new(StoryClock::shared(moment, &ground.dir.path().join("clock")));
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let fresh = |part| (0..).map(move |_| Member::new(part));
        let (apis, workers) = match ground.leg {
            Leg::Distributed => (fresh(Part::Api).take(apis).collect(), fresh(Part::Worker).take(workers).collect()),
            Leg::Embedded => (fresh(Part::Serve).take(1).collect(), Vec::new()),
        };
        let (running, app) = launch(&ground.environment(), Arc::clone(&clock), Parts::Api).await;
        let running = Some(running);
        let mut found = Self { binary: binary.into(), ground, clock, apis, workers, settings, app, running };
        found.start_all().await;
        found
    }

    /// Starts every member that does not run, and waits until all are ready.
    ///
    /// # Panics
    /// When one does not become ready within a minute.
    pub async fn start_all(&mut self) {
        let (environment, log) = (self.environment(), self.log_path());
        for member in self.apis.iter_mut().chain(&mut self.workers) {
            member.start(&self.binary, &environment, &log);
        }
        for member in self.apis.iter().chain(&self.workers) {
            member.ready().await;
        }
    }

    /// Starts one more worker, whatever the others do, and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready within a minute.
    pub async fn add_worker(&mut self) {
        let mut member = Member::new(Part::Worker);
        member.start(&self.binary, &self.environment(), &self.log_path());
        member.ready().await;
        self.workers.push(member);
    }

    fn environment(&self) -> Vec<(String, String)> {
        let mut found = self.ground.environment();
        found.push(("STORY_CLOCK".to_owned(), self.ground.dir.path().join("clock").display().to_string()));
        found.extend(self.settings.iter().cloned());
        found
    }

    /// Those who do what is owed: the workers, or on SQLite the only process.
    pub fn working(&mut self) -> &mut [Member] {
        if self.workers.is_empty() { &mut self.apis } else { &mut self.workers }
    }

    /// The domain, for what no API leads to.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// What the clock of all says.
    pub fn clock_now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Founds an organisation in Amsterdam's time zone, with an administrator who calls the first API process.
    ///
    /// # Panics
    /// When the domain says no.
    pub async fn tenant(&self, name: &str) -> Tenant {
        tenant(&self.app, &self.apis[0].base, name).await
    }

    /// A client of the first API process with a key of a role; a supporter's and a line manager's is somebody's.
    ///
    /// # Panics
    /// When the domain says no.
    pub async fn key(&self, organisation: OrganisationId, role: Role, person: Option<PersonId>) -> Client {
        key(&self.app, &self.apis[0].base, (organisation, role, person)).await
    }

    /// Lets the workers do everything that is owed by now; see [`crate::time::drain`].
    ///
    /// # Panics
    /// When that takes longer than a minute.
    pub async fn drain(&self) {
        drain(&self.app).await;
    }

    /// Moves the clock of all to `moment` (RFC 3339), from due moment to due moment, and drains at each.
    ///
    /// # Panics
    /// When `moment` is none, or draining takes longer than a minute.
    pub async fn travel_to(&self, moment: &str) {
        let moment = moment.parse().unwrap_or_else(|_| panic!("{moment:?} is no instant"));
        travel(&self.app, &self.clock, moment).await;
    }

    /// The end of every story: nothing is lost, nothing is doubled, no job was given up.
    ///
    /// # Panics
    /// When the ledger of an organisation does not balance, or a job has failed for good.
    pub async fn is_balanced(&self) {
        self.drain().await;
        is_balanced(&self.app).await;
    }

    /// Ends every process in an orderly way.
    ///
    /// # Panics
    /// When one has not ended within a minute.
    pub async fn end(&mut self) {
        self.apis.iter_mut().chain(&mut self.workers).for_each(Member::terminate);
        if let Some(running) = self.running.take() {
            running.shutdown().await;
        }
    }

    /// A client of the nth API process.
    pub fn client(&self, nth: usize, key: impl Into<String>) -> Client {
        Client::new(&self.apis[nth].base, key)
    }

    /// Everything the processes logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.ground.dir.path().join("processes.log")
    }
}

/// The embedded set-up makes one at its first start, but here two processes start at the same time.
fn share_master_key(ground: &Ground) {
    let data = ground.dir.path().join("data");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("master.key"), MASTER_KEY).unwrap();
}

impl Member {
    fn new(part: Part) -> Self {
        let ports = (free_port(), free_port());
        let listens = if part == Part::Worker { ports.1 } else { ports.0 };
        Self { part, base: format!("http://127.0.0.1:{listens}"), ports, own: Vec::new(), process: None }
    }

    fn start(&mut self, binary: &PathBuf, environment: &[(String, String)], log: &PathBuf) {
        if self.process.as_mut().is_some_and(Process::is_running) {
            return;
        }
        let log = fs::File::options().create(true).append(true).open(log).unwrap();
        let mut command = guarded(binary, Signal::Kill, None);
        let command_line = match self.part {
            Part::Api => "api",
            Part::Worker => "worker",
            Part::Serve => "serve",
        };
        command.arg(command_line).env_remove("NAZORG_LEG");
        command.envs(environment.iter().cloned()).envs(self.own.iter().cloned()).env("NAZORG_LOG_FORMAT", "json");
        command.env("NAZORG_HTTP_LISTEN", format!("127.0.0.1:{}", self.ports.0));
        command.env("NAZORG_METRICS_LISTEN", format!("127.0.0.1:{}", self.ports.1));
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.process = Some(Process::start(command, Signal::Kill));
    }

    async fn ready(&self) {
        let asked = tokio::time::timeout(PATIENCE, async {
            loop {
                let answer = reqwest::get(format!("{}/readyz", self.base)).await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        assert!(asked.await.is_ok(), "{:?} at {} is not ready within {PATIENCE:?}", self.part, self.base);
    }

    /// The last value of a metric without labels, where it was measured.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let url = format!("http://127.0.0.1:{}/metrics", self.ports.1);
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    /// Variables of its own, from the next start on.
    pub fn set(&mut self, own: impl IntoIterator<Item = (&'static str, String)>) {
        self.own.extend(own);
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end(Signal::Kill);
        }
    }

    /// SIGTERM, and its end.
    ///
    /// # Panics
    /// When it has not ended within a minute.
    pub fn terminate(&mut self) {
        self.tell_to_stop();
        self.ended();
    }

    /// SIGTERM; [`Self::ended`] waits.
    pub fn tell_to_stop(&self) {
        self.process.iter().for_each(|process| process.signal(Signal::Term));
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it has not ended within a minute.
    pub fn ended(&mut self) {
        if let Some(mut process) = self.process.take() {
            assert!(process.ended_within(PATIENCE).is_some(), "{:?} does not end after SIGTERM", self.part);
        }
    }

    /// Stands still: a machine that hangs.
    pub fn freeze(&self) {
        self.process.iter().for_each(|process| process.signal(Signal::Stop));
    }

    /// Goes on after [`Self::freeze`].
    pub fn thaw(&self) {
        self.process.iter().for_each(|process| process.signal(Signal::Continue));
    }
}
