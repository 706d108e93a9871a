//! How often one may ask: per client, and stricter per address for strangers and for credentials that fail.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use governor::{
    Quota as Rate, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};
use nazorg_domain::Caller;
use poem::{
    Addr, Request,
    http::{HeaderMap, HeaderName, HeaderValue},
};
use uuid::Uuid;

use crate::{
    Settings,
    problem::{Answer, Code, Problem},
};

type Keyed<K> = RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// The window of every quota.
const WINDOW: Duration = Duration::from_secs(60);

/// Requests between two clean-ups of what is no longer limited.
const SWEEP: u32 = 10_000;

/// The quotas and what is used of them, in this process.
pub(crate) struct Limits {
    clients: Keyed<Uuid>,
    strangers: Keyed<IpAddr>,
    failures: Keyed<IpAddr>,
    per_client: NonZeroU32,
    per_address: NonZeroU32,
    proxies: usize,
    since_sweep: AtomicU32,
}

/// What is left for whoever asked, for the headers of the answer.
pub(crate) struct Quota {
    most: NonZeroU32,
    left: u32,
}

impl Limits {
    /// Nothing used yet.
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            clients: keyed(settings.requests_per_minute),
            strangers: keyed(settings.requests_per_minute),
            failures: keyed(settings.failed_authentications_per_minute),
            per_client: settings.requests_per_minute,
            per_address: settings.failed_authentications_per_minute,
            proxies: settings.proxies,
            since_sweep: AtomicU32::new(0),
        }
    }

    /// Counts a request of a client that is known.
    pub(crate) fn client(&self, caller: &Caller) -> Answer<Quota> {
        self.sweep();
        let client = caller.key().map_or(Uuid::nil(), |key| key.0);
        take(&self.clients, &client, self.per_client)
    }

    /// Counts a request that needs no credential.
    pub(crate) fn stranger(&self, address: IpAddr) -> Answer<Quota> {
        self.sweep();
        take(&self.strangers, &address, self.per_client)
    }

    /// Counts a credential that failed: the 401 itself, or 429 for an address that fails too often. A valid key from
    /// the same address still works, since a whole hospital may stand behind one.
    pub(crate) fn failed(&self, address: IpAddr, refusal: Problem) -> Problem {
        self.sweep();
        take(&self.failures, &address, self.per_address).err().unwrap_or(refusal)
    }

    /// Where a request comes from: the peer, or behind proxies that are trusted the entry that the outermost of them
    /// added to `X-Forwarded-For`. IPv6 counts per /64, which is what one subscriber has.
    pub(crate) fn address(&self, request: &Request) -> IpAddr {
        let peer = match &request.remote_addr().0 {
            Addr::SocketAddr(address) => address.ip(),
            _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        };
        let forwarded = || {
            let lists = request.headers().get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
            let hops: Vec<&str> = lists.flat_map(|list| list.split(',')).map(str::trim).collect();
            hops.len().checked_sub(self.proxies).and_then(|at| hops.get(at)).and_then(|hop| hop.parse().ok())
        };
        let address = if self.proxies > 0 { forwarded().unwrap_or(peer) } else { peer };
        match address {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 => v4,
        }
    }

    fn sweep(&self) {
        if self.since_sweep.fetch_add(1, Ordering::Relaxed) == SWEEP {
            self.since_sweep.store(0, Ordering::Relaxed);
            self.clients.retain_recent();
            self.strangers.retain_recent();
            self.failures.retain_recent();
        }
    }
}

impl Quota {
    /// Puts `RateLimit` and `RateLimit-Policy` on an answer (draft-ietf-httpapi-ratelimit-headers, structured fields).
    pub(crate) fn on(&self, headers: &mut HeaderMap) {
        for (name, value) in self.headers() {
            headers.insert(name, value);
        }
    }

    /// The same for an answer that became a problem.
    pub(crate) fn on_problem(&self, mut problem: Problem) -> Problem {
        problem.headers.extend(self.headers());
        problem
    }

    fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> + use<> {
        let window = WINDOW.as_secs();
        let used = self.most.get() - self.left.min(self.most.get());
        let wait = (u64::from(used) * window).div_ceil(u64::from(self.most.get()));
        let values = [
            (HeaderName::from_static("ratelimit"), format!("\"default\";r={};t={wait}", self.left)),
            (HeaderName::from_static("ratelimit-policy"), format!("\"default\";q={};w={window}", self.most)),
        ];
        values.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::from_str(&value).ok()?)))
    }
}

fn keyed<K: std::hash::Hash + Eq + Clone>(per_minute: NonZeroU32) -> Keyed<K> {
    RateLimiter::keyed(Rate::per_minute(per_minute)).with_middleware::<StateInformationMiddleware>()
}

fn take<K: std::hash::Hash + Eq + Clone>(limiter: &Keyed<K>, key: &K, most: NonZeroU32) -> Answer<Quota> {
    match limiter.check_key(key) {
        Ok(snapshot) => Ok(Quota { most, left: snapshot.remaining_burst_capacity() }),
        Err(until) => {
            let wait = until.wait_time_from(DefaultClock::default().now());
            let problem =
                Problem::new(Code::TooManyRequests, "The quota for this minute is used up.").retry_after(wait);
            Err(Quota { most, left: 0 }.on_problem(problem))
        }
    }
}
