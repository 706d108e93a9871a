//! A trajectory in hand: its row, what it runs on, and its state replayed from its inputs.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use nazorg_entities::{CaseId, FollowUpId, PersonId, ProtocolId, TrajectoryId, TrajectoryStatus, UnitId, trajectories};
use sea_orm::ConnectionTrait;

use super::{
    AnchorMoment, ForCase, Hands, Trajectory, difference,
    effects::{self, Follows},
    rows,
};
use crate::{
    Context, cases,
    database::Writing,
    error::{Error, Result, ViolationCode},
    protocol_versions,
    protocols::{self, Effect, Input, Key, Protocol, State, Surroundings, What},
};

/// A trajectory in hand.
pub(crate) struct Running {
    row: trajectories::Model,
    unit_id: Option<UnitId>,
    protocol: Arc<Protocol>,
    around: Surroundings,
    inputs: Vec<Input>,
    state: State,
    ids: HashMap<String, FollowUpId>,
    /// It has no row yet: the first thing it is told makes one.
    fresh: bool,
}

impl Running {
    /// One that has not been told anything yet.
    pub(super) fn fresh(
        cx: &Context<'_>,
        id: TrajectoryId,
        case: ForCase,
        (protocol_id, protocol, around): (ProtocolId, Arc<Protocol>, Surroundings),
    ) -> Result<Self> {
        let row = trajectories::Model {
            id,
            organisation_id: cx.organisation,
            case_id: case.id,
            protocol_id,
            surroundings: serde_json::to_value(&around).map_err(Error::internal)?,
            status: TrajectoryStatus::Active,
            started_at: cx.now,
            settled_until: cx.now,
            closed_at: None,
            closed_reason: None,
            version: 1,
        };
        let (inputs, state, ids) = (Vec::new(), State::default(), HashMap::new());
        Ok(Self { row, unit_id: case.unit_id, protocol, around, inputs, state, ids, fresh: true })
    }

    pub(crate) fn row(&self) -> &trajectories::Model {
        &self.row
    }

    pub(crate) fn unit_id(&self) -> Option<UnitId> {
        self.unit_id
    }

