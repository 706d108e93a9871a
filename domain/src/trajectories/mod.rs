//! Trajectories: one protocol version running for one case. What was said to it is a log; its rows are a projection of
//! the pure engine's replay of that log, which is what lets the ledger check them (DESIGN section 6).

mod difference;
mod effects;
mod rows;
pub mod rules;
mod running;

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use nazorg_entities::{
    AccessAction, CaseId, FollowUpId, Instant, PersonId, ProtocolId, TrajectoryId, TrajectoryStatus, UnitId,
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    Context, audit,
    audit::Access,
    database::{Tx, Writing},
    error::{Error, Result},
    events::{self, Event, Kind},
    organisations, people,
    policy::Action,
    protocol_versions,
    protocols::{AnchorValue, Effect, Key, Offset, Protocol, Stacking, Step, Surroundings, What},
};

pub(crate) use difference::Hands;
pub(crate) use rows::{key_of, key_text, lock, lock_about, lock_alone, lock_for, lock_of_case};
pub(crate) use running::{Running, kept_about, load, load_many, replayed, say, settle_many};

/// A trajectory.
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectory {
    /// Its id.
    pub id: TrajectoryId,
    /// Whose support it is part of.
    pub case_id: CaseId,
    /// The version it runs on.
    pub protocol_id: ProtocolId,
    /// Active or closed.
    pub status: TrajectoryStatus,
    /// The time zone it runs in.
    pub zone: String,
    /// The values of its anchors.
    pub anchors: Vec<AnchorMoment>,
    /// The person's own rhythm: every parameter of the protocol with the value that holds.
    pub params: Vec<(String, Offset)>,
    /// The steps the person opted in to.
    pub opted_in: Vec<String>,
    /// Since when.
    pub started_at: Instant,
    /// Until when.
    pub closed_at: Option<Instant>,
    /// Why it closed.
    pub closed_reason: Option<String>,
    /// Row version.
    pub version: i32,
}

/// One value of one anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorMoment {
    /// Which anchor.
    pub anchor: String,
    /// Which of its values.
    pub id: Uuid,
    /// The moment.
    pub at: Instant,
}

/// A trajectory to come.
#[derive(Debug, Clone)]
pub struct NewTrajectory {
    /// The published version it runs on.
    pub protocol_id: ProtocolId,
    /// The anchors known now.
    pub anchors: Vec<(String, DateTime<Utc>)>,
    /// The person's own rhythm where it differs from the protocol's: durations such as `P2W`, within its bounds.
    pub params: Vec<(String, String)>,
}

/// The case a trajectory runs for, as its rows need it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ForCase {
    pub(crate) id: CaseId,
    pub(crate) person_id: PersonId,
    pub(crate) unit_id: Option<UnitId>,
    /// The person had no case before it, and so there is nothing to take over from.
    pub(crate) first: bool,
}

/// Starts a trajectory in an open case. 409 `unknown_param` or `param_out_of_bounds` as [`set_param`] says, and `person_restricted` while the
/// person's data may only be kept.
pub async fn start(cx: &Context<'_>, case: CaseId, new: NewTrajectory) -> Result<Trajectory> {
    let reach = cx.may(Action::ReadCases)?;
    let tx = cx.begin().await?;
    let case = crate::cases::open_one(&tx, cx, reach, case).await?;
    cx.may(Action::OpenCases)?;
    let protocol = protocol_versions::startable(&tx, cx, new.protocol_id).await?;
    rules::same_profile(&case.record_profile, &protocol)?;
    crate::cases::rules::same_subject(case.relation_id, &protocol)?;
    older(&tx, cx, (case.person_id, &protocol), Some(case.id)).await?;
    // As it stands now that nobody closes or moves it any more.
    let case = crate::cases::open_one(&tx, cx, reach, case.id).await?;
    people::unrestricted(&tx, cx, case.person_id).await?;
    let of = ForCase { id: case.id, person_id: case.person_id, unit_id: case.unit_id, first: false };
    let around = organisations::surroundings(&**tx, cx, case.unit_id).await?;
    let fresh = prepare(&tx, cx, of, (new, protocol, around)).await?;
    let Begun { id, reached_case: _ } = begin(&tx, cx, fresh).await?;
    let access = Access::new(AccessAction::Create, "trajectory.started", "trajectory", id.0).of(case.person_id);
    audit::record(&**tx, cx, &[access]).await?;
    let trajectory = read_in(&tx, cx, id).await?;
    tx.commit().await?;
    Ok(trajectory)
}

