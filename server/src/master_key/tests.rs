use super::*;
use crate::config;

fn keys(dir: &Path) -> Keys {
    let store = Store::Sqlite(dir.join("keys.db"));
    Keys { store, max_connections: 1, master: MasterKey::FileMade(dir.join("master.key")), other_master: None }
}

#[test]
fn made_once_readable_by_its_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let keys = keys(dir.path());
    let made = find(&keys).unwrap();
    let mode = std::fs::metadata(dir.path().join("master.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::write(dir.path().join("keys.db"), "").unwrap();
    assert_eq!(find(&keys).unwrap(), made);
}

#[test]
fn never_made_anew_beside_old_keys() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("keys.db"), "").unwrap();
    let error = find(&keys(dir.path())).unwrap_err().to_string();
    assert!(error.contains("put it back"), "{error}");
}

#[test]
fn given_as_text() {
    let text = STANDARD.encode([7; 32]);
    assert!(is_valid(&format!(" {text}\n")) && !is_valid("c2hvcnQ="));
    let dir = tempfile::tempdir().unwrap();
    let given = Keys { master: MasterKey::Given(config::Secret::new(text)), ..keys(dir.path()) };
    assert_eq!(find(&given).unwrap(), [7; 32]);
}
