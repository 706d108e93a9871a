//! A service over a fresh SQLite, asked without a network in between.

use std::sync::Arc;

use nazorg_api::{Settings, routes};
use nazorg_domain::{
    App, SystemClock,
    api_keys::{self, NewApiKey},
    app::SilentBell,
    database::Database,
    entities::{OrganisationId, Role},
    key_store::{KeyStore, MasterKey},
    organisations,
    secrets::Secret,
};
use nazorg_migrations::{KeyStoreMigrator, Migrator, MigratorTrait};
use poem::{
    Body, Endpoint, EndpointExt, Request, Response, Route,
    endpoint::BoxEndpoint,
    http::{HeaderMap, Method},
};
use sea_orm::ConnectOptions;
use serde_json::Value;
use tempfile::TempDir;

/// The service, an organisation in it, and its administrator's key.
pub struct Service {
    endpoint: BoxEndpoint<'static, Response>,
    pub app: Arc<App>,
    pub organisation: OrganisationId,
    pub admin: String,
    _folder: TempDir,
}

impl Service {
    /// With the default settings.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With settings of its own.
    pub async fn with(adjust: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = open(&folder, "data").await;
        Migrator::up(data.reader(), None).await.unwrap();
        let keys = open(&folder, "keys").await;
        KeyStoreMigrator::up(keys.reader(), None).await.unwrap();
        let master = MasterKey { name: "test".to_owned(), secret: Secret::random().unwrap() };
        let clock = Arc::new(SystemClock);
        let app = Arc::new(App::new(data, KeyStore::new(keys, master), clock, Arc::new(SilentBell)));
        let organisation = organisations::found(&app, "Hospital", chrono_tz::Europe::Amsterdam).await.unwrap();
        let mut settings = Settings::new([7; 32]);
        adjust(&mut settings);
        let endpoint = routes(Arc::clone(&app), settings, Route::new()).unwrap().boxed();
        let mut service = Self { endpoint, app, organisation, admin: String::new(), _folder: folder };
        service.admin = service.key(organisation, Role::Admin).await;
        service
    }

    /// A key of an organisation in a role.
    pub async fn key(&self, organisation: OrganisationId, role: Role) -> String {
        let new = NewApiKey { name: "test".to_owned(), role, scopes: Vec::new(), person_id: None, expires_at: None };
        api_keys::issue(&self.app, organisation, new).await.unwrap().1
    }

    /// A second organisation, and its administrator's key.
    pub async fn elsewhere(&self) -> String {
        let other = organisations::found(&self.app, "Elsewhere", chrono_tz::Europe::Amsterdam).await.unwrap();
        self.key(other, Role::Admin).await
    }

    /// A coordinator's key of a second organisation.
    pub async fn coordinator_elsewhere(&self) -> String {
        let other = organisations::found(&self.app, "Elsewhere", chrono_tz::Europe::Amsterdam).await.unwrap();
        self.key(other, Role::Coordinator).await
    }

    /// A request of the administrator.
    pub fn get(&self, path: &str) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    /// A POST of the administrator.
    pub fn post(&self, path: &str) -> Ask<'_> {
        self.ask(Method::POST, path)
    }

    /// A PATCH of the administrator.
    pub fn patch(&self, path: &str) -> Ask<'_> {
        self.ask(Method::PATCH, path)
    }

    /// Any request of the administrator.
    pub fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        let request = Request::builder().method(method).uri(path.parse().unwrap()).finish();
        Ask { service: self, request }.header("Authorization", &format!("Bearer {}", self.admin))
    }
}

async fn open(folder: &TempDir, name: &str) -> Database {
    let path = folder.path().join(name);
    let options = ConnectOptions::new(format!("sqlite://{}?mode=rwc", path.display()));
    let connection = sea_orm::Database::connect(options).await.unwrap();
    for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = OFF"] {
        sea_orm::ConnectionTrait::execute_unprepared(&connection, pragma).await.unwrap();
    }
    Database::new(connection)
}

/// A request in the making.
pub struct Ask<'a> {
    service: &'a Service,
    request: Request,
}

impl Ask<'_> {
    /// Sets a header, or takes it away where the value is empty.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if value.is_empty() {
            self.request.headers_mut().remove(name);
        } else {
            self.request.headers_mut().insert(name, value.parse().unwrap());
        }
        self
    }

    /// A body as it is.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let length = body.len().to_string();
        self.request.set_body(Body::from(body));
        self.header("Content-Type", "application/json").header("Content-Length", &length)
    }

    /// A body of JSON.
    pub fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    /// Asks.
    pub async fn send(self) -> Reply {
        let response = self.service.endpoint.get_response(self.request).await;
        let (parts, body) = response.into_parts();
        Reply { status: parts.status.as_u16(), headers: parts.headers, body: body.into_vec().await.unwrap() }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Asserts the status, showing the body when it is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Asserts that this is a complete problem with this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        let text = self.text();
        assert_eq!(self.status, status, "{text}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{text}");
        let problem = self.json();
        assert_eq!(problem["status"], status, "{text}");
        assert_eq!(problem["code"], code, "{text}");
        assert_eq!(problem["type"], format!("/problems/{code}"), "{text}");
        assert_eq!(problem["instance"], format!("urn:uuid:{}", self.header("x-request-id")), "{text}");
        for member in ["title", "detail", "traceId"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {text}");
        }
        common(&self);
        problem
    }

    /// The errors of a 400 as `in pointer code`.
    #[track_caller]
    pub fn errors(self) -> Vec<String> {
        let problem = self.problem(400, "invalid_input");
        let one = |error: &Value| {
            let part = |name: &str| error[name].as_str().unwrap().to_owned();
            assert!(!part("detail").is_empty());
            format!("{} {} {}", part("in"), part("pointer"), part("code"))
        };
        let mut all: Vec<_> = problem["errors"].as_array().unwrap().iter().map(one).collect();
        all.sort();
        all
    }
}

/// Asserts what every answer carries.
#[track_caller]
pub fn common(reply: &Reply) {
    assert_eq!(reply.header("api-version"), nazorg_api::API_VERSION);
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert_eq!(reply.header("x-frame-options"), "DENY");
    assert_eq!(reply.header("referrer-policy"), "no-referrer");
    assert!(reply.header("strict-transport-security").starts_with("max-age="));
    assert!(reply.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert!(uuid::Uuid::try_parse(reply.header("x-request-id")).is_ok());
    assert!(reply.header("traceparent").starts_with("00-"));
}
