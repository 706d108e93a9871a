//! What is forgotten on time.

use super::Hands;
use nazorg_domain::error::Result;
use nazorg_domain::jobs::LeasedBatch;
use nazorg_domain::{incidents, retention};

/// Thirty days after the report: nothing links an incident and its support any more.
pub(crate) async fn cut_links(hands: &Hands, batch: &LeasedBatch) -> Result<()> {
    let cut = incidents::wake(&hands.app, batch).await?;
    metrics::counter!("nazorg_incidents_unlinked_total").increment(cut as u64);
    Ok(())
}

/// A closed case is kept no longer than its protocol says.
pub(crate) async fn forget_cases(hands: &Hands, batch: &LeasedBatch) -> Result<()> {
    let forgotten = retention::wake(&hands.app, batch).await?;
    metrics::counter!("nazorg_cases_forgotten_total").increment(forgotten as u64);
    Ok(())
}

/// What is left after that goes too: the key, and the events.
pub(crate) async fn finish(hands: &Hands, batch: &LeasedBatch) -> Result<()> {
    let gone = retention::wake_remains(&hands.app, batch).await?;
    metrics::counter!("nazorg_remains_gone_total").increment(gone as u64);
    Ok(())
}