/// A trajectory that is about to start.
pub(crate) struct Fresh {
    running: Running,
    started: What,
}

/// Prepares a trajectory inside another verb's transaction, on a version that was found startable in it: what it takes over from is told.
pub(crate) async fn prepare(
    tx: &Tx<'_>,
    cx: &Context<'_>,
    case: ForCase,
    (new, protocol, around): (NewTrajectory, Arc<Protocol>, Surroundings),
) -> Result<Fresh> {
    let NewTrajectory { protocol_id, anchors, params } = new;
    let params = rules::params(params)?;
    let around = protocol.surroundings(&around);
    let mut by_name: BTreeMap<String, Vec<AnchorValue>> = BTreeMap::new();
    for (anchor, at) in anchors {
        by_name.entry(anchor).or_default().push(AnchorValue { id: cx.app.ids.next(), at });
    }
    let id = TrajectoryId(cx.app.ids.next());
    let event = Event::new(Kind::TrajectoryStarted, id.0).of_case(case.id);
    events::record(tx, cx, [event.with(json!({ "protocolId": protocol_id }))]);
    if !case.first {
        supersede(tx, cx, case.person_id, &protocol).await?;
    }
    let running = Running::fresh(cx, id, case, (protocol_id, protocol, around))?;
    let started = What::Started { anchors: by_name, params, subjects: BTreeMap::new() };
    Ok(Fresh { running, started })
}

/// A trajectory that has started.
pub(crate) struct Begun {
    pub(crate) id: TrajectoryId,
    /// Its start changed the case: it was over at once, or somebody else is to be sought.
    pub(crate) reached_case: bool,
}

/// Starts what was prepared.
pub(crate) async fn begin(tx: &Tx<'_>, cx: &Context<'_>, fresh: Fresh) -> Result<Begun> {
    let Fresh { mut running, started } = fresh;
    let effects = say(tx, cx, &mut running, started).await.map_err(rules::at_start)?;
    let reached_case = !effects.is_empty() || running.state().closed.is_some();
    Ok(Begun { id: running.row().id, reached_case })
}

/// A second incident of the same kind: what is still open of the first is carried on by the new one (PROTOCOLS section 4).
async fn supersede(tx: &Tx<'_>, cx: &Context<'_>, person: PersonId, protocol: &Protocol) -> Result<()> {
    let older = older(tx, cx, (person, protocol), None).await?;
    for mut running in load_many(tx, cx, &older).await? {
        say(tx, cx, &mut running, What::Superseded).await?;
    }
    Ok(())
}

/// What a start takes over from, locked, and with it every case that the start may change.
async fn older(
    tx: &Tx<'_>,
    cx: &Context<'_>,
    (person, protocol): (PersonId, &Protocol),
    case: Option<CaseId>,
) -> Result<Vec<TrajectoryId>> {
    let found = match protocol.stacking {
        Stacking::ReAnchor => rows::running_for(&***tx, cx, person, &protocol.name).await?,
        _ => Vec::new(),
    };
    rows::lock_alone(tx, &found).await?;
    let cases: Vec<CaseId> = rows::cases_of(tx, &found).await?.into_iter().chain(case).collect();
    crate::cases::lock(tx, &cases).await?;
    Ok(found)
}

