//! A Redis server of one test, without persistence: what it forgets must not matter.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpStream},
    process::Stdio,
    time::Duration,
};

use tempfile::TempDir;

use crate::process::{Process, Signal, free_port, guarded, wait_until};

const PATIENCE: Duration = Duration::from_secs(20);

/// A running Redis server.
pub struct Redis {
    dir: TempDir,
    port: u16,
    process: Option<Process>,
}

impl Redis {
    /// Starts a server.
    ///
    /// # Panics
    /// When `redis-server` is not installed, or does not come up.
    pub fn start() -> Self {
        let dir = tempfile::Builder::new().prefix("nazorg-redis-").tempdir().unwrap();
        let mut server = Self { dir, port: free_port(), process: None };
        server.start_again();
        server
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Starts the stopped server on the same port, empty.
    pub fn start_again(&mut self) {
        let log = fs::File::options().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        let mut command = guarded("redis-server", Signal::Kill, None);
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.args(["--rdbcompression", "no", "--daemonize", "no", "--dir"]).arg(self.dir.path());
        command.stdin(Stdio::null()).stdout(log);
        self.process = Some(Process::start(command, Signal::Kill));
        wait_until("Redis answers", PATIENCE, || self.command(&["PING"]).is_ok_and(|answer| answer == "+PONG"));
    }

    /// `kill -9`: it is gone, with everything it knew.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end(Signal::Kill);
        }
    }

    /// Kills and starts it: it comes back empty.
    pub fn restart(&mut self) {
        self.kill();
        self.start_again();
    }

    /// Forgets everything while connections stay.
    pub fn flush(&self) {
        assert_eq!(self.command(&["FLUSHALL"]).unwrap(), "+OK");
    }

    /// Stands still with its connections open: a black hole.
    pub fn freeze(&self) {
        self.process.iter().for_each(|process| process.signal(Signal::Stop));
    }

    /// Goes on after [`Self::freeze`].
    pub fn thaw(&self) {
        self.process.iter().for_each(|process| process.signal(Signal::Continue));
    }

    /// Everything it holds, as bytes (the uncompressed dump), for looking for what must not be there.
    pub fn dump(&self) -> Vec<u8> {
        assert_eq!(self.command(&["SAVE"]).unwrap(), "+OK");
        let file = self.dir.path().join("dump.rdb");
        let bytes = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap(); // or it would be read back on the next start
        bytes
    }

    /// Sends one command and gives the first line of the answer (`+OK`, `:3`, `$5` …).
    ///
    /// # Errors
    /// When the server does not answer within two seconds.
    pub fn command(&self, words: &[&str]) -> std::io::Result<String> {
        ask(self.port, words)
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

/// Sends one command to whoever listens there, and gives the first line of the answer.
pub(crate) fn ask(port: u16, words: &[&str]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut request = format!("*{}\r\n", words.len());
    words.iter().for_each(|word| request.push_str(&format!("${}\r\n{word}\r\n", word.len())));
    stream.write_all(request.as_bytes())?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests;
