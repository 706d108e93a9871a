//! Reading what an outcome sets off.

use super::Check;
use super::reader::{Fields, Node};
use crate::protocols::duration::Offset;
use crate::protocols::faults::FaultCode;
use crate::protocols::language::{Do, Retry};
use crate::protocols::state::Status;
use std::collections::BTreeMap;

const EFFECTS: [&str; 14] = [
    "activate",
    "restart",
    "cancel",
    "retry",
    "close",
    "reopen",
    "rematch",
    "alert",
    "message",
    "set_stage",
    "pause",
    "set_param",
    "refer",
    "counts_as",
];

const STATUSES: [(&str, Status); 4] = [
    ("done", Status::Done),
    ("declined", Status::Declined),
    ("unreachable", Status::Unreachable),
    ("skipped", Status::Skipped),
];

impl Check {
    pub(super) fn effects(&mut self, node: &Node<'_>) -> Vec<Do> {
        let items = self.faults.list(node, "a list of effects such as [{activate: [talk_1]}], or []");
        items.iter().filter_map(|item| self.effect(item)).collect()
    }

    fn effect(&mut self, node: &Node<'_>) -> Option<Do> {
        let fields = self.faults.fields(node, "an effect such as {activate: [talk_1]}")?;
        let entries = fields.named();
        let [(name, value)] = entries.as_slice() else {
            let detail = format!("expected one effect, found {}: write each as an item of its own", entries.len());
            self.faults.add(&node.path, FaultCode::WrongType, detail);
            return None;
        };
        match *name {
            "activate" => Some(Do::Activate(self.step_names(value))),
            "restart" => Some(Do::Restart(self.step_names(value))),
            "cancel" => Some(Do::Cancel(self.step_names(value))),
            "retry" => self.retry(value).map(Do::Retry),
            "close" => self.faults.name(value).map(Do::Close),
            "reopen" => self.bare(value, Do::Reopen),
            "rematch" => self.rematch(value),
            "alert" => self.recipient(value).map(Do::Alert),
            "message" => self.outgoing(value).map(Do::Message),
            "set_stage" => self.stage_name(value).map(Do::SetStage),
            "pause" => self.bare(value, Do::Pause),
            "set_param" => self.set_param(value).map(Do::SetParam),
            "refer" => self.faults.name(value).map(Do::Refer),
            "counts_as" => self.faults.word(value, &STATUSES).map(Do::CountsAs),
            _ => {
                let detail = format!("{name:?} is no effect; there are {}", EFFECTS.join(", "));
                self.faults.add(&value.path, FaultCode::UnknownField, detail);
                None
            }
        }
    }

    fn bare(&mut self, node: &Node<'_>, effect: Do) -> Option<Do> {
        self.faults.only_true(node);
        Some(effect)
    }

    /// `rematch: true` seeks another person for the step's own actor (an empty role), `rematch: <role>` for that role.
    fn rematch(&mut self, node: &Node<'_>) -> Option<Do> {
        if node.value.is_string() {
            return self.actor(node).map(Do::Rematch);
        }
        self.bare(node, Do::Rematch(String::new()))
    }

    /// Parameters that exist, with values within their bounds.
    fn set_param(&mut self, node: &Node<'_>) -> Option<BTreeMap<String, Offset>> {
        let fields = self.faults.fields(node, "a parameter and its value, such as {rhythm: P2W}")?;
        let mut found = BTreeMap::new();
        for (name, entry) in fields.named() {
            let value = self.faults.distance(&entry);
            if !self.names.params.contains(name) {
                let detail = format!("{name:?} is no parameter of this protocol");
                self.faults.add(&entry.path, FaultCode::UnknownParam, detail);
            } else if let Some(value) = value {
                found.insert(name.to_owned(), value);
            }
        }
        if fields.named().is_empty() {
            self.faults.add(&node.path, FaultCode::Missing, "at least one parameter is required");
        }
        Some(found)
    }

    fn retry(&mut self, node: &Node<'_>) -> Option<Retry> {
        let mut fields = self.faults.fields(node, "{after: PT24H, times: 3, then: [{alert: coordinator}]}")?;
        let f: &mut Fields<'_> = &mut fields;
        let after = self.faults.need(f, "after").and_then(|node| self.faults.distance(&node));
        let times = self.faults.need(f, "times").and_then(|node| self.faults.count(&node, 100));
        let then = f.get("then").map(|node| self.effects(&node)).unwrap_or_default();
        self.faults.done(&fields);
        if let Some(place) = then.iter().position(|effect| matches!(effect, Do::Retry(_))) {
            self.faults.add(
                &format!("{}/then/{place}", node.path),
                FaultCode::Contradiction,
                "a retry cannot end in a retry",
            );
        }
        Some(Retry { after: after?, times: times?, then })
    }

    pub(super) fn step_names(&mut self, node: &Node<'_>) -> Vec<String> {
        let items = self.faults.one_or_list(node, "a step, or a list of steps");
        if items.is_empty() {
            self.faults.add(&node.path, FaultCode::Missing, "at least one step is required");
        }
        let mut names = Vec::new();
        for item in items {
            let Some(name) = self.faults.text(&item, "the name of a step") else { continue };
            if self.known_step(name, &item.path) {
                names.push(name.to_owned());
            }
        }
        names
    }

    pub(super) fn known_step(&mut self, name: &str, path: &str) -> bool {
        if self.names.steps.as_ref().is_none_or(|steps| steps.contains(name)) {
            return true;
        }
        self.faults.add(path, FaultCode::UnknownStep, format!("{name:?} is no step of this protocol"));
        false
    }
}
