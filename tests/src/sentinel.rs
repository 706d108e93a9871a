//! A Redis that is watched: a master, a replica, and three Sentinels that agree on which is which.

use std::{fs, process::Stdio, time::Duration};

use tempfile::TempDir;

use crate::{
    process::{Process, Signal, free_port, guarded, wait_until},
    redis::{Redis, ask},
};

const PATIENCE: Duration = Duration::from_secs(30);
/// What the Sentinels call the master.
const NAME: &str = "story";

/// Five processes; dropping the value ends them.
pub struct Watched {
    /// The master at the start.
    pub master: Redis,
    /// Who takes over.
    pub replica: Redis,
    sentinels: Vec<Sentinel>,
    _dir: TempDir,
}

struct Sentinel {
    port: u16,
    _process: Process,
}

impl Watched {
    /// Starts all of them, and waits until the Sentinels know each other and the replica.
    ///
    /// # Panics
    /// When `redis-server` is not installed, or they do not find each other.
    pub fn start() -> Self {
        let (master, replica) = (Redis::start(), Redis::start());
        let port = master.port().to_string();
        assert_eq!(replica.command(&["REPLICAOF", "127.0.0.1", &port]).unwrap(), "+OK");
        let follows = || master.command(&["WAIT", "1", "100"]).is_ok_and(|replicas| replicas == ":1");
        wait_until("the replica follows", PATIENCE, follows);
        let dir = tempfile::Builder::new().prefix("nazorg-sentinel-").tempdir().unwrap();
        let sentinels: Vec<_> = (0..3).map(|nth| Sentinel::start(&dir, nth, &port)).collect();
        wait_until("the Sentinels agree", PATIENCE, || sentinels.iter().all(Sentinel::knows_everybody));
        Self { master, replica, sentinels, _dir: dir }
    }

    /// The settings of a process that asks the Sentinels.
    pub fn settings(&self) -> [(&'static str, String); 2] {
        let all: Vec<_> = self.sentinels.iter().map(|one| format!("127.0.0.1:{}", one.port)).collect();
        [("REDIS_URL", format!("redis://{NAME}/0")), ("NAZORG_REDIS_SENTINELS", all.join(", "))]
    }

    /// Waits until the replica has been made master.
    ///
    /// # Panics
    /// When it is not in time.
    pub fn failed_over(&self) {
        // A master's role is told in three parts, a replica's in five.
        let promoted = || self.replica.command(&["ROLE"]).is_ok_and(|role| role == "*3");
        wait_until("the replica is master", PATIENCE, promoted);
    }
}

impl Sentinel {
    fn start(dir: &TempDir, nth: usize, master: &str) -> Self {
        let (port, file) = (free_port(), dir.path().join(format!("sentinel-{nth}.conf")));
        let lines = [
            format!("port {port}"),
            "bind 127.0.0.1".to_owned(),
            format!("dir {}", dir.path().display()),
            format!("sentinel monitor {NAME} 127.0.0.1 {master} 2"),
            format!("sentinel down-after-milliseconds {NAME} 1000"),
            format!("sentinel failover-timeout {NAME} 6000"),
        ];
        fs::write(&file, lines.join("\n")).unwrap();
        let mut command = guarded("redis-server", Signal::Kill, None);
        command.arg(&file).arg("--sentinel").stdin(Stdio::null()).stdout(Stdio::null());
        Self { port, _process: Process::start(command, Signal::Kill) }
    }

    fn knows_everybody(&self) -> bool {
        let usable = ask(self.port, &["SENTINEL", "CKQUORUM", NAME]);
        let replicas = ask(self.port, &["SENTINEL", "REPLICAS", NAME]);
        usable.is_ok_and(|said| said.starts_with("+OK 3 ")) && replicas.is_ok_and(|said| said == "*1")
    }
}

#[cfg(test)]
mod tests;
