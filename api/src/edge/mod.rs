//! The outermost room: every request passes here first and every answer last, whatever happened in between.

mod fence;
mod headers;
mod log;
mod trail;

use std::sync::Arc;

use nazorg_domain::App;
use poem::{
    Endpoint, IntoResponse, Request, Response,
    http::{Method, Uri},
};
use tokio::time::Instant;

pub use headers::API_VERSION;
pub use trail::Trail;
pub(crate) use trail::one;

use crate::{
    Settings,
    gate::{Contract, Found},
    problem::Problem,
};

/// Wraps all routes: names the request, bounds it in time, turns every error into a problem, and writes it down.
pub(crate) struct Edge<E> {
    pub(crate) inner: E,
    pub(crate) app: Arc<App>,
    pub(crate) contract: &'static Contract,
    pub(crate) settings: Arc<Settings>,
}

impl<E: Endpoint> Endpoint for Edge<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let started = Instant::now();
        let method = request.method().clone();
        let preconditions = headers::Preconditions::of(&request);
        let trail = Trail::of(&request, &self.app.ids);
        let found = self.contract.find(&method, request.uri().path());
        let mut line = log::Line::of(&method, &found, &trail);
        request.set_data(trail.clone());
        request.set_data(AskedFor(request.uri().clone()));
        request.set_data(found);
        let answer = fence::within(self.settings.request_timeout, self.inner.call(request)).await;
        let mut response = match answer {
            Ok(output) => preconditions.apply(output.into_response()),
            Err(error) => {
                let problem = Problem::from_poem(error);
                line.problem(&problem);
                problem.respond(&trail)
            }
        };
        headers::put(&mut response, &trail);
        if method == Method::HEAD {
            response.set_body(());
        }
        line.write(response.status(), started.elapsed());
        Ok(response)
    }
}

/// What was asked for, before any room took its part off the path.
#[derive(Clone)]
struct AskedFor(Uri);

/// The whole path and query of a request, wherever in the building it is.
pub(crate) fn asked_for(request: &Request) -> &Uri {
    request.data::<AskedFor>().map_or(request.uri(), |AskedFor(uri)| uri)
}

/// The operation a request was found to be, as the edge left it.
pub(crate) fn found(request: &Request) -> Found {
    request.data::<Found>().cloned().unwrap_or(Found::Nothing)
}
