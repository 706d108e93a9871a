//! Lists in stretches: `cursor` and `limit`, keyset only (API.md section 4).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use nazorg_domain::{Caller, error::Place};
use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaSchemaRef, Registry},
};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use super::{data, marked};
use crate::{
    edge,
    gate::{Found, Parsed, Query, SharedSettings, fault},
    problem::Problem,
};

/// How many items a list answers with when nobody says.
pub const LIMIT_DEFAULT: u64 = 25;
/// How many items a list answers with at most.
pub const LIMIT_MOST: u64 = 100;

/// Bytes of the seal at the end of a cursor.
const SEAL: usize = 16;

/// Where in a list the caller is. Ask the verb for what comes after [`Paging::after`], [`Paging::limit`] items, and give
/// what it found to [`crate::answers::Page::new`].
pub struct Paging {
    after: Option<Vec<String>>,
    limit: u64,
    /// What a cursor of this list is sealed with: operation, organisation, filters and order, those in a search's body too.
    binding: Vec<u8>,
    key: [u8; 32],
    path: String,
    query: Vec<(String, String)>,
}

/// Where an item stands in the order of its list: the values of the keyset, the unique one last.
pub trait Position: Sized {
    /// As texts, for the cursor.
    fn write(&self) -> Vec<String>;
    /// Out of the texts of a cursor.
    fn read(texts: &[String]) -> Option<Self>;
}

impl Position for Uuid {
    fn write(&self) -> Vec<String> {
        vec![self.to_string()]
    }

    fn read(texts: &[String]) -> Option<Self> {
        let [id] = texts else { return None };
        id.parse().ok()
    }
}

impl Position for (DateTime<Utc>, Uuid) {
    fn write(&self) -> Vec<String> {
        vec![self.0.timestamp_millis().to_string(), self.1.to_string()]
    }

    fn read(texts: &[String]) -> Option<Self> {
        let [at, id] = texts else { return None };
        Some((DateTime::from_timestamp_millis(at.parse().ok()?)?, id.parse().ok()?))
    }
}

impl Position for i64 {
    fn write(&self) -> Vec<String> {
        vec![self.to_string()]
    }

    fn read(texts: &[String]) -> Option<Self> {
        let [number] = texts else { return None };
        number.parse().ok()
    }
}

impl Paging {
    /// The position to go on after; nothing at the start of the list.
    pub fn after<P: Position>(&self) -> Result<Option<P>, Problem> {
        self.after.as_deref().map(|texts| P::read(texts).ok_or_else(stale)).transpose()
    }

    /// How many items to ask the verb for: one more than the caller wants, which tells whether there are more.
    pub fn limit(&self) -> u64 {
        self.limit + 1
    }

    /// The items to answer with, and whether more follow.
    pub(crate) fn cut<T>(&self, mut found: Vec<T>) -> (Vec<T>, bool) {
        let most = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = found.len() > most;
        found.truncate(most);
        (found, more)
    }

    /// The cursor that goes on after this position.
    pub(crate) fn cursor_after(&self, position: &impl Position) -> String {
        seal(&self.key, &self.binding, &position.write())
    }

    /// The header `Link` to the next stretch (RFC 8288), relative to the service.
    pub(crate) fn link(&self, cursor: &str) -> String {
        let kept = self.query.iter().filter(|(name, _)| name != "cursor");
        let mut query: String = kept.map(|(name, value)| format!("{}={}&", encode(name), encode(value))).collect();
        query.push_str("cursor=");
        query.push_str(cursor);
        format!("<{}?{query}>; rel=\"next\"", self.path)
    }
}

impl<'a> ApiExtractor<'a> for Paging {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    type ParamType = ();
    type ParamRawType = ();

    fn register(_registry: &mut Registry) {}

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Query)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        marked("paging")
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(read(request)?)
    }
}

fn read(request: &Request) -> Result<Paging, Problem> {
    let Query(query) = data(request)?;
    let caller: &Caller = data(request)?;
    let SharedSettings(settings) = data(request)?;
    let operation = match data::<Found>(request)? {
        Found::Operation(operation) => operation.id,
        Found::OtherMethod { .. } | Found::Nothing => "",
    };
    let value = |key: &str| query.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let sought = request.data::<Parsed>().map(|Parsed(body)| body.as_ref());
    let binding = binding((operation, caller), query, sought);
    let after =
        value("cursor").map(|cursor| open(&settings.cursor_key, &binding, cursor).ok_or_else(stale)).transpose()?;
    let limit = value("limit").and_then(|limit| limit.parse().ok()).unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MOST);
    Ok(Paging {
        after,
        limit,
        binding,
        key: settings.cursor_key,
        path: edge::asked_for(request).path().to_owned(),
        query: query.to_vec(),
    })
}

fn stale() -> Problem {
    let detail = "This cursor does not belong to this list with these filters. Start again without one.";
    Problem::invalid(vec![fault(Place::Query, "cursor", "bad_cursor", detail)])
}

/// Everything a cursor depends on: the query and, of a search, the body, in whatever order its members came. The limit is not part
/// of it: a caller may change that on the way.
fn binding((operation, caller): (&str, &Caller), query: &[(String, String)], sought: Option<&Value>) -> Vec<u8> {
    let mut filters: Vec<_> = query.iter().filter(|(name, _)| name != "cursor" && name != "limit").collect();
    filters.sort();
    let mut parts = vec![json!(operation), json!(caller.organisation.0), json!(filters)];
    parts.extend(sought.cloned());
    Value::Array(parts).to_string().into_bytes()
}

fn mac(key: &[u8; 32], binding: &[u8], body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(&(binding.len() as u64).to_be_bytes());
    mac.update(binding);
    mac.update(body);
    Some(mac)
}

fn seal(key: &[u8; 32], binding: &[u8], position: &[String]) -> String {
    let mut body = serde_json::json!(position).to_string().into_bytes();
    let full = mac(key, binding, &body).map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
    body.extend_from_slice(&full[..SEAL]);
    URL_SAFE_NO_PAD.encode(body)
}

fn open(key: &[u8; 32], binding: &[u8], cursor: &str) -> Option<Vec<String>> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (body, seal) = bytes.split_at_checked(bytes.len().checked_sub(SEAL)?)?;
    mac(key, binding, body)?.verify_truncated_left(seal).ok()?;
    serde_json::from_slice(body).ok()
}

fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests;
