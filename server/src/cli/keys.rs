//! `nazorg keys`: organisations and their API keys, for the operator who has the machine.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::{Args, Subcommand};
use nazorg_domain::{
    App, Caller, Context, SystemClock,
    api_keys::{self, ApiKey, NewApiKey},
    entities::{ApiKeyId, OrganisationId, PersonId, Role},
    organisations,
    policy::Scope,
};

use super::say;
use crate::{Failure, config::Config, first, opening};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create an organisation and its first administrator key, which is shown once.
    Found {
        /// Its name.
        name: String,
        /// Its time zone.
        #[arg(long, default_value = "Europe/Amsterdam")]
        zone: Tz,
    },
    /// List the organisations.
    Organisations,
    /// Create a key, which is shown once.
    Create(Create),
    /// List an organisation's keys; never their secrets.
    List {
        #[command(flatten)]
        of: Of,
    },
    /// Revoke a key; it stops working within thirty seconds.
    Revoke {
        #[command(flatten)]
        of: Of,
        /// The key's id, as `list` shows it.
        key: ApiKeyId,
    },
}

#[derive(Debug, Args)]
pub(super) struct Of {
    /// The organisation; not needed while there is only one.
    #[arg(long, value_name = "ID")]
    organisation: Option<OrganisationId>,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    of: Of,
    /// What it is for.
    name: String,
    /// admin, coordinator, supporter, line_manager, reporter, quality or integration.
    #[arg(long, value_parser = role)]
    role: Role,
    /// What it may touch, such as cases_read; repeat for more. Without one: everything the role may.
    #[arg(long, value_name = "SCOPE", value_parser = scope)]
    scope: Vec<Scope>,
    /// Whose key it is; a supporter's and a line manager's must be someone's.
    #[arg(long, value_name = "ID")]
    person: Option<PersonId>,
    /// When it stops working, such as 2027-12-31T00:00:00Z.
    #[arg(long, value_name = "INSTANT")]
    expires_at: Option<DateTime<Utc>>,
}

fn role(word: &str) -> Result<Role, String> {
    word.parse().map_err(|_| format!("one of {}", Role::all().map(Role::as_str).collect::<Vec<_>>().join(", ")))
}

fn scope(word: &str) -> Result<Scope, String> {
    let known = || Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ");
    Scope::parse(word).ok_or_else(|| format!("one of {}", known()))
}

pub(super) async fn run(config: Config, command: Command) -> Result<(), Failure> {
    let (app, stores) = opening::offline(&config, std::sync::Arc::new(SystemClock)).await?;
    let done = match command {
        Command::Found { name, zone } => found(&app, &name, zone).await,
        Command::Organisations => list_organisations(&app).await,
        Command::Create(create) => issue(&app, create).await,
        Command::List { of } => list(&app, of).await,
        Command::Revoke { of, key } => revoke(&app, of, key).await,
    };
    stores.close().await;
    done
}

async fn found(app: &App, name: &str, zone: Tz) -> Result<(), Failure> {
    let first::FirstKey { organisation, secret } = first::found(app, name, zone).await?;
    say(format!(
        "organisation  {organisation}\nkey           {secret}\n\nThe key is shown this once and stored nowhere."
    ))
}

async fn list_organisations(app: &App) -> Result<(), Failure> {
    let lines: Vec<String> = organisations::all(app).await?.iter().map(|(id, name)| format!("{id}  {name}")).collect();
    say(lines.join("\n"))
}

async fn issue(app: &App, create: Create) -> Result<(), Failure> {
    let organisation = one(app, &create.of).await?;
    let Create { of: _, name, role, scope, person, expires_at } = create;
    let new = NewApiKey { name, role, scopes: scope, person_id: person, expires_at };
    let (key, secret) = api_keys::issue(app, organisation, new).await?;
    say(format!("id   {}\nkey  {secret}\n\nThe key is shown this once and stored nowhere.", key.id))
}

async fn list(app: &App, of: Of) -> Result<(), Failure> {
    let cx = context(app, one(app, &of).await?);
    let mut after = None;
    loop {
        let page = api_keys::list(&cx, after, 100).await?;
        for key in &page {
            say(line(key, cx.wall))?;
        }
        match page.last() {
            Some(last) if page.len() == 100 => after = Some(last.id.0),
            _ => return Ok(()),
        }
    }
}

async fn revoke(app: &App, of: Of, key: ApiKeyId) -> Result<(), Failure> {
    let cx = context(app, one(app, &of).await?);
    let key = api_keys::revoke(&cx, key).await?;
    say(line(&key, cx.wall))
}

fn line(key: &ApiKey, now: DateTime<Utc>) -> String {
    let state = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(at)) if at <= now => format!("expired {at}"),
        (None, Some(at)) => format!("until {at}"),
        (None, None) => "active".to_owned(),
    };
    format!("{}  …{}  {:12}  {state}  {}", key.id, key.hint, key.role, key.name)
}

fn context(app: &App, organisation: OrganisationId) -> Context<'_> {
    let request = app.ids.next();
    app.context(Caller::operator(organisation), request, request.simple().to_string())
}

/// The organisation that was named, or the only one.
async fn one(app: &App, of: &Of) -> Result<OrganisationId, Failure> {
    let all = organisations::all(app).await?;
    match (of.organisation, all.as_slice()) {
        (Some(id), all) if all.iter().any(|(known, _)| *known == id) => Ok(id),
        (Some(id), _) => Err(Failure::Refused(format!("there is no organisation {id}"))),
        (None, [(only, _)]) => Ok(*only),
        (None, []) => Err(Failure::Refused("there is no organisation yet: nazorg keys found NAME".to_owned())),
        (None, _) => Err(Failure::Refused("there are several organisations: name one with --organisation".to_owned())),
    }
}
