//! How long the embedded service takes to be ready, on a new folder and on one it knows, and how much memory it holds when idle.
#![expect(clippy::unwrap_used, reason = "a measurement fails by panicking")]
#![expect(clippy::print_stdout, reason = "a measurement prints its figure")]

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nazorg_tests::service::{Ground, Leg};

async fn started(ground: &Ground, port: u16) -> (Duration, Child) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nazorg-process"));
    command.arg("serve").env_remove("NAZORG_LEG").envs(ground.environment());
    command.env("NAZORG_HTTP_LISTEN", format!("127.0.0.1:{port}")).env("NAZORG_DATABASE_DURABILITY", "full");
    let began = Instant::now();
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let url = format!("http://127.0.0.1:{port}/readyz");
    while !reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
        assert!(began.elapsed() < Duration::from_secs(30), "not ready");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    (began.elapsed(), child)
}

fn resident(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn ended(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::main]
async fn main() {
    let ground = Ground::new(Leg::Embedded);
    let port = nazorg_tests::process::free_port();
    let (first, child) = started(&ground, port).await;
    ended(child);
    let (again, child) = started(&ground, port).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let resident = resident(&child);
    ended(child);
    println!(
        "start: ready in {first:.0?} on a new folder, {again:.0?} on a known one; {} MB resident when idle",
        resident / 1024
    );
}
