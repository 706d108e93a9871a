//! What was said to a trajectory, as published: one flat shape for everything that can be said.

use std::collections::BTreeMap;

use nazorg_domain::protocols::{AnchorValue, Input, Key, What};
use poem_openapi::Object;
use uuid::Uuid;

use super::super::trajectories::{AnchorView, ParamView};
use crate::types::Instant;

/// One thing that was said to a trajectory, and when.
#[derive(Debug, Object)]
#[oai(rename = "ExportedInput", rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct InputView {
    at: Instant,
    /// What: `started`, `anchor_set`, `outcome`, `opted_in`, `param_set`, `task_added`, `closed`, …
    kind: String,
    /// The anchors it is about, with their values.
    anchors: Vec<AnchorView>,
    /// The parameters it is about, with their values.
    params: Vec<ParamView>,
    /// The steps it is about.
    steps: Vec<String>,
    /// Which occurrence of the step, where it is about one follow-up.
    occurrence: Option<i32>,
    /// An outcome, a reason, a task's or a stage's code.
    code: Option<String>,
    /// Which role is to do it.
    role: Option<String>,
    /// When it is due.
    due_at: Option<Instant>,
    /// Which value of an anchor was taken away.
    value_id: Option<Uuid>,
}

/// What is told of it besides its kind.
#[derive(Default)]
struct Told {
    anchors: Vec<AnchorView>,
    params: Vec<ParamView>,
    steps: Vec<String>,
    occurrence: Option<i32>,
    code: Option<String>,
    role: Option<String>,
    due_at: Option<Instant>,
    value_id: Option<Uuid>,
}

impl From<Input> for InputView {
    fn from(input: Input) -> Self {
        let Input { at, what } = input;
        let kind = kind(&what).to_owned();
        let Told { anchors, params, steps, occurrence, code, role, due_at, value_id } = told(what);
        Self { at: Instant(at), kind, anchors, params, steps, occurrence, code, role, due_at, value_id }
    }
}

/// The word under which it is kept.
const fn kind(what: &What) -> &'static str {
    match what {
        What::Started { .. } => "started",
        What::AnchorSet { .. } => "anchor_set",
        What::AnchorRemoved { .. } => "anchor_removed",
        What::Outcome { .. } => "outcome",
        What::OptedIn { .. } => "opted_in",
        What::OptedOut { .. } => "opted_out",
        What::Rescheduled { .. } => "rescheduled",
        What::CalledOff { .. } => "called_off",
        What::Acknowledged { .. } => "acknowledged",
        What::Activated { .. } => "activated",
        What::Closed { .. } => "closed",
        What::Reopened => "reopened",
        What::TaskAdded { .. } => "task_added",
        What::ReferralArrived => "referral_arrived",
        What::StageSet { .. } => "stage_set",
        What::ParamSet { .. } => "param_set",
        What::SubjectAdded { .. } => "subject_added",
        What::SubjectRemoved { .. } => "subject_removed",
        What::Paused => "paused",
        What::Resumed => "resumed",
        What::Superseded => "superseded",
        What::Ended { .. } => "ended",
    }
}

/// For whom else a step runs is left out: they are other people.
fn told(what: What) -> Told {
    let nothing = Told::default();
    match what {
        What::Started { anchors, params, subjects: _ } => {
            Told { anchors: values(anchors), params: params.into_iter().map(Into::into).collect(), ..nothing }
        }
        What::AnchorSet { anchor, id, at } => {
            Told { anchors: values([(anchor, vec![AnchorValue { id, at }])].into()), ..nothing }
        }
        What::AnchorRemoved { anchor, id } => Told { code: Some(anchor), value_id: Some(id), ..nothing },
        What::Outcome { follow_up, code } => Told { code: Some(code), ..about(follow_up) },
        What::Acknowledged { follow_up } => about(follow_up),
        What::CalledOff { follow_up, reason } => Told { code: Some(reason), ..about(follow_up) },
        What::Rescheduled { follow_up, due_at } => Told { due_at: Some(Instant(due_at)), ..about(follow_up) },
        What::OptedIn { steps } | What::OptedOut { steps } | What::Activated { steps } => Told { steps, ..nothing },
        What::Closed { reason } | What::Ended { reason } => Told { code: Some(reason), ..nothing },
        What::TaskAdded { id: _, code, role, due_at } => {
            Told { code: Some(code), role: Some(role), due_at: Some(Instant(due_at)), ..nothing }
        }
        What::StageSet { stage } => Told { code: Some(stage), ..nothing },
        What::ParamSet { param, value } => Told { params: vec![(param, value).into()], ..nothing },
        What::Reopened
        | What::ReferralArrived
        | What::SubjectAdded { .. }
        | What::SubjectRemoved { .. }
        | What::Paused
        | What::Resumed
        | What::Superseded => nothing,
    }
}

fn about(follow_up: Key) -> Told {
    let Key { step, anchor_id, occurrence } = follow_up;
    Told { steps: vec![step], value_id: anchor_id, occurrence: Some(occurrence), ..Told::default() }
}

fn values(anchors: BTreeMap<String, Vec<AnchorValue>>) -> Vec<AnchorView> {
    let each = |(anchor, values): (String, Vec<AnchorValue>)| {
        values.into_iter().map(move |AnchorValue { id, at }| AnchorView::new(anchor.clone(), id, at))
    };
    anchors.into_iter().flat_map(each).collect()
}

#[cfg(test)]
mod tests;
