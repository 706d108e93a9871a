//! A process of the service that follows the clock of a story: `nazorg-process serve|api|worker`, configured by the
//! environment as `nazorg` is, with the story's clock in the file that STORY_CLOCK names, or the system's without one.

use std::{process::ExitCode, sync::Arc};

use nazorg::{Config, Failure, Parts, Start, domain::Clock, serve};
use nazorg_tests::clock::FollowedClock;

fn main() -> ExitCode {
    nazorg::choose_tls();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("nazorg-process: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run() -> Result<(), Failure> {
    let parts = match std::env::args().nth(1).as_deref() {
        Some("serve") => Parts::All,
        Some("api") => Parts::Api,
        Some("worker") => Parts::Worker,
        _ => return Err(Failure::Refused("serve, api or worker".to_owned())),
    };
    let config = Config::read(Some("/dev/null".as_ref()), std::env::vars())?;
    config.start_logging();
    let clock = std::env::var("STORY_CLOCK")
        .ok()
        .filter(|file| !file.is_empty())
        .map(|file| Arc::new(FollowedClock::of(file)) as Arc<dyn Clock>);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::internal)?;
    runtime.block_on(serve(config, Start { parts, clock }))
}
