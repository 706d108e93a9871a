//! The body, as the gate read and judged it.

use nazorg_domain::error::Place;
use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, Registry},
    types::{ParseFromJSON, Type},
};

use crate::{
    gate::{Parsed, fault},
    problem::Problem,
};

/// A JSON body of type `T`. The gate has held it against the document, so reading it fails only where `T` is stricter
/// than its own schema; such an error has no pointer, and a better schema is the cure.
pub struct Body<T>(pub T);

impl<'a, T: ParseFromJSON + Send> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        <T as Type>::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: T::IS_REQUIRED })
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let value = request.data::<Parsed>().map(|Parsed(value)| value.as_ref().clone());
        let unfit = |_| {
            Problem::invalid(vec![fault(Place::Body, "", "invalid", "The body does not fit the published document.")])
        };
        Ok(T::parse_from_json(value).map(Self).map_err(unfit)?)
    }
}
