//! `nazorg backup`, `restore`, `restored` and `rewrap`.

use std::{path::PathBuf, sync::Arc};

use nazorg_domain::SystemClock;

use super::say;
use crate::{
    Failure,
    config::Config,
    upkeep::{self, Which},
};

pub(super) async fn backup(config: Config, which: Which, file: PathBuf) -> Result<(), Failure> {
    upkeep::backup(&config, which, &file).await?;
    say(format!("{} is whole and can be read", file.display()))
}

pub(super) async fn restore(config: Config, file: PathBuf) -> Result<(), Failure> {
    let replaced = upkeep::restore(&config, &file, Arc::new(SystemClock)).await?;
    let before = if replaced.exists() { replaced.display().to_string() } else { "nothing".to_owned() };
    say(format!("Restored. What was there before: {before}\n{NOW}"))
}

pub(super) async fn restored(config: Config) -> Result<(), Failure> {
    let organisations = upkeep::restored(&config, Arc::new(SystemClock)).await?;
    say(format!("Told to {organisations} organisations.\n{NOW}"))
}

pub(super) async fn rewrap(config: Config) -> Result<(), Failure> {
    let wrapped = upkeep::rewrap(&config, Arc::new(SystemClock)).await?;
    say(format!("{wrapped} keys were wrapped anew; every key is wrapped by the present master key"))
}

const NOW: &str = "What was due to persons and those close to them before now is not sent, since it may have been: each becomes a task.";