/// The trajectories of a case, oldest first.
pub async fn list(cx: &Context<'_>, case: CaseId) -> Result<Vec<Trajectory>> {
    let case = crate::cases::read(cx, case).await?;
    let ids = rows::of_case(&cx.db(), cx, case.id).await?;
    let mut found = Vec::new();
    for id in ids {
        found.push(running::view(&cx.db(), cx, id).await?);
    }
    Ok(found)
}

/// One trajectory.
pub async fn read(cx: &Context<'_>, id: TrajectoryId) -> Result<Trajectory> {
    let reach = cx.may(Action::ReadCases)?;
    let trajectory = running::view(&cx.db(), cx, id).await?;
    let case = crate::cases::visible_one(&cx.db(), cx, reach, trajectory.case_id).await?;
    let access = Access::new(AccessAction::Read, "trajectory.read", "trajectory", id.0).of(case.person_id);
    audit::seen(cx, &[access]).await?;
    Ok(trajectory)
}

async fn read_in(tx: &Tx<'_>, cx: &Context<'_>, id: TrajectoryId) -> Result<Trajectory> {
    running::view(&***tx, cx, id).await
}

/// Gives an anchor a value, or moves one of its values: what is not final is planned anew, told once (PROTOCOLS 4).
pub async fn set_anchor(
    cx: &Context<'_>,
    id: TrajectoryId,
    anchor: String,
    (value, at): (Option<Uuid>, DateTime<Utc>),
) -> Result<Trajectory> {
    // Asked before anything is looked up, so that who sees no cases cannot tell a known id from an unknown one.
    cx.may(Action::ReadCases)?;
    let value = match value {
        Some(value) => value,
        None => single_value(cx, id, &anchor).await?.unwrap_or_else(|| cx.app.ids.next()),
    };
    told(cx, id, What::AnchorSet { anchor, id: value, at }).await
}

/// The id of a single-valued anchor's value, so that setting it again moves it.
async fn single_value(cx: &Context<'_>, id: TrajectoryId, anchor: &str) -> Result<Option<Uuid>> {
    let running = running::peek(&cx.db(), cx, id).await?;
    if running.protocol().is_many(anchor) {
        return Ok(None);
    }
    Ok(running.state().anchors.get(anchor).and_then(|values| values.keys().next().copied()))
}

/// Takes a value of an optional anchor away.
pub async fn remove_anchor(cx: &Context<'_>, id: TrajectoryId, anchor: String, value: Uuid) -> Result<Trajectory> {
    told(cx, id, What::AnchorRemoved { anchor, id: value }).await
}

/// Sets the person's own rhythm, within the protocol's bounds: `value` is a duration such as `P2W`. What follows it and is not final
/// goes on in the new rhythm. 409 `unknown_param` or `param_out_of_bounds`; 400 when it is no duration.
pub async fn set_param(cx: &Context<'_>, id: TrajectoryId, param: String, value: &str) -> Result<Trajectory> {
    cx.may(Action::ReadCases)?;
    let bad = |_| Error::field("/value", "bad_format", "The value is a duration such as P2W.");
    let value = value.parse::<Offset>().map_err(bad)?;
    told(cx, id, What::ParamSet { param, value }).await
}

/// The person asks for more: these steps, or every step that waits for an opt-in.
pub async fn opt_in(cx: &Context<'_>, id: TrajectoryId, steps: Vec<String>) -> Result<Trajectory> {
    told(cx, id, What::OptedIn { steps }).await
}

/// The person no longer wants these steps.
pub async fn opt_out(cx: &Context<'_>, id: TrajectoryId, steps: Vec<String>) -> Result<Trajectory> {
    told(cx, id, What::OptedOut { steps }).await
}

/// Closes a trajectory; its aftercare goes on.
pub async fn close(cx: &Context<'_>, id: TrajectoryId, reason: String) -> Result<Trajectory> {
    told(cx, id, What::Closed { reason }).await
}

