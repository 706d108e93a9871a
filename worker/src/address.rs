//! Where Redis is: at an address, or wherever the Sentinels say that the master is now.

use redis::sentinel::{Sentinel, SentinelNodeConnectionInfo};
use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisError, TlsMode};
use std::sync::Arc;
use url::Url;

/// The port of a Sentinel that names none.
const SENTINEL_PORT: u16 = 26_379;

/// Where Redis is; clones share it. It holds passwords and prints none.
#[derive(Clone)]
pub struct RedisAddress(Arc<Address>);

enum Address {
    /// Always the same server.
    Fixed(Client),
    /// The master of this name. Asked for at every new connection, since it may be another one by then.
    Watched { sentinels: Vec<ConnectionInfo>, master: String, reached: SentinelNodeConnectionInfo },
}

impl std::fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisAddress(***)")
    }
}

impl RedisAddress {
    /// Checks the address; connects to nothing. Without `sentinels`, `url` is the server: `redis://[user:password@]host[:port][/db]`, or
    /// `rediss://` with TLS. With them its host is the name under which they watch the master, and the rest says how to reach that.
    ///
    /// # Errors
    /// What is wrong, for people to read; never the address itself.
    pub fn parse(url: &str, sentinels: &[&str]) -> Result<Self, String> {
        let refused = |error: RedisError| error.to_string();
        if sentinels.is_empty() {
            return Ok(Self(Arc::new(Address::Fixed(Client::open(url).map_err(refused)?))));
        }
        if Url::parse(url).is_ok_and(|url| url.port().is_some()) {
            return Err(
                "names a port; beside Sentinels its host is the name of the master, and they know its port".into()
            );
        }
        let reached = url.into_connection_info().map_err(refused)?;
        let sentinels = sentinels.iter().map(|text| sentinel(text)).collect::<Result<_, _>>()?;
        let (master, tls) = match reached.addr() {
            ConnectionAddr::Tcp(host, _) => (host.clone(), None),
            ConnectionAddr::TcpTls { host, insecure, .. } => {
                (host.clone(), Some(if *insecure { TlsMode::Insecure } else { TlsMode::Secure }))
            }
            _ => return Err("does not name a master".into()),
        };
        let settings =
            SentinelNodeConnectionInfo::default().set_redis_connection_info(reached.redis_settings().clone());
        let reached = tls.into_iter().fold(settings, SentinelNodeConnectionInfo::set_tls_mode);
        Ok(Self(Arc::new(Address::Watched { sentinels, master, reached })))
    }

    /// A client of the server, or of the one that the Sentinels call master now and that says so itself.
    pub(crate) async fn client(&self) -> Result<Client, RedisError> {
        match &*self.0 {
            Address::Fixed(client) => Ok(client.clone()),
            Address::Watched { sentinels, master, reached } => {
                Sentinel::build(sentinels.clone())?.async_master_for(master, Some(reached)).await
            }
        }
    }
}

/// `host`, `host:port`, or a URL where one needs a password or TLS.
fn sentinel(text: &str) -> Result<ConnectionInfo, String> {
    let no_sentinel =
        || "of a Sentinel must be host, host:port or a URL that starts with redis:// or rediss://".to_owned();
    let full = if text.contains("://") { text.to_owned() } else { format!("redis://{text}") };
    let mut url = Url::parse(&full).map_err(|_| no_sentinel())?;
    if !["redis", "rediss"].contains(&url.scheme()) || !url.path().trim_matches('/').is_empty() {
        return Err(no_sentinel());
    }
    if url.port().is_none() {
        url.set_port(Some(SENTINEL_PORT)).map_err(|()| no_sentinel())?;
    }
    url.into_connection_info().map_err(|_| no_sentinel())
}

#[cfg(test)]
mod tests;
