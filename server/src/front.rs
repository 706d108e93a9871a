//! What listens: first the health pages alone, then, once the stores are open, the API behind them.

use std::sync::{Arc, OnceLock};

use nazorg_api::problem::Code;
use poem::{Endpoint, Request, Response, endpoint::BoxEndpoint, http::StatusCode};

use uuid::Builder;

use crate::{health::Health, metrics};

/// The API's listener. Listens from the first moment, so that a process that waits for its database can say so.
#[derive(Clone)]
pub(crate) struct Front {
    health: Arc<Health>,
    api: Arc<OnceLock<BoxEndpoint<'static, Response>>>,
}

impl Front {
    pub(crate) fn new(health: Arc<Health>) -> Self {
        Self { health, api: Arc::new(OnceLock::new()) }
    }

    /// Lets requests through from now on.
    pub(crate) fn open(&self, api: BoxEndpoint<'static, Response>) {
        let _ = self.api.set(api);
    }
}

impl Endpoint for Front {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if let Some(answer) = self.health.answer(request.uri().path()).await {
            return Ok(answer);
        }
        match self.api.get() {
            Some(api) => api.call(request).await,
            None => Ok(not_yet()),
        }
    }
}

/// The listener of metrics, which a worker without an API has too; the health pages stand beside them.
pub(crate) struct Operations {
    pub(crate) health: Arc<Health>,
    pub(crate) metrics: metrics::Page,
}

impl Endpoint for Operations {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        match self.health.answer(request.uri().path()).await {
            Some(answer) => Ok(answer),
            None => self.metrics.call(request).await,
        }
    }
}

/// The API's own answer for the moments before there is an API: the same promises, without its doors of ids and time.
fn not_yet() -> Response {
    let mut random = [0; 16];
    let _ = getrandom::fill(&mut random);
    let request = Builder::from_random_bytes(random).into_uuid();
    let code = Code::Unavailable;
    let problem = serde_json::json!({
        "type": format!("/problems/{}", code.as_str()),
        "title": code.entry().title,
        "status": code.entry().status,
        "detail": "The service is starting: its stores do not answer yet.",
        "instance": request.urn().to_string(),
        "code": code.as_str(),
        "traceId": request.simple().to_string(),
    });
    Response::builder()
        .status(StatusCode::SERVICE_UNAVAILABLE)
        .content_type("application/problem+json")
        .header("API-Version", nazorg_api::API_VERSION)
        .header("X-Request-Id", request.to_string())
        .header("Retry-After", "2")
        .header("Cache-Control", "no-store")
        .body(problem.to_string())
}
