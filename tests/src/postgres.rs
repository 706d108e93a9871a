//! A PostgreSQL server of one test: prepared once, copied per run, killable.

use std::{
    fs,
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::process::{Process, Signal, free_port, guarded, is_root, shared_dir, wait_until};

const PATIENCE: Duration = Duration::from_secs(30);
const USER: &str = "postgres";

/// A running PostgreSQL server with two empty databases, `nazorg` and `nazorg_keys`.
pub struct Postgres {
    bin: PathBuf,
    dir: TempDir,
    port: u16,
    durable: bool,
    process: Option<Process>,
}

impl Postgres {
    /// Starts a server that does not wait for the disk: fast, and as good as any while the machine keeps its power.
    ///
    /// # Panics
    /// When PostgreSQL is not installed, or does not come up.
    pub fn start() -> Self {
        Self::with_durability(false)
    }

    /// Starts a server with the durability it has in production, for tests that kill it.
    ///
    /// # Panics
    /// When PostgreSQL is not installed, or does not come up.
    pub fn durable() -> Self {
        Self::with_durability(true)
    }

    fn with_durability(durable: bool) -> Self {
        let bin = bin();
        let template = template(&bin);
        let dir = tempfile::Builder::new().prefix("nazorg-postgres-").tempdir().unwrap();
        run(Command::new("cp").args(["-a", "--reflink=auto"]).arg(&template).arg(dir.path().join("data")));
        own(dir.path());
        let mut server = Self { bin, dir, port: free_port(), durable, process: None };
        server.start_again();
        server
    }

    /// The URL of the data.
    pub fn url(&self) -> String {
        self.url_of("nazorg")
    }

    /// The URL of the key store.
    pub fn keys_url(&self) -> String {
        self.url_of("nazorg_keys")
    }

    fn url_of(&self, database: &str) -> String {
        format!("{}/{database}", self.address())
    }

    /// The server without a database: who has this can make more.
    pub fn address(&self) -> String {
        format!("postgres://nazorg@127.0.0.1:{}", self.port)
    }

    /// Starts the stopped server on the same port and data.
    pub fn start_again(&mut self) {
        // After a kill the old backends hold the shared memory for a moment; PostgreSQL refuses until they are gone.
        wait_until("PostgreSQL accepts connections", PATIENCE, || {
            if !self.process.as_mut().is_some_and(Process::is_running) {
                self.process = Some(Process::start(self.command(), Signal::Quit));
            }
            self.answers()
        });
    }

    fn command(&self) -> Command {
        let log = fs::File::options().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = guarded(self.bin.join("postgres"), Signal::Quit, Some(USER));
        command.arg("-D").arg(self.dir.path().join("data")).arg("-p").arg(self.port.to_string());
        command.args(["-clisten_addresses=127.0.0.1", "-cunix_socket_directories=", "-cmax_connections=200"]);
        command.arg("-cjit=off");
        if self.durable {
            // As an operator would give a machine of this kind: what is worked on fits.
            command.arg("-cshared_buffers=1GB").arg("-cshared_preload_libraries=pg_stat_statements");
            command.arg("-cpg_stat_statements.track_planning=on");
        } else {
            command.args([
                "-cshared_buffers=64MB",
                "-cfsync=off",
                "-csynchronous_commit=off",
                "-cfull_page_writes=off",
            ]);
        }
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        command
    }

    /// Stops the server in an orderly way; what is connected is cut off.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end(Signal::Interrupt);
        }
    }

    /// Stops and starts it.
    pub fn restart(&mut self) {
        self.stop();
        self.start_again();
    }

    /// `kill -9`, the server and every backend: the power is gone.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal_family(Signal::Kill);
            process.ended_within(PATIENCE).expect("a killed server ends");
        }
    }

    /// Stands still with its connections open: a black hole.
    pub fn freeze(&self) {
        self.process.iter().for_each(|process| process.signal_family(Signal::Stop));
    }

    /// Goes on after [`Self::freeze`].
    pub fn thaw(&self) {
        self.process.iter().for_each(|process| process.signal_family(Signal::Continue));
    }

    /// Everything in both databases as SQL text, as a backup would hold it.
    pub fn dump(&self) -> String {
        let texts = [self.url(), self.keys_url()].map(|url| {
            let output = Command::new(self.bin.join("pg_dump")).arg("--inserts").arg(url).output().unwrap();
            assert!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8_lossy(&output.stdout).into_owned()
        });
        texts.concat()
    }

    /// The data alone, without the keys: a data backup, as docs/operations.md says to make it.
    ///
    /// # Panics
    /// When `pg_dump` fails.
    pub fn backup(&self) -> Vec<u8> {
        self.dumped(&self.url())
    }

    /// The keys alone, likewise.
    ///
    /// # Panics
    /// When `pg_dump` fails.
    pub fn backup_keys(&self) -> Vec<u8> {
        self.dumped(&self.keys_url())
    }

    fn dumped(&self, url: &str) -> Vec<u8> {
        let output = Command::new(self.bin.join("pg_dump")).arg("-Fc").arg(url).output().unwrap();
        assert!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Puts a data backup in place of the data, as docs/operations.md says; the keys stay what they are.
    ///
    /// # Panics
    /// When `pg_restore` fails.
    pub fn restore(&self, backup: &[u8]) {
        self.restored(&self.url(), backup);
    }

    /// Puts a backup of the keys in place of the keys.
    ///
    /// # Panics
    /// When `pg_restore` fails.
    pub fn restore_keys(&self, backup: &[u8]) {
        self.restored(&self.keys_url(), backup);
    }

    /// Loses everything in both databases.
    ///
    /// # Panics
    /// When `psql` fails.
    pub fn lose_everything(&self) {
        for url in [self.url(), self.keys_url()] {
            let mut command = Command::new(self.bin.join("psql"));
            run(command.args(["-q", "-c", "DROP SCHEMA public CASCADE", "-c", "CREATE SCHEMA public"]).arg(url));
        }
    }

    fn restored(&self, url: &str, backup: &[u8]) {
        let file = self.dir.path().join("backup");
        fs::write(&file, backup).unwrap();
        let mut command = Command::new(self.bin.join("pg_restore"));
        run(command.args(["--clean", "--if-exists", "--exit-on-error", "-d"]).arg(url).arg(&file));
    }

    /// What pgbench reaches on this server, in transactions a second: `script` in so many clients for so many seconds, after `setup`,
    /// both in the database of the data.
    ///
    /// # Panics
    /// When pgbench is not installed, or fails.
    pub fn pgbench(&self, setup: &str, script: &str, (clients, seconds): (u32, u32)) -> f64 {
        let files = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = files.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let (setup, script) = (write("setup", setup), write("script", script));
        run(Command::new(self.bin.join("psql")).args(["-q", "-v", "ON_ERROR_STOP=1", "-f"]).arg(setup).arg(self.url()));
        let mut command = Command::new(self.bin.join("pgbench"));
        command.args(["-n", "-M", "prepared", "-j", "2", "-c", &clients.to_string(), "-T", &seconds.to_string()]);
        let output = command.arg("-f").arg(script).arg(self.url()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let told = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        told.unwrap_or_else(|| panic!("pgbench: {said}{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// The statements that took most of the server's time since the last call: milliseconds in all, times, and how they begin. Of a
    /// durable server only.
    ///
    /// # Panics
    /// When `psql` fails.
    pub fn costliest(&self, count: usize) -> String {
        let sql = format!(
            "CREATE EXTENSION IF NOT EXISTS pg_stat_statements; \
             SELECT round(total_exec_time) || ' ms, planned ' || plans || ' times in ' || round(total_plan_time) || ' ms; in ' || calls || ' times, ' || rows || ' rows: ' || \
             left(regexp_replace(query, '\\s+', ' ', 'g'), 150) FROM pg_stat_statements \
             WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) \
             ORDER BY total_exec_time + total_plan_time DESC LIMIT {count}; SELECT NULL FROM pg_stat_statements_reset()"
        );
        let output =
            Command::new(self.bin.join("psql")).args(["-q", "-At", "-c", &sql]).arg(self.url()).output().unwrap();
        assert!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Cleans up, counts and writes out everything now, which the server would do over the minutes after many rows came in at once.
    ///
    /// # Panics
    /// When `psql` fails.
    pub fn settle(&self) {
        run(Command::new(self.bin.join("psql"))
            .args(["-q", "-c", "VACUUM ANALYZE", "-c", "CHECKPOINT"])
            .arg(self.url()));
    }

    /// What the server wrote to its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    fn answers(&self) -> bool {
        let port = self.port.to_string();
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok()
            && Command::new(self.bin.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &port])
                .status()
                .is_ok_and(|status| status.success())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end(Signal::Quit);
        }
    }
}

/// The folder with `initdb` and `postgres`, newest version first.
///
/// # Panics
/// When there is none, with what to install.
fn bin() -> PathBuf {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|dir| dir.path().join("bin"));
    let mut found: Vec<PathBuf> = debian.filter(|bin| bin.join("initdb").exists()).collect();
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find(|dir| dir.join("initdb").exists());
    found.pop().or(on_path).expect("PostgreSQL 15 or later is installed (Debian: apt-get install postgresql)")
}

/// A prepared cluster, made once per machine and version; every run copies it.
fn template(bin: &Path) -> PathBuf {
    let version = Command::new(bin.join("postgres")).arg("--version").output().unwrap();
    let version: String = String::from_utf8_lossy(&version.stdout).chars().filter(char::is_ascii_digit).collect();
    let ready = shared_dir().join(format!("postgres-{version}"));
    if ready.exists() {
        return ready;
    }
    let making = tempfile::Builder::new().prefix("postgres-making-").tempdir_in(shared_dir()).unwrap();
    own(making.path());
    let data = making.path().join("data");
    let initdb = ["-U", "nazorg", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "-D"];
    run(as_user(&bin.join("initdb")).args(initdb).arg(&data));
    for database in ["nazorg", "nazorg_keys"] {
        let sql = making.path().join("create.sql");
        fs::write(&sql, format!("CREATE DATABASE {database};\n")).unwrap();
        let input = fs::File::open(&sql).unwrap();
        run(as_user(&bin.join("postgres")).arg("--single").arg("-D").arg(&data).arg("postgres").stdin(input));
    }
    // Another test may have been faster; then its cluster is as good as ours.
    let _ = fs::rename(&data, &ready);
    ready
}

fn as_user(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", USER, "--regid", USER, "--clear-groups", "--"]).arg(program);
    command
}

fn own(dir: &Path) {
    if is_root() {
        run(Command::new("chown").arg(format!("{USER}:{USER}")).arg(dir));
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}{}", String::from_utf8_lossy(&output.stdout));
}

#[cfg(test)]
mod tests;
