//! The master key: 32 bytes in base64, given, read from a file, or made once by the embedded set-up.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD};

use nazorg_domain::secrets::Secret;

use crate::{
    Failure,
    config::{Keys, MasterKey, Store},
};

/// The master key, and the next or the last one while they are changed.
pub(crate) struct Master {
    pub(crate) present: Secret,
    pub(crate) other: Option<Secret>,
}

/// Whether `text` is a master key.
pub(crate) fn is_valid(text: &str) -> bool {
    decode(text).is_some()
}

/// Loads the master key, or makes it on the very first start of the embedded set-up.
///
/// # Errors
/// When the file cannot be read, holds something else, or is gone while the keys it wraps still exist.
pub(crate) fn load(keys: &Keys) -> Result<Master, Failure> {
    let secret =
        |bytes: [u8; 32]| Secret::from_bytes(&bytes).ok_or_else(|| Failure::internal("a master key of another length"));
    let other = keys.other_master.as_deref().map(read).transpose()?;
    Ok(Master { present: secret(find(keys)?)?, other: other.map(secret).transpose()? })
}

fn find(keys: &Keys) -> Result<[u8; 32], Failure> {
    match &keys.master {
        MasterKey::Given(text) => {
            decode(text.expose()).ok_or_else(|| Failure::config("keys.master_key must be 32 bytes in base64"))
        }
        MasterKey::File(path) => read(path),
        MasterKey::FileMade(path) => match read(path) {
            Err(Failure::Io { source, .. }) if source.kind() == ErrorKind::NotFound => make(path, &keys.store),
            read => read,
        },
    }
}

fn read(path: &Path) -> Result<[u8; 32], Failure> {
    let text = std::fs::read_to_string(path).map_err(Failure::io("the master key", path))?;
    let open_to_others = std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0);
    if open_to_others {
        tracing::warn!(file = %path.display(), "the master key can be read by other users; chmod 600 it");
    }
    decode(&text).ok_or_else(|| Failure::config(format!("{} does not hold 32 bytes in base64", path.display())))
}

// A new key beside old wrapped keys would make everything unreadable, one person at a time; refuse at once instead.
fn make(path: &Path, store: &Store) -> Result<[u8; 32], Failure> {
    if let Store::Sqlite(keys) = store
        && keys.exists()
    {
        let text = format!("{} is gone, but {} still holds keys it wraps; put it back", path.display(), keys.display());
        return Err(Failure::config(text));
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Failure::internal(format!("no randomness: {error}")))?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(Failure::io("the master key", path))?;
    let written = writeln!(file, "{}", STANDARD.encode(bytes)).and_then(|()| file.sync_all());
    written.map_err(Failure::io("the master key", path))?;
    Ok(bytes)
}

fn decode(text: &str) -> Option<[u8; 32]> {
    STANDARD.decode(text.trim()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests;
