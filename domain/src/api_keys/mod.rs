//! API keys (API section 6): shown once, kept as a hash, scoped, expiring, revocable within thirty seconds.

mod rows;
pub mod rules;

use std::time::Duration;

use nazorg_entities::{AccessAction, ApiKeyId, Instant, OrganisationId, PersonId, Role, api_keys};
use uuid::Uuid;

use crate::{
    App, Caller, Context, Standing,
    audit::{self, Access},
    error::{Error, Result, ViolationCode},
    events::{self, Event, Kind},
    policy::{Action, Scope},
    secrets::{fill_random, hash},
};

/// How long a caller is remembered: a revoked key works no longer than this.
const REMEMBERED: Duration = Duration::from_secs(10);

/// Callers recognised a moment ago, by the hash of their secret and the user they named.
pub struct KnownCallers(moka::sync::Cache<Borne, Known>);

/// The hash of a secret, and the user that was named with it.
type Borne = (Vec<u8>, Option<PersonId>);
/// Who that is, and until when the key works.
type Known = (Caller, Option<Instant>);

impl Default for KnownCallers {
    fn default() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(10_000).time_to_live(REMEMBERED).build())
    }
}

impl KnownCallers {
    /// Everyone is looked up anew: someone's access changed.
    pub(crate) fn forget(&self) {
        self.0.invalidate_all();
    }
}

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// The role it acts in.
    pub role: Role,
    /// What it may touch at all; empty is everything the role may.
    pub scopes: Vec<Scope>,
    /// Whose key it is, where it is a person's.
    pub person_id: Option<PersonId>,
    /// The last four characters, to tell keys apart.
    pub hint: String,
    /// When it stops working.
    pub expires_at: Option<Instant>,
    /// When it was revoked.
    pub revoked_at: Option<Instant>,
    /// Since when.
    pub created_at: Instant,
    /// Row version.
    pub version: i32,
}

/// A key to come.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// What it is for.
    pub name: String,
    /// The role it acts in.
    pub role: Role,
    /// What it may touch at all; empty is everything the role may.
    pub scopes: Vec<Scope>,
    /// Whose key it is; a supporter's and a line manager's must be someone's.
    pub person_id: Option<PersonId>,
    /// When it stops working.
    pub expires_at: Option<Instant>,
}

/// Makes a key for an organisation from the command line; answers its secret, which is shown once.
pub async fn issue(app: &App, organisation: OrganisationId, new: NewApiKey) -> Result<(ApiKey, String)> {
    let request = app.ids.next();
    let cx = app.context(Caller::operator(organisation), request, request.simple().to_string());
    create(&cx, new).await
}

/// Makes a key; its secret is in the answer and nowhere else.
pub async fn create(cx: &Context<'_>, new: NewApiKey) -> Result<(ApiKey, String)> {
    cx.may(Action::ManageKeys)?;
    rules::check(&new, cx.wall)?;
    let tx = cx.begin().await?;
    if let Some(person) = new.person_id
        && !crate::people::exists(&tx, cx, person).await?
    {
        return Err(Error::field("/personId", "unknown", "There is no such person."));
    }
    let mut random = [0; 24];
    fill_random(&mut random)?;
    let secret = rules::write_key(&random);
    let NewApiKey { name, role, scopes, person_id, expires_at } = new;
    let key = ApiKey {
        id: ApiKeyId(cx.app.ids.next()),
        name,
        role,
        scopes,
        person_id,
        hint: secret.get(secret.len().saturating_sub(4)..).unwrap_or_default().to_owned(),
        expires_at,
        revoked_at: None,
        created_at: cx.wall,
        version: 1,
    };
    rows::insert(&tx, cx, &key, hash(&[secret.as_bytes()])).await?;
    events::record(&tx, cx, [Event::new(Kind::ApiKeyCreated, key.id.0)]);
    let access = Access::new(AccessAction::Create, "api_key.created", "api_key", key.id.0);
    audit::record(&**tx, cx, &[access]).await?;
    tx.commit().await?;
    Ok((key, secret))
}

