//! What a handler is given: who asks ([`Ask`]), a write that happens once ([`Once`]), the version a change is about
//! ([`IfMatch`]), the body ([`Body`]) and the stretch of a list ([`Paging`]).

mod body;
mod once;
mod paging;
mod version;

use std::{ops::Deref, sync::Arc};

use nazorg_domain::{App, Caller, Context};
use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaSchemaRef, MetaSecurityScheme, Registry},
};

pub use body::Body;
pub use once::{Entry, Keyed, Once, OnceIfKeyed, Underway};
pub use paging::{LIMIT_DEFAULT, LIMIT_MOST, Paging, Position};
pub use version::IfMatch;

pub(crate) use once::KEY_PATTERN;

use crate::{
    edge::Trail,
    problem::{Code, INTERNAL, Problem},
};

/// The name of the security scheme in the document.
pub(crate) const SCHEME: &str = "apiKey";

/// The caller and everything a verb needs to know of them: pass it on as `&ask`.
pub struct Ask<'a>(Context<'a>);

impl<'a> Deref for Ask<'a> {
    type Target = Context<'a>;

    fn deref(&self) -> &Context<'a> {
        &self.0
    }
}

impl<'a> ApiExtractor<'a> for Ask<'a> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register_scheme(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME]
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self(context(request)?))
    }
}

/// The context of a request that passed the gate.
pub(crate) fn context(request: &Request) -> Result<Context<'_>, Problem> {
    let app: &Arc<App> = data(request)?;
    let caller: &Caller = data(request)?;
    let trail: &Trail = data(request)?;
    Ok(app.context(caller.clone(), trail.kept_as, trail.kept_as.simple().to_string()))
}

/// What an earlier room left with the request; its absence is a fault of ours.
pub(crate) fn data<T: Send + Sync + 'static>(request: &Request) -> Result<&T, Problem> {
    let absent = || Problem::new(Code::InternalError, INTERNAL).because(std::any::type_name::<T>());
    request.data::<T>().ok_or_else(absent)
}

fn register_scheme(registry: &mut Registry) {
    let scheme = MetaSecurityScheme {
        ty: "http",
        description: Some(
            "An API key of the organisation: `Authorization: Bearer nzg_live_…`. A key has a role, scopes and an expiry; \
             it is shown once, when it is made.",
        ),
        name: None,
        key_in: None,
        scheme: Some("bearer"),
        bearer_format: Some("nzg_live_<secret><checksum>"),
        flows: None,
        openid_connect_url: None,
    };
    registry.create_security_scheme(SCHEME, scheme);
}

/// The schema of a parameter that `document/parameters.rs` writes out in full; `marker` says which.
pub(crate) fn marked(marker: &'static str) -> Option<MetaSchemaRef> {
    Some(MetaSchemaRef::Inline(Box::new(poem_openapi::registry::MetaSchema::new_with_format("string", marker))))
}
