//! The command line of `nazorg`.

mod keys;
mod protocol;
mod serve;
mod upkeep;

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

pub use serve::serve;

use crate::{Failure, Parts, Start, config::Config, opening, upkeep::Which};

/// Aftercare back end: keeps every promised contact. Without a command it serves.
#[derive(Debug, Parser)]
#[command(name = "nazorg", version, about)]
struct Cli {
    /// A configuration file instead of nazorg.toml; the manual of all keys is config.default.toml.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run API and worker in one process (the default).
    Serve,
    /// Run the API alone; workers run elsewhere.
    Api,
    /// Run a worker alone, as many as wanted.
    Worker,
    /// Bring the schemas of the database and the key store up to date.
    Migrate,
    /// Copy a store of the embedded set-up into a new file, while it runs.
    Backup {
        /// The data or the keys; never keep them together.
        which: Which,
        /// The file to make.
        file: PathBuf,
    },
    /// Put a backup of the data in the place of the data (embedded); nothing may be running.
    Restore {
        /// The file that `backup data` made.
        file: PathBuf,
    },
    /// Tell the data that it was put back from a backup by other means (PostgreSQL); nothing may be running.
    Restored,
    /// Wrap every data key by the present master key, after it was changed.
    Rewrap,
    /// Print the published OpenAPI document; needs no database.
    Openapi,
    /// Two stories from the field on a travelling clock, over the real API, worker and outbox.
    Demo,
    /// Organisations and their API keys.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Check and preview a timeline definition; needs no database.
    #[command(subcommand)]
    Protocol(protocol::Command),
}

/// Runs the command line and tells how it ended: 0 well, 2 a configuration or command line that cannot be, 1 the rest.
pub fn main() -> ExitCode {
    crate::choose_tls();
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("nazorg: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let config = cli.config;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => block_on(serve::serve(read(config)?, Start { parts: Parts::All, clock: None })),
        Command::Api => block_on(serve::serve(read(config)?, Start { parts: Parts::Api, clock: None })),
        Command::Worker => block_on(serve::serve(read(config)?, Start { parts: Parts::Worker, clock: None })),
        Command::Demo => block_on(crate::demo::run()),
        Command::Openapi => say(nazorg_openapi::document()),
        Command::Migrate => block_on(migrate(read(config)?)),
        Command::Backup { which, file } => block_on(upkeep::backup(read(config)?, which, file)),
        Command::Restore { file } => block_on(upkeep::restore(read(config)?, file)),
        Command::Restored => block_on(upkeep::restored(read(config)?)),
        Command::Rewrap => block_on(upkeep::rewrap(read(config)?)),
        Command::Protocol(command) => protocol::run(command),
        Command::Keys(command) => block_on(keys::run(read(config)?, command)),
    }
}

fn read(file: Option<PathBuf>) -> Result<Config, Failure> {
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let config = Config::read(file.as_deref(), environment)?;
    config.start_logging();
    Ok(config)
}

fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(Failure::internal)?.block_on(work)
}

async fn migrate(config: Config) -> Result<(), Failure> {
    let applied = opening::migrate(&config).await?;
    if applied.is_empty() {
        return say("The schemas were up to date.");
    }
    say(format!("Applied: {}", applied.join(", ")))
}

/// Prints to standard output; a reader that has enough (`| head`) is no error.
pub(crate) fn say(text: impl AsRef<str>) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", text.as_ref().trim_end()).and_then(|()| out.flush()) {
        Err(source) if source.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Io { what: "cannot print".to_owned(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
