//! The engine run over an imagined trajectory: every follow-up and every message, in order of time (PROTOCOLS section 6).

use super::calendar::{Shift, Surroundings, offset};
use super::duration::Offset;
use super::engine::{self, Run};
use super::faults::{Fault, FaultCode};
use super::input::{AnchorValue, Input, Refusal, What};
use super::language::{ForEach, Protocol};
use super::state::{FollowUp, Key, State, Status};
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use uuid::Uuid;

/// No preview lists more follow-ups than this.
const MOST: usize = 2_000;

/// What is imagined.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PreviewRequest {
    /// The anchors with their moments; a many-valued one may come more than once.
    pub anchors: Vec<(String, DateTime<Utc>)>,
    /// What comes of the steps; a step without an outcome stays unanswered.
    pub outcomes: Vec<OutcomeGiven>,
    /// Where it ends; two years after the start when nothing is said.
    pub until: Option<PreviewUntil>,
    /// When the trajectory starts; at the earliest required anchor when nothing is said, so that nothing is late.
    pub started_at: Option<DateTime<Utc>>,
    /// The steps the person opted in to; every one that asks for it when nothing is said.
    pub opted_in: Option<Vec<String>>,
    /// The person's own rhythm.
    pub params: BTreeMap<String, Offset>,
}

/// Where a preview ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreviewUntil {
    /// So long after the start.
    After(Offset),
    /// At this moment.
    At(DateTime<Utc>),
}

/// One outcome: `step[#n]=code[@instant]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeGiven {
    /// Which step.
    pub step: String,
    /// Which of its follow-ups, from 1, as the preview numbers them; the first unfinished one when nothing is said.
    pub occurrence: Option<i32>,
    /// What comes of it.
    pub code: String,
    /// When; at its due moment when nothing is said.
    pub at: Option<DateTime<Utc>>,
}

/// Everything that would happen.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// The follow-ups, by due moment; those that wait come last.
    pub follow_ups: Vec<PreviewFollowUp>,
    /// The messages, by moment.
    pub messages: Vec<PreviewMessage>,
}

/// One follow-up of a preview.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviewFollowUp {
    /// Its step, or `task:<code>`.
    pub step: String,
    /// Which of the step's follow-ups, from 1.
    pub occurrence: i32,
    /// The role that does it.
    pub actor: String,
    /// Before this it is too early.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant")]
    pub opens_at: Option<DateTime<Utc>>,
    /// When it should be done.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant")]
    pub due_at: Option<DateTime<Utc>>,
    /// After this it is overdue.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant")]
    pub closes_at: Option<DateTime<Utc>>,
    /// When it is given up.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Where it stands when the preview ends.
    pub status: Status,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Why it ended without an outcome, or why it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it became final.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant")]
    pub final_at: Option<DateTime<Utc>>,
    /// Which weekends, holidays and closed days moved its due moment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved_by: Vec<&'static str>,
}

/// One message of a preview.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviewMessage {
    /// The step it is about.
    pub step: String,
    /// Which of the step's follow-ups.
    pub occurrence: i32,
    /// The recipient's role, `person` or `close_one`.
    pub to: String,
    /// When.
    #[serde(serialize_with = "moment")]
    pub at: DateTime<Utc>,
    /// Why: a stable code such as `before_due` or `after_close`.
    pub because: &'static str,
    /// Which rule of the step: `remind:0`, `escalate:1`.
    pub rule: String,
    /// The template the protocol names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// When it stopped holding.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant")]
    pub called_off_at: Option<DateTime<Utc>>,
    /// Which weekends, holidays and closed days moved the due moment it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved_by: Vec<&'static str>,
}

fn moment<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&at.format("%Y-%m-%dT%H:%M:%S%.3fZ"))
}

fn instant<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => moment(at, serializer),
        None => serializer.serialize_none(),
    }
}

