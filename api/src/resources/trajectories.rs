//! Trajectories: started in a case, told about anchors and opt-ins, paused, closed.

use chrono::{DateTime, Utc};
use nazorg_domain::{
    entities::{CaseId, ClosedReason, ProtocolId, TrajectoryId, TrajectoryStatus},
    protocols::Offset,
    trajectories::{self, AnchorMoment, NewTrajectory, Trajectory},
};
use poem_openapi::{Enum, Object, OpenApi, param::Path};
use uuid::Uuid;

use super::{protocols::NewAnchor, sets::ClosedReasonView};
use crate::{
    answers::{Created, Current, Plain},
    ask::{Ask, Body, Once, OnceIfKeyed},
    once,
    problem::Answer,
    tags::Tag,
    types::Instant,
};

/// The operations on trajectories.
pub(super) struct Trajectories;

#[OpenApi(tag = "Tag::Trajectories")]
impl Trajectories {
    /// List the trajectories of a case
    ///
    /// All of them, oldest first.
    #[oai(path = "/cases/:id/trajectories", method = "get", operation_id = "listTrajectories")]
    async fn list(&self, ask: Ask<'_>, id: Path<Uuid>) -> Answer<Plain<TrajectoriesView>> {
        let found = trajectories::list(&ask, CaseId(id.0)).await?;
        Ok(Plain::new(TrajectoriesView { items: found.into_iter().map(Into::into).collect() }))
    }

    /// Start a trajectory
    ///
    /// Another protocol for an open case, with the same record profile. Refused while the person's data is restricted.
    #[oai(path = "/cases/:id/trajectories", method = "post", operation_id = "startTrajectory")]
    async fn start(
        &self,
        once: Once<'_>,
        id: Path<Uuid>,
        body: Body<NewTrajectoryBody>,
    ) -> Answer<Created<TrajectoryView>> {
        once!(once, |cx| {
            let NewTrajectoryBody { protocol_id, anchors, params } = body.0;
            let anchors = anchors.into_iter().map(Into::into).collect();
            let params = params.into_iter().map(Into::into).collect();
            let new = NewTrajectory { protocol_id: ProtocolId(protocol_id), anchors, params };
            let trajectory = trajectories::start(cx, CaseId(id.0), new).await?;
            Created::new("trajectories", trajectory.id, trajectory.version, trajectory.into())
        })
    }

    /// Read a trajectory
    ///
    /// With the values of its anchors and what the person opted in to.
    #[oai(path = "/trajectories/:id", method = "get", operation_id = "readTrajectory")]
    async fn read(&self, ask: Ask<'_>, id: Path<Uuid>) -> Answer<Current<TrajectoryView>> {
        current(trajectories::read(&ask, TrajectoryId(id.0)).await?)
    }

    /// Set an anchor
    ///
    /// A first value, a further one where the protocol allows many, or, with the value's id, a moved one. What is not
    /// final is planned anew; what was announced for the old moment is called off and announced once more.
    #[oai(path = "/trajectories/:id/set-anchor", method = "post", operation_id = "setAnchor")]
    async fn set_anchor(
        &self,
        once: Once<'_>,
        id: Path<Uuid>,
        body: Body<AnchorSetting>,
    ) -> Answer<Current<TrajectoryView>> {
        once!(once, |cx| {
            let AnchorSetting { anchor, value_id, at } = body.0;
            current(trajectories::set_anchor(cx, TrajectoryId(id.0), anchor, (value_id, at.0)).await?)?
        })
    }

    /// Remove a value of an anchor
    ///
    /// The hearing is off: what was planned around it is cancelled.
    #[oai(path = "/trajectories/:id/remove-anchor", method = "post", operation_id = "removeAnchor")]
    async fn remove_anchor(
        &self,
        once: OnceIfKeyed<'_>,
        id: Path<Uuid>,
        body: Body<AnchorRemoval>,
    ) -> Answer<Current<TrajectoryView>> {
        once!(once, |cx| {
            let AnchorRemoval { anchor, value_id } = body.0;
            current(trajectories::remove_anchor(cx, TrajectoryId(id.0), anchor, value_id).await?)?
        })
    }

