//! Ways to reach a person, and how safe each is (DOMAIN 7.5): never contact someone in a way they did not mark as safe,
//! and ask again from time to time.

mod rows;
pub mod rules;

use nazorg_entities::{AccessAction, ChannelKind, ContactMode, ContactPointId, Instant, PersonId, Safe, Voicemail};
use uuid::Uuid;

pub(super) use rows::{in_use, reached_by};
pub use rules::Window;

use super::rows as persons;
use crate::{
    Context,
    audit::{self, Access},
    database::Writing,
    error::{Error, Result, ViolationCode},
    events::{self, Event, Kind},
    organisations,
    policy::Action,
    secrets::place,
};

/// Where an address is sealed, and what its index is derived for.
pub(super) const ADDRESS: &str = "contact_points/address";

/// A way to reach a person.
#[derive(Debug, Clone, PartialEq)]
pub struct ContactPoint {
    /// Its id.
    pub id: ContactPointId,
    /// Whose.
    pub person_id: PersonId,
    /// Over which way.
    pub channel: ChannelKind,
    /// An e-mail address or an E.164 number; absent while sealed, and once the person's key is destroyed.
    pub address: Option<String>,
    /// Whether the person marked it as safe.
    pub safe: Safe,
    /// When they last said so.
    pub verified_at: Option<Instant>,
    /// When it must be asked again.
    pub expires_at: Option<Instant>,
    /// From when on a day it may be used, in the person's own time.
    pub allowed: Option<Window>,
    /// What may be left on a voicemail.
    pub voicemail: Voicemail,
    /// Who takes the initiative.
    pub contact_mode: ContactMode,
    /// The lowest is tried first.
    pub preference: i32,
    /// Since when it is no more.
    pub ended_at: Option<Instant>,
    /// Since when it is known.
    pub created_at: Instant,
    /// Row version.
    pub version: i32,
}

/// A contact point to come.
#[derive(Debug, Clone)]
pub struct NewContactPoint {
    /// Over which way.
    pub channel: ChannelKind,
    /// An e-mail address, or a telephone number in E.164.
    pub address: String,
    /// Whether the person marked it as safe; yes and no count as asked now.
    pub safe: Safe,
    /// When it must be asked again; 90 days from now unless said otherwise.
    pub expires_at: Option<Instant>,
    /// From when on a day it may be used.
    pub allowed: Option<Window>,
    /// What may be left on a voicemail.
    pub voicemail: Voicemail,
    /// Who takes the initiative.
    pub contact_mode: ContactMode,
    /// The lowest is tried first.
    pub preference: i32,
}

/// What changes about a contact point; `None` leaves as it is. Another address is another contact point, and whether it
/// is safe is not changed but asked again: [`verify`].
#[derive(Debug, Clone, Default)]
pub struct ContactPointChange {
    /// From when on a day it may be used; `Some(None)` is always.
    pub allowed_from: Option<Option<chrono::NaiveTime>>,
    /// Until when on a day it may be used; `Some(None)` is always.
    pub allowed_until: Option<Option<chrono::NaiveTime>>,
    /// What may be left on a voicemail.
    pub voicemail: Option<Voicemail>,
    /// Who takes the initiative.
    pub contact_mode: Option<ContactMode>,
    /// The lowest is tried first.
    pub preference: Option<i32>,
}

/// Adds a way to reach a person. 409 `person_restricted` while their data may only be kept, here and in [`change`] and [`verify`].
pub async fn create(cx: &Context<'_>, person: PersonId, new: NewContactPoint) -> Result<ContactPoint> {
    let reach = cx.may(Action::WritePeople)?;
    rules::check(&new, cx.now)?;
    let (verified_at, expires_at) = rules::asked(new.safe, new.expires_at, cx.now)?;
    let tx = cx.begin().await?;
    let key = cx.app.keys.one(persons::changeable(&tx, cx, reach, person).await?.key_id).await?;
    let NewContactPoint { channel, address, safe, expires_at: _, allowed, voicemail, contact_mode, preference } = new;
    let point = ContactPoint {
        id: ContactPointId(cx.app.ids.next()),
        person_id: person,
        channel,
        address: Some(address.clone()),
        safe,
        verified_at,
        expires_at,
        allowed,
        voicemail,
        contact_mode,
        preference,
        ended_at: None,
        created_at: cx.now,
        version: 1,
    };
    let sealed = key.seal_text(&place(ADDRESS, point.id.0), &address)?;
    let index = organisations::key(&**tx, cx).await?.blind(ADDRESS, &address)?;
    rows::insert(&tx, cx, &point, (sealed, index)).await?;
    told(&tx, cx, &point, (AccessAction::Create, "contact_point.created")).await?;
    tx.commit().await?;
    Ok(point)
}

/// A person's contact points in order of their ids, after one; those that ended too.
pub async fn list(cx: &Context<'_>, person: PersonId, after: Option<Uuid>, limit: u64) -> Result<Vec<ContactPoint>> {
    let reach = cx.may(Action::ReadPeople)?;
    let owner = persons::one(&cx.db(), cx, reach, person).await?;
    let points = of_person(cx, &owner, after, limit).await?;
    let rows: Vec<_> = points.iter().map(|point| access(AccessAction::Read, "contact_point.listed", point)).collect();
    audit::seen(cx, &rows).await?;
    Ok(points)
}

