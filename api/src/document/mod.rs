//! The published document: poem-openapi's own, normalised until every generator and linter reads it well.
//!
//! | step | where |
//! |---|---|
//! | header casing, media types without a charset | [`wording`] |
//! | the parameters of the conventions, written out | [`parameters`] |
//! | `allOf` with a description, whole-number bounds, read-only and closed objects | [`schemas`] |
//! | what can fail, and the headers of every answer | [`failures`] |
//! | what an answer can be followed by | [`links`] |
//!
//! What cannot be repaired is refused by `api/tests/document.rs` instead: an operation without an id, a summary or exactly
//! one tag, an underscore in the name of a schema, `nullable` beside a reference.

mod failures;
mod links;
mod parameters;
mod schemas;
mod wording;

use std::sync::LazyLock;

use poem_openapi::{ContactObject, LicenseObject, OpenApi, OpenApiService, ServerObject};
use serde_json::Value;

use crate::{
    edge::API_VERSION,
    gate::{Contract, ContractError},
    resources,
};

const DESCRIPTION: &str = "\
The back end that makes sure that people who went through something, and people who help them, are not forgotten: it keeps \
cases, referrals and recovery trajectories, and makes every promised contact happen, for hours or for years.

**Conventions.** Instants are RFC 3339 in UTC with milliseconds; any offset is accepted. A member without a value is absent, never null. \
Failures are `application/problem+json` (RFC 9457); `code` is stable and each has a page under `/problems`. Unknown members and query keys are refused. \
Every answer carries `API-Version` and `X-Request-Id`; send your own UUID in `X-Request-Id`, and a W3C `traceparent`, to find a request again.

**Writing.** A POST takes an `Idempotency-Key`: sent again with the same key and body it gives the stored answer, with `Idempotency-Replayed: true`, for 24 hours. \
A PATCH is a merge patch (RFC 7396); it, PUT and DELETE need the `ETag` you read in `If-Match`.

**Reading.** Lists answer `{items, next}` and a `Link`; give `next` back as `cursor`. A repeated query key means or; `…From` is included, `…Until` is not. \
New values of open vocabularies and new members can appear at any time: ignore what you do not know.";

const LICENCE: &str = "https://interoperable-europe.ec.europa.eu/collection/eupl/eupl-text-eupl-12";

/// The service as poem-openapi describes it.
pub(crate) fn service() -> OpenApiService<impl OpenApi, ()> {
    OpenApiService::new(resources::apis(), "nazorg", API_VERSION)
        .description(DESCRIPTION)
        .contact(ContactObject::new().name("nazorg").url("https://nazorg.example").email("api@nazorg.example"))
        .license(LicenseObject::new("EUPL-1.2").url(LICENCE))
        .server(ServerObject::new("/v1").description("The service you read this from."))
}

/// The document as it is published, as a value.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
        let raw = serde_json::from_str(&service().spec()).unwrap_or_default();
        normalised(raw)
    });
    &DOCUMENT
}

/// The document as it is served at `/v1/openapi.json` and checked in: pretty, with a line end.
pub fn document_text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", document()));
    &TEXT
}

/// The document compiled for the gate.
pub(crate) fn contract() -> Result<&'static Contract, ContractError> {
    static CONTRACT: LazyLock<Result<Contract, ContractError>> = LazyLock::new(|| Contract::new(document()));
    CONTRACT.as_ref().map_err(Clone::clone)
}

fn normalised(mut document: Value) -> Value {
    wording::apply(&mut document);
    parameters::apply(&mut document);
    schemas::apply(&mut document);
    failures::apply(&mut document);
    links::apply(&mut document);
    document
}

/// Every operation of the document: path, method, and the operation to change.
fn operations(document: &mut Value) -> impl Iterator<Item = (&String, &String, &mut Value)> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let methods = item.as_object_mut().into_iter().flatten();
        methods.map(move |(method, operation)| (path, method, operation))
    })
}
