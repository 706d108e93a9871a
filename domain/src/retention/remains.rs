//! What goes after the rows: the key, in a store of its own, and the events of a case. Owed by a job that is written with the
//! removal, so that a crash between the two stores leaves nothing half forgotten.

use nazorg_entities::{DataKeyId, JobKind, RemainsKind, remains};
use uuid::Uuid;

use super::rows::remains as rows;
use crate::{
    App, Context,
    database::Writing,
    error::Result,
    jobs::{self, LeasedBatch, Outcome, Owed},
};

pub(crate) use nazorg_entities::RemainsKind as Remains;

/// This is left of something whose rows go in this transaction.
pub(crate) async fn leave(
    tx: &Writing,
    cx: &Context<'_>,
    (id, kind, key): (Uuid, RemainsKind, Option<DataKeyId>),
) -> Result<()> {
    rows::insert(tx, cx, (id, kind, key)).await?;
    jobs::put(tx, cx, JobKind::Remains, &[Owed { subject: id, due_at: cx.now }]).await
}

/// Destroys the keys and drops the events that are still there; doing it twice is doing it once. Answers how many it was.
pub async fn wake(app: &App, batch: &LeasedBatch) -> Result<usize> {
    // A position must never be given twice: what is dropped has one, and something after it has a higher one.
    crate::events::number(app).await?;
    let tx = app.db.begin_batch().await?;
    let claimed = jobs::hold(&tx, app, batch).await?;
    let mut settled = Vec::new();
    let mut gone = 0;
    for job in &claimed {
        let outcome = match rows::one(&tx, job.subject).await? {
            None => Outcome::Done,
            Some(_) if !rows::numbered(&tx, job).await? => Outcome::Again(app.clock.now()),
            Some(row) => {
                finish(&tx, app, row).await?;
                gone += 1;
                Outcome::Done
            }
        };
        settled.push((job.job, outcome));
    }
    jobs::settle(&tx, app, &settled).await?;
    tx.commit(&*app.bell).await?;
    Ok(gone)
}

async fn finish(tx: &Writing, app: &App, row: remains::Model) -> Result<()> {
    let remains::Model { id, organisation_id, kind, key_id, created_at: _ } = row;
    if let Some(key) = key_id {
        app.keys.destroy(key, app.clock.wall()).await?;
    }
    if kind == RemainsKind::Case {
        rows::drop_events(tx, organisation_id, id).await?;
    }
    rows::remove(tx, id).await
}
