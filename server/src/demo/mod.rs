//! `nazorg demo`: two stories from the field on a travelling clock. The API, the worker, the database and the outbox are the real
//! ones, in a folder of their own that is left behind to look at; only the clock is moved, text messages go to a provider the
//! demonstration plays itself, and the people are invented.

mod client;
mod gateway;
mod night_shift;
mod own_words;
mod timeline;

use std::{path::PathBuf, sync::Arc};

use chrono::{DateTime, Utc};
use nazorg_domain::TravellingClock;
use serde_json::Value;

use crate::{
    Config, Failure, Parts, Start,
    cli::say,
    run::{Running, start},
};

use client::Client;
use gateway::Gateway;
use timeline::{Timeline, text};

/// 07:45 in Amsterdam on Thursday 17 December 2026: the morning after.
const BEGIN: i64 = 1_797_489_900;

/// Tells the stories.
///
/// # Errors
/// When the service does not start, or answers something else than the story expects.
pub(crate) async fn run() -> Result<(), Failure> {
    let folder = std::env::temp_dir().join(format!("nazorg-demo-{}", std::process::id()));
    let gateway = Gateway::open().await?;
    let config = config(&folder, gateway.url())?;
    let begin = DateTime::<Utc>::from_timestamp(BEGIN, 0).ok_or_else(|| Failure::internal("no beginning"))?;
    let clock = Arc::new(TravellingClock::at(begin));
    let clock_door: Arc<dyn nazorg_domain::Clock> = clock.clone();
    let mut running: Running = start(config, Start { parts: Parts::All, clock: Some(clock_door) }).await?;
    let address = running.address().ok_or_else(|| Failure::internal("the demo does not listen"))?;
    let (app, key) = {
        let ready = running.ready().await.map_err(Failure::internal)?;
        let key = ready.first_key().map(|key| key.secret.clone());
        (Arc::clone(ready.app()), key.ok_or_else(|| Failure::internal("no first key"))?)
    };
    say(format!("The night shift, over the API at http://{address}/v1, in Amsterdam's time\n"))?;
    let mut timeline = Timeline::new((app, clock), gateway, Client::new(format!("http://{address}"), key));
    let told = tell(&mut timeline).await;
    running.shutdown().await;
    told?;
    say(format!("\nEverything is in {}: the database, the keys, and the mails in outbox/.", folder.display()))
}

/// Both stories, one after the other, and what the ledger makes of them.
async fn tell(timeline: &mut Timeline) -> Result<(), Failure> {
    night_shift::tell(timeline).await?;
    own_words::tell(timeline).await?;
    balance(timeline).await
}

async fn balance(timeline: &Timeline) -> Result<(), Failure> {
    let ledger = timeline.coordinator.get("ledger").await?;
    say("\nThe ledger, replayed from everything that was said to the five trajectories:")?;
    for kind in ["followUps", "messages"] {
        let buckets = ledger[kind].as_array().cloned().unwrap_or_default();
        let told: Vec<_> =
            buckets.iter().map(|one| format!("{} {}{}", one["count"], text(one, "status"), reason(one))).collect();
        say(format!("  {kind}: {}", told.join(", ")))?;
    }
    say(format!("  unaccounted: {}", ledger["unaccounted"]))?;
    if ledger["unaccounted"] == 0 { Ok(()) } else { Err(Failure::internal("the ledger does not balance")) }
}

fn reason(bucket: &Value) -> String {
    let reason = text(bucket, "reason");
    if reason.is_empty() { reason } else { format!(" ({reason})") }
}

/// The defaults, but in a folder and on a port of its own, with nothing but errors in the log; and with a single hand, so that what is
/// handed over while it waits for the provider of text messages is seen to wait in the queue.
fn config(folder: &std::path::Path, texts_to: String) -> Result<Config, Failure> {
    let none = PathBuf::from("/dev/null");
    let settings = [
        ("NAZORG_DATA_DIR", folder.display().to_string()),
        ("NAZORG_HTTP_LISTEN", "127.0.0.1:0".to_owned()),
        ("NAZORG_METRICS_LISTEN", String::new()),
        ("NAZORG_DATABASE_DURABILITY", "normal".to_owned()),
        ("NAZORG_LOG_LEVEL", "error".to_owned()),
        ("NAZORG_WORKER_CONCURRENCY", "1".to_owned()),
        ("NAZORG_SMS_URL", texts_to),
    ];
    let config = Config::read(Some(&none), settings.map(|(name, value)| (name.to_owned(), value)))?;
    config.start_logging();
    Ok(config)
}
