//! Data backups, without the keys that read them.

use std::fs;

use crate::service::Ground;

/// A backup of the data without the keys. The service must not be running.
///
/// # Panics
/// When it cannot be made.
pub fn make(ground: &Ground) -> Vec<u8> {
    match &ground.postgres {
        Some(postgres) => postgres.backup(),
        None => fs::read(ground.dir.path().join("data/nazorg.db")).unwrap(),
    }
}

/// Puts a data backup in place of the data, beside the keys as they are now. The service must not be running.
///
/// # Panics
/// When it cannot be put back.
pub fn restore(ground: &Ground, backup: &[u8]) {
    if let Some(postgres) = &ground.postgres {
        return postgres.restore(backup);
    }
    for rest in ["nazorg.db-wal", "nazorg.db-shm"] {
        let _ = fs::remove_file(ground.dir.path().join("data").join(rest));
    }
    fs::write(ground.dir.path().join("data/nazorg.db"), backup).unwrap();
}
