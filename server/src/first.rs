//! The first start: an organisation and its administrator key, so that somebody who just downloaded this can go on.

use chrono_tz::Europe::Amsterdam;
use nazorg_domain::{
    App, Result,
    api_keys::{self, NewApiKey},
    entities::{OrganisationId, Role},
    organisations,
};

/// An administrator key, shown once.
pub struct FirstKey {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The key itself; only its hash is stored.
    pub secret: String,
}

/// What the first organisation is called until somebody gives it its name.
const NAME: &str = "My organisation";

/// Makes the first organisation and its key when there is no organisation yet.
pub(crate) async fn make(app: &App) -> Result<Option<FirstKey>> {
    if !organisations::all(app).await?.is_empty() {
        return Ok(None);
    }
    found(app, NAME, Amsterdam).await.map(Some)
}

/// Founds an organisation and gives it an administrator key.
pub(crate) async fn found(app: &App, name: &str, zone: chrono_tz::Tz) -> Result<FirstKey> {
    let organisation = organisations::found(app, name, zone).await?;
    let key = NewApiKey {
        name: "First administrator key".to_owned(),
        role: Role::Admin,
        scopes: Vec::new(),
        person_id: None,
        expires_at: None,
    };
    let (_, secret) = api_keys::issue(app, organisation, key).await?;
    Ok(FirstKey { organisation, secret })
}
