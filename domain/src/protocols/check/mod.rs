//! The check of a protocol document: one walk that tells every mistake with its place.
//!
//! Names are gathered first and loosely, so that one mistyped name is told where it stands and not again
//! wherever it is used.

mod coherence;
mod effects;
mod ends;
mod names;
mod reader;
mod steps;
mod tellers;
mod timing;
mod whole;

use super::calendar::{Day, Surroundings};
use super::faults::{Fault, FaultCode};
use super::holidays::Holidays;
use super::language::{
    AnchorRule, CalendarRule, End, Param, Protocol, RecordProfile, Retention, RetentionThen, Stacking, Step, Subject,
};
use chrono_tz::Tz;
use names::Names;
use reader::{Faults, Fields, Node, clock};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The programme kinds of DOMAIN 12.4.
pub const KINDS: [&str; 15] = [
    "peer_support_uniformed",
    "peer_support_police",
    "second_victim_peer_support",
    "pso_refugee_individual",
    "pm_plus",
    "meldcode_aftercare_family",
    "meldcode_aftercare_professional",
    "annual_professional_checkin",
    "recovery_coaching",
    "wrap_group",
    "hdjz_course",
    "peer_support_group",
    "resource_group",
    "naaste_support",
    "psh_collective",
];

const MAX_STEPS: usize = 200;

/// Checks a document and builds the protocol it says.
pub(super) fn check(document: Value) -> Result<Protocol, Vec<Fault>> {
    let (protocol, faults) = read(&document);
    match protocol {
        Some(mut protocol) if faults.is_empty() => {
            protocol.document = document;
            Ok(protocol)
        }
        _ => Err(faults),
    }
}

/// Everything that is wrong with a document, and the protocol as far as it could be read.
pub(super) fn read(document: &Value) -> (Option<Protocol>, Vec<Fault>) {
    let mut check = Check { names: Names::gather(document), faults: Faults::default() };
    let protocol = check.protocol(&Node { value: document, path: String::new() });
    if let Some(protocol) = &protocol {
        whole::check(protocol, &mut check.faults);
    }
    (protocol, check.faults.0)
}

/// The walk: the names it may meet and the mistakes it met.
struct Check {
    names: Names,
    faults: Faults,
}

impl Check {
    fn protocol(&mut self, node: &Node<'_>) -> Option<Protocol> {
        let mut fields = self
            .faults
            .fields(node, "a protocol: a mapping with protocol, title, kind, record_profile, anchors, roles, steps")?;
        let f = &mut fields;
        let protocol = Protocol {
            name: self.faults.need(f, "protocol").and_then(|node| self.faults.name(&node)).unwrap_or_default(),
            title: self.faults.need(f, "title").map(|node| self.faults.texts(&node)).unwrap_or_default(),
            kind: self.kind(f),
            record_profile: self.profile(f),
            subject: f
                .get("subject")
                .and_then(|node| self.faults.word(&node, Subject::WORDS))
                .unwrap_or(Subject::Person),
            retention: f.get("retention").and_then(|node| self.retention(&node)),
            source: f.get("source").and_then(|node| self.faults.text(&node, "a text").map(str::to_owned)),
            confidence: self.confidence(f),
            calendar: f.get("calendar").map(|node| self.calendar(&node)).unwrap_or_default(),
            zone: f.get("zone").and_then(|node| self.zone(&node)),
            anchors: self.anchors(f),
            roles: self.roles(f),
            stages: f.get("stages").map(|node| self.stages(&node)).unwrap_or_default(),
            params: f.get("params").map(|node| self.params(&node)).unwrap_or_default(),
            stacking: f
                .get("stacking")
                .and_then(|node| self.faults.word(&node, Stacking::WORDS))
                .unwrap_or(Stacking::Separate),
            steps: self.steps(f),
            end: f.get("end").map(|node| self.ends(&node)).unwrap_or_default(),
            document: Value::Null,
        };
        self.faults.done(&fields);
        Some(protocol)
    }

    fn kind(&mut self, fields: &mut Fields<'_>) -> String {
        let words = KINDS.map(|kind| (kind, kind));
        let node = self.faults.need(fields, "kind");
        node.and_then(|node| self.faults.word(&node, &words)).unwrap_or_default().to_owned()
    }

