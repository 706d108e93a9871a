//! After the data was put back from a backup: what happened since is not known any more, and may not happen twice.

use nazorg_entities::AccessAction;

use super::rows;
use crate::{
    App,
    audit::{self, Access},
    cases,
    error::Result,
    events::{self, Event, Kind},
};

/// Remembers, for every organisation, that its data is as it was some time ago. Nothing may be running; the operator's verb.
///
/// - What is due by now to a person or someone close may have been sent before: it is not sent again, and someone is asked to
///   look (`unknown`). Staff are reminded again.
/// - The feed goes on well beyond what any reader of it can have seen, with the event `organisation.restored`.
/// - Case numbers go on beyond those that may have been told to somebody.
///
/// Answers how many organisations there are. Done twice, it only leaves larger gaps.
///
/// # Errors
/// `Internal` before anything was changed, when the key store has no key that opens the data of an organisation.
pub async fn restored(app: &App) -> Result<usize> {
    let all = rows::all(app).await?;
    for (organisation, _) in &all {
        super::key(app.db.reader(), &app.worker_context(*organisation)).await?;
    }
    while events::number(app).await? > 0 {}
    for (organisation, _) in &all {
        let cx = app.worker_context(*organisation);
        let tx = app.db.begin().await?;
        rows::set_restored(&tx, &cx).await?;
        cases::skip_numbers(&tx, &cx).await?;
        let happened = Event::new(Kind::OrganisationRestored, organisation.0);
        events::leap(&tx, &cx, happened).await?;
        let access = Access::new(AccessAction::Update, "organisation.restored", "organisation", organisation.0);
        audit::record(&*tx, &cx, &[access]).await?;
        tx.commit(&*app.bell).await?;
    }
    Ok(all.len())
}
