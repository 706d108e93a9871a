//! Reading when: anchors, windows, repetitions, guards, parameters.

use super::Check;
use super::reader::{Fields, Node};
use crate::protocols::duration::Offset;
use crate::protocols::faults::FaultCode;
use crate::protocols::language::{Anchor, Every, Guard, IfPast, Param, Repeat, Until, Window};
use std::collections::BTreeSet;

/// The shortest distance between two occurrences.
const SHORTEST_EVERY: i64 = 86_400;

impl Check {
    /// An anchor by name: the protocol's own, the language's, or the end of a step.
    pub(super) fn anchor(&mut self, node: &Node<'_>) -> Option<Anchor> {
        let text = self.faults.text(node, "the name of an anchor")?;
        let fixed = match text {
            "started_at" => Some(Anchor::Started),
            "closed_at" => Some(Anchor::Closed),
            "activated_at" => Some(Anchor::Activated),
            "stage.entered_at" => Some(Anchor::StageEntered),
            _ => None,
        };
        if fixed.is_some() {
            return fixed;
        }
        if let Some(step) = text.strip_suffix(".final_at") {
            return self.known_step(step, &node.path).then(|| Anchor::FinalOf(step.to_owned()));
        }
        let known = self.names.anchors.as_ref();
        if known.is_none_or(|anchors| anchors.contains_key(text)) {
            return Some(Anchor::Named(text.to_owned()));
        }
        let names = known.map(|anchors| anchors.keys().cloned().collect::<Vec<_>>().join(", ")).unwrap_or_default();
        let detail = format!(
            "{text:?} is no anchor; there are {names}, started_at, closed_at, stage.entered_at and <step>.final_at"
        );
        self.faults.add(&node.path, FaultCode::UnknownAnchor, detail);
        None
    }

    /// An anchor that has one value only.
    fn single_anchor(&mut self, node: &Node<'_>) -> Option<Anchor> {
        let anchor = self.anchor(node)?;
        if let Anchor::Named(name) = &anchor
            && self.names.is_many(name)
        {
            let detail = format!("{name:?} may have many values; expected an anchor with one");
            self.faults.add(&node.path, FaultCode::UnknownAnchor, detail);
        }
        Some(anchor)
    }

    pub(super) fn window(&mut self, node: &Node<'_>) -> Window {
        let Some(mut fields) = self.faults.fields(node, "{opens: PT0S, closes: PT48H}") else {
            return Window::default();
        };
        let window = Window {
            opens: fields.get("opens").and_then(|node| self.faults.offset(&node)),
            closes: fields.get("closes").and_then(|node| self.faults.offset(&node)),
        };
        self.faults.done(&fields);
        window
    }

    /// Bounds that surely contradict each other whatever the anchor.
    pub(super) fn bounds(&mut self, path: &str, due: Option<Offset>, window: Window) {
        let mut inverted = |detail: String| self.faults.add(path, FaultCode::WindowInverted, detail);
        match (window.opens, due, window.closes) {
            (Some(opens), _, Some(closes)) if opens.surely_after(closes) => {
                inverted(format!("the window opens at {opens} and closes at {closes}, before that"));
            }
            (Some(opens), Some(due), _) if opens.surely_after(due) => {
                inverted(format!("due at {due}, before the window opens at {opens}"));
            }
            (_, Some(due), Some(closes)) if due.surely_after(closes) => {
                inverted(format!("due at {due}, after the window closes at {closes}"));
            }
            _ => {}
        }
    }

    pub(super) fn if_past(&mut self, node: &Node<'_>) -> Option<IfPast> {
        let mut fields = self.faults.fields(node, "{anchor: activated_at, offset: P1BD, closes: P3BD}")?;
        let f = &mut fields;
        let anchor = f.get("anchor").map_or(Some(Anchor::Activated), |node| self.single_anchor(&node));
        let offset = self.faults.need(f, "offset").and_then(|node| self.faults.offset(&node));
        let opens = f.get("opens").and_then(|node| self.faults.offset(&node));
        let closes = f.get("closes").and_then(|node| self.faults.offset(&node));
        self.faults.done(&fields);
        let offset = offset?;
        self.bounds(&node.path, Some(offset), Window { opens, closes });
        Some(IfPast { anchor: anchor?, offset, opens, closes })
    }

