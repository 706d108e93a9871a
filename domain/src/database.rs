//! The data store, and the one way to begin a transaction on it.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    app::Bell,
    error::{Error, Result},
};

/// How long a write waits for its turn on SQLite before it answers 503.
const TURN: Duration = Duration::from_secs(10);

/// The data store. On SQLite writers take turns here, in order, instead of racing for the file's lock.
#[derive(Clone)]
pub struct Database {
    connection: DatabaseConnection,
    aside: DatabaseConnection,
    turns: Option<Arc<Semaphore>>,
}

impl Database {
    /// Over an open connection (`DatabaseConnection::default()` is enough to print the document).
    #[must_use]
    pub fn new(connection: DatabaseConnection) -> Self {
        let sqlite = connection.get_database_backend() == DbBackend::Sqlite;
        let aside = connection.clone();
        Self { connection, aside, turns: sqlite.then(|| Arc::new(Semaphore::new(1))) }
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

    /// Whether this is PostgreSQL.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.turns.is_none()
    }

    /// Begins a write.
    pub async fn begin(&self) -> Result<Writing> {
        let turn = match &self.turns {
            None => None,
            Some(turns) => Some(
                tokio::time::timeout(TURN, Arc::clone(turns).acquire_owned())
                    .await
                    .map_err(|_| Error::unavailable("no turn to write within ten seconds"))?
                    .map_err(Error::internal)?,
            ),
        };
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = self.connection.begin_with_options(options).await?;
        Ok(Writing { transaction, due_now: AtomicBool::new(false), _turn: turn })
    }
}

/// A transaction under way; dropped, it leaves nothing.
pub struct Writing {
    transaction: DatabaseTransaction,
    due_now: AtomicBool,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Writing {
    /// Remembers that something became due, so that the commit rings the bell.
    pub fn owes_now(&self) {
        self.due_now.store(true, Ordering::Relaxed);
    }

    /// Keeps everything, then rings the bell when something became due.
    pub async fn commit(self, bell: &dyn Bell) -> Result<()> {
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
