//! Looks for a canary, a text that stands for somebody's name, everywhere it could have been left in the clear.

use std::{fs, path::Path};

use crate::{logs, service::Ground};

/// Asserts that none of these texts stands anywhere at rest: database files or dumps, key store, Redis, log lines.
/// The outbox is left out: a message is addressed to somebody.
///
/// # Panics
/// When one is found, with where.
pub fn assert_nowhere(ground: &Ground, metrics: &str, canaries: &[&str]) {
    let mut places = vec![("log lines".to_owned(), logs::text().into_bytes()), ("metrics".to_owned(), metrics.into())];
    files(&ground.dir.path().join("data"), &mut places);
    places.extend(ground.postgres.iter().map(|postgres| ("PostgreSQL".to_owned(), postgres.dump().into_bytes())));
    places.extend(ground.postgres.iter().map(|postgres| ("PostgreSQL's log".to_owned(), postgres.log().into_bytes())));
    places.extend(ground.redis.iter().map(|redis| ("Redis".to_owned(), redis.dump())));
    for canary in canaries {
        // A dump writes binary columns in hex, and a careless encoder writes base64 or JSON escapes.
        let hex: String = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
        for (place, bytes) in &places {
            for form in [canary.as_bytes(), hex.as_bytes()] {
                assert!(!holds(bytes, form), "{canary:?} stands in the clear in {place}");
            }
        }
    }
}

fn files(dir: &Path, places: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "outbox") {
                files(&path, places);
            }
        } else {
            places.push((path.display().to_string(), fs::read(&path).unwrap_or_default()));
        }
    }
}

fn holds(bytes: &[u8], form: &[u8]) -> bool {
    let first = form.first().copied();
    bytes.windows(form.len()).any(|part| part.first().copied() == first && part == form)
}

#[cfg(test)]
mod tests;