/// Lists what a protocol would bring. The surroundings are those a trajectory would get ([`Protocol::surroundings`]).
///
/// # Errors
/// What is wrong with the request, all of it: anchors that are missing or unknown, outcomes that cannot be.
pub fn preview(protocol: &Protocol, around: &Surroundings, request: &PreviewRequest) -> Result<Preview, Vec<Fault>> {
    let start = start(protocol, request)?;
    let mut faults = unknown_outcomes(protocol, &request.outcomes);
    if !faults.is_empty() {
        return Err(faults);
    }
    let until = match request.until {
        Some(PreviewUntil::At(at)) => at,
        Some(PreviewUntil::After(after)) => offset(start, Shift::new(after), around),
        None => offset(start, Shift::new(Offset::Calendar { months: 24, days: 0 }), around),
    };
    let mut state = State::default();
    for what in [begin(protocol, request), opt_in(protocol, request)] {
        engine::next(protocol, around, &mut state, &Input { at: start, what })
            .map_err(|refusal| vec![refused("/anchors", &refusal)])?;
    }
    let mut imagined = Imagined { protocol, around, state, given: request.outcomes.iter().enumerate().collect() };
    imagined.run(until, &mut faults);
    if faults.is_empty() { Ok(imagined.told(until)) } else { Err(faults) }
}

fn start(protocol: &Protocol, request: &PreviewRequest) -> Result<DateTime<Utc>, Vec<Fault>> {
    let mut faults = Vec::new();
    let given = |name: &str| request.anchors.iter().filter(|(own, _)| own == name).count();
    for name in protocol.required_anchors().filter(|name| given(name) == 0) {
        faults.push(Fault::new(
            format!("/anchors/{name}"),
            FaultCode::Missing,
            "the protocol cannot start without this anchor",
        ));
    }
    for (name, at) in &request.anchors {
        let path = format!("/anchors/{name}");
        if !protocol.anchors.contains_key(name) {
            faults.push(Fault::new(path, FaultCode::UnknownAnchor, format!("{name:?} is no anchor of the protocol")));
        } else if engine::in_range(*at).is_err() {
            faults.push(Fault::new(path, FaultCode::InvalidMoment, Refusal::MomentOutOfRange.to_string()));
        } else if !protocol.is_many(name) && given(name) > 1 {
            faults.push(Fault::new(path, FaultCode::Contradiction, "this anchor has one value only"));
        }
    }
    let required = |name: &str| protocol.required_anchors().any(|own| own == name);
    let first = request.anchors.iter().filter(|(name, _)| required(name)).map(|(_, at)| *at).min();
    let start = request.started_at.or(first).or_else(|| request.anchors.iter().map(|(_, at)| *at).min());
    match start.filter(|at| engine::in_range(*at).is_ok()) {
        Some(start) if faults.is_empty() => Ok(start),
        None if faults.is_empty() => {
            Err(vec![Fault::new("/startedAt", FaultCode::Missing, "give an anchor, or the moment it starts")])
        }
        _ => Err(faults),
    }
}

fn unknown_outcomes(protocol: &Protocol, outcomes: &[OutcomeGiven]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (place, given) in outcomes.iter().enumerate() {
        let path = format!("/outcomes/{place}");
        match protocol.step(&given.step) {
            None if given.step.starts_with("task:") => {}
            None => faults.push(Fault::new(
                path,
                FaultCode::UnknownStep,
                format!("{:?} is no step of the protocol", given.step),
            )),
            Some(step) if !step.outcomes.contains_key(&given.code) => {
                let allowed = step.outcomes.keys().cloned().collect();
                faults.push(Fault::new(
                    path,
                    FaultCode::UnknownOutcome,
                    Refusal::UnknownOutcome { allowed }.to_string(),
                ));
            }
            Some(_) => {}
        }
    }
    faults
}

/// The imagined start: values and subjects get ids in the order given, so that a preview repeats itself.
fn begin(protocol: &Protocol, request: &PreviewRequest) -> What {
    let mut anchors: BTreeMap<String, Vec<AnchorValue>> = BTreeMap::new();
    for (id, (name, at)) in (1..).zip(&request.anchors) {
        anchors.entry(name.clone()).or_default().push(AnchorValue { id: Uuid::from_u128(id), at: *at });
    }
    let used = |subject: ForEach| protocol.steps.iter().any(|step| step.for_each == Some(subject));
    let subjects = ForEach::WORDS.iter().filter(|(_, subject)| used(*subject));
    let subjects = subjects.zip(1_000_001..).map(|((_, subject), id)| (*subject, vec![Uuid::from_u128(id)])).collect();
    What::Started { anchors, params: request.params.clone(), subjects }
}

