//! The names a document declares, gathered loosely before the walk.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Anchors of the language itself.
pub(super) const RESERVED_ANCHORS: [&str; 3] = ["started_at", "closed_at", "activated_at"];
/// Recipients and actors of the language itself.
pub(super) const RESERVED_ROLES: [&str; 3] = ["actor", "person", "close_one"];

/// What may be referred to. A list that is absent or malformed is `None`: then nothing is said about references to it.
pub(super) struct Names {
    pub(super) steps: Option<BTreeSet<String>>,
    /// The outcome codes of each step.
    pub(super) outcomes: BTreeMap<String, BTreeSet<String>>,
    /// Each anchor, and whether it is many-valued.
    pub(super) anchors: Option<BTreeMap<String, bool>>,
    pub(super) roles: Option<BTreeSet<String>>,
    pub(super) stages: BTreeSet<String>,
    pub(super) params: BTreeSet<String>,
}

impl Names {
    pub(super) fn gather(document: &Value) -> Self {
        let steps = document.get("steps").and_then(Value::as_array);
        let name_of = |step: &Value| step.get("step").and_then(Value::as_str).map(str::to_owned);
        let codes = |step: &Value| step.get("outcomes").map(keys).unwrap_or_default();
        Self {
            steps: steps.map(|steps| steps.iter().filter_map(name_of).collect()),
            outcomes: steps.into_iter().flatten().filter_map(|step| Some((name_of(step)?, codes(step)))).collect(),
            anchors: document.get("anchors").and_then(Value::as_object).map(|anchors| {
                let many = |rule: &Value| rule.get("many").and_then(Value::as_bool).unwrap_or(false);
                anchors.iter().map(|(name, rule)| (name.clone(), many(rule))).collect()
            }),
            roles: document.get("roles").and_then(Value::as_array).map(|roles| texts(roles)),
            stages: document.get("stages").and_then(Value::as_array).map(|stages| texts(stages)).unwrap_or_default(),
            params: document.get("params").map(keys).unwrap_or_default(),
        }
    }

    /// Whether an anchor is declared many-valued.
    pub(super) fn is_many(&self, anchor: &str) -> bool {
        self.anchors.as_ref().and_then(|anchors| anchors.get(anchor)).copied().unwrap_or(false)
    }
}

fn texts(list: &[Value]) -> BTreeSet<String> {
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
}
