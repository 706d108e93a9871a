//! Keys of one step that exclude each other, or that could have no effect: nothing is silently ignored.

use super::Check;
use crate::protocols::calendar::Roll;
use crate::protocols::duration::Offset;
use crate::protocols::faults::FaultCode;
use crate::protocols::language::{Action, Anchor, Every, Step, Unmet};

/// Whether it stands there, at which key, and why it cannot.
type Contradiction = (bool, &'static str, &'static str);

impl Check {
    pub(super) fn coherent(&mut self, step: &Step, path: &str) {
        self.bounds(path, step.offset, step.window);
        let many = matches!(&step.anchor, Anchor::Named(name) if self.names.is_many(name));
        let found = times(step).into_iter().chain(anchors(step, many)).chain(others(step));
        for (_, key, detail) in found.filter(|(found, ..)| *found) {
            self.faults.add(&format!("{path}{key}"), FaultCode::Contradiction, detail);
        }
    }
}

fn times(step: &Step) -> [Contradiction; 3] {
    let fixed = matches!(step.offset, Some(Offset::Clock { .. } | Offset::Business { .. }));
    let every = step.repeat.as_ref().map(|repeat| &repeat.every);
    let apart = |every: &Offset| bounds(step).any(|bound| bound.plus(*every, 1).is_none());
    [
        (step.at.is_some() && !counts_days(step), "/at", "at has no meaning: no offset of this step counts days"),
        (step.roll != Roll::None && fixed, "/roll", "roll moves calendar offsets only, such as P14D"),
        (
            matches!(every, Some(Every::Fixed(every)) if apart(every)),
            "/repeat",
            "every counts in another unit than the offset, the window or expires",
        ),
    ]
}

fn anchors(step: &Step, many: bool) -> [Contradiction; 4] {
    [
        (
            step.anchor == Anchor::Activated && step.active,
            "/anchor",
            "activated_at has no meaning for a step that runs from the start: use started_at",
        ),
        (
            step.anchor == Anchor::Closed && !step.after_close,
            "/anchor",
            "a step from closed_at needs after_close: true",
        ),
        (step.anchor == Anchor::FinalOf(step.name.clone()), "/anchor", "a step cannot wait for its own end"),
        (step.for_each.is_some() && many, "/for_each", "for_each and an anchor with many values exclude each other"),
    ]
}

fn others(step: &Step) -> [Contradiction; 3] {
    [
        (step.unmet != Unmet::Wait && step.requires.is_empty(), "/unmet", "unmet has no meaning without requires"),
        (step.message.is_some() && step.action != Action::Message, "/message", "message belongs to action: message"),
        (
            step.repeat.is_some() && step.if_past.is_some(),
            "/if_past",
            "if_past and repeat exclude each other: a late repetition starts at its present turn",
        ),
    ]
}

fn bounds(step: &Step) -> impl Iterator<Item = Offset> {
    [step.offset, step.window.opens, step.window.closes, step.expires].into_iter().flatten()
}

/// Whether a time of day has a meaning: some bound counts days, or the person's own rhythm may.
fn counts_days(step: &Step) -> bool {
    let past = step.if_past.iter().flat_map(|past| [Some(past.offset), past.opens, past.closes]).flatten();
    step.offset.is_none() || bounds(step).chain(past).any(Offset::is_local)
}