/// A person's contact points, opened, for whoever has seen the person.
pub(super) async fn of_person(
    cx: &Context<'_>,
    owner: &persons::Row,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<ContactPoint>> {
    let found = rows::of(cx, owner.id, after, limit).await?;
    let key = cx.app.keys.many(&[owner.key_id]).await?.remove(&owner.key_id);
    let mut points = Vec::with_capacity(found.len());
    for (mut point, sealed) in found {
        point.address = key.as_ref().map(|key| key.open_text(&place(ADDRESS, point.id.0), &sealed)).transpose()?;
        points.push(point);
    }
    Ok(points)
}

/// One contact point.
pub async fn read(cx: &Context<'_>, id: ContactPointId) -> Result<ContactPoint> {
    let reach = cx.may(Action::ReadPeople)?;
    let found = rows::one(&cx.db(), cx, reach, id).await?;
    let point = open(&cx.db(), cx, found).await?;
    audit::seen(cx, &[access(AccessAction::Read, "contact_point.read", &point)]).await?;
    Ok(point)
}

/// Changes how a contact point may be used.
pub async fn change(
    cx: &Context<'_>,
    id: ContactPointId,
    expected: i32,
    change: ContactPointChange,
) -> Result<ContactPoint> {
    let reach = cx.may(Action::WritePeople)?;
    let tx = cx.begin().await?;
    let found = rows::one(&**tx, cx, reach, id).await?;
    persons::hold(&tx, &[found.0.person_id]).await?;
    persons::changeable(&tx, cx, reach, found.0.person_id).await?;
    let before = open(&**tx, cx, found).await?;
    let after = ContactPoint { version: expected + 1, ..rules::changed(before, change)? };
    rows::update(&tx, cx, &after).await?;
    told(&tx, cx, &after, (AccessAction::Update, "contact_point.changed")).await?;
    tx.commit().await?;
    Ok(after)
}

/// Keeps that the person was asked whether this way is safe, and what they said.
pub async fn verify(
    cx: &Context<'_>,
    id: ContactPointId,
    safe: Safe,
    expires_at: Option<Instant>,
) -> Result<ContactPoint> {
    let reach = cx.may(Action::WritePeople)?;
    let tx = cx.begin().await?;
    let found = rows::one(&**tx, cx, reach, id).await?;
    persons::hold(&tx, &[found.0.person_id]).await?;
    persons::changeable(&tx, cx, reach, found.0.person_id).await?;
    let before = rules::in_use(open(&**tx, cx, found).await?)?;
    let (verified_at, expires_at) = rules::asked(safe, expires_at, cx.now)?;
    let after = ContactPoint { safe, verified_at, expires_at, version: before.version + 1, ..before };
    rows::update(&tx, cx, &after).await?;
    told(&tx, cx, &after, (AccessAction::Update, "contact_point.verified")).await?;
    tx.commit().await?;
    Ok(after)
}

/// Ends a contact point: nothing is sent there any more. A restriction does not stop what takes something back.
pub async fn end(cx: &Context<'_>, id: ContactPointId) -> Result<ContactPoint> {
    let reach = cx.may(Action::WritePeople)?;
    let tx = cx.begin().await?;
    let found = rows::one(&**tx, cx, reach, id).await?;
    persons::hold(&tx, &[found.0.person_id]).await?;
    let before = rules::in_use(open(&**tx, cx, found).await?)?;
    let after = ContactPoint { ended_at: Some(cx.now), version: before.version + 1, ..before };
    rows::update(&tx, cx, &after).await?;
    told(&tx, cx, &after, (AccessAction::Update, "contact_point.ended")).await?;
    tx.commit().await?;
    Ok(after)
}

/// Who can be reached at an address.
#[derive(Debug, Default)]
pub(crate) struct ReachedAt {
    /// By which contact points.
    pub(crate) points: Vec<ContactPointId>,
    /// Whose those are.
    pub(crate) persons: Vec<PersonId>,
    /// They ended: nobody is reached there any more.
    pub(crate) ended: bool,
}

/// The contact points in use at this address, and whose they are; where there is none, those that ended only since.
pub(crate) async fn at(tx: &Writing, cx: &Context<'_>, address: &str, since: Instant) -> Result<ReachedAt> {
    let index = organisations::key(&**tx, cx).await?.blind(ADDRESS, address)?;
    let found = rows::at(tx, cx, index, since).await?;
    let ended = !found.iter().any(|(_, _, in_use)| *in_use);
    let meant = found.into_iter().filter(|(_, _, in_use)| *in_use || ended);
    let (points, persons) = meant.map(|(point, person, _)| (point, person)).unzip();
    Ok(ReachedAt { points, persons, ended })
}

async fn open(
    db: &impl sea_orm::ConnectionTrait,
    cx: &Context<'_>,
    (mut point, sealed): (ContactPoint, Vec<u8>),
) -> Result<ContactPoint> {
    let owner = persons::one(db, cx, crate::policy::Reach::All, point.person_id).await?;
    let keys = cx.app.keys.many(&[owner.key_id]).await?;
    let key = keys.get(&owner.key_id);
    point.address = key.map(|key| key.open_text(&place(ADDRESS, point.id.0), &sealed)).transpose()?;
    Ok(point)
}

fn access(action: AccessAction, code: &'static str, point: &ContactPoint) -> Access {
    Access::new(action, code, "contact_point", point.id.0).of(point.person_id)
}

async fn told(
    tx: &Writing,
    cx: &Context<'_>,
    point: &ContactPoint,
    (action, code): (AccessAction, &'static str),
) -> Result<()> {
    events::record(tx, cx, [Event::new(Kind::ContactPointChanged, point.id.0)]);
    audit::record(&**tx, cx, &[access(action, code, point)]).await
}

fn ended() -> Error {
    Error::violation(ViolationCode::AlreadyEnded, "The contact point ended before.")
}
