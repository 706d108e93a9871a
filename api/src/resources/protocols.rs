//! Protocols: built-in ones, the organisation's versions, checking and previewing.

use chrono::{DateTime, Utc};
use nazorg_domain::{
    entities::ProtocolId,
    error::Error,
    protocol_versions::{self, Filter, Origin, ProtocolVersion},
    protocols::{self, Fault},
};
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

use super::sets::{ProtocolStatusView, many};
use crate::{
    answers::{Created, Current, Page, Plain},
    ask::{Ask, Body, IfMatch, OnceIfKeyed, Paging},
    once,
    problem::Answer,
    tags::Tag,
    types::Instant,
};

/// The operations on protocols.
pub(super) struct Protocols;

#[OpenApi(tag = "Tag::Protocols")]
impl Protocols {
    /// List built-in protocols
    ///
    /// The programmes that come with the service, to copy and adapt.
    #[oai(path = "/built-in-protocols", method = "get", operation_id = "listBuiltInProtocols")]
    async fn built_in(&self, ask: Ask<'_>) -> Answer<Plain<BuiltInProtocols>> {
        ask.may(nazorg_domain::policy::Action::ReadProtocols)?;
        let items = protocols::built_in()
            .iter()
            .map(|one| BuiltInProtocol { name: one.name.to_owned(), text: one.text.to_owned() })
            .collect();
        Ok(Plain::new(BuiltInProtocols { items }))
    }

    /// List protocol versions
    ///
    /// All versions of all protocols of the organisation, oldest first.
    #[oai(path = "/protocols", method = "get", operation_id = "listProtocols")]
    async fn list(
        &self,
        ask: Ask<'_>,
        /// Only of these protocols.
        name: Query<Option<Vec<String>>>,
        /// Only in these states.
        status: Query<Option<Vec<ProtocolStatusView>>>,
        paging: Paging,
    ) -> Answer<Page<ProtocolView>> {
        let filter = Filter { names: name.0.unwrap_or_default(), statuses: many(status.0, Into::into) };
        let found = protocol_versions::list(&ask, &filter, paging.after()?, paging.limit()).await?;
        Ok(Page::new(&paging, found, |version| version.id.0, ProtocolView::from))
    }

    /// Create a protocol version
    ///
    /// From a text, a built-in protocol or another version: exactly one of them. It begins as a draft unless published at once. A text with
    /// mistakes is refused with all of them; the pointer of each says where in the text it stands, behind `/text#`.
    #[oai(path = "/protocols", method = "post", operation_id = "createProtocol")]
    async fn create(&self, once: OnceIfKeyed<'_>, body: Body<NewProtocolBody>) -> Answer<Created<ProtocolView>> {
        once!(once, |cx| {
            let publish = body.0.publish;
            let version = protocol_versions::upload(cx, origin(body.0)?, publish).await?;
            Created::new("protocols", version.id, version.version, version.into())
        })
    }

    /// Read a protocol version
    ///
    /// With its text as it was written.
    #[oai(path = "/protocols/:id", method = "get", operation_id = "readProtocol")]
    async fn read(&self, ask: Ask<'_>, id: Path<Uuid>) -> Answer<Current<ProtocolView>> {
        let version = protocol_versions::read(&ask, ProtocolId(id.0)).await?;
        Ok(Current::new(version.version, version.into()))
    }

    /// Change a draft
    ///
    /// A published version never changes; create the next one instead.
    #[oai(path = "/protocols/:id", method = "patch", operation_id = "changeProtocol")]
    async fn change(
        &self,
        ask: Ask<'_>,
        id: Path<Uuid>,
        if_match: IfMatch,
        body: Body<ProtocolText>,
    ) -> Answer<Current<ProtocolView>> {
        let ProtocolText { text } = body.0;
        let version = protocol_versions::change(&ask, ProtocolId(id.0), if_match.0, text).await?;
        Ok(Current::new(version.version, version.into()))
    }

    /// Publish a protocol version
    ///
    /// From now on it never changes, and trajectories may start on it.
    #[oai(path = "/protocols/:id/publish", method = "post", operation_id = "publishProtocol")]
    async fn publish(&self, once: OnceIfKeyed<'_>, id: Path<Uuid>) -> Answer<Current<ProtocolView>> {
        once!(once, |cx| {
            let version = protocol_versions::publish(cx, ProtocolId(id.0)).await?;
            Current::new(version.version, version.into())
        })
    }

