//! What is forgotten on time.

use super::Hands;
use nazorg_domain::error::Result;
use nazorg_domain::incidents;
use nazorg_domain::jobs::LeasedBatch;

/// Thirty days after the report: nothing links an incident and its support any more.
pub(crate) async fn cut_links(hands: &Hands, batch: &LeasedBatch) -> Result<()> {
    let cut = incidents::wake(&hands.app, batch).await?;
    metrics::counter!("nazorg_incidents_unlinked_total").increment(cut as u64);
    Ok(())
}
