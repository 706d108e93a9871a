//! An organisation's protocols, version by version: uploaded or copied, checked, published, retired. A published
//! version never changes; a running trajectory stays on its own (PROTOCOLS, first lines).

mod rows;

use std::sync::Arc;

use nazorg_entities::{AccessAction, Instant, ProtocolId, ProtocolStatus, protocols as table};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::{
    Context,
    audit::{self, Access},
    database::Tx,
    error::{Error, FieldError, Result, ViolationCode},
    events::{self, Event, Kind},
    policy::Action,
    protocols::{self, Fault, Protocol},
};

/// One version of one protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct ProtocolVersion {
    /// Its id.
    pub id: ProtocolId,
    /// The protocol's name, the same over its versions.
    pub name: String,
    /// Which version, from 1.
    pub number: i32,
    /// Draft, published or retired.
    pub status: ProtocolStatus,
    /// The programme kind (DOMAIN 12.4).
    pub kind: String,
    /// What a case on it may hold (DOMAIN 7.2).
    pub record_profile: String,
    /// The document as it was written.
    pub text: String,
    /// The built-in or version it was copied from.
    pub derived_from: Option<String>,
    /// Since when.
    pub created_at: Instant,
    /// Since when trajectories may start on it.
    pub published_at: Option<Instant>,
    /// Since when none may start any more.
    pub retired_at: Option<Instant>,
    /// Row version.
    pub version: i32,
}

/// Where a new version's text comes from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// Written by the caller.
    Text(String),
    /// Copied from a built-in protocol, by its name.
    BuiltIn(String),
    /// Copied from another version of the organisation.
    Version(ProtocolId),
}

/// Which versions a list holds.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of these protocols.
    pub names: Vec<String>,
    /// Only in these states.
    pub statuses: Vec<ProtocolStatus>,
}

/// Makes the next version of a protocol, as a draft or published at once. Every mistake in the text is told together.
pub async fn upload(cx: &Context<'_>, origin: Origin, publish: bool) -> Result<ProtocolVersion> {
    cx.may(Action::ManageProtocols)?;
    let tx = cx.begin().await?;
    let (text, derived_from) = text_of(&tx, cx, origin).await?;
    let protocol = parsed(&text)?;
    let number = rows::latest(&**tx, cx, &protocol.name).await? + 1;
    let version = ProtocolVersion {
        id: ProtocolId(cx.app.ids.next()),
        name: protocol.name,
        number,
        status: if publish { ProtocolStatus::Published } else { ProtocolStatus::Draft },
        kind: protocol.kind,
        record_profile: protocol.record_profile.as_str().to_owned(),
        text,
        derived_from,
        created_at: cx.now,
        published_at: publish.then_some(cx.now),
        retired_at: None,
        version: 1,
    };
    rows::insert(&tx, cx, &version).await?;
    kept(&tx, cx, &version, (Kind::ProtocolUploaded, AccessAction::Create)).await?;
    if publish {
        events::record(&tx, cx, [Event::new(Kind::ProtocolPublished, version.id.0)]);
    }
    tx.commit().await?;
    Ok(version)
}

async fn text_of(tx: &Tx<'_>, cx: &Context<'_>, origin: Origin) -> Result<(String, Option<String>)> {
    match origin {
        Origin::Text(text) => Ok((text, None)),
        Origin::BuiltIn(name) => {
            let found = protocols::built_in().iter().find(|built_in| built_in.name == name);
            let found =
                found.ok_or_else(|| Error::field("/builtIn", "unknown", "There is no such built-in protocol."))?;
            Ok((found.text.to_owned(), Some(format!("built_in:{name}"))))
        }
        Origin::Version(id) => {
            let found = rows::one(&***tx, cx, id).await;
            let found = found.map_err(|error| crate::organisations::unknown(error, "/copyOf"))?;
            Ok((found.text, Some(id.to_string())))
        }
    }
}

/// Rewrites a draft.
pub async fn change(cx: &Context<'_>, id: ProtocolId, expected: i32, text: String) -> Result<ProtocolVersion> {
    cx.may(Action::ReadProtocols)?;
    let tx = cx.begin().await?;
    let before = rows::one(&**tx, cx, id).await?;
    cx.may(Action::ManageProtocols)?;
    draft(&before)?;
    let protocol = parsed(&text)?;
    if protocol.name != before.name {
        return Err(Error::field("/text", "name_differs", "The protocol's name cannot change; upload it as another."));
    }
    let after = ProtocolVersion {
        kind: protocol.kind,
        record_profile: protocol.record_profile.as_str().to_owned(),
        text,
        version: expected + 1,
        ..before
    };
    rows::update(&tx, cx, &after, expected).await?;
    kept(&tx, cx, &after, (Kind::ProtocolChanged, AccessAction::Update)).await?;
    tx.commit().await?;
    Ok(after)
}

/// Publishes a draft: from now on it never changes, and trajectories may start on it.
pub async fn publish(cx: &Context<'_>, id: ProtocolId) -> Result<ProtocolVersion> {
    cx.may(Action::ReadProtocols)?;
    let tx = cx.begin().await?;
    let before = rows::one(&**tx, cx, id).await?;
    cx.may(Action::ManageProtocols)?;
    draft(&before)?;
    let expected = before.version;
    let after = ProtocolVersion {
        status: ProtocolStatus::Published,
        published_at: Some(cx.now),
        version: expected + 1,
        ..before
    };
    rows::update(&tx, cx, &after, expected).await?;
    kept(&tx, cx, &after, (Kind::ProtocolPublished, AccessAction::Update)).await?;
    tx.commit().await?;
    Ok(after)
}

