//! The data store, and the one way to begin a transaction on it.

use std::{
    ops::Deref,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use nazorg_entities::events;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, IsolationLevel, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait,
};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use crate::{
    app::Bell,
    batch,
    error::{Error, Result},
};

/// How long a write waits for its turn on SQLite before it answers 503.
const TURN: Duration = Duration::from_secs(10);

/// How many values one statement binds at most; PostgreSQL takes 65,535.
const MOST_BOUND: usize = 30_000;

/// The data store. On SQLite writers take turns here, in order, instead of racing for the file's lock.
#[derive(Clone)]
pub struct Database {
    connection: DatabaseConnection,
    aside: DatabaseConnection,
    turns: Option<Turns>,
}

/// One writes at a time; of the batches, one waits for that at a time, so that a request waits for the batch under way and no other.
#[derive(Clone)]
struct Turns {
    all: Arc<Semaphore>,
    batches: Arc<Semaphore>,
}

impl Turns {
    fn new() -> Self {
        Self { all: Arc::new(Semaphore::new(1)), batches: Arc::new(Semaphore::new(1)) }
    }

    async fn wait(&self, batch: bool) -> Result<Turn> {
        let waits = async {
            let batches = if batch { Some(Arc::clone(&self.batches).acquire_owned().await?) } else { None };
            Ok(Turn(Arc::clone(&self.all).acquire_owned().await?, batches))
        };
        let turn: std::result::Result<Turn, AcquireError> = tokio::time::timeout(TURN, waits)
            .await
            .map_err(|_| Error::unavailable("no turn to write within ten seconds"))?;
        turn.map_err(Error::internal)
    }
}

/// The turn to write; given back when dropped.
struct Turn(
    #[expect(dead_code, reason = "held")] OwnedSemaphorePermit,
    #[expect(dead_code, reason = "held")] Option<OwnedSemaphorePermit>,
);

impl Database {
    /// Over an open connection (`DatabaseConnection::default()` is enough to print the document).
    #[must_use]
    pub fn new(connection: DatabaseConnection) -> Self {
        let sqlite = connection.get_database_backend() == DbBackend::Sqlite;
        let aside = connection.clone();
        Self { connection, aside, turns: sqlite.then(Turns::new) }
    }

    /// With connections of their own for what is done aside ([`Self::aside`]).
    #[must_use]
    pub fn with_aside(mut self, aside: DatabaseConnection) -> Self {
        self.aside = aside;
        self
    }

    /// For the rare statement beside a transaction that is under way. Were it sent over [`Self::reader`], every connection could be
    /// held by a transaction that waits for one more.
    #[must_use]
    pub fn aside(&self) -> &DatabaseConnection {
        &self.aside
    }

    /// For reading.
    #[must_use]
    pub fn reader(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Whether it answers at all.
    pub async fn answers(&self) -> Result<()> {
        self.connection.execute_unprepared("SELECT 1").await?;
        Ok(())
    }

    /// Whether this is PostgreSQL.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.turns.is_none()
    }

    /// For reading several things as they stand at one moment: what happens meanwhile is seen wholly or not at all.
    pub async fn snapshot(&self) -> Result<DatabaseTransaction> {
        let level = self.is_postgres().then_some(IsolationLevel::RepeatableRead);
        Ok(self.connection.begin_with_config(level, None).await?)
    }

    /// Begins a write.
    pub async fn begin(&self) -> Result<Writing> {
        self.begin_as(false).await
    }

    /// Begins a write of many things at once, which nobody waits for: on SQLite requests go before it.
    pub async fn begin_batch(&self) -> Result<Writing> {
        self.begin_as(true).await
    }

    async fn begin_as(&self, batch: bool) -> Result<Writing> {
        let turn = match &self.turns {
            None => None,
            Some(turns) => Some(turns.wait(batch).await?),
        };
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = self.connection.begin_with_options(options).await?;
        let (due_now, happened, gathered) = (AtomicBool::new(false), Mutex::default(), Mutex::default());
        Ok(Writing { transaction, due_now, happened, gathered, _turn: turn })
    }
}