    /// Retire a protocol version
    ///
    /// What runs on it goes on; nothing starts on it any more.
    #[oai(path = "/protocols/:id/retire", method = "post", operation_id = "retireProtocol")]
    async fn retire(&self, once: OnceIfKeyed<'_>, id: Path<Uuid>) -> Answer<Current<ProtocolView>> {
        once!(once, |cx| {
            let version = protocol_versions::retire(cx, ProtocolId(id.0)).await?;
            Current::new(version.version, version.into())
        })
    }

    /// Check a protocol
    ///
    /// Everything that is wrong with a text. No faults means it could be published. Changes nothing.
    #[oai(path = "/protocols/_check", method = "post", operation_id = "checkProtocol")]
    async fn check(&self, ask: Ask<'_>, body: Body<ProtocolText>) -> Answer<Plain<ProtocolFaults>> {
        let faults = protocol_versions::check(&ask, &body.0.text)?.into_iter().map(fault).collect();
        Ok(Plain::new(ProtocolFaults { faults }))
    }

    /// Preview a protocol
    ///
    /// What would be due when, and who would be told, for an imagined trajectory: the same engine that runs the real
    /// ones. Changes nothing.
    #[oai(path = "/protocols/_preview", method = "post", operation_id = "previewProtocol")]
    async fn preview(&self, ask: Ask<'_>, body: Body<PreviewBody>) -> Answer<Plain<PreviewView>> {
        Ok(Plain::new(super::previews::preview(&ask, body.0).await?))
    }
}

fn origin(body: NewProtocolBody) -> Result<Origin, Error> {
    match body {
        NewProtocolBody { text: Some(text), built_in: None, copy_of: None, publish: _ } => Ok(Origin::Text(text)),
        NewProtocolBody { text: None, built_in: Some(name), copy_of: None, publish: _ } => Ok(Origin::BuiltIn(name)),
        NewProtocolBody { text: None, built_in: None, copy_of: Some(id), publish: _ } => {
            Ok(Origin::Version(ProtocolId(id)))
        }
        _ => Err(Error::field("", "exactly_one", "Give exactly one of text, builtIn and copyOf.")),
    }
}

fn fault(fault: Fault) -> ProtocolFault {
    let Fault { path, code, detail } = fault;
    ProtocolFault { path, code: code.as_str().to_owned(), detail }
}

/// The built-in protocols.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct BuiltInProtocols {
    items: Vec<BuiltInProtocol>,
}

/// A programme that comes with the service.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct BuiltInProtocol {
    name: String,
    /// The document, YAML.
    text: String,
}

/// One version of one protocol.
#[derive(Debug, Object)]
#[oai(rename = "Protocol", rename_all = "camelCase", skip_serializing_if_is_none)]
struct ProtocolView {
    id: Uuid,
    /// The protocol's name, the same over its versions.
    name: String,
    /// Which version, from 1.
    number: i32,
    status: ProtocolStatusView,
    /// The programme kind.
    kind: String,
    /// What a case on it may hold at all: `contact_log`, `support_file`, …
    record_profile: String,
    /// The document as it was written.
    text: String,
    /// The built-in (`built_in:<name>`) or version it was copied from.
    derived_from: Option<String>,
    created_at: Instant,
    published_at: Option<Instant>,
    retired_at: Option<Instant>,
}

impl From<ProtocolVersion> for ProtocolView {
    fn from(version: ProtocolVersion) -> Self {
        let ProtocolVersion {
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
            version: _,
        } = version;
        Self {
            id: id.0,
            name,
            number,
            status: status.into(),
            kind,
            record_profile,
            text,
            derived_from,
            created_at: Instant(created_at),
            published_at: published_at.map(Instant),
            retired_at: retired_at.map(Instant),
        }
    }
}