/// Keys in order of their ids, after one.
pub async fn list(cx: &Context<'_>, after: Option<Uuid>, limit: u64) -> Result<Vec<ApiKey>> {
    cx.may(Action::ManageKeys)?;
    rows::list(cx, after, limit).await
}

/// One key.
pub async fn read(cx: &Context<'_>, id: ApiKeyId) -> Result<ApiKey> {
    cx.may(Action::ManageKeys)?;
    rows::one(&cx.db(), cx, id).await
}

/// Revokes a key; it stops working within thirty seconds everywhere, at once in this process. Not the caller's own: an organisation
/// always keeps a working administrator's key.
pub async fn revoke(cx: &Context<'_>, id: ApiKeyId) -> Result<ApiKey> {
    cx.may(Action::ManageKeys)?;
    let tx = cx.begin().await?;
    let key = rows::one(&**tx, cx, id).await?;
    if key.revoked_at.is_some() {
        return Err(Error::violation(ViolationCode::KeyRevoked, "The key was revoked before."));
    }
    if cx.caller.key() == Some(id) {
        return Err(Error::violation(ViolationCode::OwnKey, "Revoke this key with another administrator's key."));
    }
    let key = ApiKey { revoked_at: Some(cx.wall), version: key.version + 1, ..key };
    rows::revoke(&tx, cx, &key).await?;
    events::record(&tx, cx, [Event::new(Kind::ApiKeyRevoked, id.0)]);
    audit::record(&**tx, cx, &[Access::new(AccessAction::Update, "api_key.revoked", "api_key", id.0)]).await?;
    tx.commit().await?;
    cx.app.known_callers.forget();
    Ok(key)
}

/// Who bears this key, acting on behalf of whom; `NotFound` when nobody does.
pub async fn authenticate(app: &App, bearer: &str, on_behalf_of: Option<Uuid>) -> Result<Caller> {
    if !rules::well_formed(bearer) {
        return Err(Error::NotFound);
    }
    let on_behalf_of = on_behalf_of.map(PersonId);
    let known = (hash(&[bearer.as_bytes()]), on_behalf_of);
    if let Some((caller, expires_at)) = app.known_callers.0.get(&known)
        && expires_at.is_none_or(|at| at > app.clock.wall())
    {
        return Ok(caller);
    }
    let row = rows::by_secret(app, &known.0).await?.ok_or(Error::NotFound)?;
    let wall = app.clock.wall();
    if row.revoked_at.is_some() || row.expires_at.is_some_and(|at| at <= wall) {
        return Err(Error::NotFound);
    }
    let expires_at = row.expires_at;
    let caller = caller(app, row, on_behalf_of).await?;
    app.known_callers.0.insert(known, (caller.clone(), expires_at));
    Ok(caller)
}

/// An integration acts in the role of the user it names, within its own scopes; a user nobody knows is 403. A person's own key opens
/// nothing once they no longer hold its role.
async fn caller(app: &App, row: api_keys::Model, on_behalf_of: Option<PersonId>) -> Result<Caller> {
    let (organisation, scopes) = (row.organisation_id, rows::scopes(&row.scopes)?);
    let integration = row.role == Role::Integration;
    let person = if integration { on_behalf_of } else { row.person_id };
    let given = match person {
        None => Vec::new(),
        Some(person) => rows::memberships(app, organisation, person).await?,
    };
    let role = match (integration, person) {
        (true, Some(_)) => rules::strongest(&given).ok_or(Error::Forbidden)?,
        _ if !rules::still(row.role, &given) => return Err(Error::NotFound),
        _ => row.role,
    };
    let managed = given.into_iter().filter(|one| one.holds && one.role == Role::LineManager);
    let units = managed.filter_map(|one| one.unit).collect();
    let scopes = (!scopes.is_empty()).then_some(scopes);
    let standing = Standing::Client { key: row.id, role, scopes, integration };
    Ok(Caller { organisation, standing, person, units })
}