    /// Set a parameter
    ///
    /// The person's own rhythm, within the protocol's bounds. What follows it and has not ended goes on in the new rhythm.
    #[oai(path = "/trajectories/:id/set-param", method = "post", operation_id = "setParam")]
    async fn set_param(
        &self,
        once: Once<'_>,
        id: Path<Uuid>,
        body: Body<ParamSetting>,
    ) -> Answer<Current<TrajectoryView>> {
        once!(once, |cx| {
            let ParamSetting { param, value } = body.0;
            current(trajectories::set_param(cx, TrajectoryId(id.0), param, &value).await?)?
        })
    }

    /// Opt in
    ///
    /// The person asks for more: these steps, or every step that waits for being asked for.
    #[oai(path = "/trajectories/:id/opt-in", method = "post", operation_id = "optIn")]
    async fn opt_in(&self, once: Once<'_>, id: Path<Uuid>, body: Body<Steps>) -> Answer<Current<TrajectoryView>> {
        once!(once, |cx| current(trajectories::opt_in(cx, TrajectoryId(id.0), body.0.steps).await?)?)
    }

    /// Opt out
    ///
    /// The person no longer wants these steps, or any step that must be asked for.
    #[oai(path = "/trajectories/:id/opt-out", method = "post", operation_id = "optOut")]
    async fn opt_out(
        &self,
        once: OnceIfKeyed<'_>,
        id: Path<Uuid>,
        body: Body<Steps>,
    ) -> Answer<Current<TrajectoryView>> {
        once!(once, |cx| current(trajectories::opt_out(cx, TrajectoryId(id.0), body.0.steps).await?)?)
    }

    /// Pause a trajectory
    ///
    /// Nothing opens, falls due or is announced until it resumes.
    #[oai(path = "/trajectories/:id/pause", method = "post", operation_id = "pauseTrajectory")]
    async fn pause(&self, once: OnceIfKeyed<'_>, id: Path<Uuid>) -> Answer<Current<TrajectoryView>> {
        once!(once, |cx| current(trajectories::pause(cx, TrajectoryId(id.0)).await?)?)
    }

    /// Resume a trajectory
    ///
    /// What came in between is due at once, once.
    #[oai(path = "/trajectories/:id/resume", method = "post", operation_id = "resumeTrajectory")]
    async fn resume(&self, once: Once<'_>, id: Path<Uuid>) -> Answer<Current<TrajectoryView>> {
        once!(once, |cx| current(trajectories::resume(cx, TrajectoryId(id.0)).await?)?)
    }

    /// Close a trajectory
    ///
    /// Its aftercare goes on. The case closes when no trajectory of it is open.
    #[oai(path = "/trajectories/:id/close", method = "post", operation_id = "closeTrajectory")]
    async fn close(
        &self,
        once: Once<'_>,
        id: Path<Uuid>,
        body: Body<TrajectoryClosing>,
    ) -> Answer<Current<TrajectoryView>> {
        once!(once, |cx| {
            let reason = ClosedReason::from(body.0.reason).as_str().to_owned();
            current(trajectories::close(cx, TrajectoryId(id.0), reason).await?)?
        })
    }
}

fn current(trajectory: Trajectory) -> Answer<Current<TrajectoryView>> {
    Ok(Current::new(trajectory.version, trajectory.into()))
}

/// A trajectory's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "TrajectoryStatus", rename_all = "snake_case", remote = "TrajectoryStatus")]
enum TrajectoryStatusView {
    Active,
    Closed,
}

/// The trajectories of a case.
#[derive(Debug, Object)]
#[oai(rename = "Trajectories", rename_all = "camelCase", skip_serializing_if_is_none)]
struct TrajectoriesView {
    items: Vec<TrajectoryView>,
}

