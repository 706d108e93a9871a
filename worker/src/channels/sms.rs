//! Text messages over a provider's HTTP gateway: one JSON POST per message, signed as Standard Webhooks has it, so that a gateway of
//! one's own can tell who asks. TLS is verified against the system's certificates; redirects are not followed.

use super::{Channel, Delivery, Outgoing, Reason};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Response, StatusCode, Url, redirect};
use serde_json::Value;
use sha2::Sha256;
use std::time::Duration;
use tokio::sync::Semaphore;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// The longest wait a gateway may ask for.
const LONGEST_WAIT: u64 = 24 * 3_600;
/// More of an answer is not read.
const LONGEST_ANSWER: usize = 64 * 1024;
/// The members of an answer in which gateways say what they call a message.
const IDS: [&str; 4] = ["id", "messageId", "message_id", "sid"];

/// Where and how to hand over text messages.
#[derive(Clone)]
pub struct SmsSettings {
    /// `https://…`, or `http://…` for a gateway on the same machine.
    pub url: String,
    /// The JSON object to post; `{to}`, `{text}`, `{id}` and `{organisation}` in its texts stand for the number, the text, and the ids of the message and of
    /// whose it is.
    pub body: String,
    /// The value of the header `Authorization`.
    pub authorization: Option<String>,
    /// Signs every request: `webhook-signature: v1,<base64 of HMAC-SHA256 over id.timestamp.body>`.
    pub secret: Option<String>,
    /// Requests at the same time.
    pub connections: usize,
}

/// Why settings are no way to send text messages; holds nothing of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSmsSettings {
    /// No such address.
    #[error("the gateway's URL must begin with https:// or http://")]
    Url,
    /// Not what can be posted.
    #[error("the body must be a JSON object whose texts hold {{to}} and {{text}}")]
    Body,
    /// Not a header's value.
    #[error("the authorization cannot stand in a header")]
    Authorization,
    /// The system has no usable certificates.
    #[error("TLS cannot be set up")]
    Tls,
}

/// A provider's gateway.
pub struct Sms {
    http: reqwest::Client,
    url: Url,
    body: Value,
    authorization: Option<HeaderValue>,
    secret: Option<String>,
    room: Semaphore,
}

impl Sms {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn new(settings: SmsSettings) -> Result<Self, BadSmsSettings> {
        let url = Url::parse(&settings.url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let body: Value = serde_json::from_str(&settings.body).map_err(|_| BadSmsSettings::Body)?;
        if !body.is_object() || !mentions(&body, "{to}") || !mentions(&body, "{text}") {
            return Err(BadSmsSettings::Body);
        }
        let authorization = settings.authorization.map(|value| HeaderValue::try_from(value).map(secret));
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .pool_max_idle_per_host(settings.connections);
        Ok(Self {
            http: http.build().map_err(|_| BadSmsSettings::Tls)?,
            url: url.ok_or(BadSmsSettings::Url)?,
            body,
            authorization: authorization.transpose().map_err(|_| BadSmsSettings::Authorization)?,
            secret: settings.secret,
            room: Semaphore::new(settings.connections),
        })
    }

    async fn hand_over(&self, outgoing: &Outgoing) -> Delivery {
        let permit = tokio::time::timeout_at(outgoing.begin_by, self.room.acquire()).await;
        let Ok(Ok(_permit)) = permit else { return Delivery::NotBegun };
        match self.request(outgoing).send().await {
            Ok(response) => judge(response, outgoing.at).await,
            Err(error) if error.is_connect() => Delivery::unsent(Reason::of("sms_unreachable"), false),
            Err(error) if error.is_timeout() => Delivery::Unknown { reason: Reason::of("sms_timeout") },
            Err(_) => Delivery::Unknown { reason: Reason::of("sms_interrupted") },
        }
    }

