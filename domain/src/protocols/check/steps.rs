//! Reading a step.

use super::Check;
use super::reader::{Fields, Node, is_name};
use crate::protocols::calendar::Roll;
use crate::protocols::duration::Offset;
use crate::protocols::faults::FaultCode;
use crate::protocols::language::{
    Action, AfterMissed, Anchor, Do, Every, ForEach, Guard, Late, Recipient, Repeat, Requirement, Step, Unmet,
};
use std::collections::{BTreeMap, BTreeSet};

impl Check {
    pub(super) fn step(&mut self, node: &Node<'_>) -> Option<Step> {
        let mut fields =
            self.faults.fields(node, "a step: a mapping with step, title, actor, action, anchor, offset, outcomes")?;
        let step = self.parts(&mut fields);
        self.unsupported(&mut fields);
        self.faults.done(&fields);
        self.coherent(&step, &fields.path);
        Some(step)
    }

    fn parts(&mut self, f: &mut Fields<'_>) -> Step {
        let repeat = f.get("repeat").and_then(|node| self.repeat(&node));
        let outcomes = self.outcomes(f);
        let codes = outcomes.keys().cloned().collect();
        Step {
            name: self.faults.need(f, "step").and_then(|node| self.faults.name(&node)).unwrap_or_default(),
            title: self.faults.need(f, "title").map(|node| self.faults.texts(&node)).unwrap_or_default(),
            actor: self.faults.need(f, "actor").and_then(|node| self.actor(&node)).unwrap_or_default(),
            action: self.action(f),
            anchor: self.faults.need(f, "anchor").and_then(|node| self.step_anchor(&node)).unwrap_or(Anchor::Started),
            offset: self.due(f, repeat.as_ref()),
            at: f.get("at").and_then(|node| self.faults.time(&node)),
            roll: f.get("roll").and_then(|node| self.faults.word(&node, &ROLLS)).unwrap_or_default(),
            window: f.get("window").map(|node| self.window(&node)).unwrap_or_default(),
            expires: f.get("expires").and_then(|node| self.expires(&node)),
            active: self.flag_or(f, "active", true),
            if_past: f.get("if_past").and_then(|node| self.if_past(&node)),
            after_close: self.flag_or(f, "after_close", false),
            requires: self.items(f, "requires", Check::requirement),
            unmet: f.get("unmet").and_then(|node| self.faults.word(&node, Unmet::WORDS)).unwrap_or(Unmet::Wait),
            late: f.get("late").and_then(|node| self.faults.word(&node, Late::WORDS)),
            remind: self.items(f, "remind", Check::remind),
            escalate: self.items(f, "escalate", Check::escalation),
            announce: self.items(f, "announce", Check::announce),
            message: f.get("message").and_then(|node| self.outgoing(&node)),
            outcomes,
            repeat,
            after_missed: self.missed(f),
            stage: f.get("stage").and_then(|node| self.known_stage(&node)),
            for_each: self.for_each(f),
            guards: self.guards(f, &codes),
            any_time: f.get("any_time").map(|node| self.own_outcomes(&node, &codes)).unwrap_or_default(),
        }
    }

    fn action(&mut self, fields: &mut Fields<'_>) -> Action {
        let node = self.faults.need(fields, "action");
        node.and_then(|node| self.faults.word(&node, Action::WORDS)).unwrap_or(Action::Task)
    }

    fn flag_or(&mut self, fields: &mut Fields<'_>, key: &'static str, default: bool) -> bool {
        fields.get(key).and_then(|node| self.faults.flag(&node)).unwrap_or(default)
    }

