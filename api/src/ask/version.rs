//! The version a change is about.

use nazorg_domain::error::Place;
use poem::{Request, RequestBody, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaSchemaRef, Registry},
};

use super::marked;
use crate::{
    edge,
    gate::fault,
    problem::{Code, Problem},
};

/// The row version in `If-Match`: pass `.0` to the verb, which puts it in the WHERE of its UPDATE. The gate has answered
/// 428 where the header is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub i32);

impl<'a> ApiExtractor<'a> for IfMatch {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    const PARAM_IS_REQUIRED: bool = true;
    type ParamType = ();
    type ParamRawType = ();

    fn register(_registry: &mut Registry) {}

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        marked("if-match")
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let header = edge::one(request.headers(), header::IF_MATCH.as_str()).unwrap_or_default();
        Ok(read(header)?)
    }
}

/// An entity tag that is not one of ours can match nothing: 412. What is no entity tag at all is a 400.
fn read(header: &str) -> Result<IfMatch, Problem> {
    let inner = header.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).filter(|tag| !tag.contains('"'));
    if let Some(version) = inner.and_then(|tag| tag.parse().ok()) {
        return Ok(IfMatch(version));
    }
    if inner.is_some() || header.starts_with("W/\"") {
        let detail = "If-Match names no version of this resource; compare with the ETag exactly as it was sent.";
        return Err(Problem::new(Code::PreconditionFailed, detail));
    }
    let detail = "If-Match must be one entity tag, such as \"3\".";
    Err(Problem::invalid(vec![fault(Place::Header, "If-Match", "bad_format", detail)]))
}

#[cfg(test)]
mod tests;