    fn request(&self, outgoing: &Outgoing) -> reqwest::RequestBuilder {
        let (id, at) = (outgoing.id.to_string(), outgoing.at.timestamp());
        let organisation = outgoing.organisation.to_string();
        let with = [
            ("{to}", outgoing.to.as_str()),
            ("{text}", &outgoing.text),
            ("{id}", &id),
            ("{organisation}", &organisation),
        ];
        let body = filled(&self.body, &with).to_string();
        let mut request = self.http.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        if let Some(value) = &self.authorization {
            request = request.header(AUTHORIZATION, value.clone());
        }
        if let Some(signature) = self.secret.as_deref().and_then(|secret| sign(secret, &format!("{id}.{at}.{body}"))) {
            request = request.header("webhook-timestamp", at).header("webhook-signature", format!("v1,{signature}"));
        }
        // The same at every attempt, so that a gateway which looks at either takes a message once.
        request.header("webhook-id", &id).header("Idempotency-Key", &id).body(body)
    }
}

impl Channel for Sms {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Delivery> {
        Box::pin(self.hand_over(outgoing))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

fn secret(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

fn mentions(value: &Value, placeholder: &str) -> bool {
    match value {
        Value::String(text) => text.contains(placeholder),
        Value::Array(items) => items.iter().any(|item| mentions(item, placeholder)),
        Value::Object(members) => members.values().any(|member| mentions(member, placeholder)),
        _ => false,
    }
}

/// Fills the texts of a JSON value: what is put in cannot become anything but text.
fn filled(value: &Value, with: &[(&str, &str)]) -> Value {
    match value {
        // One pass over the text, so that a placeholder inside what was put in stays what it is.
        Value::String(text) => Value::String(replaced(text, with)),
        Value::Array(items) => items.iter().map(|item| filled(item, with)).collect(),
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), filled(member, with))).collect(),
        other => other.clone(),
    }
}

fn replaced(text: &str, with: &[(&str, &str)]) -> String {
    let next = with.iter().filter_map(|(mark, by)| Some((text.find(mark)?, mark, by))).min_by_key(|found| found.0);
    match next {
        None => text.to_owned(),
        Some((at, mark, by)) => format!("{}{by}{}", &text[..at], replaced(&text[at + mark.len()..], with)),
    }
}

fn sign(secret: &str, text: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(text.as_bytes());
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

async fn judge(response: Response, at: DateTime<Utc>) -> Delivery {
    let status = response.status();
    let reason = Reason { code: "sms_refused", reply: Some(status.as_u16()) };
    match status {
        _ if status.is_success() => Delivery::Sent { provider_id: named(response).await },
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let retry_after = wait(response.headers(), at);
            Delivery::KnownUnsent { retry_after, reason, permanent: false }
        }
        // It broke while it had the message: it may have gone out.
        _ if status.is_server_error() => {
            Delivery::Unknown { reason: Reason { code: "sms_failed", reply: Some(status.as_u16()) } }
        }
        _ => Delivery::unsent(reason, true),
    }
}

/// How long it asks to wait, in seconds or until a date (RFC 9110, 10.2.3), by its own clock where it tells the time.
fn wait(headers: &HeaderMap, at: DateTime<Utc>) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let date = |text: &str| DateTime::parse_from_rfc2822(text).ok();
    let asked = text(RETRY_AFTER)?;
    let seconds = match asked.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let now = text(DATE).and_then(date).map_or(at, |now| now.to_utc());
            u64::try_from((date(asked)?.to_utc() - now).num_seconds()).unwrap_or(0)
        }
    };
    Some(Duration::from_secs(seconds.min(LONGEST_WAIT)))
}

/// What the gateway calls the message. It was taken, whatever comes of reading this.
async fn named(mut response: Response) -> Option<String> {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LONGEST_ANSWER {
            return None;
        }
    }
    let answer: Value = serde_json::from_slice(&bytes).ok()?;
    let id = IDS.iter().find_map(|name| answer.get(name))?;
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    Some(id.chars().take(100).collect())
}

#[cfg(test)]
mod tests;
