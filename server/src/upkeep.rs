//! Backup, restore and the change of the master key: what an operator does now and then, as `docs/operations.md` says.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use nazorg_domain::{Clock, Error, organisations};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};

use crate::{
    Failure,
    config::{Config, Store},
    opening, stores,
};

/// Which of the two stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Which {
    /// The data.
    Data,
    /// The encryption keys; never to be kept where the data's backups are.
    Keys,
}

/// Copies a store of the embedded set-up into a new file, whole and as of one moment, while the service runs.
///
/// # Errors
/// When the store is PostgreSQL, which has tools of its own, when `file` exists, and when the copy cannot be made or read back.
pub async fn backup(config: &Config, which: Which, file: &Path) -> Result<(), Failure> {
    let store = match which {
        Which::Data => &config.database.store,
        Which::Keys => &config.keys.store,
    };
    let path = embedded(store, "PostgreSQL is backed up with pg_dump; docs/operations.md has the lines")?;
    if !path.exists() {
        return Err(Failure::Refused(format!("there is nothing to back up: {} does not exist", path.display())));
    }
    // Empty and nobody else's, since SQLite would make it readable to all; what exists is never overwritten.
    let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    drop(new.map_err(Failure::io("the backup", file))?);
    let made = copy(path, file).await;
    if made.is_err() {
        let _ = fs::remove_file(file);
    }
    made
}

async fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let text = to.to_str().ok_or_else(|| Failure::Refused("the backup's name must be UTF-8".to_owned()))?;
    let store = stores::file(from).await?;
    let made = store.execute_unprepared(&format!("VACUUM INTO '{}'", text.replace('\'', "''"))).await;
    close(store).await;
    made.map_err(unreadable(from))?;
    is_sound(to).await?;
    durable(to)
}

/// Puts a backup of the data in the place of the data, beside the keys as they are, and does what [`restored`] does. The data that
/// was there is kept beside it, under a name with the moment. Either all of it happens or nothing.
///
/// # Errors
/// When the store is PostgreSQL, when a process uses the data, when the keys are gone, and when `file` is no sound backup of this version
/// or an older one.
pub async fn restore(config: &Config, file: &Path, clock: Arc<dyn Clock>) -> Result<PathBuf, Failure> {
    let path = embedded(&config.database.store, "PostgreSQL is restored with its own tools, then `nazorg restored`")?;
    if path.exists() {
        is_unused(path).await?;
    }
    // A start without them would make new ones, which open nothing.
    if let Store::Sqlite(keys) = &config.keys.store
        && !keys.exists()
    {
        return Err(Failure::Refused(format!("{} is gone; put the keys back first", keys.display())));
    }
    let next = path.with_extension("db.restoring");
    for rest in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(beside(&next, rest));
    }
    fs::copy(file, &next).map_err(Failure::io("the backup", file))?;
    fs::set_permissions(&next, fs::Permissions::from_mode(0o600)).map_err(Failure::io("the restored data", &next))?;
    is_sound(&next).await?;
    let mut there = config.clone();
    there.database.store = Store::Sqlite(next.clone());
    let stamp = clock.wall().format("%Y%m%dT%H%M%S%3fZ");
    restored(&there, clock).await?;
    durable(&next)?;
    let replaced = path.with_extension(format!("db.replaced-{stamp}"));
    if path.exists() {
        fs::hard_link(path, &replaced).map_err(Failure::io("the replaced data", &replaced))?;
    }
    // Of a file that was damaged; SQLite would read them into the one that takes its place.
    for rest in ["-wal", "-shm"] {
        let (left, aside) = (beside(path, rest), beside(&replaced, rest));
        if left.exists() {
            fs::rename(&left, &aside).map_err(Failure::io("the replaced data", &aside))?;
        }
    }
    fs::rename(&next, path).map_err(Failure::io("the restored data", path))?;
    durable(path)?;
    Ok(replaced)
}

