//! Lines of the access log that belong to no transaction: those of reads. Requests that read at the same time share one write and one
//! commit; each still waits until its own lines are kept before it answers.

use std::sync::{Mutex, PoisonError};

use nazorg_entities::access_events;
use sea_orm::EntityTrait;
use tokio::sync::oneshot;

use crate::{
    App,
    error::{Error, Result},
};

/// Lines in one write; a list of a hundred persons is a hundred of them.
const AT_ONCE: usize = 400;

type Line = access_events::ActiveModel;

/// What waits to be written.
#[derive(Default)]
pub struct Journal {
    waiting: Mutex<Vec<Waiting>>,
    writing: tokio::sync::Mutex<()>,
}

struct Waiting {
    lines: Vec<Line>,
    tell: oneshot::Sender<Result<(), String>>,
}

impl Journal {
    /// Keeps these lines, together with what others want kept meanwhile: whoever gets the turn writes for all who wait.
    ///
    /// # Errors
    /// `Unavailable` when they could not be kept, or when whoever was writing them was cut off: then they may have been.
    pub(super) async fn keep(&self, app: &App, lines: Vec<Line>) -> Result<()> {
        let (tell, mut told) = oneshot::channel();
        self.waiting().push(Waiting { lines, tell });
        loop {
            let _turn = self.writing.lock().await;
            match told.try_recv() {
                Ok(kept) => return kept.map_err(Error::unavailable),
                Err(oneshot::error::TryRecvError::Closed) => return Err(Error::unavailable("the writer was cut off")),
                Err(oneshot::error::TryRecvError::Empty) => self.write_some(app).await,
            }
        }
    }

    async fn write_some(&self, app: &App) {
        let mut all = Vec::new();
        let mut tell = Vec::new();
        {
            let mut waiting = self.waiting();
            let mut count = 0;
            let full = waiting.iter().position(|one| {
                count += one.lines.len();
                count > AT_ONCE
            });
            // One that is larger than all together goes alone.
            let until = full.map_or(waiting.len(), |place| place.max(1));
            for one in waiting.drain(..until) {
                all.extend(one.lines);
                tell.push(one.tell);
            }
        }
        let kept = write(app, all).await.map_err(|error| error.to_string());
        for one in tell {
            // Whoever does not wait any more needs no answer.
            let _ = one.send(kept.clone());
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write(app: &App, lines: Vec<Line>) -> Result<()> {
    if lines.len() <= AT_ONCE {
        // One statement is its own transaction.
        access_events::Entity::insert_many(lines).exec_without_returning(app.db.reader()).await?;
        return Ok(());
    }
    let tx = app.db.begin().await?;
    for chunk in lines.chunks(AT_ONCE) {
        access_events::Entity::insert_many(chunk.to_vec()).exec_without_returning(&*tx).await?;
    }
    tx.commit(&crate::app::SilentBell).await
}
