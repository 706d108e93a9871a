//! API keys: made, listed and revoked by an administrator; a secret is shown once.

use nazorg_domain::{
    api_keys::{self, ApiKey, NewApiKey},
    entities::{ApiKeyId, PersonId},
};
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use super::sets::{RoleView, ScopeView};
use crate::{
    answers::{Created, Current, Page},
    ask::{Ask, Body, OnceIfKeyed, Paging},
    once,
    problem::Answer,
    tags::Tag,
    types::Instant,
};

/// The operations on API keys.
pub(super) struct ApiKeys;

#[OpenApi(tag = "Tag::ApiKeys")]
impl ApiKeys {
    /// List API keys
    ///
    /// All keys of the organisation, revoked ones too, without their secrets.
    #[oai(path = "/api-keys", method = "get", operation_id = "listApiKeys")]
    async fn list(&self, ask: Ask<'_>, paging: Paging) -> Answer<Page<ApiKeyView>> {
        let found = api_keys::list(&ask, paging.after()?, paging.limit()).await?;
        Ok(Page::new(&paging, found, |key| key.id.0, |key| view(key, None)))
    }

    /// Create an API key
    ///
    /// The answer holds the secret, once: only a hash of it is kept. A supporter's and a line manager's key belong to a
    /// person; an integration names the responsible user per request in `X-On-Behalf-Of`.
    #[oai(path = "/api-keys", method = "post", operation_id = "createApiKey")]
    async fn create(&self, once: OnceIfKeyed<'_>, body: Body<NewApiKeyBody>) -> Answer<Created<ApiKeyView>> {
        once!(once, |cx| {
            let (key, secret) = api_keys::create(cx, body.0.into()).await?;
            Created::new("api-keys", key.id, key.version, view(key, Some(secret)))
        })
    }

    /// Read an API key
    ///
    /// The key without its secret.
    #[oai(path = "/api-keys/:id", method = "get", operation_id = "readApiKey")]
    async fn read(&self, ask: Ask<'_>, id: Path<Uuid>) -> Answer<Current<ApiKeyView>> {
        let key = api_keys::read(&ask, ApiKeyId(id.0)).await?;
        Ok(Current::new(key.version, view(key, None)))
    }

    /// Revoke an API key
    ///
    /// It stops working within thirty seconds, everywhere. Keep two keys to rotate without a gap.
    #[oai(path = "/api-keys/:id/revoke", method = "post", operation_id = "revokeApiKey")]
    async fn revoke(&self, once: OnceIfKeyed<'_>, id: Path<Uuid>) -> Answer<Current<ApiKeyView>> {
        once!(once, |cx| {
            let key = api_keys::revoke(cx, ApiKeyId(id.0)).await?;
            Current::new(key.version, view(key, None))
        })
    }
}

/// An API key.
#[derive(Debug, Object)]
#[oai(rename = "ApiKey", rename_all = "camelCase", skip_serializing_if_is_none)]
struct ApiKeyView {
    id: Uuid,
    /// What it is for.
    name: String,
    role: RoleView,
    /// What it may touch at all; empty is everything the role may.
    scopes: Vec<ScopeView>,
    /// Whose key it is, where it is a person's.
    person_id: Option<Uuid>,
    /// The last four characters, to tell keys apart.
    hint: String,
    /// The key itself, in the answer to its creation only.
    secret: Option<String>,
    expires_at: Option<Instant>,
    revoked_at: Option<Instant>,
    created_at: Instant,
}

fn view(key: ApiKey, secret: Option<String>) -> ApiKeyView {
    let ApiKey { id, name, role, scopes, person_id, hint, expires_at, revoked_at, created_at, version: _ } = key;
    ApiKeyView {
        id: id.0,
        name,
        role: role.into(),
        scopes: scopes.into_iter().map(Into::into).collect(),
        person_id: person_id.map(|id| id.0),
        hint,
        secret,
        expires_at: expires_at.map(Instant),
        revoked_at: revoked_at.map(Instant),
        created_at: Instant(created_at),
    }
}

/// An API key to make.
#[derive(Debug, Object)]
#[oai(rename = "NewApiKey", rename_all = "camelCase", deny_unknown_fields)]
struct NewApiKeyBody {
    /// What it is for.
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
    role: RoleView,
    /// What it may touch at all; without any, everything the role may.
    #[oai(default, validator(max_items = 10))]
    scopes: Vec<ScopeView>,
    /// Whose key it is.
    person_id: Option<Uuid>,
    /// When it stops working.
    expires_at: Option<Instant>,
}

impl From<NewApiKeyBody> for NewApiKey {
    fn from(body: NewApiKeyBody) -> Self {
        let NewApiKeyBody { name, role, scopes, person_id, expires_at } = body;
        Self {
            name,
            role: role.into(),
            scopes: scopes.into_iter().map(Into::into).collect(),
            person_id: person_id.map(PersonId),
            expires_at: expires_at.map(|at| at.0),
        }
    }
}
