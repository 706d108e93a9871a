//! How it is asked for: parse, call one verb, answer.
//!
//! # The way of a request
//!
//! | room | does |
//! |---|---|
//! | [`edge`] | request id and trace, time limit, panics, security headers, 304, the log line, metrics; every error becomes a problem |
//! | [`gate`] | 404 and 405, credential and quota, `Accept`, `Content-Type`, size, JSON, every parameter and the body against the document |
//! | [`ask`] | what a handler is given: [`ask::Ask`], [`ask::Once`], [`ask::IfMatch`], [`ask::Body`], [`ask::Paging`] |
//! | [`resources`] | one file per resource: parse, call one verb, answer |
//! | [`answers`] | what a handler gives back: [`answers::Created`], [`answers::Current`], [`answers::Page`], … |
//! | [`links`] | the page behind the link in a message to staff: HTML, beside the document |
//! | [`document`] | what is published, made from the code; the gate judges by it, so what is published is what is enforced |
//!
//! # How to add an operation, in ten steps
//!
//! 1. The verb stands in `domain`, takes `&Context` first, and has its tests there. A rule that can say no has a
//!    `ViolationCode`; it appears in the catalogue, the document and the pages by itself.
//! 2. A new resource is a new file `resources/<plural>.rs` with a unit struct (`pub(super) struct Cases;`), added to the tuple in
//!    `resources/mod.rs`, and a chapter in `tags.rs`. **One path belongs to one struct**: two structs that share a path lose operations.
//! 3. Copy the nearest operation of `resources/units.rs`. First line of the doc comment: the summary, verb and noun, no full stop. After an
//!    empty line: the description, what it does and when it is refused, in words of the field.
//! 4. `operation_id` is lowerCamelCase verb + noun (`listCases`, `readCase`, `openCase`, `changeCase`, `closeCase`), never renamed. Paths are
//!    plural and kebab-case; an action is `POST /cases/:id/close`; a search is `POST /cases/_search`.
//! 5. The first argument says who asks: `ask: Ask<'_>` for GET, PATCH, PUT, DELETE; `once: Once<'_>` for a POST after which a message or a case
//!    follows (the key is required); `once: OnceIfKeyed<'_>` for every other POST. A search or a dry run is a POST with `Ask`, and its description says
//!    "Changes nothing.".
//! 6. Then `id: Path<Uuid>` (`UnitId(id.0)` on the first line), `if_match: IfMatch` on PATCH, PUT and DELETE (`if_match.0` is the version for the
//!    verb), `paging: Paging` on a list, filters as `#[oai(name = "openedFrom")] opened_from: Query<Option<Instant>>` (repeatable: `Query<Option<Vec<…>>>`), and
//!    `body: Body<NewCaseBody>`. At most four beside `&self` read well; clippy allows no more than the lint says.
//! 7. The answer is `Answer<Created<View>>`, `Answer<Current<View>>` (a read, a change, an action that answers with the resource), `Answer<Page<View>>`,
//!    `Answer<Plain<View>>`, `Answer<Accepted<View>>` or `Answer<Done>`. `?` turns a domain error into its problem. A POST wraps its work in
//!    [`once!`]; a list asks the verb for `paging.after()?` and `paging.limit()` and gives what it found to `Page::new`.
//! 8. Shapes: a view `CaseView` (`#[oai(rename = "Case", rename_all = "camelCase", skip_serializing_if_is_none)]`), a request `NewCaseBody`
//!    (`rename = "NewCase"`, `deny_unknown_fields`), a patch `CaseChangeBody` (`rename = "CaseChange"`, `deny_unknown_fields`). `From` between them and the
//!    domain **destructures fully, without `..`**: a new column is then a compile error that asks whether it may be seen. Names are global: prefix parts of a
//!    resource (`CaseParticipant`).
//! 9. Members: [`types::Instant`] for `…At`, [`types::Day`] for `…On`, [`types::TimeOfDay`]; `Uuid` for ids; `i32`/`i64` for numbers; a closed set is a
//!    `#[derive(Enum)] #[oai(rename_all = "snake_case", remote = "…")]` mirror, a vocabulary that grows is a `String` with a pattern. Every text has a `max_length`, every list a
//!    `max_items`: the gate enforces them. In a patch, what `null` clears is a [`patch::Patch`] (scalars only), the rest is `Option`. A response has no null: absent is absent.
//! 10. Test it in `api/tests/edge/<plural>.rs` (happy way, another organisation's key gives 404, a role that may not gives 403), then `openapi/generate` rewrites
//!     `openapi/openapi.json` and the clients; read the diff as an integrator would.
//!
//! Nothing else is needed: statuses and their problems, headers, `If-None-Match`, `X-On-Behalf-Of`, quotas and the docs page come by rule from the document.

pub mod answers;
pub mod ask;
mod docs;
mod document;
mod edge;
mod gate;
mod html;
mod links;
pub mod patch;
pub mod problem;
#[expect(
    clippy::too_many_arguments,
    reason = "what an operation is given are its arguments; a list has one per filter"
)]
mod resources;
mod settings;
mod tags;
pub mod types;

use std::sync::{Arc, LazyLock};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use nazorg_domain::App;
use poem::{Endpoint, EndpointExt, Response, Route, RouteMethod, endpoint::make_sync, get, http::header};
use sha2::{Digest, Sha256};

pub use document::{document, document_text};
pub use edge::{API_VERSION, Trail};
pub use gate::ContractError;
pub use settings::Settings;

/// Everything this service answers over HTTP.
///
/// `beside` is what the server adds next to the API, such as its probes; it gets the same headers, time limit and log.
pub fn routes(
    app: Arc<App>,
    settings: Settings,
    beside: Route,
) -> Result<impl Endpoint<Output = Response>, ContractError> {
    let contract = document::contract()?;
    let settings = Arc::new(settings);
    let limits = Arc::new(gate::Limits::new(&settings));
    let links = links::Page { app: Arc::clone(&app), limits: Arc::clone(&limits) };
    let gate = gate::Gate {
        inner: poem::IntoEndpoint::into_endpoint(document::service()),
        app: Arc::clone(&app),
        limits,
        settings: Arc::clone(&settings),
    };
    let route = beside
        .at("/v1/openapi.json", get(make_sync(|_| openapi())))
        .nest("/v1", gate)
        .at("/l/:token", RouteMethod::new().get(links.clone()).post(links))
        .nest("/problems", problem::pages())
        .at("/docs", get(make_sync(|_| docs::page())));
    Ok(edge::Edge { inner: route.map_to_response(), app, contract, settings })
}

/// The document, for everyone and from everywhere; who has this version already gets 304.
fn openapi() -> Response {
    static TAG: LazyLock<String> = LazyLock::new(|| {
        let digest = Sha256::digest(document_text().as_bytes());
        format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..16]))
    });
    Response::builder()
        .header(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")
        .header(header::ETAG, TAG.as_str())
        .content_type("application/json")
        .body(document_text())
}
