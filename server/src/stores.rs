//! The data store and the key store: opened, waited for, migrated.

use std::{os::unix::fs::OpenOptionsExt, path::Path, time::Duration};

use nazorg_migrations::{KeyStoreMigrator, Migrator, MigratorTrait};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, RuntimeErr, TransactionTrait,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use tokio::time::{sleep, timeout};

use crate::{
    Failure,
    config::{Config, Durability, Store},
};

/// A pooled connection that was idle for longer is pinged before it is used: a restart cut it off unseen.
const PING_WHEN_IDLE: Duration = Duration::from_secs(5);
/// How long a statement waits for what another transaction holds: a request repeated while it is under way learns so after that.
const LOCK_TIMEOUT: &str = "5s";
/// One process at a time brings a database up to date, and the others wait for as long as it takes.
const WAIT_FOR_TURN: &str =
    "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(7239841207)";
/// Statements a connection keeps prepared: a batch's have as many forms as it may have rows.
const STATEMENTS: usize = 500;
/// How long one look at a database may take before it counts as away.
const LOOK: Duration = Duration::from_secs(2);

/// Both databases, connected or still trying.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) data: DatabaseConnection,
    /// Beside the data's own pool: for what a transaction under way needs done outside itself.
    pub(crate) aside: DatabaseConnection,
    pub(crate) keys: DatabaseConnection,
}

struct Pool {
    max_connections: u32,
    acquire_timeout: Duration,
    statement_timeout: Duration,
    durability: Durability,
    /// Nothing that was overwritten may be read back from the file.
    forgets: bool,
    plans: Plans,
}

const BY_INDEX: [(&str, &str); 4] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
];

/// How PostgreSQL plans statements that are run again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plans {
    /// Once, after a few times: for requests, whose statements are small and many.
    Kept,
    /// Once, by way of the indexes and of nothing else: for batches, which look up rows by their ids. A plan made while a table was small
    /// would read all of it for every batch once it has grown, and a new plan for each batch costs a quarter of the database's time.
    ByIndex,
}

impl Stores {
    /// Opens both. PostgreSQL is connected to when it is first needed, so that being away is not an error here.
    pub(crate) async fn open(config: &Config, plans: Plans) -> Result<Self, Failure> {
        let data = Pool {
            max_connections: config.database.max_connections,
            acquire_timeout: config.database.acquire_timeout,
            statement_timeout: config.database.statement_timeout,
            durability: config.database.durability,
            forgets: false,
            plans,
        };
        let keys = Pool { max_connections: config.keys.max_connections, forgets: true, ..data };
        let few = Pool { max_connections: 1, ..data };
        let store = &config.database.store;
        let data = open(store, &data).await?;
        let aside = match store {
            Store::Postgres(_) => open(store, &few).await?,
            Store::Sqlite(_) => data.clone(),
        };
        Ok(Self { data, aside, keys: open(&config.keys.store, &keys).await? })
    }

    /// Waits until both answer; says so every few seconds while they do not.
    pub(crate) async fn wait(&self) {
        for (name, store) in [("database", &self.data), ("key store", &self.keys)] {
            let mut pause = Duration::from_millis(100);
            while let Err(error) = look(store).await {
                tracing::warn!(store = name, error, "does not answer; trying again");
                sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
        }
    }

    /// One attempt, for commands that somebody waits for.
    pub(crate) async fn must_answer(&self) -> Result<(), Failure> {
        for store in [&self.data, &self.keys] {
            look(store).await.map_err(Failure::Database)?;
        }
        Ok(())
    }

    /// Brings both schemas up to date; the names of what was applied.
    pub(crate) async fn migrate(&self) -> Result<Vec<String>, Failure> {
        let behind = self.behind().await?;
        if !behind.is_empty() {
            up::<KeyStoreMigrator>(&self.keys).await.map_err(schema)?;
            up::<Migrator>(&self.data).await.map_err(schema)?;
        }
        Ok(behind)
    }

    /// The migrations that still have to be applied.
    pub(crate) async fn behind(&self) -> Result<Vec<String>, Failure> {
        let keys = KeyStoreMigrator::get_pending_migrations_read_only(&self.keys).await.map_err(schema)?;
        let data = Migrator::get_pending_migrations_read_only(&self.data).await.map_err(schema)?;
        Ok(keys.iter().chain(&data).map(|migration| migration.name().to_owned()).collect())
    }

    /// Closes both; SQLite folds its write-ahead log into the file.
    pub(crate) async fn close(self) {
        for store in [self.data, self.aside, self.keys] {
            if let Err(error) = store.close().await {
                tracing::warn!(%error, "a store did not close cleanly");
            }
        }
    }
}

/// Whether a store answers at all, within [`LOOK`]; the reason is for the log.
pub(crate) async fn look(store: &DatabaseConnection) -> Result<(), String> {
    match timeout(LOOK, store.execute_unprepared("SELECT 1")).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer within two seconds".to_owned()),
    }
}

