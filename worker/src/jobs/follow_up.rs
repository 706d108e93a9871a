//! A follow-up's moment has come: time passes for its trajectory, and what it announces for now is sent at once.

use super::Hands;
use nazorg_domain::error::Result;
use nazorg_domain::follow_ups;
use nazorg_domain::jobs::LeasedBatch;
use nazorg_domain::messages::{self, ToSend};

/// Answers what is to be sent now.
pub(crate) async fn run(hands: &Hands, batch: &LeasedBatch) -> Result<Vec<ToSend>> {
    let (woken, sends) = messages::wake_and_take(&hands.app, batch).await?;
    counted(woken);
    Ok(sends)
}

/// Time passes; what is announced goes through the queue and fails there by itself, if it does.
pub(crate) async fn run_apart(hands: &Hands, batch: &LeasedBatch) -> Result<()> {
    counted(follow_ups::wake(&hands.app, batch).await?);
    Ok(())
}

fn counted(woken: usize) {
    metrics::counter!("nazorg_follow_ups_woken_total").increment(woken as u64);
}