/// Retires a published version: what runs on it goes on, nothing starts on it.
pub async fn retire(cx: &Context<'_>, id: ProtocolId) -> Result<ProtocolVersion> {
    cx.may(Action::ReadProtocols)?;
    let tx = cx.begin().await?;
    let before = rows::one(&**tx, cx, id).await?;
    cx.may(Action::ManageProtocols)?;
    if before.status != ProtocolStatus::Published {
        return Err(Error::violation(ViolationCode::ProtocolNotPublished, "Only a published version can be retired."));
    }
    let expected = before.version;
    let after =
        ProtocolVersion { status: ProtocolStatus::Retired, retired_at: Some(cx.now), version: expected + 1, ..before };
    rows::update(&tx, cx, &after, expected).await?;
    kept(&tx, cx, &after, (Kind::ProtocolRetired, AccessAction::Update)).await?;
    tx.commit().await?;
    Ok(after)
}

/// Versions in order of their ids, after one.
pub async fn list(cx: &Context<'_>, filter: &Filter, after: Option<Uuid>, limit: u64) -> Result<Vec<ProtocolVersion>> {
    cx.may(Action::ReadProtocols)?;
    rows::list(cx, filter, after, limit).await
}

/// One version.
pub async fn read(cx: &Context<'_>, id: ProtocolId) -> Result<ProtocolVersion> {
    cx.may(Action::ReadProtocols)?;
    rows::one(&cx.db(), cx, id).await
}

/// What is wrong with a text; empty when nothing is.
pub fn check(cx: &Context<'_>, text: &str) -> Result<Vec<Fault>> {
    cx.may(Action::ReadProtocols)?;
    Ok(protocols::parse(text).err().unwrap_or_default())
}

/// A version ready to run; a published one is read once per process.
pub(crate) async fn ready(db: &impl ConnectionTrait, cx: &Context<'_>, id: ProtocolId) -> Result<Arc<Protocol>> {
    if let Some(known) = cx.app.known_protocols.get(&id) {
        return Ok(known);
    }
    let version = rows::one(db, cx, id).await?;
    let protocol = protocols::parse(&version.text)
        .map_err(|faults| Error::internal(format!("protocol version {id} has {} faults", faults.len())))?;
    let protocol = Arc::new(protocol);
    if version.status != ProtocolStatus::Draft {
        cx.app.known_protocols.insert(id, Arc::clone(&protocol));
    }
    Ok(protocol)
}

/// The version a new trajectory starts on: published, and the tenant's own.
pub(crate) async fn startable(tx: &Tx<'_>, cx: &Context<'_>, id: ProtocolId) -> Result<Arc<Protocol>> {
    let status = rows::status(&***tx, cx, id).await?;
    startable_as(tx, cx, (id, status)).await
}

/// The same, of a version that was found to stand there; `None` where there is none.
pub(crate) async fn startable_as(
    tx: &Tx<'_>,
    cx: &Context<'_>,
    (id, status): (ProtocolId, Option<ProtocolStatus>),
) -> Result<Arc<Protocol>> {
    let status = status.ok_or_else(|| crate::organisations::unknown(Error::NotFound, "/protocolId"))?;
    if status != ProtocolStatus::Published {
        let detail = "A trajectory starts on a published version.";
        return Err(Error::violation(ViolationCode::ProtocolNotPublished, detail));
    }
    ready(&***tx, cx, id).await
}

fn draft(version: &ProtocolVersion) -> Result<()> {
    if version.status == ProtocolStatus::Draft {
        return Ok(());
    }
    Err(Error::violation(ViolationCode::ProtocolNotDraft, "A published version never changes; upload the next one."))
}

/// Every fault of the text as an error of the field `text`, with its own path inside the document in the pointer.
fn parsed(text: &str) -> Result<Protocol> {
    protocols::parse(text).map_err(|faults| {
        let told = faults.into_iter().map(|fault| {
            let Fault { path, code, detail } = fault;
            FieldError::body(format!("/text#{path}"), code.as_str(), detail)
        });
        Error::Invalid(told.collect())
    })
}

async fn kept(
    tx: &Tx<'_>,
    cx: &Context<'_>,
    version: &ProtocolVersion,
    (kind, action): (Kind, AccessAction),
) -> Result<()> {
    events::record(tx, cx, [Event::new(kind, version.id.0)]);
    audit::record(&***tx, cx, &[Access::new(action, kind.as_str(), "protocol", version.id.0)]).await
}

impl From<table::Model> for ProtocolVersion {
    fn from(row: table::Model) -> Self {
        let table::Model {
            id,
            organisation_id: _,
            name,
            number,
            status,
            kind,
            record_profile,
            text,
            derived_from,
            created_at,
            published_at,
            retired_at,
            version,
        } = row;
        Self {
            id,
            name,
            number,
            status,
            kind,
            record_profile,
            text,
            derived_from,
            created_at,
            published_at,
            retired_at,
            version,
        }
    }
}