/// Where a new version comes from: exactly one of these.
#[derive(Debug, Object)]
#[oai(rename = "NewProtocol", rename_all = "camelCase", deny_unknown_fields)]
struct NewProtocolBody {
    /// The document, YAML or JSON.
    #[oai(validator(min_length = 1, max_length = 262_144))]
    text: Option<String>,
    /// The name of a built-in protocol to copy.
    #[oai(validator(min_length = 1, max_length = 100))]
    built_in: Option<String>,
    /// Another version to copy.
    copy_of: Option<Uuid>,
    /// Whether it is published at once instead of beginning as a draft.
    #[oai(default)]
    publish: bool,
}

/// The text of a protocol.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct ProtocolText {
    /// The document, YAML or JSON.
    #[oai(validator(min_length = 1, max_length = 262_144))]
    text: String,
}

/// What is wrong with a protocol.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct ProtocolFaults {
    faults: Vec<ProtocolFault>,
}

/// One mistake in a protocol.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct ProtocolFault {
    /// Where in the document, a JSON pointer.
    path: String,
    /// Stable code.
    code: String,
    /// What was expected.
    detail: String,
}

/// An imagined trajectory.
#[derive(Debug, Object)]
#[oai(rename = "NewPreview", rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PreviewBody {
    /// The document; or `protocolId`, exactly one of the two.
    #[oai(validator(min_length = 1, max_length = 262_144))]
    pub(super) text: Option<String>,
    /// A version of the organisation.
    pub(super) protocol_id: Option<Uuid>,
    /// The anchors' values.
    #[oai(validator(max_items = 100))]
    pub(super) anchors: Vec<NewAnchor>,
    /// The time zone, an IANA name; without one, the organisation's.
    #[oai(validator(min_length = 1, max_length = 60))]
    pub(super) zone: Option<String>,
    /// What comes of the steps: `step[#n]=code[@instant]`; without an instant, at the due moment.
    #[oai(default, validator(max_items = 200))]
    pub(super) outcomes: Vec<String>,
    /// Until when, a duration from the start: `P2Y`.
    #[oai(validator(min_length = 2, max_length = 20))]
    pub(super) until: Option<String>,
}

/// A value of an anchor.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewAnchor {
    /// Which anchor of the protocol.
    #[oai(validator(min_length = 1, max_length = 100))]
    pub(crate) anchor: String,
    /// The moment.
    pub(crate) at: Instant,
}

impl From<NewAnchor> for (String, DateTime<Utc>) {
    fn from(value: NewAnchor) -> Self {
        let NewAnchor { anchor, at } = value;
        (anchor, at.0)
    }
}

/// What would happen, in order.
#[derive(Debug, Object)]
#[oai(rename = "Preview", rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct PreviewView {
    pub(super) follow_ups: Vec<PreviewFollowUpView>,
    pub(super) messages: Vec<PreviewMessageView>,
}

/// A follow-up of an imagined trajectory.
#[derive(Debug, Object)]
#[oai(rename = "PreviewFollowUp", rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct PreviewFollowUpView {
    pub(super) step: String,
    pub(super) occurrence: i32,
    /// The role that does it.
    pub(super) actor: String,
    pub(super) opens_at: Option<Instant>,
    pub(super) due_at: Option<Instant>,
    pub(super) closes_at: Option<Instant>,
    pub(super) expires_at: Option<Instant>,
    /// Where it stands when the preview ends.
    pub(super) status: String,
    pub(super) outcome: Option<String>,
    /// Why it ended without an outcome, or why it waits.
    pub(super) reason: Option<String>,
    pub(super) final_at: Option<Instant>,
    /// Which weekends, holidays and closed days moved its due moment.
    pub(super) moved_by: Vec<String>,
}

/// A message of an imagined trajectory.
#[derive(Debug, Object)]
#[oai(rename = "PreviewMessage", rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct PreviewMessageView {
    pub(super) step: String,
    pub(super) occurrence: i32,
    /// The role it goes to, `person` or `close_one`.
    pub(super) to: String,
    pub(super) at: Instant,
    /// Why: a stable code such as `before_due` or `after_close`.
    pub(super) because: String,
    /// Which rule of the step: `remind:0`, `escalate:1`.
    pub(super) rule: String,
    /// The template the protocol names.
    pub(super) template: Option<String>,
    /// When it stopped holding.
    pub(super) called_off_at: Option<Instant>,
    /// Which weekends, holidays and closed days moved the due moment it is about.
    pub(super) moved_by: Vec<String>,
}
