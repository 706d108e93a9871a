//! A provider of text messages, played by the demonstration. While it takes its time the worker's only hand waits for it, and what
//! is handed over meanwhile stays in the queue.

use std::{net::SocketAddr, time::Duration};

use poem::{Endpoint, Request, Response, http::StatusCode};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{Failure, listen::Bound};

/// How long a text message may take to come. Less than a lease: what waits behind it is still in the queue then.
const PATIENCE: Duration = Duration::from_secs(20);

/// The gateway; it ends when dropped.
pub(super) struct Gateway {
    address: SocketAddr,
    door: watch::Sender<bool>,
    asked: watch::Receiver<u32>,
    _stop: DropGuard,
}

impl Gateway {
    /// Listens on a port of its own, and answers at once until told otherwise.
    pub(super) async fn open() -> Result<Self, Failure> {
        let bound = Bound::to(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let (door, open) = watch::channel(true);
        let (count, asked) = watch::channel(0);
        let (stop, address) = (CancellationToken::new(), bound.address());
        drop(bound.serve(Taken { open, count }, stop.clone(), Duration::ZERO));
        Ok(Self { address, door, asked, _stop: stop.drop_guard() })
    }

    /// Where text messages are to be posted.
    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// From now on it takes its time.
    pub(super) fn hold(&mut self) {
        self.asked.mark_unchanged();
        self.door.send_replace(false);
    }

    /// Waits until a message has come.
    pub(super) async fn has_one(&mut self) -> Result<(), Failure> {
        let come = timeout(PATIENCE, self.asked.changed()).await;
        come.map_err(|_| Failure::internal("no text message came"))?.map_err(Failure::internal)
    }

    /// Takes what came, and from now on everything at once.
    pub(super) fn release(&self) {
        self.door.send_replace(true);
    }
}

/// Takes every message, when the door is open.
struct Taken {
    open: watch::Receiver<bool>,
    count: watch::Sender<u32>,
}

impl Endpoint for Taken {
    type Output = Response;

    async fn call(&self, _: Request) -> poem::Result<Response> {
        self.count.send_modify(|count| *count += 1);
        // A door that is gone holds nobody up.
        let _ = self.open.clone().wait_for(|open| *open).await;
        Ok(StatusCode::ACCEPTED.into())
    }
}
