//! Reading a step.

use super::Check;
use super::reader::{Fields, Node, is_name};
use crate::protocols::calendar::Roll;
use crate::protocols::duration::Offset;
use crate::protocols::faults::FaultCode;
use crate::protocols::language::{
    Action, AfterMissed, Anchor, Do, End, Escalate, Every, ForEach, Guard, Late, Outgoing, Recipient, Remind,
    RemindWhen, Repeat, Requirement, Step, Unmet, Window,
};
use std::collections::{BTreeMap, BTreeSet};

impl Check {
    pub(super) fn step(&mut self, node: &Node<'_>) -> Option<Step> {
        let mut fields =
            self.faults.fields(node, "a step: a mapping with step, title, actor, action, anchor, offset, outcomes")?;
        let f = &mut fields;
        let repeat = f.get("repeat").and_then(|node| self.repeat(&node));
        let outcomes = self.outcomes(f);
        let codes = outcomes.keys().cloned().collect();
        let step = Step {
            name: self.faults.need(f, "step").and_then(|node| self.faults.name(&node)).unwrap_or_default(),
            title: self.faults.need(f, "title").map(|node| self.faults.texts(&node)).unwrap_or_default(),
            actor: self.faults.need(f, "actor").and_then(|node| self.actor(&node)).unwrap_or_default(),
            action: self
                .faults
                .need(f, "action")
                .and_then(|node| self.faults.word(&node, Action::WORDS))
                .unwrap_or(Action::Task),
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
            for_each: f.get("for_each").and_then(|node| self.faults.word(&node, ForEach::WORDS)),
            guards: self.guards(f, &codes),
        };
        self.unsupported(f);
        self.faults.done(&fields);
        self.coherent(&step, &fields);
        Some(step)
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
        let effects = self.faults.need(&mut fields, "do").map(|node| self.effects(&node));
        self.faults.done(&fields);
        Some(AfterMissed { count: count?, effects: effects? })
    }

    fn guards(&mut self, fields: &mut Fields<'_>, codes: &BTreeSet<String>) -> Vec<Guard> {
        let Some(node) = fields.get("guards") else { return Vec::new() };
        let items = self.faults.one_or_list(&node, "guards such as {not_before: P28D}");
        items.iter().filter_map(|item| self.guard(item, codes)).collect()
    }