/// One protocol version running for one case.
#[derive(Debug, Object)]
#[oai(rename = "Trajectory", rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct TrajectoryView {
    id: Uuid,
    case_id: Uuid,
    /// The version it runs on.
    protocol_id: Uuid,
    status: TrajectoryStatusView,
    /// The time zone it runs in.
    zone: String,
    /// The values of its anchors.
    anchors: Vec<AnchorView>,
    /// The person's own rhythm: each parameter of the protocol with the value that holds.
    params: Vec<ParamView>,
    /// The steps the person opted in to.
    opted_in: Vec<String>,
    started_at: Instant,
    closed_at: Option<Instant>,
    /// Why it closed.
    closed_reason: Option<String>,
}

impl From<Trajectory> for TrajectoryView {
    fn from(trajectory: Trajectory) -> Self {
        let Trajectory {
            id,
            case_id,
            protocol_id,
            status,
            zone,
            anchors,
            params,
            opted_in,
            started_at,
            closed_at,
            closed_reason,
            version: _,
        } = trajectory;
        Self {
            id: id.0,
            case_id: case_id.0,
            protocol_id: protocol_id.0,
            status: status.into(),
            zone,
            anchors: anchors.into_iter().map(Into::into).collect(),
            params: params.into_iter().map(Into::into).collect(),
            opted_in,
            started_at: Instant(started_at),
            closed_at: closed_at.map(Instant),
            closed_reason,
        }
    }
}

/// A value of an anchor.
#[derive(Debug, Object)]
#[oai(rename = "Anchor", rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct AnchorView {
    anchor: String,
    /// Which of its values; give it again to move the value.
    value_id: Uuid,
    at: Instant,
}

impl AnchorView {
    /// This value of this anchor.
    pub(super) fn new(anchor: String, value_id: Uuid, at: DateTime<Utc>) -> Self {
        Self { anchor, value_id, at: Instant(at) }
    }
}

impl From<AnchorMoment> for AnchorView {
    fn from(value: AnchorMoment) -> Self {
        let AnchorMoment { anchor, id, at } = value;
        Self::new(anchor, id, at)
    }
}

/// A parameter of the protocol.
#[derive(Debug, Object)]
#[oai(rename = "TrajectoryParam", rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct ParamView {
    param: String,
    /// A duration, in its shortest form: `P14D`.
    value: String,
}

impl From<(String, Offset)> for ParamView {
    fn from((param, value): (String, Offset)) -> Self {
        Self { param, value: value.to_string() }
    }
}

/// A value for a parameter.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ParamSetting {
    /// Which parameter of the protocol.
    #[oai(validator(min_length = 1, max_length = 64))]
    param: String,
    /// A duration such as `P2W`, in the unit of the protocol's bounds.
    #[oai(validator(min_length = 1, max_length = 40))]
    value: String,
}

impl From<ParamSetting> for (String, String) {
    fn from(setting: ParamSetting) -> Self {
        let ParamSetting { param, value } = setting;
        (param, value)
    }
}

/// A trajectory to start.
#[derive(Debug, Object)]
#[oai(rename = "NewTrajectory", rename_all = "camelCase", deny_unknown_fields)]
struct NewTrajectoryBody {
    /// The published version it runs on.
    protocol_id: Uuid,
    /// The anchors known now.
    #[oai(validator(max_items = 100))]
    anchors: Vec<NewAnchor>,
    /// The person's own rhythm, where it differs from the protocol's.
    #[oai(default, validator(max_items = 20))]
    params: Vec<ParamSetting>,
}

/// A value for an anchor.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct AnchorSetting {
    /// Which anchor of the protocol.
    #[oai(validator(min_length = 1, max_length = 100))]
    anchor: String,
    /// Which of its values is moved; without it, a single value is moved and one of many is added.
    value_id: Option<Uuid>,
    at: Instant,
}

/// A value that no longer holds.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct AnchorRemoval {
    #[oai(validator(min_length = 1, max_length = 100))]
    anchor: String,
    value_id: Uuid,
}

/// Steps of the protocol.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct Steps {
    /// Which; none means every step that must be asked for.
    #[oai(default, validator(max_items = 100))]
    steps: Vec<String>,
}

/// Why a trajectory closes.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct TrajectoryClosing {
    reason: ClosedReasonView,
}