/// What a transaction has to tell, and whether it is numbered with the change.
#[derive(Default)]
struct Happened {
    events: Vec<events::ActiveModel>,
    numbered: bool,
}

/// A transaction under way; dropped, it leaves nothing.
pub struct Writing {
    transaction: DatabaseTransaction,
    due_now: AtomicBool,
    happened: Mutex<Happened>,
    gathered: Mutex<Option<Vec<Statement>>>,
    _turn: Option<Turn>,
}

impl Writing {
    /// Remembers that something became due, so that the commit rings the bell.
    pub fn owes_now(&self) {
        self.due_now.store(true, Ordering::Relaxed);
    }

    /// What happened by this transaction; written by its commit, last of all, since whoever numbers events makes others wait.
    /// `numbered`: with their numbers, for a batch that may hold that turn.
    pub(crate) fn tells(&self, events: impl IntoIterator<Item = events::ActiveModel>, numbered: bool) {
        let mut happened = self.happened.lock().unwrap_or_else(PoisonError::into_inner);
        happened.events.extend(events);
        happened.numbered |= numbered;
    }

    /// From here on, what is written by [`Self::write`] goes out in one statement, at the commit at the latest: on PostgreSQL each
    /// statement is a journey. Nothing after this may read what it writes without a [`Self::flush`] before.
    pub(crate) fn gather(&self) {
        if self.get_database_backend() == DbBackend::Postgres {
            self.gathered.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
        }
    }

    /// Writes, now or with what is gathered.
    pub(crate) async fn write(&self, statement: Statement) -> Result<()> {
        let bound = |one: &Statement| one.values.as_ref().map_or(0, |values| values.0.len());
        let full = match &mut *self.gathered.lock().unwrap_or_else(PoisonError::into_inner) {
            None => None,
            Some(gathered)
                if gathered.is_empty()
                    || gathered.iter().map(bound).sum::<usize>() + bound(&statement) <= MOST_BOUND =>
            {
                gathered.push(statement);
                return Ok(());
            }
            // What is gathered goes out; what comes after it is gathered anew.
            Some(gathered) => batch::together(std::mem::replace(gathered, vec![statement.clone()])),
        };
        if let Some(full) = full {
            self.transaction.execute_raw(full).await?;
            return Ok(());
        }
        self.transaction.execute_raw(statement).await?;
        Ok(())
    }

    /// Writes what was gathered, and gathers no more.
    pub(crate) async fn flush(&self) -> Result<()> {
        let gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(statement) = gathered.and_then(batch::together) {
            self.transaction.execute_raw(statement).await?;
        }
        Ok(())
    }

    /// Keeps everything, then rings the bell when something became due.
    pub async fn commit(self, bell: &dyn Bell) -> Result<()> {
        let happened = std::mem::take(&mut *self.happened.lock().unwrap_or_else(PoisonError::into_inner));
        // Writers on SQLite take turns anyway.
        let numbered = happened.numbered || self.get_database_backend() == DbBackend::Sqlite;
        crate::events::write(&self, happened.events, numbered).await?;
        self.flush().await?;
        self.transaction.commit().await?;
        if self.due_now.into_inner() {
            bell.ring();
        }
        Ok(())
    }
}

impl Deref for Writing {
    type Target = DatabaseTransaction;
    fn deref(&self) -> &DatabaseTransaction {
        &self.transaction
    }
}

/// A verb's transaction: its own, or the outer one of an idempotent request, whose commit waits for the answer.
pub enum Tx<'a> {
    /// The verb's own.
    Own(Writing, &'a dyn Bell),
    /// The request's; committed with the stored answer.
    Outer(&'a Writing),
}

impl Tx<'_> {
    /// The verb's last line.
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Own(writing, bell) => writing.commit(bell).await,
            Self::Outer(_) => Ok(()),
        }
    }
}

impl Deref for Tx<'_> {
    type Target = Writing;
    fn deref(&self) -> &Writing {
        match self {
            Self::Own(writing, _) => writing,
            Self::Outer(writing) => writing,
        }
    }
}
