//! Child processes that never outlive the test, and the signals that a story sends them.

use std::{
    ffi::OsStr,
    fs::File,
    io,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Child, Command, ExitStatus},
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicU16, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

/// What a story does to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// `kill -9`: gone at once, nothing cleaned up.
    Kill,
    /// The polite request that an orchestrator sends first.
    Term,
    /// PostgreSQL's fast shutdown, and Ctrl-C.
    Interrupt,
    /// PostgreSQL's immediate shutdown.
    Quit,
    /// Stands still, connections open: a machine that hangs.
    Stop,
    /// Goes on after [`Signal::Stop`].
    Continue,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Kill => "KILL",
            Self::Term => "TERM",
            Self::Interrupt => "INT",
            Self::Quit => "QUIT",
            Self::Stop => "STOP",
            Self::Continue => "CONT",
        }
    }
}

/// A child process; dropping it ends it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    end_with: Signal,
}

impl Process {
    /// Starts a [`guarded`] command.
    ///
    /// # Panics
    /// When `setpriv` (util-linux) cannot be started.
    pub fn start(guarded: Command, end_with: Signal) -> Self {
        let child = spawn(guarded).expect("setpriv of util-linux starts the child");
        Self { child, end_with }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        send(self.id(), signal);
    }

    /// Sends a signal to the process and everything it started (PostgreSQL gives each backend a session of its own).
    pub fn signal_family(&self, signal: Signal) {
        family(self.id()).into_iter().for_each(|id| send(id, signal));
    }

    /// Whether it is still running.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until it ends by itself, at most `patience`.
    pub fn ended_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let started = Instant::now();
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            if started.elapsed() > patience {
                return None;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it with `signal`, and with `kill -9` when it does not listen.
    pub fn end(&mut self, signal: Signal) {
        if !self.is_running() {
            return;
        }
        self.signal_family(Signal::Continue);
        self.signal(signal);
        if self.ended_within(Duration::from_secs(10)).is_none() {
            self.signal_family(Signal::Kill);
            let _ = self.child.wait();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end(self.end_with);
    }
}

/// A command for `program` that the kernel sends `end_with` when this process dies; as `user` when we are root.
pub fn guarded(program: impl AsRef<OsStr>, end_with: Signal, user: Option<&str>) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig").arg(end_with.name());
    if let Some(user) = user.filter(|_| is_root()) {
        command.args(["--reuid", user, "--regid", user, "--clear-groups"]);
    }
    command.arg("--").arg(program);
    command
}

fn send(id: u32, signal: Signal) {
    let _ = Command::new("kill").arg(format!("-{}", signal.name())).arg(id.to_string()).output();
}

fn family(id: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    let below = children.split_whitespace().filter_map(|child| child.parse().ok()).flat_map(family);
    std::iter::once(id).chain(below).collect()
}

/// Whether this process is root, which PostgreSQL refuses to run as.
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

type Order = (Command, mpsc::Sender<io::Result<Child>>);

// The parent-death signal comes when the *thread* that started the child ends, and a test runs in a thread of its own:
// so one thread that lives as long as the process starts them all.
static KEEPER: LazyLock<Mutex<mpsc::Sender<Order>>> = LazyLock::new(|| {
    let (orders, receive) = mpsc::channel::<Order>();
    thread::spawn(move || {
        for (mut command, answer) in receive {
            let _ = answer.send(command.spawn());
        }
    });
    Mutex::new(orders)
});

fn spawn(command: Command) -> io::Result<Child> {
    let (answer, receive) = mpsc::channel();
    KEEPER.lock().unwrap().send((command, answer)).map_err(io::Error::other)?;
    receive.recv().map_err(io::Error::other)?
}

/// A port nobody listens on, below the range that outgoing connections take theirs from and in a stretch that is this process's as
/// long as it lives, so that a stopped service finds it free when it comes back.
pub fn free_port() -> u16 {
    const STRETCH: u16 = 300;
    static OURS: LazyLock<(File, u16)> = LazyLock::new(|| stretch(12_000 / STRETCH));
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let port = 20_000 + OURS.1 * STRETCH + NEXT.fetch_add(1, Ordering::Relaxed) % STRETCH;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// One of so many stretches that no other process has, and what it is held by.
fn stretch(of: u16) -> (File, u16) {
    let first = (std::process::id() % u32::from(of)) as u16;
    let file = |nth: u16| File::create(shared_dir().join(format!("ports-{nth}"))).unwrap();
    let free = (0..of).map(|more| (first + more) % of).find_map(|nth| {
        let held = file(nth);
        held.try_lock().is_ok().then_some((held, nth))
    });
    free.unwrap_or_else(|| {
        let held = file(first);
        held.lock().unwrap();
        (held, first)
    })
}

/// Asks again and again, every few milliseconds, until `ready` says yes.
///
/// # Panics
/// After `patience`, with `what`.
pub fn wait_until(what: &str, patience: Duration, mut ready: impl FnMut() -> bool) {
    let started = Instant::now();
    while !ready() {
        assert!(started.elapsed() < patience, "{what} within {patience:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The folder of all that tests keep between runs and share: prepared database clusters, nothing of a run.
///
/// Below the system's temporary folder, since the `postgres` user may not enter a checkout that lies in a home directory.
pub fn shared_dir() -> PathBuf {
    let who = if is_root() { "root".to_owned() } else { std::env::var("USER").unwrap_or_else(|_| "user".into()) };
    let dir = std::env::temp_dir().join(format!("nazorg-tests-{who}"));
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

#[cfg(test)]
mod tests;
