//! `serve`, `api` and `worker`: until a signal says stop.

use std::net::SocketAddr;

use tokio::signal::unix::{SignalKind, signal};

use super::say;
use crate::{Failure, FirstKey, Start, config::Config, start};

/// Runs the parts until SIGTERM or SIGINT, then ends in an orderly way; a second signal ends at once.
///
/// # Errors
/// When they cannot start: a port that is taken, a schema that is behind, a master key that is gone.
pub async fn serve(config: Config, options: Start) -> Result<(), Failure> {
    let parts = options.parts;
    let public_url = config.http.public_url.clone();
    let embedded = config.embedded();
    let mut stop = Stop::listen()?;
    let mut running = start(config, options).await?;
    let address = running.address();
    if let Some(address) = address {
        tracing::info!(%address, "listening");
    }
    let opened = tokio::select! {
        () = stop.asked() => None,
        ready = running.ready() => Some(ready),
    };
    match opened {
        None => {}
        Some(Err(failure)) => {
            running.shutdown().await;
            return Err(Failure::Refused(failure.to_string()));
        }
        Some(Ok(ready)) => {
            tracing::info!(?parts, "ready");
            if let (Some(address), true) = (address, embedded) {
                say(banner(&public_url.unwrap_or_else(|| local(address)), ready.first_key()))?;
            }
            stop.asked().await;
        }
    }
    tracing::info!("stopping; what is under way may finish");
    tokio::select! {
        () = running.shutdown() => tracing::info!("stopped"),
        () = stop.asked() => tracing::warn!("stopped at once, as asked twice"),
    }
    Ok(())
}

struct Stop {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|source| Failure::Io { what: "signals".to_owned(), source });
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The address a person on this machine can follow.
fn local(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

fn banner(url: &str, first_key: Option<&FirstKey>) -> String {
    let mut text =
        format!("\nnazorg is ready at {url}\n  documentation  {url}/docs\n  document       {url}/v1/openapi.json\n");
    if let Some(FirstKey { organisation, secret }) = first_key {
        text.push_str(&format!(
            "\nThis is the first start: organisation {organisation} was made, with an administrator key.\n\
             The key is shown this once and stored nowhere:\n\n  {secret}\n\n\
             Try it:\n\n  curl -H 'Authorization: Bearer {secret}' {url}/v1/organisation\n",
        ));
    }
    text
}

#[cfg(test)]
mod tests;