/// Nothing opens, falls due or is announced until it resumes.
pub async fn pause(cx: &Context<'_>, id: TrajectoryId) -> Result<Trajectory> {
    told(cx, id, What::Paused).await
}

/// It goes on; what came in between is due at once, once.
pub async fn resume(cx: &Context<'_>, id: TrajectoryId) -> Result<Trajectory> {
    told(cx, id, What::Resumed).await
}

/// The one silhouette of everything that is said to a trajectory by hand.
async fn told(cx: &Context<'_>, id: TrajectoryId, what: What) -> Result<Trajectory> {
    let reach = cx.may(Action::ReadCases)?;
    let tx = cx.begin().await?;
    let mut running = load(&tx, cx, id).await?;
    let case = crate::cases::visible_one(&**tx, cx, reach, running.row().case_id).await?;
    cx.may(Action::WriteCases)?;
    say(&tx, cx, &mut running, what).await?;
    events::record(&tx, cx, [Event::new(Kind::TrajectoryChanged, id.0).of_case(case.id)]);
    let access = Access::new(AccessAction::Update, "trajectory.changed", "trajectory", id.0).of(case.person_id);
    audit::record(&**tx, cx, &[access]).await?;
    let trajectory = read_in(&tx, cx, id).await?;
    tx.commit().await?;
    Ok(trajectory)
}

/// Adds a task beside the protocol, for instance because no message may go (DOMAIN 7.5); once per `id`.
pub(crate) async fn add_task(
    tx: &Writing,
    cx: &Context<'_>,
    running: &mut Running,
    (id, code, role): (Uuid, &str, &str),
) -> Result<()> {
    let what = What::TaskAdded { id, code: code.to_owned(), role: role.to_owned(), due_at: cx.now };
    match say(tx, cx, running, what).await {
        Err(Error::Violation(violation)) if violation.detail.contains("exists already") => Ok(()),
        other => other.map(|_: Vec<Effect>| ()),
    }
}

/// Someone who was told of a follow-up saw it. Said only where a rung of its ladder heeds that; of what is final it changes nothing.
pub(crate) async fn acknowledged(
    tx: &Writing,
    cx: &Context<'_>,
    (id, follow_up): (TrajectoryId, FollowUpId),
) -> Result<()> {
    let mut running = load(tx, cx, id).await?;
    let heeds = |key: &Key| running.protocol().step(&key.step).is_some_and(Step::heeds_acknowledgement);
    let open = running.state().follow_ups.values().filter(|one| !one.status.is_final());
    let found = open.map(|one| &one.key).find(|key| running.follow_up_id(key) == Some(follow_up));
    match found.filter(|key| heeds(key)).cloned() {
        Some(key) => say(tx, cx, &mut running, What::Acknowledged { follow_up: key }).await.map(drop),
        None => Ok(()),
    }
}

/// Closes every open trajectory of a case, when the case is closed by hand.
pub(crate) async fn close_all(tx: &Tx<'_>, cx: &Context<'_>, case: CaseId, reason: &str) -> Result<()> {
    let open = rows::open_of_case(&***tx, cx, case).await?;
    for mut running in load_many(tx, cx, &open).await? {
        say(tx, cx, &mut running, What::Closed { reason: reason.to_owned() }).await?;
    }
    Ok(())
}

/// What is still to come in these is called off, aftercare included: their person is erased.
pub(crate) async fn end(tx: &Writing, cx: &Context<'_>, (ids, reason): (&[TrajectoryId], &str)) -> Result<()> {
    for mut running in load_many(tx, cx, ids).await? {
        if running.state().follow_ups.values().any(|one| !one.status.is_final()) {
            say(tx, cx, &mut running, What::Ended { reason: reason.to_owned() }).await?;
        }
    }
    Ok(())
}

/// Whether any trajectory of the case is still active.
pub(crate) async fn any_open(tx: &Writing, cx: &Context<'_>, case: CaseId) -> Result<bool> {
    Ok(!rows::open_of_case(&**tx, cx, case).await?.is_empty())
}