/// All of it or nothing, and one process at a time: a second one waits and then finds nothing left to do.
async fn up<M: MigratorTrait>(store: &DatabaseConnection) -> Result<(), DbErr> {
    let all = store.begin().await?;
    if all.get_database_backend() == DbBackend::Postgres {
        all.execute_unprepared(WAIT_FOR_TURN).await?;
    }
    M::up(&all, None).await?;
    all.commit().await
}

fn schema(error: DbErr) -> Failure {
    match error {
        DbErr::Custom(text) => Failure::Schema(format!("the schema is not of this version of nazorg: {text}")),
        DbErr::Conn(_) | DbErr::ConnectionAcquire(_) => Failure::Database(error.to_string()),
        other => Failure::Schema(format!("the schema could not be brought up to date: {other}")),
    }
}

async fn open(store: &Store, pool: &Pool) -> Result<DatabaseConnection, Failure> {
    let options = match store {
        Store::Sqlite(path) => sqlite(path, pool)?,
        Store::Postgres(url) => postgres(url.expose(), pool),
    };
    Database::connect(options).await.map_err(|error| Failure::Database(error.to_string()))
}

fn common(url: String, pool: &Pool) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(pool.max_connections).acquire_timeout(pool.acquire_timeout);
    // Statements carry ids and sealed values only, but a log line is the wrong place even for those.
    options.sqlx_logging(false).record_stmt_in_spans(false);
    options.test_before_acquire_if_idle_for(PING_WHEN_IDLE);
    options
}

fn postgres(url: &str, pool: &Pool) -> ConnectOptions {
    let mut options = common(url.replacen("postgresql://", "postgres://", 1), pool);
    let (idle, plans) = ((pool.statement_timeout * 2).as_millis().to_string(), pool.plans);
    options.connect_lazy(true).set_application_name("nazorg").statement_timeout(pool.statement_timeout);
    // A transaction whose process hangs must not hold its locks for ever.
    options.map_sqlx_postgres_opts(move |found| {
        let found = found.statement_cache_capacity(STATEMENTS);
        let waits = ("idle_in_transaction_session_timeout", idle.as_str());
        let found = found.options([waits, ("lock_timeout", LOCK_TIMEOUT), ("timezone", "UTC")]);
        if plans == Plans::ByIndex { found.options(BY_INDEX) } else { found }
    });
    options
}

/// WAL lets readers go on while one writes. `synchronous = FULL` is what makes an acknowledged commit survive a power
/// cut in WAL; `NORMAL` only survives a killed process, and nothing promised may be lost (DESIGN 1.1). The key store
/// keeps no write-ahead log and overwrites what it deletes: a destroyed key must not be found in the file.
fn sqlite(path: &Path, pool: &Pool) -> Result<ConnectOptions, Failure> {
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        make_private(dir)?;
    }
    let mine = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    mine.map_err(Failure::io("a database file", path))?;
    let mut options = common("sqlite://".to_owned(), pool);
    let (path, busy, forgets) = (path.to_owned(), pool.statement_timeout, pool.forgets);
    let synchronous = match pool.durability {
        Durability::Full => SqliteSynchronous::Full,
        Durability::Normal => SqliteSynchronous::Normal,
    };
    options.map_sqlx_sqlite_opts(move |found| {
        let found = found.filename(&path).create_if_missing(true).foreign_keys(true).busy_timeout(busy);
        let found = found.synchronous(synchronous);
        if forgets {
            return found.journal_mode(SqliteJournalMode::Truncate).pragma("secure_delete", "ON");
        }
        found.journal_mode(SqliteJournalMode::Wal)
    });
    Ok(options)
}

/// One connection to a SQLite file that exists, as it is: its journal is left as it stands.
pub(crate) async fn file(path: &Path) -> Result<DatabaseConnection, Failure> {
    connect(path).await.map_err(|error| Failure::Database(error.to_string()))
}

/// The same, with what is wrong with it.
pub(crate) async fn connect(path: &Path) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new("sqlite://");
    options.max_connections(1).sqlx_logging(false);
    let path = path.to_owned();
    options.map_sqlx_sqlite_opts(move |found| {
        found.filename(&path).create_if_missing(false).busy_timeout(Duration::from_millis(200))
    });
    Database::connect(options).await
}

/// Whether SQLite says that a file is corrupt (11) or no database (26); extended codes end in them.
pub(crate) fn is_damaged(error: &DbErr) -> bool {
    let (DbErr::Conn(found) | DbErr::Exec(found) | DbErr::Query(found)) = error else {
        return false;
    };
    let RuntimeErr::SqlxError(error) = found else {
        return false;
    };
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 11 | 26))
}

/// Makes a folder that only its owner may enter, unless it is there already.
pub(crate) fn make_private(dir: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(Failure::io("the data folder", dir))
}
