//! One listener: bound at once, served until told to stop.

use std::{io, net::SocketAddr, time::Duration};

use poem::{
    Endpoint, Server,
    http::uri::Scheme,
    listener::{Acceptor, Listener, TcpAcceptor, TcpListener},
    web::{LocalAddr, RemoteAddr},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::Failure;

/// A connection on which nothing happened for so long is closed; proxies keep theirs for a minute.
const IDLE: Duration = Duration::from_secs(75);

/// A bound port that does not answer yet.
pub(crate) struct Bound {
    acceptor: TcpAcceptor,
    address: SocketAddr,
}

impl Bound {
    /// Takes the port, so that a port in use is an error of the start.
    pub(crate) async fn to(address: SocketAddr) -> Result<Self, Failure> {
        let failed = |source| Failure::Io { what: format!("cannot listen on {address}"), source };
        let acceptor = TcpListener::bind(address).into_acceptor().await.map_err(failed)?;
        let bound = acceptor.local_addr().first().and_then(|found| found.0.as_socket_addr().copied());
        Ok(Self { acceptor, address: bound.unwrap_or(address) })
    }

    /// The address, with the port that was free when 0 was asked for.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop`; what is under way then may take `patience`.
    pub(crate) fn serve<E>(self, endpoint: E, stop: CancellationToken, patience: Duration) -> JoinHandle<()>
    where
        E: Endpoint + 'static,
    {
        let server = Server::new_with_acceptor(Prompt(self.acceptor)).idle_timeout(IDLE);
        tokio::spawn(async move {
            let served = server.run_with_graceful_shutdown(endpoint, stop.cancelled_owned(), Some(patience)).await;
            if let Err(error) = served {
                tracing::error!(%error, "the listener ended");
            }
        })
    }
}

/// Sends every answer at once: an answer of more than one packet would otherwise wait for the peer's delayed
/// acknowledgement, 40 ms of nothing.
struct Prompt(TcpAcceptor);

impl Acceptor for Prompt {
    type Io = <TcpAcceptor as Acceptor>::Io;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.0.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        let accepted = self.0.accept().await?;
        accepted.0.set_nodelay(true)?;
        Ok(accepted)
    }
}