    fn profile(&mut self, fields: &mut Fields<'_>) -> RecordProfile {
        let node = self.faults.need(fields, "record_profile");
        // Nothing more is said about the profile when it could not be read: a care file may hold anything.
        node.and_then(|node| self.faults.word(&node, RecordProfile::WORDS)).unwrap_or(RecordProfile::CareFile)
    }

    fn confidence(&mut self, fields: &mut Fields<'_>) -> Option<String> {
        let words = [("low", "low"), ("medium", "medium"), ("high", "high")];
        fields.get("confidence").and_then(|node| self.faults.word(&node, &words)).map(str::to_owned)
    }

    fn zone(&mut self, node: &Node<'_>) -> Option<Tz> {
        let text = self.faults.text(node, "a time zone such as Europe/Amsterdam")?;
        let found = text.parse().ok();
        if found.is_none() {
            let detail = format!(
                "{text:?} is no time zone of the IANA database, such as {}",
                Surroundings::default().zone.name()
            );
            self.faults.add(&node.path, FaultCode::InvalidZone, detail);
        }
        found
    }

    fn retention(&mut self, node: &Node<'_>) -> Option<Retention> {
        let mut fields = self.faults.fields(node, "{after: closed, period: P90D, then: reduce_to_tally}")?;
        let f = &mut fields;
        let after = self.faults.need(f, "after").and_then(|node| self.faults.word(&node, &[("closed", ())]));
        let period = self.faults.need(f, "period").and_then(|node| self.faults.distance(&node));
        let then = self.faults.need(f, "then").and_then(|node| self.faults.word(&node, RetentionThen::WORDS));
        self.faults.done(&fields);
        after.and(Some(Retention { period: period?, then: then? }))
    }

    fn calendar(&mut self, node: &Node<'_>) -> CalendarRule {
        let Some(mut fields) =
            self.faults.fields(node, "{working_days: [mon, …], holidays: nl, office: \"09:00-17:00\"}")
        else {
            return CalendarRule::default();
        };
        let f = &mut fields;
        let rule = CalendarRule {
            working_days: f.get("working_days").map(|node| self.working_days(&node)),
            holidays: f
                .get("holidays")
                .and_then(|node| self.faults.word(&node, &[("nl", Holidays::Nl), ("none", Holidays::None)])),
            office: f.get("office").and_then(|node| self.office(&node)),
        };
        self.faults.done(&fields);
        rule
    }