fn opt_in(protocol: &Protocol, request: &PreviewRequest) -> What {
    match &request.opted_in {
        Some(steps) if steps.is_empty() => What::OptedOut { steps: Vec::new() },
        Some(steps) => What::OptedIn { steps: steps.clone() },
        None => What::OptedIn {
            steps: protocol.steps.iter().filter(|step| step.needs_opt_in()).map(|step| step.name.clone()).collect(),
        },
    }
}

fn refused(path: &str, refusal: &Refusal) -> Fault {
    Fault::new(path, FaultCode::NotRecorded, format!("{}: {refusal}", refusal.code()))
}

struct Imagined<'a> {
    protocol: &'a Protocol,
    around: &'a Surroundings,
    state: State,
    given: Vec<(usize, &'a OutcomeGiven)>,
}

/// An outcome to be recorded: when, which of those given, and on which follow-up.
type Due = (DateTime<Utc>, usize, Option<Key>);

impl Imagined<'_> {
    fn run(&mut self, until: DateTime<Utc>, faults: &mut Vec<Fault>) {
        loop {
            let event = Run::new(self.protocol, self.around, &mut self.state).next_event();
            let outcome = self.next_outcome().filter(|(at, ..)| event.is_none_or(|event| *at <= event) && *at <= until);
            if let Some(due) = outcome {
                self.record(due, faults);
            } else if let Some(event) = event.filter(|event| *event <= until) {
                Run::new(self.protocol, self.around, &mut self.state).until(event);
            } else {
                break;
            }
            if self.state.follow_ups.len() > MOST {
                let detail = format!("more than {MOST} follow-ups: choose an earlier end");
                faults.push(Fault::new("/until", FaultCode::OutOfRange, detail));
                return;
            }
        }
        engine::advance(self.protocol, self.around, &mut self.state, until);
        for (place, given) in &self.given {
            let detail = format!("{}: no such follow-up was waiting for an outcome", given.step);
            faults.push(Fault::new(format!("/outcomes/{place}"), FaultCode::NotRecorded, detail));
        }
    }

    /// The next outcome to be recorded.
    fn next_outcome(&self) -> Option<Due> {
        let now = self.state.settled_until;
        let when = |(place, given): &(usize, &OutcomeGiven)| {
            let follow_up = self.meant(given);
            let key = follow_up.map(|follow_up| follow_up.key.clone());
            match (given.at, follow_up) {
                (Some(at), _) => Some((at, *place, key)),
                (None, Some(follow_up)) => Some((follow_up.due_at?.max(follow_up.opens_at?).max(now), *place, key)),
                (None, None) => None,
            }
        };
        self.given.iter().filter_map(when).min_by_key(|(at, place, _)| (*at, *place))
    }

    fn meant(&self, given: &OutcomeGiven) -> Option<&FollowUp> {
        let unfinished = |follow_up: &FollowUp| !follow_up.status.is_final() && follow_up.status != Status::Waiting;
        let mut of_step = numbered(&self.state, &given.step).into_iter();
        let wanted = |number: i32| given.occurrence.is_none_or(|own| own == number);
        of_step.find(|(number, follow_up)| unfinished(follow_up) && wanted(*number)).map(|(_, follow_up)| follow_up)
    }

    fn record(&mut self, (at, place, key): Due, faults: &mut Vec<Fault>) {
        let Some(index) = self.given.iter().position(|(own, _)| *own == place) else { return };
        let (_, given) = self.given.remove(index);
        let path = format!("/outcomes/{place}");
        let Some(follow_up) = key else {
            faults.push(Fault::new(
                path,
                FaultCode::NotRecorded,
                format!("{}: no such follow-up was waiting for an outcome then", given.step),
            ));
            return;
        };
        let input = Input { at, what: What::Outcome { follow_up, code: given.code.clone() } };
        let mut draft = self.state.clone();
        let taken = Run::new(self.protocol, self.around, &mut draft).take_in_time(&input);
        match taken {
            Ok(()) => self.state = draft,
            Err(refusal) => faults.push(refused(&path, &refusal)),
        }
    }

    fn told(&self, until: DateTime<Utc>) -> Preview {
        let place = |step: &str| self.protocol.steps.iter().position(|own| own.name == step).unwrap_or(usize::MAX);
        let mut names: Vec<&str> = self.state.follow_ups.keys().map(|key| key.step.as_str()).collect();
        names.dedup();
        names.sort_by_key(|name| place(name));
        let (mut follow_ups, mut messages) = (Vec::new(), Vec::new());
        for name in names {
            let numbered = numbered(&self.state, name).into_iter();
            for (number, follow_up) in numbered.filter(|(_, follow_up)| follow_up.due_at.is_none_or(|due| due <= until))
            {
                follow_ups.push(told_follow_up(number, follow_up));
                messages.extend(told_messages(number, follow_up));
            }
        }
        follow_ups.sort_by_key(|follow_up: &PreviewFollowUp| (follow_up.due_at.is_none(), follow_up.due_at));
        messages.sort_by_key(|message: &PreviewMessage| message.at);
        Preview { follow_ups, messages }
    }
}

