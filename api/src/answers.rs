//! What a handler gives back. One type per shape, each with exactly one status, so that the document is complete.
//!
//! | type | status | carries |
//! |---|---|---|
//! | [`Created`] | 201 | the new resource, `Location`, `ETag` |
//! | [`Current`] | 200 | a resource in its version, `ETag`: reads, changes, and actions that answer with the resource |
//! | [`Page`] | 200 | a stretch of a list, `next`, `Link` |
//! | [`Plain`] | 200 | anything without a version: a preview, a count, a result |
//! | [`Accepted`] | 202 | work that goes on after the answer, `Location` |
//! | [`Done`] | 204 | nothing |

use std::marker::PhantomData;

use nazorg_domain::idempotency::StoredAnswer;
use poem::{
    IntoResponse, Response,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use poem_openapi::{
    ApiResponse,
    registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
    types::{ToJSON, Type},
};

use crate::ask::{Paging, Position};

/// An answer that can be kept with an Idempotency-Key and given again.
pub trait Keep: Sized {
    /// As it is kept.
    fn keep(&self) -> StoredAnswer;
    /// As it was.
    fn replay(answer: StoredAnswer) -> Self;
}

/// An answer ready for the wire.
#[derive(Debug)]
struct Wire {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: String,
}

impl Wire {
    fn new(status: StatusCode, body: String) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    fn with(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    fn keep(&self) -> StoredAnswer {
        let headers = self.headers.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        StoredAnswer { status: self.status.as_u16(), headers, body: self.body.clone() }
    }

    fn replay(StoredAnswer { status, headers, body }: StoredAnswer) -> Self {
        let named = headers.into_iter().filter_map(|(name, value)| Some((name.parse().ok()?, value)));
        Self { status: StatusCode::from_u16(status).unwrap_or(StatusCode::OK), headers: named.collect(), body }
            .with(HeaderName::from_static("idempotency-replayed"), "true".to_owned())
    }
}

impl IntoResponse for Wire {
    fn into_response(self) -> Response {
        let Self { status, headers, body } = self;
        let mut response = Response::builder().status(status).finish();
        if !body.is_empty() {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response.set_body(body);
        }
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// The entity tag of a row version.
fn tag(version: i32) -> String {
    format!("\"{version}\"")
}

macro_rules! answer {
    ($(#[$doc:meta])* $name:ident, $status:literal, $description:literal, [$($header:literal),*]) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<T>(Wire, PhantomData<fn() -> T>);

        impl<T: Type> ApiResponse for $name<T> {
            fn meta() -> MetaResponses {
                let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
                response($status, $description, content, &[$($header),*])
            }

            fn register(registry: &mut Registry) {
                T::register(registry);
            }
        }

        impl<T> IntoResponse for $name<T> {
            fn into_response(self) -> Response {
                self.0.into_response()
            }
        }

        impl<T> Keep for $name<T> {
            fn keep(&self) -> StoredAnswer {
                self.0.keep()
            }

            fn replay(answer: StoredAnswer) -> Self {
                Self(Wire::replay(answer), PhantomData)
            }
        }
    };
}

answer!(
    /// 201: a new resource.
    Created, 201, "Created.", ["Location", "ETag"]
);
answer!(
    /// 200: a resource in its current version.
    Current, 200, "The resource in its current version.", ["ETag"]
);
answer!(
    /// 200: something without a version.
    Plain, 200, "The result.", []
);
answer!(
    /// 202: accepted, and going on.
    Accepted, 202, "Accepted; `Location` is where to follow it.", ["Location"]
);

impl<T: ToJSON> Created<T> {
    /// A resource of this collection (`units`, `cases/{id}/notes` filled in), with its id and version.
    pub fn new(collection: &str, id: impl std::fmt::Display, version: i32, view: T) -> Self {
        let wire = Wire::new(StatusCode::CREATED, view.to_json_string())
            .with(header::LOCATION, format!("/v1/{collection}/{id}"))
            .with(header::ETAG, tag(version));
        Self(wire, PhantomData)
    }
}

impl<T: ToJSON> Current<T> {
    /// A resource in this version.
    pub fn new(version: i32, view: T) -> Self {
        Self(Wire::new(StatusCode::OK, view.to_json_string()).with(header::ETAG, tag(version)), PhantomData)
    }
}

impl<T: ToJSON> Plain<T> {
    /// A result.
    pub fn new(view: T) -> Self {
        Self(Wire::new(StatusCode::OK, view.to_json_string()), PhantomData)
    }
}

impl<T: ToJSON> Accepted<T> {
    /// Work that goes on, to be followed at this path below `/v1/`.
    pub fn new(path: &str, view: T) -> Self {
        let wire = Wire::new(StatusCode::ACCEPTED, view.to_json_string());
        Self(wire.with(header::LOCATION, format!("/v1/{path}")), PhantomData)
    }
}

/// 204: done, and nothing to say.
#[derive(Debug)]
pub struct Done(Wire);

impl Done {
    /// Done.
    pub fn new() -> Self {
        Self(Wire::new(StatusCode::NO_CONTENT, String::new()))
    }
}

impl Default for Done {
    fn default() -> Self {
        Self::new()
    }
}

impl ApiResponse for Done {
    fn meta() -> MetaResponses {
        response(204, "Done.", Vec::new(), &[])
    }

    fn register(_registry: &mut Registry) {}
}

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl Keep for Done {
    fn keep(&self) -> StoredAnswer {
        self.0.keep()
    }

    fn replay(answer: StoredAnswer) -> Self {
        Self(Wire::replay(answer))
    }
}

/// 200: a stretch of a list.
#[derive(Debug)]
pub struct Page<T>(Wire, PhantomData<fn() -> T>);

impl<T: ToJSON> Page<T> {
    /// The stretch out of what the verb found when asked for [`Paging::limit`] items: `view` makes an item, `position`
    /// says where in the order it stands.
    pub fn new<D, P: Position>(
        paging: &Paging,
        found: Vec<D>,
        position: impl Fn(&D) -> P,
        view: impl Fn(D) -> T,
    ) -> Self {
        let (kept, more) = paging.cut(found);
        let next = kept.last().filter(|_| more).map(|last| paging.cursor_after(&position(last)));
        let items: Vec<_> = kept.into_iter().filter_map(|item| view(item).to_json()).collect();
        let mut body = serde_json::Map::new();
        body.insert("items".to_owned(), items.into());
        if let Some(next) = &next {
            body.insert("next".to_owned(), next.as_str().into());
        }
        let wire = Wire::new(StatusCode::OK, serde_json::Value::from(body).to_string());
        let linked = match next {
            Some(next) => wire.with(header::LINK, paging.link(&next)),
            None => wire,
        };
        Self(linked, PhantomData)
    }
}

impl<T: Type> Page<T> {
    fn schema() -> MetaSchema {
        let items = MetaSchema { items: Some(Box::new(T::schema_ref())), ..MetaSchema::new("array") };
        let next = MetaSchema {
            description: Some("The cursor of the next stretch. Absent at the end."),
            ..MetaSchema::new("string")
        };
        MetaSchema {
            description: Some("A stretch of a list."),
            required: vec!["items"],
            properties: vec![
                ("items", MetaSchemaRef::Inline(Box::new(items))),
                ("next", MetaSchemaRef::Inline(Box::new(next))),
            ],
            ..MetaSchema::new("object")
        }
    }

    fn name() -> String {
        format!("{}Page", T::name())
    }
}

impl<T: Type> ApiResponse for Page<T> {
    fn meta() -> MetaResponses {
        let schema = MetaSchemaRef::Reference(Self::name());
        let content = vec![MetaMediaType { content_type: "application/json", schema }];
        response(200, "A stretch of the list, in a stable order.", content, &["Link"])
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(Self::name(), |registry| {
            T::register(registry);
            Self::schema()
        });
    }
}

impl<T> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

fn response(status: u16, description: &'static str, content: Vec<MetaMediaType>, headers: &[&str]) -> MetaResponses {
    let header = |name: &&str| MetaHeader {
        name: (*name).to_owned(),
        description: None,
        required: false,
        deprecated: false,
        schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("string"))),
    };
    let headers = headers.iter().map(header).collect();
    MetaResponses {
        responses: vec![MetaResponse { description, status: Some(status), status_range: None, content, headers }],
    }
}
