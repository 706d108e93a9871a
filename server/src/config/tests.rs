use std::path::Path;

use super::*;

fn read(environment: &[(&str, &str)]) -> Result<Config, Faults> {
    let pairs = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::read(Some(Path::new("/dev/null")), pairs)
}

fn read_file(text: &str, environment: &[(&str, &str)]) -> Result<Config, Faults> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("nazorg.toml");
    std::fs::write(&path, text).unwrap();
    let pairs = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::read(Some(&path), pairs)
}

#[test]
fn nothing_has_to_be_set() {
    let config = read(&[]).unwrap();
    assert!(config.embedded());
    assert_eq!(config.database.store, Store::Sqlite("data/nazorg.db".into()));
    assert_eq!(config.keys.master, MasterKey::FileMade("data/master.key".into()));
    assert_eq!(config.mail.outbox_dir, Path::new("data/outbox"));
    let sender = (config.mail.from_address.as_str(), config.mail.from_name.as_str());
    assert_eq!(sender, ("messages@localhost", ""), "neutral: a phone on a table shows it");
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_manual() {
    let file = "[http]\nlisten = \"0.0.0.0:1\"\nshutdown_seconds = 3\n";
    let config = read_file(file, &[("NAZORG_HTTP_LISTEN", "0.0.0.0:2")]).unwrap();
    assert_eq!(config.http.listen.port(), 2);
    assert_eq!(config.http.shutdown.as_secs(), 3);
    assert_eq!(config.http.request_timeout.as_secs(), 25);
}

#[test]
fn every_error_is_told_at_once_with_its_key_and_its_origin() {
    let file = "surprise = 1\n[http]\nlisten = 8080\n[mail]\nlisten = \"x\"\n[log]\nformat = \"xml\"\n";
    let faults = read_file(
        file,
        &[
            ("DATABASE_URL", "mysql://localhost/x"),
            ("NAZORG_WORKER_CONCURRENCY", "many"),
            ("NAZORG_LIMITS_REQUESTS_PER_MINUTE", "0"),
            ("NAZORG_UNKNOWN", "1"),
            ("UNRELATED", "1"),
        ],
    )
    .unwrap_err()
    .to_string();
    for expected in [
        "8 errors",
        "there is no key surprise",
        "http.listen (",
        "must be a text",
        "there is no key mail.listen (did you mean http.listen?)",
        "must be one of text, json, not \"xml\"",
        "database.url (DATABASE_URL) must be a URL that starts with postgres:// or postgresql://",
        "worker.concurrency (NAZORG_WORKER_CONCURRENCY) must be a whole number",
        "limits.requests_per_minute (NAZORG_LIMITS_REQUESTS_PER_MINUTE) must be a whole number from 1 to 10000000",
        "NAZORG_UNKNOWN, which is no key",
    ] {
        assert!(faults.contains(expected), "{expected:?} is missing from:\n{faults}");
    }
}

#[test]
fn secrets_are_never_shown() {
    let secret = "CANARY-secret";
    let url = format!("postgres://nazorg:{secret}@db/nazorg");
    let keys = format!("postgres://nazorg:{secret}@db/keys");
    let environment =
        [("DATABASE_URL", url.as_str()), ("KEYS_URL", keys.as_str()), ("NAZORG_KEYS_MASTER_KEY_FILE", "/run/key")];
    let config = read(&environment).unwrap();
    assert!(!format!("{config:?}").contains(secret));
    let broken = format!("[keys]\nmaster_key = \"{secret}\n");
    let faults = read_file(&broken, &[("SMTP_URL", secret)]).unwrap_err().to_string();
    assert!(!faults.contains(secret), "{faults}");
    assert!(faults.contains("line 2"), "{faults}");
    let faults = read(&[("NAZORG_KEYS_MASTER_KEY", secret)]).unwrap_err().to_string();
    assert!(faults.contains("32 bytes") && !faults.contains(secret), "{faults}");
}

#[test]
fn postgres_needs_a_key_store_and_a_master_key_of_its_own() {
    let faults = read(&[("DATABASE_URL", "postgres://db/nazorg")]).unwrap_err();
    assert_eq!(faults.0.len(), 2, "{faults}");
    let same = [
        ("DATABASE_URL", "postgres://db/nazorg"),
        ("KEYS_URL", "postgres://db/nazorg"),
        ("NAZORG_KEYS_MASTER_KEY_FILE", "/run/key"),
    ];
    assert!(read(&same).unwrap_err().to_string().contains("is the database itself"));
}

#[test]
fn a_named_file_must_exist() {
    let faults = Config::read(Some(Path::new("/nowhere/nazorg.toml")), []).unwrap_err();
    assert!(faults.to_string().contains("/nowhere/nazorg.toml cannot be read"), "{faults}");
    let named = [("NAZORG_CONFIG".to_owned(), "/nowhere/else.toml".to_owned())];
    assert!(Config::read(None, named).unwrap_err().to_string().contains("/nowhere/else.toml"));
}

#[test]
fn sqlite_urls_name_a_file() {
    let config = read(&[("DATABASE_URL", "sqlite:///srv/a.db"), ("KEYS_URL", "sqlite://k.db")]).unwrap();
    assert_eq!(config.database.store, Store::Sqlite("/srv/a.db".into()));
    assert_eq!(config.keys.store, Store::Sqlite("k.db".into()));
    assert!(read(&[("DATABASE_URL", "sqlite::memory:")]).is_err());
}

#[test]
fn two_keys_never_share_a_variable() {
    let keys = layers::leaves(&<figment::providers::Toml as figment::providers::Format>::string(MANUAL));
    let variables: std::collections::BTreeSet<_> = keys.keys().map(|key| key.replace('.', "_")).collect();
    assert_eq!(variables.len(), keys.len());
    assert!(keys.len() > 20);
}