    fn working_days(&mut self, node: &Node<'_>) -> BTreeSet<Day> {
        let words: Vec<_> = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].into_iter().zip(Day::ALL).collect();
        let items = self.faults.list(node, "a list of days such as [mon, tue]");
        if items.is_empty() && node.value.is_array() {
            self.faults.add(&node.path, FaultCode::Missing, "at least one working day is required");
        }
        items.iter().filter_map(|item| self.faults.word(item, &words)).collect()
    }

    fn office(&mut self, node: &Node<'_>) -> Option<(chrono::NaiveTime, chrono::NaiveTime)> {
        let text = self.faults.text(node, "office hours as \"09:00-17:00\"")?;
        let hours = text.split_once('-').and_then(|(opens, closes)| Some((clock(opens)?, clock(closes)?)));
        let found = hours.filter(|(opens, closes)| opens < closes);
        if found.is_none() {
            self.faults.add(
                &node.path,
                FaultCode::InvalidTime,
                format!("{text:?}: expected office hours as \"09:00-17:00\""),
            );
        }
        found
    }

    fn anchors(&mut self, fields: &mut Fields<'_>) -> BTreeMap<String, AnchorRule> {
        let Some(node) = self.faults.need(fields, "anchors") else { return BTreeMap::new() };
        let Some(anchors) = self.faults.fields(&node, "anchors such as {event_at: required}") else {
            return BTreeMap::new();
        };
        let mut rules = BTreeMap::new();
        for (name, entry) in anchors.named() {
            self.declared(name, &entry.path, &names::RESERVED_ANCHORS);
            rules.insert(name.to_owned(), self.anchor_rule(&entry));
        }
        rules
    }

    fn anchor_rule(&mut self, node: &Node<'_>) -> AnchorRule {
        if node.value.is_string() {
            let optional = self.faults.word(node, &[("required", false), ("optional", true)]).unwrap_or(true);
            return AnchorRule { optional, many: false };
        }
        let Some(mut fields) = self.faults.fields(node, "required, optional, or {optional: true, many: true}") else {
            return AnchorRule { optional: true, many: false };
        };
        let optional = fields.get("optional").and_then(|node| self.faults.flag(&node)).unwrap_or(false);
        let many = fields.get("many").and_then(|node| self.faults.flag(&node)).unwrap_or(false);
        self.faults.done(&fields);
        AnchorRule { optional, many }
    }

    /// The name of something that is declared by being a key: well-formed, and not the language's own.
    fn declared(&mut self, name: &str, path: &str, reserved: &[&str]) {
        if !reader::is_name(name) {
            let detail = format!(
                "{name:?} is no name: expected a lower-case letter, then letters, digits and _, at most 64 in all"
            );
            self.faults.add(path, FaultCode::InvalidName, detail);
        } else if reserved.contains(&name) {
            self.faults.add(
                path,
                FaultCode::InvalidName,
                format!("{name:?} is a word of the language; choose another name"),
            );
        }
    }

    fn roles(&mut self, fields: &mut Fields<'_>) -> Vec<String> {
        let Some(node) = self.faults.need(fields, "roles") else { return Vec::new() };
        self.unique_names(&node, &names::RESERVED_ROLES)
    }

    fn stages(&mut self, node: &Node<'_>) -> Vec<String> {
        self.unique_names(node, &[])
    }

    fn unique_names(&mut self, node: &Node<'_>, reserved: &[&str]) -> Vec<String> {
        let items = self.faults.list(node, "a list of names");
        if items.is_empty() && node.value.is_array() {
            self.faults.add(&node.path, FaultCode::Missing, "at least one is required");
        }
        let mut found: Vec<String> = Vec::new();
        for item in items {
            let Some(name) = self.faults.name(&item) else { continue };
            self.declared(&name, &item.path, reserved);
            if found.contains(&name) {
                self.faults.add(&item.path, FaultCode::DuplicateName, format!("{name:?} stands here twice"));
            } else {
                found.push(name);
            }
        }
        found
    }

    fn params(&mut self, node: &Node<'_>) -> BTreeMap<String, Param> {
        let Some(params) = self.faults.fields(node, "parameters such as {rhythm: {default: P1W, min: P1W, max: P4W}}")
        else {
            return BTreeMap::new();
        };
        let mut found = BTreeMap::new();
        for (name, entry) in params.named() {
            self.declared(name, &entry.path, &[]);
            if let Some(param) = self.param(&entry) {
                found.insert(name.to_owned(), param);
            }
        }
        found
    }

    fn steps(&mut self, fields: &mut Fields<'_>) -> Vec<Step> {
        let Some(node) = self.faults.need(fields, "steps") else { return Vec::new() };
        let items = self.faults.list(&node, "a list of steps");
        if node.value.is_array() && items.is_empty() {
            self.faults.add(&node.path, FaultCode::Missing, "at least one step is required");
        }
        if items.len() > MAX_STEPS {
            self.faults.add(
                &node.path,
                FaultCode::OutOfRange,
                format!("{} steps; at most {MAX_STEPS} are allowed", items.len()),
            );
        }
        let mut steps: Vec<Step> = Vec::new();
        for item in items.iter().take(MAX_STEPS) {
            let Some(step) = self.step(item) else { continue };
            if !step.name.is_empty() && steps.iter().any(|other| other.name == step.name) {
                let detail = format!("another step is already called {:?}", step.name);
                self.faults.add(&format!("{}/step", item.path), FaultCode::DuplicateName, detail);
            }
            steps.push(step);
        }
        steps
    }

    fn ends(&mut self, node: &Node<'_>) -> Vec<End> {
        let items = self.faults.list(node, "a list of end rules such as {all_final: [talk_1], close: completed}");
        items.iter().filter_map(|item| self.end(item)).collect()
    }
}