    fn items<T>(
        &mut self,
        fields: &mut Fields<'_>,
        key: &'static str,
        read: fn(&mut Check, &Node<'_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(node) = fields.get(key) else { return Vec::new() };
        self.faults.list(&node, "a list").iter().filter_map(|item| read(self, item)).collect()
    }

    fn step_anchor(&mut self, node: &Node<'_>) -> Option<Anchor> {
        let anchor = self.anchor(node)?;
        if anchor == Anchor::StageEntered && self.names.stages.is_empty() {
            self.faults.add(&node.path, FaultCode::UnknownAnchor, "stage.entered_at needs a protocol with stages");
        }
        Some(anchor)
    }

    /// `None`: a repeated step in the person's own rhythm, first due after one `every`.
    fn due(&mut self, fields: &mut Fields<'_>, repeat: Option<&Repeat>) -> Option<Offset> {
        if let Some(node) = fields.get("offset") {
            return self.faults.offset(&node);
        }
        match repeat.map(|repeat| &repeat.every) {
            Some(Every::Fixed(every)) => Some(*every),
            Some(Every::Param(_)) => None,
            None => {
                if !fields.has("repeat") {
                    self.faults.add(
                        &fields.path,
                        FaultCode::Missing,
                        "\"offset\" is required here (only a repeated step has a default)",
                    );
                }
                None
            }
        }
    }

    fn expires(&mut self, node: &Node<'_>) -> Option<Offset> {
        if node.value.as_str() == Some("never") {
            return None;
        }
        self.faults.offset(node)
    }

    fn outcomes(&mut self, fields: &mut Fields<'_>) -> BTreeMap<String, Vec<Do>> {
        let Some(node) = self.faults.need(fields, "outcomes") else { return BTreeMap::new() };
        let Some(outcomes) = self.faults.fields(&node, "outcomes with their effects, such as {held: []}") else {
            return BTreeMap::new();
        };
        let mut found = BTreeMap::new();
        for (code, entry) in outcomes.named() {
            if !is_name(code) {
                self.faults.add(
                    &entry.path,
                    FaultCode::InvalidName,
                    format!("{code:?} is no outcome code such as held or no_response"),
                );
            }
            found.insert(code.to_owned(), self.effects(&entry));
        }
        if found.is_empty() {
            self.faults.add(&node.path, FaultCode::Missing, "at least one outcome is required");
        }
        found
    }

    fn missed(&mut self, fields: &mut Fields<'_>) -> Vec<AfterMissed> {
        let Some(node) = fields.get("after_missed") else { return Vec::new() };
        let items = self.faults.one_or_list(&node, "{count: 3, do: […]}");
        items.iter().filter_map(|item| self.after_missed(item)).collect()
    }

    fn after_missed(&mut self, node: &Node<'_>) -> Option<AfterMissed> {
        let mut fields = self.faults.fields(node, "{count: 3, do: […]}")?;
        let count = self.faults.need(&mut fields, "count").and_then(|node| self.faults.count(&node, 100));
        let again = self.flag_or(&mut fields, "again", false);
        let effects = self.faults.need(&mut fields, "do").map(|node| self.effects(&node));
        self.faults.done(&fields);
        Some(AfterMissed { count: count?, again, effects: effects? })
    }

    fn guards(&mut self, fields: &mut Fields<'_>, codes: &BTreeSet<String>) -> Vec<Guard> {
        let Some(node) = fields.get("guards") else { return Vec::new() };
        let items = self.faults.one_or_list(&node, "guards such as {not_before: P28D}");
        items.iter().filter_map(|item| self.guard(item, codes)).collect()
    }

    fn unsupported(&mut self, fields: &mut Fields<'_>) {
        if let Some(node) = fields.get("spread") {
            self.not_run(&node, "spread");
        }
    }

    /// The engine knows it; nobody can yet say for whom it runs.
    fn for_each(&mut self, fields: &mut Fields<'_>) -> Option<ForEach> {
        let node = fields.get("for_each")?;
        self.not_run(&node, "for_each");
        self.faults.word(&node, ForEach::WORDS)
    }

    fn not_run(&mut self, node: &Node<'_>, key: &str) {
        let detail = format!("{key} is part of the language, but not run by this version");
        self.faults.add(&node.path, FaultCode::NotSupportedYet, detail);
    }

    pub(super) fn actor(&mut self, node: &Node<'_>) -> Option<String> {
        let text = self.faults.text(node, "a role of this protocol, or person")?;
        (text == "person" || self.known_role(text, &node.path)).then(|| text.to_owned())
    }

    pub(super) fn recipient(&mut self, node: &Node<'_>) -> Option<Recipient> {
        let text = self.faults.text(node, "actor, person, close_one or a role")?;
        match Recipient::from(text) {
            Recipient::Role(role) => self.known_role(&role, &node.path).then_some(Recipient::Role(role)),
            other => Some(other),
        }
    }

    fn known_role(&mut self, role: &str, path: &str) -> bool {
        let Some(roles) = &self.names.roles else { return true };
        if roles.contains(role) {
            return true;
        }
        let names = roles.iter().cloned().collect::<Vec<_>>().join(", ");
        self.faults.add(
            path,
            FaultCode::UnknownRole,
            format!("{role:?} is no role of this protocol; there are {names}"),
        );
        false
    }

    fn known_stage(&mut self, node: &Node<'_>) -> Option<String> {
        let name = self.faults.text(node, "the name of a stage")?;
        if self.names.stages.contains(name) {
            return Some(name.to_owned());
        }
        self.faults.add(&node.path, FaultCode::UnknownStage, format!("{name:?} is no stage of this protocol"));
        None
    }

    pub(super) fn stage_name(&mut self, node: &Node<'_>) -> Option<String> {
        self.known_stage(node)
    }

    fn requirement(&mut self, node: &Node<'_>) -> Option<Requirement> {
        const EXPECTED: &str = "opt_in, safe_contact, consent:<purpose> or instrument:<code>";
        let text = self.faults.text(node, EXPECTED)?;
        let found = match text.split_once(':') {
            None if text == "opt_in" => Some(Requirement::OptIn),
            None if text == "safe_contact" => Some(Requirement::SafeContact),
            Some(("consent", purpose)) if is_name(purpose) => Some(Requirement::Consent(purpose.to_owned())),
            Some(("instrument", code)) if is_name(code) => Some(Requirement::Instrument(code.to_owned())),
            _ => None,
        };
        if found.is_none() {
            self.faults.add(&node.path, FaultCode::UnknownValue, format!("{text:?} is not one of {EXPECTED}"));
        }
        found
    }
}

const ROLLS: [(&str, Roll); 3] = [("none", Roll::None), ("forward", Roll::Forward), ("back", Roll::Back)];
