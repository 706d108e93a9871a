//! The gate before the handlers: nothing passes that the published document does not describe.
//!
//! Everything is judged against the document itself, so an operation gets all of it by being documented: the path and the
//! method, the credential and its limit, `Accept` and `Content-Type`, size, every parameter and the whole body, with
//! all errors of the request told together.

mod body;
mod contract;
mod faults;
mod json;
mod limits;
mod media;
mod params;
mod promise;
mod schema;

use std::sync::Arc;

use nazorg_domain::{App, Caller, Error, error::FieldError};
use poem::{
    Endpoint, Request, Response,
    http::{Method, header},
};
use uuid::Uuid;

pub use contract::ContractError;
pub(crate) use contract::{Contract, Found, Operation};
pub(crate) use faults::fault;
pub(crate) use json::canonical;
pub(crate) use limits::Limits;

use crate::{
    Settings, edge,
    problem::{Answer, Code, Problem, unauthenticated},
};

/// The body of a request as JSON, once it passed the gate.
#[derive(Debug, Clone)]
pub(crate) struct Parsed(pub(crate) Arc<serde_json::Value>);

/// The query of a request, decoded.
#[derive(Debug, Clone)]
pub(crate) struct Query(pub(crate) Arc<Vec<(String, String)>>);

/// The settings of the API, for the extractors.
#[derive(Clone)]
pub(crate) struct SharedSettings(pub(crate) Arc<Settings>);

/// Wraps the handlers under `/v1`.
pub(crate) struct Gate<E> {
    pub(crate) inner: E,
    pub(crate) app: Arc<App>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) limits: Arc<Limits>,
}

impl<E: Endpoint<Output = Response>> Endpoint for Gate<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let operation = match edge::found(&request) {
            Found::Operation(operation) => operation,
            Found::OtherMethod { allow } => {
                let problem = Problem::new(Code::MethodNotAllowed, format!("This path knows {allow}."));
                return Err(problem.with_header(header::ALLOW, &allow).into());
            }
            Found::Nothing => return Err(Problem::new(Code::NotFound, "There is no such path.").into()),
        };
        let held = cfg!(debug_assertions) && *request.method() != Method::HEAD;
        let answer = self.answer(request, operation).await;
        let answer = if held { promise::hold(operation, answer).await } else { answer };
        Ok(answer?)
    }
}

impl<E: Endpoint<Output = Response>> Gate<E> {
    async fn answer(&self, mut request: Request, operation: &Operation) -> Answer<Response> {
        let quota = self.admit(&mut request, operation).await?;
        self.check(&mut request, operation).await.map_err(|problem| quota.on_problem(problem))?;
        request.set_data(Arc::clone(&self.app));
        request.set_data(SharedSettings(Arc::clone(&self.settings)));
        match self.inner.call(request).await {
            Ok(mut response) => {
                quota.on(response.headers_mut());
                Ok(response)
            }
            Err(error) => Err(quota.on_problem(Problem::from_poem(error))),
        }
    }
}

impl<E> Gate<E> {
    /// Who asks, and whether they may ask this often.
    async fn admit(&self, request: &mut Request, operation: &Operation) -> Answer<limits::Quota> {
        let address = self.limits.address(request);
        if !operation.secured {
            return self.limits.stranger(address);
        }
        match authenticate(&self.app, request).await {
            Ok(caller) => {
                let quota = self.limits.client(&caller)?;
                request.set_data(caller);
                Ok(quota)
            }
            // Forbidden: an integration names somebody who is nobody here.
            Err(problem) if matches!(problem.code, Code::Unauthenticated | Code::Forbidden) => {
                Err(self.limits.failed(address, problem))
            }
            Err(problem) => Err(problem),
        }
    }

    /// Whether the request is what the document describes.
    async fn check(&self, request: &mut Request, operation: &Operation) -> Answer<()> {
        media::acceptable(request, operation)?;
        let mut errors = Vec::new();
        let query = params::query(request, operation, &mut errors);
        params::path(request, operation, &mut errors);
        params::headers(request, operation, &mut errors);
        let body = body::read(request, operation, &mut errors).await?;
        refuse(errors)?;
        params::preconditions(request, operation)?;
        request.set_data(Query(Arc::new(query)));
        if let Some(value) = body {
            request.set_data(Parsed(Arc::new(value)));
        }
        Ok(())
    }
}

fn refuse(mut errors: Vec<FieldError>) -> Answer<()> {
    if errors.is_empty() {
        return Ok(());
    }
    errors.truncate(faults::MOST);
    Err(Problem::invalid(errors))
}

/// The caller behind the credential of a request, and the person it acts for.
async fn authenticate(app: &App, request: &Request) -> Answer<Caller> {
    let header = edge::one(request.headers(), header::AUTHORIZATION.as_str());
    let Some((scheme, token)) = header.and_then(|value| value.split_once(' ')) else {
        return Err(unauthenticated("Send an API key as Authorization: Bearer nzg_live_…."));
    };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unauthenticated("The scheme of Authorization must be Bearer."));
    }
    let behalf = edge::one(request.headers(), "x-on-behalf-of").and_then(|id| Uuid::try_parse(id).ok());
    nazorg_domain::api_keys::authenticate(app, token.trim(), behalf).await.map_err(|error| match error {
        Error::NotFound => unauthenticated("The API key is not valid: unknown, expired or revoked.")
            .with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"nazorg\", error=\"invalid_token\""),
        other => other.into(),
    })
}
