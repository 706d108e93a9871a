//! A thin client that holds every answer against what the API promises (API sections 1 and 2).

use reqwest::{Method, header::HeaderMap};
use serde_json::Value;
use uuid::Uuid;

/// Speaks for one API key; checks every answer.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: Option<String>,
    on_behalf_of: Option<String>,
    request_id: Option<String>,
    traceparent: Option<String>,
}

/// An answer that keeps the promises every answer makes.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; [`Value::Null`] when there is none or it is no JSON.
    pub body: Value,
    /// The body as it came.
    pub text: String,
    /// The request, for messages: `POST /v1/cases`.
    pub request: String,
}

/// What goes with a request beside its body.
#[derive(Debug, Clone, Default)]
pub struct With {
    /// `If-Match`.
    pub if_match: Option<String>,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
    /// `Idempotency-Key`; every POST of [`Client::post`] gets a fresh one.
    pub idempotency_key: Option<String>,
}

impl Client {
    /// A client of the service at `base` (`http://127.0.0.1:1234`) with an API key.
    pub fn new(base: impl Into<String>, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..Self::anonymous(base) }
    }

    /// A client without a key.
    ///
    /// # Panics
    /// When the HTTP client cannot be built.
    pub fn anonymous(base: impl Into<String>) -> Self {
        nazorg::choose_tls();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, base: base.into(), key: None, on_behalf_of: None, request_id: None, traceparent: None }
    }

    /// The same client, acting for a user: `X-On-Behalf-Of`.
    #[must_use]
    pub fn on_behalf_of(&self, person: impl ToString) -> Self {
        Self { on_behalf_of: Some(person.to_string()), ..self.clone() }
    }

    /// The same client, whose requests all bear these names, as some gateways do it: an `X-Request-Id` and a trace id.
    #[must_use]
    pub fn named(&self, request_id: Uuid, trace_id: &str) -> Self {
        let traceparent = format!("00-{trace_id}-00f067aa0ba902b7-01");
        Self { request_id: Some(request_id.to_string()), traceparent: Some(traceparent), ..self.clone() }
    }

    /// The key it speaks with.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, With::default()).await
    }

    /// `POST path` with a fresh idempotency key.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        let with = With { idempotency_key: Some(fresh_key()), ..With::default() };
        self.send(Method::POST, path, Some(body), with).await
    }

    /// `POST path` without a body, with a fresh idempotency key.
    pub async fn post_nothing(&self, path: &str) -> Answer {
        let with = With { idempotency_key: Some(fresh_key()), ..With::default() };
        self.send(Method::POST, path, None, with).await
    }

    /// `PATCH path` of the version that the caller saw.
    pub async fn patch(&self, path: &str, etag: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body), With { if_match: Some(etag.to_owned()), ..With::default() }).await
    }

    /// `PUT path` of the version that the caller saw.
    pub async fn put(&self, path: &str, etag: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body), With { if_match: Some(etag.to_owned()), ..With::default() }).await
    }

    /// `DELETE path` of the version that the caller saw.
    pub async fn delete(&self, path: &str, etag: &str) -> Answer {
        self.send(Method::DELETE, path, None, With { if_match: Some(etag.to_owned()), ..With::default() }).await
    }

    /// Any request; the others are short for this one.
    ///
    /// # Panics
    /// When no answer comes, or one that breaks a promise.
    #[expect(clippy::too_many_arguments, reason = "method, path, body and headers are what a request is")]
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>, with: With) -> Answer {
        self.try_send(method, path, body, with).await.unwrap_or_else(|error| panic!("no answer: {error}"))
    }

    /// Like [`Self::send`], for stories in which the service may be gone.
    ///
    /// # Errors
    /// When no complete answer came.
    ///
    /// # Panics
    /// When an answer came that breaks a promise.
    #[expect(clippy::too_many_arguments, reason = "method, path, body and headers are what a request is")]
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        with: With,
    ) -> Result<Answer, reqwest::Error> {
        self.try_send_bytes(method, path, body.map(|body| body.to_string().into_bytes()), with).await
    }

    /// Like [`Self::try_send`], with a body called JSON that may be anything.
    ///
    /// # Errors
    /// When no complete answer came.
    ///
    /// # Panics
    /// When an answer came that breaks a promise.
    #[expect(clippy::too_many_arguments, reason = "method, path, body and headers are what a request is")]
    pub async fn try_send_bytes(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        with: With,
    ) -> Result<Answer, reqwest::Error> {
        let request = format!("{method} {path}");
        let mut builder = self.http.request(method, format!("{}{path}", self.base));
        if let Some(key) = &self.key {
            builder = builder.bearer_auth(key);
        }
        let headers = [
            ("X-On-Behalf-Of", &self.on_behalf_of),
            ("X-Request-Id", &self.request_id),
            ("traceparent", &self.traceparent),
            ("If-Match", &with.if_match),
            ("If-None-Match", &with.if_none_match),
            ("Idempotency-Key", &with.idempotency_key),
        ];
        for (name, value) in headers {
            if let Some(value) = value {
                builder = builder.header(name, value);
            }
        }
        if let Some(body) = body {
            builder = builder.header("Content-Type", "application/json").body(body);
        }
        let response = builder.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let answer = Answer { status, headers, body: serde_json::from_str(&text).unwrap_or_default(), text, request };
        answer.keeps_its_promises();
        Ok(answer)
    }
}

