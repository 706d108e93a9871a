//! What only the whole protocol can show: steps that can never begin, steps that wait for each other,
//! records that the profile forbids.

use super::reader::Faults;
use crate::protocols::duration::Offset;
use crate::protocols::faults::FaultCode;
use crate::protocols::language::{Action, Anchor, Do, Every, Protocol, RecordProfile, Step, Unmet};
use std::collections::BTreeSet;

pub(super) fn check(protocol: &Protocol, faults: &mut Faults) {
    // A mistyped name in an effect is one mistake, not two.
    let effects_are_clean =
        !faults.0.iter().any(|fault| fault.path.contains("/outcomes") || fault.path.contains("/after_missed"));
    let activated = activated(protocol);
    for (place, step) in protocol.steps.iter().enumerate() {
        let path = format!("/steps/{place}");
        if effects_are_clean && !step.active && !step.name.is_empty() && !activated.contains(step.name.as_str()) {
            let detail = format!("{:?} is inactive, and no outcome activates or restarts it", step.name);
            faults.add(&path, FaultCode::NeverActivated, detail);
        }
        if let Some(cycle) = cycle(protocol, step) {
            let detail = format!("these steps wait for each other's end: {}", cycle.join(", "));
            faults.add(&format!("{path}/anchor"), FaultCode::CircularAnchor, detail);
        }
        profile(protocol, step, &path, faults);
        waits_for_ever(step, &path, faults);
        rhythm_fits(protocol, step, &path, faults);
        params_in_bounds(protocol, step, &path, faults);
    }
}

fn activated(protocol: &Protocol) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for step in &protocol.steps {
        let effects = step.outcomes.values().chain(step.after_missed.iter().map(|missed| &missed.effects));
        effects.for_each(|effects| gather(effects, &mut found));
    }
    found
}

fn gather<'a>(effects: &'a [Do], found: &mut BTreeSet<&'a str>) {
    for effect in effects {
        match effect {
            Do::Activate(steps) | Do::Restart(steps) => found.extend(steps.iter().map(String::as_str)),
            Do::Retry(retry) => gather(&retry.then, found),
            _ => {}
        }
    }
}

/// The steps that wait for each other, told at the first of them in the document.
fn cycle<'a>(protocol: &'a Protocol, step: &'a Step) -> Option<Vec<&'a str>> {
    let mut chain: Vec<&str> = vec![&step.name];
    let mut at = step;
    while let Anchor::FinalOf(next) = &at.anchor {
        at = protocol.step(next)?;
        if at.name == step.name {
            let place = |name: &str| protocol.steps.iter().position(|step| step.name == name);
            let first = chain.iter().min_by_key(|name| place(name)) == chain.first();
            return (chain.len() > 1 && first).then_some(chain);
        }
        if chain.contains(&at.name.as_str()) {
            return None;
        }
        chain.push(&at.name);
    }
    None
}

fn profile(protocol: &Protocol, step: &Step, path: &str, faults: &mut Faults) {
    let scores = step.action == Action::Assessment;
    if scores && matches!(protocol.record_profile, RecordProfile::Tally | RecordProfile::ContactLog) {
        let detail = format!(
            "a {} holds no answers or scores: an assessment has no place in it",
            protocol.record_profile.as_str()
        );
        faults.add(&format!("{path}/action"), FaultCode::ProfileForbids, detail);
    }
}

/// Aftercare that waits for an opt-in which may never come would keep the record for ever.
fn waits_for_ever(step: &Step, path: &str, faults: &mut Faults) {
    if step.after_close && step.needs_opt_in() && step.unmet == Unmet::Wait && step.expires.is_none() {
        let detail = "a step after the close that waits for an opt-in needs expires, or unmet: skip or task";
        faults.add(&format!("{path}/after_close"), FaultCode::Contradiction, detail);
    }
}

/// A person's own rhythm must count in the unit of the step that follows it.
fn rhythm_fits(protocol: &Protocol, step: &Step, path: &str, faults: &mut Faults) {
    let Some(Every::Param(name)) = step.repeat.as_ref().map(|repeat| &repeat.every) else { return };
    let Some(param) = protocol.params.get(name) else { return };
    let bounds = [step.offset, step.window.opens, step.window.closes, step.expires];
    if bounds.into_iter().flatten().any(|bound| bound.plus(param.default, 1).is_none()) {
        let detail = format!("the parameter {name:?} counts in another unit than the offset, the window or expires");
        faults.add(&format!("{path}/repeat"), FaultCode::Contradiction, detail);
    }
}

/// A rhythm that an effect sets lies within the bounds that hold for people too.
fn params_in_bounds(protocol: &Protocol, step: &Step, path: &str, faults: &mut Faults) {
    let outcomes = step.outcomes.iter().map(|(code, effects)| (format!("{path}/outcomes/{code}"), effects));
    let missed = step.after_missed.iter().map(|missed| (format!("{path}/after_missed"), &missed.effects));
    for (place, effects) in outcomes.chain(missed) {
        let mut set = Vec::new();
        settings(effects, &mut set);
        for (name, value) in set {
            let Some(param) = protocol.params.get(name).filter(|param| !param.allows(value)) else { continue };
            let detail = format!("{name:?} must lie between {} and {}, in the same unit", param.min, param.max);
            faults.add(&place, FaultCode::OutOfRange, detail);
        }
    }
}

fn settings<'a>(effects: &'a [Do], found: &mut Vec<(&'a str, Offset)>) {
    for effect in effects {
        match effect {
            Do::SetParam(params) => found.extend(params.iter().map(|(name, value)| (name.as_str(), *value))),
            Do::Retry(retry) => settings(&retry.then, found),
            _ => {}
        }
    }
}
