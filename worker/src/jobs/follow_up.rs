//! A follow-up's moment has come: time passes for its trajectory.

use super::Hands;
use nazorg_domain::error::Result;
use nazorg_domain::follow_ups;
use nazorg_domain::jobs::LeasedBatch;

pub(crate) async fn run(hands: &Hands, batch: &LeasedBatch) -> Result<()> {
    let woken = follow_ups::wake(&hands.app, batch).await?;
    metrics::counter!("nazorg_follow_ups_woken_total").increment(woken as u64);
    Ok(())
}
