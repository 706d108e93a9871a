//! Ways to reach a person, and how safe each is.

use nazorg_domain::{
    entities::{ContactMode, ContactPointId, PersonId, Voicemail},
    error::Error,
    people::contact_points::{self, ContactPoint, ContactPointChange, NewContactPoint, Window},
};
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use super::sets::{ChannelView, ContactModeView, SafeView, VoicemailView};
use crate::{
    answers::{Created, Current, Page},
    ask::{Ask, Body, IfMatch, OnceIfKeyed, Paging},
    once,
    patch::Patch,
    problem::Answer,
    tags::Tag,
    types::{Instant, TimeOfDay},
};

/// The operations on contact points.
pub(super) struct ContactPoints;

#[OpenApi(tag = "Tag::People")]
impl ContactPoints {
    /// List the contact points of a person
    ///
    /// In the order in which they were added; those that ended too.
    #[oai(path = "/persons/:id/contact-points", method = "get", operation_id = "listContactPoints")]
    async fn list(&self, ask: Ask<'_>, id: Path<Uuid>, paging: Paging) -> Answer<Page<ContactPointView>> {
        let found = contact_points::list(&ask, PersonId(id.0), paging.after()?, paging.limit()).await?;
        Ok(Page::new(&paging, found, |point| point.id.0, ContactPointView::from))
    }

    /// Add a contact point to a person
    ///
    /// Nothing is sent to it by adding it. Whether it is safe is what the person said of it; unless agreed otherwise that
    /// holds for 90 days, and must then be asked again.
    #[oai(path = "/persons/:id/contact-points", method = "post", operation_id = "createContactPoint")]
    async fn create(
        &self,
        once: OnceIfKeyed<'_>,
        id: Path<Uuid>,
        body: Body<NewContactPointBody>,
    ) -> Answer<Created<ContactPointView>> {
        once!(once, |cx| {
            let point = contact_points::create(cx, PersonId(id.0), body.0.try_into()?).await?;
            Created::new("contact-points", point.id, point.version, point.into())
        })
    }

    /// Read a contact point
    ///
    /// With its address.
    #[oai(path = "/contact-points/:id", method = "get", operation_id = "readContactPoint")]
    async fn read(&self, ask: Ask<'_>, id: Path<Uuid>) -> Answer<Current<ContactPointView>> {
        let point = contact_points::read(&ask, ContactPointId(id.0)).await?;
        Ok(Current::new(point.version, point.into()))
    }

    /// Change a contact point
    ///
    /// How it may be used. Another address is another contact point; whether it is safe is asked again with
    /// `verifyContactPoint`.
    #[oai(path = "/contact-points/:id", method = "patch", operation_id = "changeContactPoint")]
    async fn change(
        &self,
        ask: Ask<'_>,
        id: Path<Uuid>,
        if_match: IfMatch,
        body: Body<ContactPointChangeBody>,
    ) -> Answer<Current<ContactPointView>> {
        let point = contact_points::change(&ask, ContactPointId(id.0), if_match.0, body.0.into()).await?;
        Ok(Current::new(point.version, point.into()))
    }

    /// Verify a contact point
    ///
    /// The person was asked whether this way is safe and private, and this is what they said.
    #[oai(path = "/contact-points/:id/verify", method = "post", operation_id = "verifyContactPoint")]
    async fn verify(
        &self,
        once: OnceIfKeyed<'_>,
        id: Path<Uuid>,
        body: Body<ContactPointVerification>,
    ) -> Answer<Current<ContactPointView>> {
        once!(once, |cx| {
            let ContactPointVerification { safe, expires_at } = body.0;
            let expires_at = expires_at.map(|at| at.0);
            let point = contact_points::verify(cx, ContactPointId(id.0), safe.into(), expires_at).await?;
            Current::new(point.version, point.into())
        })
    }

    /// End a contact point
    ///
    /// Nothing is sent there any more.
    #[oai(path = "/contact-points/:id/end", method = "post", operation_id = "endContactPoint")]
    async fn end(&self, once: OnceIfKeyed<'_>, id: Path<Uuid>) -> Answer<Current<ContactPointView>> {
        once!(once, |cx| {
            let point = contact_points::end(cx, ContactPointId(id.0)).await?;
            Current::new(point.version, point.into())
        })
    }
}

/// A way to reach a person.
#[derive(Debug, Object)]
#[oai(rename = "ContactPoint", rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct ContactPointView {
    id: Uuid,
    person_id: Uuid,
    channel: ChannelView,
    /// An e-mail address, or a telephone number in E.164. Absent once the person was forgotten.
    address: Option<String>,
    /// Whether the person marked it as safe.
    safe: SafeView,
    /// When they last said so.
    verified_at: Option<Instant>,
    /// When it must be asked again.
    expires_at: Option<Instant>,
    /// From when on a day it may be used, in the person's own time; always where absent.
    allowed_from: Option<TimeOfDay>,
    /// Until when on a day it may be used; before `allowedFrom` it runs over midnight.
    allowed_until: Option<TimeOfDay>,
    voicemail: VoicemailView,
    contact_mode: ContactModeView,
    /// The lowest is tried first.
    preference: i32,
    /// Since when it is no more.
    ended_at: Option<Instant>,
    created_at: Instant,
}