/// Tells the data that it was put back from a backup: what is due by now to a person or someone close is not sent, since it may have
/// been, and somebody is asked to look; the feed and the case numbers leave a gap. Nothing may be running. Answers how many
/// organisations there are.
///
/// # Errors
/// When a store does not answer, its schema is behind, or the key store does not hold the keys to this data; nothing is changed then.
pub async fn restored(config: &Config, clock: Arc<dyn Clock>) -> Result<usize, Failure> {
    let (app, stores) = opening::offline(config, clock).await?;
    let told = organisations::restored(&app).await;
    drop(app);
    stores.close().await;
    told.map_err(|error| match error {
        Error::Internal(log) => Failure::Refused(format!("the keys to this data are not in the key store: {log}")),
        other => other.into(),
    })
}

/// Wraps every data key by the present master key; the others' file may go afterwards. Answers how many were wrapped anew.
///
/// # Errors
/// When a key is wrapped by a master key that is not configured; what was wrapped until then stays so.
pub async fn rewrap(config: &Config, clock: Arc<dyn Clock>) -> Result<usize, Failure> {
    let (app, stores) = opening::offline(config, clock).await?;
    let mut all = 0;
    let done = loop {
        match app.keys.rewrap().await {
            Ok(0) => break Ok(all),
            Ok(some) => all += some,
            Err(error) => break Err(error),
        }
    };
    drop(app);
    stores.close().await;
    Ok(done?)
}

fn embedded<'a>(store: &'a Store, otherwise: &str) -> Result<&'a Path, Failure> {
    match store {
        Store::Sqlite(path) => Ok(path),
        Store::Postgres(_) => Err(Failure::Refused(otherwise.to_owned())),
    }
}

/// Leaving the write-ahead log needs the file to oneself: whoever else has it open makes it fail. A file that cannot be read as a database
/// any more is nobody's reason to stay as it is.
async fn is_unused(path: &Path) -> Result<(), Failure> {
    let alone = match stores::connect(path).await {
        Ok(store) => {
            let alone = store.execute_unprepared("PRAGMA journal_mode = DELETE").await;
            close(store).await;
            alone.map(drop)
        }
        Err(error) => Err(error),
    };
    match alone {
        Err(error) if stores::is_damaged(&error) => {
            tracing::warn!(%error, file = %path.display(), "is damaged; it is kept aside");
            Ok(())
        }
        Err(error) => Err(Failure::Refused(format!("{} is in use; stop nazorg first ({error})", path.display()))),
        Ok(()) => Ok(()),
    }
}

/// Whether every page can be read, and it is one of ours.
async fn is_sound(path: &Path) -> Result<(), Failure> {
    let store = stores::file(path).await?;
    let looked = look_into(&store).await;
    close(store).await;
    match looked.map_err(unreadable(path))?.as_deref() {
        Some("ok") => Ok(()),
        _ => Err(Failure::Refused(format!("{} is damaged", path.display()))),
    }
}

async fn look_into(store: &DatabaseConnection) -> Result<Option<String>, DbErr> {
    let statement = |sql: &str| sea_orm::Statement::from_string(store.get_database_backend(), sql.to_owned());
    store.query_one_raw(statement("SELECT version FROM seaql_migrations LIMIT 1")).await?;
    let row = store.query_one_raw(statement("PRAGMA integrity_check")).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}

fn unreadable(path: &Path) -> impl FnOnce(DbErr) -> Failure {
    let what = format!("{} is no store of nazorg, or cannot be read", path.display());
    move |error| Failure::Refused(format!("{what}: {error}"))
}

/// A file of SQLite's beside a store.
fn beside(path: &Path, rest: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(rest);
    name.into()
}

/// On the disk: the file, and its name.
fn durable(path: &Path) -> Result<(), Failure> {
    File::open(path).and_then(|file| file.sync_all()).map_err(Failure::io("cannot write", path))?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(Failure::io("cannot write", dir))
}

async fn close(store: DatabaseConnection) {
    if let Err(error) = store.close().await {
        tracing::warn!(%error, "a store did not close cleanly");
    }
}
