//! The commands of the binary as an operator types them: the demo, and what `docs/operations.md` says of the embedded set-up.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The command line over the stores in a folder, with nothing of the environment's own.
fn nazorg(folder: &Path, settings: &[(&str, &str)], words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nazorg"));
    command.env_clear().env("TMPDIR", folder).env("NAZORG_DATA_DIR", folder.join("data"));
    command.env("NAZORG_HTTP_LISTEN", "127.0.0.1:0").env("NAZORG_METRICS_LISTEN", "").env("NAZORG_LOG_LEVEL", "error");
    command.current_dir(folder).envs(settings.iter().copied()).args(words);
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What a command says that must succeed.
fn done(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    said(&output)
}

/// What a command says that must be refused.
fn refused(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{command:?}: {}", said(&output));
    said(&output)
}

/// The key among what was said.
fn key_in(said: &str) -> String {
    let word = said.split(|one: char| one.is_whitespace() || one == '\'').find(|word| word.starts_with("nzg_"));
    word.unwrap_or_else(|| panic!("no key: {said}")).to_owned()
}

/// The running service.
struct Running {
    process: Child,
    _said: BufReader<ChildStdout>,
    url: String,
}

impl Running {
    fn start(folder: &Path, settings: &[(&str, &str)]) -> Self {
        nazorg::choose_tls();
        let mut process = nazorg(folder, settings, &["serve"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        let url = loop {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "it ended before it was ready");
            if let Some(url) = line.trim().strip_prefix("nazorg is ready at ") {
                break url.to_owned();
            }
        };
        Self { process, _said: lines, url }
    }

    /// In an orderly way, as a service manager does.
    fn stop(mut self) {
        let told = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        assert!(told.success() && self.process.wait().unwrap().success());
    }

    async fn get(&self, key: &str, path: &str) -> (u16, Value) {
        let request = reqwest::Client::new().get(format!("{}/v1/{path}", self.url)).bearer_auth(key);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn registers(&self, key: &str, name: &str) -> String {
        let request = reqwest::Client::new().post(format!("{}/v1/persons", self.url)).bearer_auth(key);
        let answer = request.header("Idempotency-Key", name).json(&json!({"name": name})).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 201);
        answer.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned()
    }

    async fn knows(&self, key: &str, person: &str, name: &str) {
        let (status, found) = self.get(key, &format!("persons/{person}")).await;
        assert_eq!((status, &found["name"]), (200, &json!(name)), "{found}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_demo_tells_both_stories_and_their_ledger_balances() {
    let folder = TempDir::new().unwrap();
    let told = done(&mut nazorg(folder.path(), &[], &["demo"]));
    let times = |words: &str| told.matches(words).count();
    assert_eq!(times("unaccounted: 0"), 1, "{told}");
    assert_eq!(times("The review at ten: continue."), 5, "{told}");
    assert!(told.contains("The person's case is closed: goals_met."), "{told}");
    for withdraws in ["withdraws what lets the sister be written to", "The sister herself wants no more mail"] {
        let after = told.split(withdraws).nth(1).unwrap_or_else(|| panic!("{withdraws}: {told}"));
        let next = after.lines().find(|line| line.contains("family_checkin")).unwrap();
        assert!(next.contains("not sent, suppressed: consent_revoked"), "{next}");
    }
}

#[tokio::test]
async fn both_stores_are_backed_up_lost_and_put_back_as_the_page_says() {
    let folder = TempDir::new().unwrap();
    let (home, data) = (folder.path(), folder.path().join("data"));
    let command = |words: &[&str]| nazorg(home, &[], words);
    let service = Running::start(home, &[]);
    let key = key_in(&done(&mut command(&["keys", "create", "Coordinator", "--role", "coordinator"])));
    let anna = service.registers(&key, "Anna").await;
    done(&mut command(&["backup", "data", "data.bak"]));
    done(&mut command(&["backup", "keys", "keys.bak"]));
    let bo = service.registers(&key, "Bo").await;
    let again = refused(&mut command(&["backup", "data", "data.bak"]));
    assert!(again.contains("data.bak"), "nothing is overwritten: {again}");
    let running = refused(&mut command(&["restore", "data.bak"]));
    assert!(running.contains("stop nazorg first"), "{running}");
    service.knows(&key, &bo, "Bo").await;
    service.stop();

    for store in ["nazorg.db", "keys.db"] {
        assert!(data.join(store).exists());
        for end in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(data.join(format!("{store}{end}")));
        }
    }
    let without = refused(&mut command(&["restore", "data.bak"]));
    assert!(without.contains("put the keys back first"), "{without}");
    fs::copy(home.join("keys.bak"), data.join("keys.db")).unwrap();
    let put_back = done(&mut command(&["restore", "data.bak"]));
    assert!(put_back.contains("Restored."), "{put_back}");
    let service = Running::start(home, &[]);
    service.knows(&key, &anna, "Anna").await;
    assert_eq!(service.get(&key, &format!("persons/{bo}")).await.0, 404, "registered after the backup");
    let (status, ledger) = service.get(&key, "ledger").await;
    assert_eq!((status, &ledger["unaccounted"]), (200, &json!(0)), "{ledger}");
    service.stop();
}

#[tokio::test]
async fn the_master_key_is_changed_as_the_page_says() {
    let folder = TempDir::new().unwrap();
    let home = folder.path();
    let service = Running::start(home, &[]);
    let key = key_in(&done(&mut nazorg(home, &[], &["keys", "create", "Coordinator", "--role", "coordinator"])));
    let anna = service.registers(&key, "Anna").await;
    service.stop();

    let (old, new) = (home.join("data/master.key"), home.join("new.key"));
    // 32 bytes in base64, as `openssl rand -base64 32` makes them.
    fs::write(&new, "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n").unwrap();
    fs::set_permissions(&new, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let (old, new) = (old.display().to_string(), new.display().to_string());
    let alone = [("NAZORG_KEYS_MASTER_KEY_FILE", new.as_str())];
    let both = [alone[0], ("NAZORG_KEYS_OTHER_MASTER_KEY_FILE", old.as_str())];
    let service = Running::start(home, &both);
    service.knows(&key, &anna, "Anna").await;
    let wrapped = done(&mut nazorg(home, &both, &["rewrap"]));
    assert!(!wrapped.starts_with("0 keys"), "{wrapped}");
    let nothing = done(&mut nazorg(home, &both, &["rewrap"]));
    assert!(nothing.starts_with("0 keys"), "{nothing}");
    service.stop();
    fs::remove_file(&old).unwrap();
    let service = Running::start(home, &alone);
    service.knows(&key, &anna, "Anna").await;
    service.stop();
}
