//! The few requests the demonstration makes, over TCP like anybody's.

use serde_json::Value;

use crate::Failure;

/// Speaks for one API key.
#[derive(Clone)]
pub(super) struct Client {
    base: String,
    key: String,
    http: reqwest::Client,
}

impl Client {
    pub(super) fn new(base: String, key: String) -> Self {
        Self { base, key, http: reqwest::Client::new() }
    }

    /// The same service, with another key.
    pub(super) fn with(&self, key: String) -> Self {
        Self { key, ..self.clone() }
    }

    /// `GET`, as JSON.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.answer(self.http.get(format!("{}/v1/{path}", self.base)), path).await
    }

    /// `POST`, once; `key` is the idempotency key.
    pub(super) async fn post(&self, path: &str, body: &Value, key: u32) -> Result<Value, Failure> {
        let request =
            self.http.post(format!("{}/v1/{path}", self.base)).header("Idempotency-Key", format!("demo-{key}"));
        self.answer(request.json(body), path).await
    }

    /// `POST` without a body.
    pub(super) async fn post_nothing(&self, path: &str, key: u32) -> Result<Value, Failure> {
        let request = self.http.post(format!("{}/v1/{path}", self.base));
        self.answer(request.header("Idempotency-Key", format!("demo-{key}")), path).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder, path: &str) -> Result<Value, Failure> {
        let answer = request.bearer_auth(&self.key).send().await.map_err(Failure::internal)?;
        let status = answer.status();
        let mut body: Value = answer.json().await.map_err(Failure::internal)?;
        if status.is_server_error() {
            return Err(Failure::internal(format!("{path}: {status}: {body}")));
        }
        if status.is_client_error() {
            body["refused"] = Value::from(status.as_u16());
        }
        Ok(body)
    }
}
