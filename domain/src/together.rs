//! Rows that belong to no transaction: a line of the access log for a read, a person's fresh key. Requests that write such rows at the
//! same time share one statement and one commit; each still waits until its own rows are kept before it goes on.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sea_orm::{ActiveModelTrait, ConnectionTrait, DbBackend, EntityTrait};
use tokio::sync::oneshot;

use crate::{
    app::SilentBell,
    batch,
    database::Database,
    error::{Error, Result},
};

/// Rows in one statement; a list of a hundred persons is a hundred lines.
const AT_ONCE: usize = 400;

/// What waits to be written to one table.
pub struct Together<Row> {
    waiting: Mutex<Vec<Waiting<Row>>>,
    writing: tokio::sync::Mutex<()>,
}

struct Waiting<Row> {
    rows: Vec<Row>,
    tell: oneshot::Sender<Result<(), String>>,
}

impl<Row> Default for Together<Row> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), writing: tokio::sync::Mutex::default() }
    }
}

impl<Row: ActiveModelTrait + Send> Together<Row> {
    /// Keeps these rows, together with what others want kept meanwhile: whoever gets the turn writes for all who wait.
    ///
    /// # Errors
    /// `Unavailable` when they could not be kept, or when whoever was writing them was cut off: then they may have been.
    pub(crate) async fn insert(&self, db: &Database, rows: Vec<Row>) -> Result<()> {
        let (tell, mut told) = oneshot::channel();
        self.waiting().push(Waiting { rows, tell });
        loop {
            let _turn = self.writing.lock().await;
            match told.try_recv() {
                Ok(kept) => return kept.map_err(Error::unavailable),
                Err(oneshot::error::TryRecvError::Closed) => return Err(Error::unavailable("the writer was cut off")),
                Err(oneshot::error::TryRecvError::Empty) => self.insert_some(db).await,
            }
        }
    }

    async fn insert_some(&self, db: &Database) {
        let mut all = Vec::new();
        let mut tell = Vec::new();
        {
            let mut waiting = self.waiting();
            let mut count = 0;
            let full = waiting.iter().position(|one| {
                count += one.rows.len();
                count > AT_ONCE
            });
            // One that is larger than all together goes alone.
            let until = full.map_or(waiting.len(), |place| place.max(1));
            for one in waiting.drain(..until) {
                all.extend(one.rows);
                tell.push(one.tell);
            }
        }
        let kept = insert(db, all).await.map_err(|error| error.to_string());
        for one in tell {
            // Whoever does not wait any more needs no answer.
            let _ = one.send(kept.clone());
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting<Row>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn insert<Row: ActiveModelTrait + Send>(db: &Database, rows: Vec<Row>) -> Result<()> {
    if db.is_postgres() && rows.len() <= AT_ONCE {
        // One statement is its own transaction, and reads the same for however many rows.
        db.reader().execute_raw(batch::insertion(DbBackend::Postgres, &rows, None)?).await?;
        return Ok(());
    }
    // On SQLite nobody writes out of turn: whoever does waits for the file's lock, and those before it in line are not fair to it.
    let tx = db.begin().await?;
    for chunk in rows.chunks(AT_ONCE) {
        Row::Entity::insert_many(chunk.to_vec()).exec_without_returning(&*tx).await?;
    }
    tx.commit(&SilentBell).await
}