/// A step's follow-ups with their numbers: by occurrence, then in the order of the anchor's values.
fn numbered<'a>(state: &'a State, step: &str) -> Vec<(i32, &'a FollowUp)> {
    let mut all: Vec<&FollowUp> = state.of_step(step).collect();
    all.sort_by_key(|follow_up| (follow_up.key.occurrence, follow_up.key.anchor_id));
    (1..).zip(all).collect()
}

fn moved_by(follow_up: &FollowUp) -> Vec<&'static str> {
    let mut moved: Vec<_> =
        follow_up.plan.iter().flat_map(|plan| &plan.passed).map(|closure| closure.as_str()).collect();
    moved.dedup();
    moved
}

fn told_follow_up(occurrence: i32, follow_up: &FollowUp) -> PreviewFollowUp {
    PreviewFollowUp {
        step: follow_up.key.step.clone(),
        occurrence,
        actor: follow_up.role.clone(),
        opens_at: follow_up.opens_at,
        due_at: follow_up.due_at,
        closes_at: follow_up.closes_at,
        expires_at: follow_up.expires_at,
        status: follow_up.status,
        outcome: follow_up.outcome.clone(),
        reason: follow_up.reason.clone(),
        final_at: follow_up.final_at,
        moved_by: moved_by(follow_up),
    }
}

fn told_messages(occurrence: i32, follow_up: &FollowUp) -> Vec<PreviewMessage> {
    let message = |told: &super::state::Announcement| PreviewMessage {
        step: follow_up.key.step.clone(),
        occurrence,
        to: told.to.role_at(&follow_up.role).to_owned(),
        at: told.at,
        because: told.because,
        rule: told.rule.clone(),
        template: told.template.clone(),
        called_off_at: told.called_off.as_ref().map(|off| off.at),
        moved_by: moved_by(follow_up),
    };
    follow_up.announcements.iter().map(message).collect()
}

/// Reads `step[#n]=code[@instant]`, the form of the command line.
///
/// # Errors
/// A fault that says which part was expected.
pub fn parse_outcome_argument(text: &str) -> Result<OutcomeGiven, Fault> {
    let fault =
        |code, detail: &str| Fault::new("", code, format!("{text:?}: {detail}; expected step[#n]=code[@instant]"));
    let (left, right) = text.split_once('=').ok_or_else(|| fault(FaultCode::WrongType, "there is no ="))?;
    let (step, number) = left.split_once('#').map_or((left, None), |(step, number)| (step, Some(number)));
    let (code, at) = right.split_once('@').map_or((right, None), |(code, at)| (code, Some(at)));
    if step.is_empty() || code.is_empty() {
        return Err(fault(FaultCode::Missing, "the step and the code are required"));
    }
    let number = number.map(|number| number.parse().ok().filter(|number| *number > 0).ok_or(number)).transpose();
    let occurrence = number.map_err(|_| fault(FaultCode::OutOfRange, "the number after # counts from 1"))?;
    let at = at.map(DateTime::parse_from_rfc3339).transpose();
    let at =
        at.map_err(|_| fault(FaultCode::InvalidMoment, "after @ comes an instant such as 2026-12-17T14:00:00Z"))?;
    Ok(OutcomeGiven {
        step: step.to_owned(),
        occurrence,
        code: code.to_owned(),
        at: at.map(|at| at.with_timezone(&Utc)),
    })
}
