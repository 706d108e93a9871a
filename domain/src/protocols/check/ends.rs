//! Reading when it is over.

use super::Check;
use super::reader::Node;
use crate::protocols::faults::FaultCode;
use crate::protocols::language::End;
use std::collections::BTreeMap;

impl Check {
    pub(super) fn end(&mut self, node: &Node<'_>) -> Option<End> {
        let mut fields = self.faults.fields(node, "{all_final: [talk_1], none_open: [], close: completed}")?;
        let f = &mut fields;
        let end = End {
            all_final: f.get("all_final").map(|node| self.step_names(&node)).unwrap_or_default(),
            none_open: f.get("none_open").map(|node| self.step_names(&node)).unwrap_or_default(),
            outcome: f.get("outcome").map(|node| self.end_outcomes(&node)).unwrap_or_default(),
            referral_arrived: f
                .get("referral")
                .and_then(|node| self.faults.word(&node, &[("arrived", true)]))
                .unwrap_or(false),
            close: self.faults.need(f, "close").and_then(|node| self.faults.name(&node)).unwrap_or_default(),
        };
        self.faults.done(&fields);
        if !["all_final", "outcome", "referral"].iter().any(|key| fields.has(key)) {
            let detail = "one of all_final, outcome or referral is required: none_open alone would hold from the start";
            self.faults.add(&node.path, FaultCode::Missing, detail);
        }
        Some(end)
    }

    fn end_outcomes(&mut self, node: &Node<'_>) -> BTreeMap<String, String> {
        let Some(fields) = self.faults.fields(node, "a step and one of its outcomes, such as {reoffer: declined}")
        else {
            return BTreeMap::new();
        };
        let mut found = BTreeMap::new();
        for (step, entry) in fields.named() {
            if !self.known_step(step, &entry.path) {
                continue;
            }
            let Some(code) = self.faults.text(&entry, "an outcome of the step") else { continue };
            if !self.names.outcomes.get(step).is_some_and(|codes| codes.contains(code)) {
                self.faults.add(&entry.path, FaultCode::UnknownOutcome, format!("{code:?} is no outcome of {step:?}"));
            }
            found.insert(step.to_owned(), code.to_owned());
        }
        found
    }
}
