//! Reading who is told what, and when.

use super::Check;
use super::reader::Node;
use crate::messages::Template;
use crate::protocols::faults::FaultCode;
use crate::protocols::language::{Escalate, Outgoing, Recipient, Remind, RemindWhen};

impl Check {
    pub(super) fn announce(&mut self, node: &Node<'_>) -> Option<Recipient> {
        let mut fields = self.faults.fields(node, "{to: actor}")?;
        let to = self.faults.need(&mut fields, "to").and_then(|node| self.recipient(&node));
        self.faults.done(&fields);
        to
    }

    pub(super) fn escalation(&mut self, node: &Node<'_>) -> Option<Escalate> {
        let mut fields = self.faults.fields(node, "{to: coordinator, after_close: PT0S}")?;
        let to = self.faults.need(&mut fields, "to").and_then(|node| self.recipient(&node));
        let after_close = self.faults.need(&mut fields, "after_close").and_then(|node| self.faults.distance(&node));
        let unless = fields.get("unless").map(|node| self.faults.word(&node, &UNLESS));
        self.faults.done(&fields);
        Some(Escalate { to: to?, after_close: after_close?, unless_acknowledged: unless.is_some() })
    }

    pub(super) fn remind(&mut self, node: &Node<'_>) -> Option<Remind> {
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
        let template = fields.get("template").map(|node| self.template(&node));
        self.faults.done(&fields);
        Some(Outgoing { to: to?, template: template.flatten() })
    }

    /// The name of a text that there is, as it is written here.
    fn template(&mut self, node: &Node<'_>) -> Option<String> {
        let name = self.faults.name(node)?;
        if Template::parse(&name).is_none() {
            let known: Vec<_> = Template::ALL.iter().map(|template| template.as_str().replace('.', "_")).collect();
            let detail = format!("{name:?} is not one of {}", known.join(", "));
            self.faults.add(&node.path, FaultCode::UnknownValue, detail);
        }
        Some(name)
    }
}

const UNLESS: [(&str, ()); 1] = [("acknowledged", ())];

const MOMENTS: [(&str, RemindWhen); 3] =
    [("opens", RemindWhen::Opens), ("due", RemindWhen::Due), ("closes", RemindWhen::Closes)];
