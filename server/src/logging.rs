//! Log lines: text or JSON, ids and codes only.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::config::{Log, LogFormat};

/// Libraries that would tell of every statement, frame or table.
const QUIET: &str = "sqlx=warn,sea_orm_migration=warn,hyper=warn,h2=warn,poem=warn";

/// Sends log lines to standard error from here on; a second call in one process changes nothing.
pub(crate) fn start(log: &Log) {
    let filter = EnvFilter::builder().parse_lossy(format!("{QUIET},{}", log.level));
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let registry = tracing_subscriber::registry().with(filter);
    let started = match log.format {
        LogFormat::Text => registry.with(lines.compact().with_target(false)).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true).with_span_list(false)).try_init(),
    };
    if let Err(error) = started {
        tracing::debug!(%error, "another program that embeds this one keeps its own log");
    }
}