/// An idempotency key nobody used before.
pub fn fresh_key() -> String {
    fresh_id().to_string()
}

/// An id nobody used before.
#[expect(clippy::disallowed_methods, reason = "a client stands outside the service and has no door of ids")]
pub fn fresh_id() -> Uuid {
    Uuid::now_v7()
}

impl Answer {
    /// The body of an answer that must have this status.
    ///
    /// # Panics
    /// When the status is another one, with the whole answer.
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{} answered {}: {}", self.request, self.status, self.text);
        self.body
    }

    /// Asserts a problem with this status and code, and gives it.
    ///
    /// # Panics
    /// When the answer is another one.
    pub fn refused(self, status: u16, code: &str) -> Value {
        let request = self.request.clone();
        let problem = self.expect(status);
        assert_eq!(problem["code"], code, "{request}: {problem}");
        problem
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The entity tag.
    ///
    /// # Panics
    /// When there is none.
    pub fn etag(&self) -> String {
        self.header("ETag").unwrap_or_else(|| panic!("{} answered without an ETag", self.request)).to_owned()
    }

    /// The `id` of the body.
    ///
    /// # Panics
    /// When it has none.
    pub fn id(&self) -> Uuid {
        let id = self.body["id"].as_str().and_then(|id| id.parse().ok());
        id.unwrap_or_else(|| panic!("{} answered {} without an id: {}", self.request, self.status, self.text))
    }

    /// The `id` of the body of an answer that must have this status.
    ///
    /// # Panics
    /// When the status is another one, or there is no id.
    pub fn id_of(self, status: u16) -> Uuid {
        assert_eq!(self.status, status, "{} answered {}", self.request, self.text);
        self.id()
    }

    fn keeps_its_promises(&self) {
        let request = &self.request;
        for name in ["API-Version", "X-Request-Id"] {
            assert!(self.headers.contains_key(name), "{request} answered {} without {name}", self.status);
        }
        if let Some(place) = first_null("", &self.body) {
            assert!(self.text.is_empty() || !self.is_json(), "{request} answered with null at {place}: {}", self.text);
        }
        if self.status >= 400 {
            self.is_a_complete_problem();
        }
    }

    fn is_json(&self) -> bool {
        self.header("Content-Type").is_some_and(|kind| kind.contains("json"))
    }

    fn is_a_complete_problem(&self) {
        let request = &self.request;
        let kind = self.header("Content-Type").unwrap_or_default();
        assert!(kind.starts_with("application/problem+json"), "{request} answered {} as {kind:?}", self.status);
        for member in ["type", "title", "detail", "instance", "code", "traceId"] {
            assert!(self.body[member].is_string(), "{request} answered a problem without {member}: {}", self.text);
        }
        assert_eq!(self.body["status"], self.status, "{request}: the problem's status is not the answer's");
        if self.body["code"] == "invalid_input" {
            let errors = self.body["errors"].as_array();
            assert!(errors.is_some_and(|errors| !errors.is_empty()), "{request}: 400 without errors: {}", self.text);
        }
        let must_carry: &[&str] = match self.status {
            401 => &["WWW-Authenticate"],
            405 => &["Allow"],
            429 | 503 => &["Retry-After"],
            _ => &[],
        };
        for name in must_carry {
            assert!(self.headers.contains_key(*name), "{request} answered {} without {name}", self.status);
        }
    }
}

fn first_null(place: &str, value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(if place.is_empty() { "the root".into() } else { place.into() }),
        Value::Array(items) => items.iter().enumerate().find_map(|(n, item)| first_null(&format!("{place}/{n}"), item)),
        Value::Object(members) => members.iter().find_map(|(name, item)| first_null(&format!("{place}/{name}"), item)),
        _ => None,
    }
}
