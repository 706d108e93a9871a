//! Prometheus metrics, on a port of their own.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use poem::{Endpoint, IntoResponse, Request, Response, http::StatusCode};

use crate::Failure;

/// Seconds: from a cached read to a request that is about to be cut off.
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0];

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Counts from here on. There is one recorder per process, however many services run in it.
pub(crate) fn start() -> Result<PrometheusHandle, Failure> {
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS)
        .map_err(Failure::internal)?;
    match builder.install_recorder() {
        Ok(handle) => Ok(RECORDER.get_or_init(|| handle).clone()),
        // Two services started at the same moment: the other one's recorder serves both.
        Err(error) => RECORDER.get().cloned().ok_or_else(|| Failure::internal(error)),
    }
}

/// Answers `GET /metrics`.
pub(crate) struct Page(pub(crate) PrometheusHandle);

impl Endpoint for Page {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if request.uri().path() != "/metrics" {
            return Ok(StatusCode::NOT_FOUND.into_response());
        }
        self.0.run_upkeep();
        let text = self.0.render();
        Ok(Response::builder().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
    }
}