    pub(super) fn repeat(&mut self, node: &Node<'_>) -> Option<Repeat> {
        let mut fields = self.faults.fields(node, "{every: P3M, until: closed}")?;
        let every = self.faults.need(&mut fields, "every").and_then(|node| self.every(&node));
        let until = fields.get("until").map_or(Some(Until::Closed), |node| self.until(&node));
        self.faults.done(&fields);
        Some(Repeat { every: every?, until: until? })
    }

    fn every(&mut self, node: &Node<'_>) -> Option<Every> {
        if node.value.is_string() {
            return self.rhythm(node).map(Every::Fixed);
        }
        let mut fields = self.faults.fields(node, "a duration such as P3M, or {param: rhythm}")?;
        let param = self.faults.need(&mut fields, "param").and_then(|node| self.known_param(&node));
        self.faults.done(&fields);
        param.map(Every::Param)
    }

    fn rhythm(&mut self, node: &Node<'_>) -> Option<Offset> {
        let every = self.faults.distance(node)?;
        if every.nominal_seconds() >= SHORTEST_EVERY {
            return Some(every);
        }
        self.faults.add(
            &node.path,
            FaultCode::OutOfRange,
            format!("{every} is too short; a repetition takes at least a day"),
        );
        None
    }

    fn until(&mut self, node: &Node<'_>) -> Option<Until> {
        match node.value.as_str() {
            Some("closed") => Some(Until::Closed),
            Some(_) => self.faults.distance(node).map(Until::Within),
            None => {
                let mut fields = self.faults.fields(node, "closed, a duration such as P18M, or {count: 8}")?;
                let count = self.faults.need(&mut fields, "count").and_then(|node| self.faults.count(&node, 1_000));
                self.faults.done(&fields);
                count.map(Until::Count)
            }
        }
    }

    pub(super) fn param(&mut self, node: &Node<'_>) -> Option<Param> {
        let mut fields = self.faults.fields(node, "{default: P1W, min: P1W, max: P4W}")?;
        let mut part =
            |check: &mut Check, key| check.faults.need(&mut fields, key).and_then(|node| check.rhythm(&node));
        let (default, min, max) = (part(self, "default"), part(self, "min"), part(self, "max"));
        self.faults.done(&fields);
        let param = Param { default: default?, min: min?, max: max? };
        if !param.allows(param.default) {
            let detail = format!(
                "expected min <= default <= max in one unit, found {}, {}, {}",
                param.min, param.default, param.max
            );
            self.faults.add(&node.path, FaultCode::OutOfRange, detail);
        }
        Some(param)
    }

    fn known_param(&mut self, node: &Node<'_>) -> Option<String> {
        let name = self.faults.text(node, "the name of a parameter")?;
        if self.names.params.contains(name) {
            return Some(name.to_owned());
        }
        self.faults.add(&node.path, FaultCode::UnknownParam, format!("{name:?} is no parameter of this protocol"));
        None
    }

    pub(super) fn guard(&mut self, node: &Node<'_>, codes: &BTreeSet<String>) -> Option<Guard> {
        let mut fields =
            self.faults.fields(node, "{not_before: P28D, anchor: event_at, outcomes: [screen_advised]}")?;
        let f: &mut Fields<'_> = &mut fields;
        let not_before = self.faults.need(f, "not_before").and_then(|node| self.faults.offset(&node));
        let anchor = f.get("anchor").map(|node| self.single_anchor(&node));
        let outcomes = f.get("outcomes").map(|node| self.own_outcomes(&node, codes)).unwrap_or_default();
        self.faults.done(&fields);
        Some(Guard { not_before: not_before?, anchor: anchor.flatten(), outcomes })
    }

    /// Of the outcomes of this step, some.
    pub(super) fn own_outcomes(&mut self, node: &Node<'_>, codes: &BTreeSet<String>) -> Vec<String> {
        let mut outcomes = Vec::new();
        for item in self.faults.list(node, "a list of outcomes") {
            let Some(code) = self.faults.text(&item, "an outcome of this step") else { continue };
            if !codes.contains(code) {
                self.faults.add(&item.path, FaultCode::UnknownOutcome, format!("{code:?} is no outcome of this step"));
            }
            outcomes.push(code.to_owned());
        }
        outcomes
    }
}