    pub(crate) fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    pub(crate) fn around(&self) -> &Surroundings {
        &self.around
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// The row of a follow-up, where it has one.
    pub(crate) fn follow_up_id(&self, key: &Key) -> Option<FollowUpId> {
        self.ids.get(&rows::key_text(key)).copied()
    }

    pub(super) fn remember(&mut self, key: &Key, id: FollowUpId) {
        self.ids.insert(rows::key_text(key), id);
    }

    /// When a follow-up must be looked at next.
    pub(crate) fn next_moment(&self, key: &Key) -> Option<DateTime<Utc>> {
        protocols::next_moment(&self.protocol, &self.around, &self.state, key)
    }

    /// The row takes over where the state stands now.
    pub(super) fn settle_row(&mut self) {
        self.row.settled_until = self.state.settled_until;
        if !self.fresh {
            self.row.version += 1;
        }
        match &self.state.closed {
            Some(closed) => {
                self.row.status = TrajectoryStatus::Closed;
                self.row.closed_at = Some(closed.at);
                self.row.closed_reason = Some(closed.reason.clone());
            }
            None => {
                self.row.status = TrajectoryStatus::Active;
                self.row.closed_at = None;
                self.row.closed_reason = None;
            }
        }
    }
}

/// Now, or where the trajectory already is, whichever is later.
pub(crate) fn at_moment(cx: &Context<'_>, running: &Running) -> DateTime<Utc> {
    if running.state.started_at.is_none() { cx.now } else { cx.now.max(running.state.settled_until) }
}

/// One trajectory, locked for writing.
pub(crate) async fn load(tx: &Writing, cx: &Context<'_>, id: TrajectoryId) -> Result<Running> {
    load_many(tx, cx, &[id]).await?.pop().ok_or(Error::NotFound)
}

/// Trajectories locked for writing, in four queries for any number.
pub(crate) async fn load_many(tx: &Writing, cx: &Context<'_>, ids: &[TrajectoryId]) -> Result<Vec<Running>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = rows::locked(tx, cx, ids).await?;
    replayed(&**tx, cx, found).await
}

/// One trajectory for reading.
pub(crate) async fn peek(db: &impl ConnectionTrait, cx: &Context<'_>, id: TrajectoryId) -> Result<Running> {
    let row = rows::one(db, cx, id).await?;
    replayed(db, cx, vec![row]).await?.pop().ok_or(Error::NotFound)
}

/// Rows with their state replayed from their inputs, as of the moment each was settled until.
pub(crate) async fn replayed(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    found: Vec<trajectories::Model>,
) -> Result<Vec<Running>> {
    let ids: Vec<_> = found.iter().map(|row| row.id).collect();
    let case_ids: Vec<CaseId> = found.iter().map(|row| row.case_id).collect();
    let mut inputs = rows::inputs(db, &ids).await?;
    let mut keys = rows::keys(db, &ids).await?;
    let units = rows::units(db, &case_ids).await?;
    let mut running = Vec::with_capacity(found.len());
    for row in found {
        let protocol = protocol_versions::ready(db, cx, row.protocol_id).await?;
        let around: Surroundings = serde_json::from_value(row.surroundings.clone()).map_err(Error::internal)?;
        let inputs = inputs.remove(&row.id).unwrap_or_default();
        let state = protocols::replay(&protocol, &around, &inputs, row.settled_until)
            .map_err(|refusal| Error::internal(format!("trajectory {} does not replay: {refusal}", row.id)))?;
        let unit_id = units.get(&row.case_id).copied().flatten();
        let ids = keys.remove(&row.id).unwrap_or_default();
        running.push(Running { row, unit_id, protocol, around, inputs, state, ids, fresh: false });
    }
    Ok(running)
}

/// Says something to a trajectory and writes what changes by it: rows, messages and jobs, in this transaction. An outcome that would
/// reopen what may only be kept is refused before anything is written (409 `person_restricted`): who heard it learns that it was not kept.
pub(crate) async fn say(tx: &Writing, cx: &Context<'_>, running: &mut Running, what: What) -> Result<Vec<Effect>> {
    let (effects, follows) = heard(tx, cx, running, what).await?;
    if follows == Follows::CloseAgain {
        close_again(tx, cx, running).await?;
    }
    Ok(effects)
}

/// What time alone reopened (a missed question, for one) although its person's data may only be kept. Nobody is there to be refused, and a
/// worker that was would try for ever.
async fn close_again(tx: &Writing, cx: &Context<'_>, running: &mut Running) -> Result<()> {
    let reason = ViolationCode::PersonRestricted.as_str().to_owned();
    heard(tx, cx, running, What::Closed { reason }).await.map(drop)
}

async fn heard(tx: &Writing, cx: &Context<'_>, running: &mut Running, what: What) -> Result<(Vec<Effect>, Follows)> {
    let input = Input { at: at_moment(cx, running), what };
    let before = running.state.clone();
    let effects = protocols::next(&running.protocol, &running.around, &mut running.state, &input)?;
    let reopens = before.closed.is_some() && running.state.closed.is_none();
    if reopens && matches!(input.what, What::Outcome { .. }) {
        cases::may_reopen(tx, cx, running.row.case_id).await?;
    }
    let position = i32::try_from(running.inputs.len()).map_err(Error::internal)? + 1;
    rows::append(tx, cx, running.row.id, (position, &input)).await?;
    running.inputs.push(input);
    let mut changes = difference::Changes::default();
    difference::between(cx, &before, running, &mut changes);
    keep(tx, cx, &mut [running]).await?;
    difference::write(tx, cx, changes, (None, false)).await?;
    let follows = effects::follow(tx, cx, (&before, running), &effects).await?;
    Ok((effects, follows))
}

/// Lets time pass for trajectories, all differences written together; what they announce for now goes into `hands`, if any.
pub(crate) async fn settle_many(
    tx: &Writing,
    cx: &Context<'_>,
    ids: &[TrajectoryId],
    hands: Option<&mut Hands>,
) -> Result<Vec<Running>> {
    let mut all = load_many(tx, cx, ids).await?;
    let mut changes = difference::Changes::default();
    let mut befores = Vec::with_capacity(all.len());
    for running in &mut all {
        let before = running.state.clone();
        let until = at_moment(cx, running);
        let brought = protocols::advance(&running.protocol, &running.around, &mut running.state, until);
        difference::between(cx, &before, running, &mut changes);
        befores.push((before, brought));
    }
    keep(tx, cx, &mut all.iter_mut().collect::<Vec<_>>()).await?;
    let quiet = |((before, brought), running): (&(State, Vec<Effect>), &Running)| {
        brought.is_empty() && before.closed == running.state.closed
    };
    let quiet = befores.iter().zip(&all).all(quiet);
    difference::write(tx, cx, changes, (hands, quiet)).await?;
    for ((before, brought), running) in befores.iter().zip(&mut all) {
        if effects::follow(tx, cx, (before, running), brought).await? == Follows::CloseAgain {
            close_again(tx, cx, running).await?;
        }
    }
    Ok(all)
}

/// The rows take over where the trajectories are now.
async fn keep(tx: &Writing, cx: &Context<'_>, all: &mut [&mut Running]) -> Result<()> {
    debug_assert!(all.iter().all(|running| running.row.organisation_id == cx.organisation));
    let mut known = Vec::with_capacity(all.len());
    for running in all {
        running.settle_row();
        if std::mem::take(&mut running.fresh) {
            rows::insert(tx, &running.row).await?;
        } else {
            known.push(running.row.clone());
        }
    }
    rows::update(tx, known).await
}

/// A trajectory as a verb answers it.
pub(crate) async fn view(db: &impl ConnectionTrait, cx: &Context<'_>, id: TrajectoryId) -> Result<Trajectory> {
    Ok(told(peek(db, cx, id).await?).0)
}

/// What runs in the cases about a person, and what was said to it, oldest first; a fixed number of queries.
pub(crate) async fn kept_about(
    cx: &Context<'_>,
    person: PersonId,
    limit: u64,
) -> Result<Vec<(Trajectory, Vec<Input>)>> {
    let found = rows::about(cx, person, limit).await?;
    Ok(replayed(&cx.db(), cx, found).await?.into_iter().map(told).collect())
}

/// As it is told, with what was said to it.
fn told(running: Running) -> (Trajectory, Vec<Input>) {
    let Running { row, unit_id: _, protocol, around, inputs, state, ids: _, fresh: _ } = running;
    let trajectories::Model {
        id,
        organisation_id: _,
        case_id,
        protocol_id,
        surroundings: _,
        status,
        started_at,
        settled_until: _,
        closed_at,
        closed_reason,
        version,
    } = row;
    let anchors = state.anchors.iter().flat_map(|(anchor, values)| {
        values.iter().map(|(id, at)| AnchorMoment { anchor: anchor.clone(), id: *id, at: *at })
    });
    let params = protocol.params.iter().map(|(name, param)| {
        let value = state.params.get(name).copied().unwrap_or(param.default);
        (name.clone(), value)
    });
    let trajectory = Trajectory {
        id,
        case_id,
        protocol_id,
        status,
        zone: around.zone.name().to_owned(),
        anchors: anchors.collect(),
        params: params.collect(),
        opted_in: state.opted_in.iter().cloned().collect(),
        started_at,
        closed_at,
        closed_reason,
        version,
    };
    (trajectory, inputs)
}