    fn unsupported(&mut self, fields: &mut Fields<'_>) {
        if let Some(node) = fields.get("spread") {
            self.faults.add(
                &node.path,
                FaultCode::NotSupportedYet,
                "spread is part of the language, but not run by this version",
            );
        }
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

    fn announce(&mut self, node: &Node<'_>) -> Option<Recipient> {
        let mut fields = self.faults.fields(node, "{to: actor}")?;
        let to = self.faults.need(&mut fields, "to").and_then(|node| self.recipient(&node));
        self.faults.done(&fields);
        to
    }

    fn escalation(&mut self, node: &Node<'_>) -> Option<Escalate> {
        let mut fields = self.faults.fields(node, "{to: coordinator, after_close: PT0S}")?;
        let to = self.faults.need(&mut fields, "to").and_then(|node| self.recipient(&node));
        let after_close = self.faults.need(&mut fields, "after_close").and_then(|node| self.faults.distance(&node));
        self.faults.done(&fields);
        Some(Escalate { to: to?, after_close: after_close? })
    }

    fn remind(&mut self, node: &Node<'_>) -> Option<Remind> {
        let mut fields = self.faults.fields(node, "{to: actor, before_due: PT4H}")?;
        let f = &mut fields;
        let to = self.faults.need(f, "to").and_then(|node| self.recipient(&node));
        let before = f.get("before_due").map(|node| self.faults.distance(&node).map(RemindWhen::BeforeDue));
        let after = f.get("after_due").map(|node| self.faults.distance(&node).map(RemindWhen::AfterDue));
        let at = f.get("at");
        self.faults.done(&fields);
        let (when, time) = match (before, after, at) {
            (Some(when), None, None) | (None, Some(when), None) => (when?, None),
            (Some(when), None, Some(at)) | (None, Some(when), Some(at)) => (when?, Some(self.faults.time(&at)?)),
            (None, None, Some(at)) => (self.faults.word(&at, &MOMENTS)?, None),
            (None, None, None) => {
                self.faults.add(
                    &node.path,
                    FaultCode::Missing,
                    "one of before_due, after_due or at (opens, due, closes) is required",
                );
                return None;
            }
            (Some(_), Some(_), _) => {
                self.faults.add(
                    &node.path,
                    FaultCode::Contradiction,
                    "before_due and after_due exclude each other: write two reminders",
                );
                return None;
            }
        };
        Some(Remind { to: to?, when, at: time })
    }

    pub(super) fn outgoing(&mut self, node: &Node<'_>) -> Option<Outgoing> {
        let mut fields = self.faults.fields(node, "{to: person, template: survey}")?;
        let to = self.faults.need(&mut fields, "to").and_then(|node| self.recipient(&node));
        let template = fields.get("template").map(|node| self.faults.name(&node));
        self.faults.done(&fields);
        Some(Outgoing { to: to?, template: template.flatten() })
    }

    /// Keys that exclude each other, or that could have no effect: nothing is silently ignored.
    fn coherent(&mut self, step: &Step, fields: &Fields<'_>) {
        self.bounds(&fields.path, step.offset, step.window);
        let local = |offset: Option<Offset>| offset.is_some_and(Offset::is_local);
        let past = step.if_past.as_ref();
        let window = [step.offset, step.window.opens, step.window.closes, step.expires];
        let other = [past.map(|past| past.offset), past.and_then(|past| past.opens), past.and_then(|past| past.closes)];
        let any_local = window.into_iter().chain(other).any(local);
        let many = matches!(&step.anchor, Anchor::Named(name) if self.names.is_many(name));
        let every = step.repeat.as_ref().map(|repeat| &repeat.every);
        let turns = |every: &Offset| bounds_of(step).all(|bound| bound.plus(*every, 1).is_some());
        let contradictions = [
            (step.at.is_some() && !any_local, "/at", "at has no meaning: no offset of this step counts days"),
            (
                step.roll != Roll::None && matches!(step.offset, Some(Offset::Clock { .. } | Offset::Business { .. })),
                "/roll",
                "roll moves calendar offsets only, such as P14D",
            ),
            (step.unmet != Unmet::Wait && step.requires.is_empty(), "/unmet", "unmet has no meaning without requires"),
            (
                step.message.is_some() && step.action != Action::Message,
                "/message",
                "message belongs to action: message",
            ),
            (
                step.for_each.is_some() && many,
                "/for_each",
                "for_each and an anchor with many values exclude each other",
            ),
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
            (
                step.repeat.is_some() && step.if_past.is_some(),
                "/if_past",
                "if_past and repeat exclude each other: a late repetition starts at its present turn",
            ),
            (
                matches!(every, Some(Every::Fixed(every)) if !turns(every)),
                "/repeat",
                "every counts in another unit than the offset, the window or expires",
            ),
        ];
        for (_, key, detail) in contradictions.into_iter().filter(|(found, ..)| *found) {
            self.faults.add(&format!("{}{key}", fields.path), FaultCode::Contradiction, detail);
        }
    }

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

const ROLLS: [(&str, Roll); 3] = [("none", Roll::None), ("forward", Roll::Forward), ("back", Roll::Back)];
const MOMENTS: [(&str, RemindWhen); 3] =
    [("opens", RemindWhen::Opens), ("due", RemindWhen::Due), ("closes", RemindWhen::Closes)];

fn bounds_of(step: &Step) -> impl Iterator<Item = Offset> {
    let Window { opens, closes } = step.window;
    [step.offset, opens, closes, step.expires].into_iter().flatten()
}
