//! Who asks, on whose behalf, when: the first argument of every verb.

mod rows;

use chrono::{DateTime, Utc};
use nazorg_entities::{ApiKeyId, OrganisationId, PersonId, Role, UnitId};
use sea_orm::{ColumnTrait, DatabaseExecutor, DatabaseTransaction, sea_query::Expr};
use uuid::Uuid;

use crate::{
    app::App,
    database::{Tx, Writing},
    error::{Error, Result},
    policy::{self, Action, Reach, Scope},
};

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The tenant; nothing outside it can be seen.
    pub organisation: OrganisationId,
    /// Which key, or nobody's: the worker or the operator at the command line.
    pub standing: Standing,
    /// The person who acts: the key's own, or the one the integration acts on behalf of.
    pub person: Option<PersonId>,
    /// The units a line manager manages.
    pub units: Vec<UnitId>,
}

/// By what right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// An API key with the role it acts in and the scopes that narrow it.
    Client {
        /// The key.
        key: ApiKeyId,
        /// The role the policy page is asked about.
        role: Role,
        /// What the key may touch at all; `None` is everything the role may.
        scopes: Option<Vec<Scope>>,
        /// Whether the key is an integration's and must name a user where personal data is touched.
        integration: bool,
    },
    /// Staff who followed the link in a message to them; what that reaches stands on the policy page.
    Link,
    /// The worker, doing what is owed.
    Worker,
    /// The operator at the command line.
    Operator,
}

impl Caller {
    /// The worker acting within an organisation.
    #[must_use]
    pub fn worker(organisation: OrganisationId) -> Self {
        Self { organisation, standing: Standing::Worker, person: None, units: Vec::new() }
    }

    /// The operator acting within an organisation.
    #[must_use]
    pub fn operator(organisation: OrganisationId) -> Self {
        Self { organisation, standing: Standing::Operator, person: None, units: Vec::new() }
    }

    /// The key that called, if a key did.
    #[must_use]
    pub fn key(&self) -> Option<ApiKeyId> {
        match &self.standing {
            Standing::Client { key, .. } => Some(*key),
            Standing::Link | Standing::Worker | Standing::Operator => None,
        }
    }

    /// The word for the audit row.
    #[must_use]
    pub fn role_word(&self) -> &'static str {
        match &self.standing {
            Standing::Client { role, .. } => role.as_str(),
            Standing::Link => "link",
            Standing::Worker => "worker",
            Standing::Operator => "operator",
        }
    }
}

/// Who asks, when, and under which numbers.
pub struct Context<'a> {
    /// What the verb stands on.
    pub app: &'a App,
    /// Who asks.
    pub caller: Caller,
    /// The tenant.
    pub organisation: OrganisationId,
    /// The organisation's time, read once.
    pub now: DateTime<Utc>,
    /// The wall's time, read once.
    pub wall: DateTime<Utc>,
    /// The request's id.
    pub request_id: Uuid,
    /// The W3C trace id, 32 hex digits.
    pub trace_id: String,
    pub(crate) outer: Option<Writing>,
    still: Option<DatabaseTransaction>,
}

impl App {
    /// A context for one call.
    #[must_use]
    pub fn context(&self, caller: Caller, request_id: Uuid, trace_id: String) -> Context<'_> {
        Context {
            app: self,
            organisation: caller.organisation,
            caller,
            now: self.clock.now(),
            wall: self.clock.wall(),
            request_id,
            trace_id,
            outer: None,
            still: None,
        }
    }

    /// A context for the worker within an organisation.
    #[must_use]
    pub fn worker_context(&self, organisation: OrganisationId) -> Context<'_> {
        let id = self.ids.next();
        self.context(Caller::worker(organisation), id, id.simple().to_string())
    }
}

impl<'a> Context<'a> {
    /// The same call, reading everything as it stands at one moment, that of its first read: what happens meanwhile is seen wholly or
    /// not at all. Ends when dropped. For reading alone, and not within a write, whose changes it would not see.
    pub async fn snapshot(&self) -> Result<Context<'a>> {
        let still = Some(self.app.db.snapshot().await?);
        let (caller, trace_id) = (self.caller.clone(), self.trace_id.clone());
        Ok(Context { now: self.now, wall: self.wall, still, ..self.app.context(caller, self.request_id, trace_id) })
    }
}

impl Context<'_> {
    /// Begins the verb's transaction.
    pub async fn begin(&self) -> Result<Tx<'_>> {
        match &self.outer {
            Some(writing) => Ok(Tx::Outer(writing)),
            None => Ok(Tx::Own(self.app.db.begin().await?, &*self.app.bell)),
        }
    }

    /// For reading: the request's own transaction where it has one, so that a request never needs two connections, or the snapshot.
    /// A verb that has begun reads through its `tx` instead.
    #[must_use]
    pub fn db(&self) -> DatabaseExecutor<'_> {
        match self.outer.as_deref().or(self.still.as_ref()) {
            Some(transaction) => DatabaseExecutor::Transaction(transaction),
            None => DatabaseExecutor::Connection(self.app.db.reader()),
        }
    }

    /// The wall around the tenant for whoever looks up many ids: asked of each row that is found, never the way to find them. To a
    /// database that knows little of how its rows are spread (SQLite always, PostgreSQL for as long as its statistics lag), a dozen ids
    /// seem dearer than all rows of the organisation.
    pub(crate) fn ours(&self, organisation_id: impl ColumnTrait) -> Expr {
        rows::among_ours(organisation_id, self.organisation)
    }

    /// How far the caller reaches with this action; 403 when not at all (the policy page decides).
    pub fn may(&self, action: Action) -> Result<Reach> {
        match &self.caller.standing {
            Standing::Worker | Standing::Operator => Ok(Reach::All),
            Standing::Link => policy::by_link(action).ok_or(Error::Forbidden),
            Standing::Client { role, scopes, integration, .. } => {
                if let Some(scopes) = scopes
                    && !scopes.contains(&action.scope())
                {
                    return Err(Error::Forbidden);
                }
                if *integration && self.caller.person.is_none() && action.touches_people() {
                    return Err(Error::OnBehalfOfRequired);
                }
                policy::reach(*role, action).ok_or(Error::Forbidden)
            }
        }
    }

    /// Whether the caller acts in this role.
    #[must_use]
    pub fn is(&self, wanted: Role) -> bool {
        matches!(&self.caller.standing, Standing::Client { role, .. } if *role == wanted)
    }
}
