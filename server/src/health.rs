//! What an orchestrator asks: is the process alive, and may it be sent requests?

use std::{collections::BTreeMap, sync::OnceLock};

use nazorg_worker::bell::RedisBell;
use poem::{Response, http::StatusCode};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::stores::{Stores, look};

/// How one part stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// It answers.
    Ok,
    /// It does not answer.
    Away,
    /// `nazorg migrate` has to run.
    Behind,
    /// It is away: requests are answered as ever, and what is due waits until it is back.
    Degraded,
    /// Not yet there, or already leaving.
    NotServing,
}

/// Knows the parts as they come up.
pub(crate) struct Health {
    stopping: CancellationToken,
    stores: OnceLock<Stores>,
    redis: OnceLock<Option<RedisBell>>,
}

#[derive(Serialize)]
struct Report {
    ready: bool,
    parts: BTreeMap<&'static str, State>,
}

impl Health {
    pub(crate) fn new(stopping: CancellationToken) -> Self {
        Self { stopping, stores: OnceLock::new(), redis: OnceLock::new() }
    }

    pub(crate) fn watch_stores(&self, stores: Stores) {
        let _ = self.stores.set(stores);
    }

    /// The last part to come: from now on the process serves.
    pub(crate) fn watch_queue(&self, redis: Option<RedisBell>) {
        let _ = self.redis.set(redis);
    }

    /// Answers `/healthz` and `/readyz`; nothing for any other path.
    pub(crate) async fn answer(&self, path: &str) -> Option<Response> {
        match path {
            "/healthz" => Some(json(StatusCode::OK, r#"{"alive":true}"#.to_owned())),
            "/readyz" => {
                let report = self.report().await;
                let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
                Some(json(status, serde_json::to_string(&report).unwrap_or_default()))
            }
            _ => None,
        }
    }

    async fn report(&self) -> Report {
        let serving = self.redis.get().is_some() && !self.stopping.is_cancelled();
        let process = if serving { State::Ok } else { State::NotServing };
        let mut parts = BTreeMap::from([("process", process)]);
        if let Some(stores) = self.stores.get() {
            let (database, keys) = tokio::join!(look(&stores.data), look(&stores.keys));
            let (database, keys) = (state(&database), state(&keys));
            let migrations =
                if (database, keys) == (State::Ok, State::Ok) { migrations(stores).await } else { State::Away };
            parts.extend([("database", database), ("keys", keys), ("migrations", migrations)]);
        }
        if let Some(redis) = self.redis.get() {
            let answers = match redis {
                Some(redis) => redis.answers().await,
                None => true,
            };
            parts.insert("queue", if answers { State::Ok } else { State::Degraded });
        }
        let ready = serving && parts.values().all(|state| matches!(state, State::Ok | State::Degraded));
        Report { ready, parts }
    }
}

fn state(looked: &Result<(), String>) -> State {
    if looked.is_ok() { State::Ok } else { State::Away }
}

async fn migrations(stores: &Stores) -> State {
    match stores.behind().await {
        Ok(behind) if behind.is_empty() => State::Ok,
        Ok(_) => State::Behind,
        Err(_) => State::Away,
    }
}

fn json(status: StatusCode, body: String) -> Response {
    Response::builder().status(status).content_type("application/json").header("Cache-Control", "no-store").body(body)
}
