//! One line and one measurement per request: ids, route template, status, milliseconds. Never a query string, a body or a name.

use std::time::Duration;

use poem::http::{Method, StatusCode};

use super::Trail;
use crate::{
    gate::Found,
    problem::{Code, Problem},
};

/// What will be written about a request.
pub(crate) struct Line {
    method: Method,
    operation: &'static str,
    route: &'static str,
    trail: Trail,
    code: Option<Code>,
    cause: Option<String>,
}

impl Line {
    /// A request that was found to be this operation, or none.
    pub(crate) fn of(method: &Method, found: &Found, trail: &Trail) -> Self {
        let (operation, route) = match found {
            Found::Operation(operation) => (operation.id, operation.route),
            Found::OtherMethod { .. } | Found::Nothing => ("none", "none"),
        };
        Self { method: method.clone(), operation, route, trail: trail.clone(), code: None, cause: None }
    }

    /// Notes the problem it ended in.
    pub(crate) fn problem(&mut self, problem: &Problem) {
        self.code = Some(problem.code);
        self.cause.clone_from(&problem.log);
    }

    /// Writes the line and counts the request.
    pub(crate) fn write(self, status: StatusCode, took: Duration) {
        let status_label = status.as_u16().to_string();
        metrics::counter!("http_requests_total", "operation" => self.operation, "status" => status_label).increment(1);
        metrics::histogram!("http_request_duration_seconds", "operation" => self.operation).record(took.as_secs_f64());
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let code = self.code.map(Code::as_str);
        tracing::info!(
            target: "nazorg::access",
            request_id = %self.trail.request_id,
            trace_id = %self.trail.trace_id,
            method = %self.method,
            operation = self.operation,
            route = self.route,
            status = status.as_u16(),
            code,
            millis,
            "request"
        );
        if let Some(cause) = self.cause.filter(|_| status.is_server_error()) {
            tracing::error!(
                request_id = %self.trail.request_id,
                trace_id = %self.trail.trace_id,
                operation = self.operation,
                cause,
                "the request failed on our side"
            );
        }
    }
}