impl From<ContactPoint> for ContactPointView {
    fn from(point: ContactPoint) -> Self {
        let ContactPoint {
            id,
            person_id,
            channel,
            address,
            safe,
            verified_at,
            expires_at,
            allowed,
            voicemail,
            contact_mode,
            preference,
            ended_at,
            created_at,
            version: _,
        } = point;
        Self {
            id: id.0,
            person_id: person_id.0,
            channel: channel.into(),
            address,
            safe: safe.into(),
            verified_at: verified_at.map(Instant),
            expires_at: expires_at.map(Instant),
            allowed_from: allowed.map(|window| TimeOfDay(window.from)),
            allowed_until: allowed.map(|window| TimeOfDay(window.until)),
            voicemail: voicemail.into(),
            contact_mode: contact_mode.into(),
            preference,
            ended_at: ended_at.map(Instant),
            created_at: Instant(created_at),
        }
    }
}

/// A contact point to add.
#[derive(Debug, Object)]
#[oai(rename = "NewContactPoint", rename_all = "camelCase", deny_unknown_fields)]
struct NewContactPointBody {
    channel: ChannelView,
    /// An e-mail address, or a telephone number in E.164.
    #[oai(validator(min_length = 1, max_length = 254))]
    address: String,
    /// What the person said of it; `yes` and `no` count as asked now.
    safe: SafeView,
    /// When it must be asked again; 90 days from now unless said otherwise.
    expires_at: Option<Instant>,
    /// From when on a day it may be used, in the person's own time.
    allowed_from: Option<TimeOfDay>,
    /// Until when on a day it may be used.
    allowed_until: Option<TimeOfDay>,
    /// What may be left on a voicemail; nothing unless said otherwise.
    voicemail: Option<VoicemailView>,
    /// Who takes the initiative; we do unless said otherwise.
    contact_mode: Option<ContactModeView>,
    /// The lowest is tried first.
    #[oai(default, validator(minimum(value = "0"), maximum(value = "100")))]
    preference: i32,
}

impl TryFrom<NewContactPointBody> for NewContactPoint {
    type Error = Error;

    fn try_from(body: NewContactPointBody) -> Result<Self, Error> {
        let NewContactPointBody {
            channel,
            address,
            safe,
            expires_at,
            allowed_from,
            allowed_until,
            voicemail,
            contact_mode,
            preference,
        } = body;
        let allowed = match (allowed_from, allowed_until) {
            (None, None) => None,
            (Some(from), Some(until)) => Some(Window { from: from.0, until: until.0 }),
            (None, Some(_)) => return Err(half("/allowedFrom")),
            (Some(_), None) => return Err(half("/allowedUntil")),
        };
        Ok(Self {
            channel: channel.into(),
            address,
            safe: safe.into(),
            expires_at: expires_at.map(|at| at.0),
            allowed,
            voicemail: voicemail.map_or(Voicemail::No, Into::into),
            contact_mode: contact_mode.map_or(ContactMode::WeContact, Into::into),
            preference,
        })
    }
}

fn half(pointer: &str) -> Error {
    Error::field(pointer, "required", "A window has a beginning and an end.")
}

/// What to change about a contact point.
#[derive(Debug, Object)]
#[oai(rename = "ContactPointChange", rename_all = "camelCase", deny_unknown_fields)]
struct ContactPointChangeBody {
    /// From when on a day it may be used; null, with `allowedUntil`, is always.
    allowed_from: Patch<TimeOfDay>,
    /// Until when on a day it may be used; null, with `allowedFrom`, is always.
    allowed_until: Patch<TimeOfDay>,
    /// What may be left on a voicemail.
    voicemail: Option<VoicemailView>,
    /// Who takes the initiative.
    contact_mode: Option<ContactModeView>,
    /// The lowest is tried first.
    #[oai(validator(minimum(value = "0"), maximum(value = "100")))]
    preference: Option<i32>,
}

impl From<ContactPointChangeBody> for ContactPointChange {
    fn from(body: ContactPointChangeBody) -> Self {
        let ContactPointChangeBody { allowed_from, allowed_until, voicemail, contact_mode, preference } = body;
        Self {
            allowed_from: allowed_from.into_change(|time| time.0),
            allowed_until: allowed_until.into_change(|time| time.0),
            voicemail: voicemail.map(Into::into),
            contact_mode: contact_mode.map(Into::into),
            preference,
        }
    }
}

/// What the person said of a contact point.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct ContactPointVerification {
    /// Whether it is safe; `unknown` when they could not say.
    safe: SafeView,
    /// When it must be asked again; 90 days from now unless agreed otherwise.
    expires_at: Option<Instant>,
}
