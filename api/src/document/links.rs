//! Links: what an answer can be followed by, so that tools (and readers) can walk from one operation to the next.
//!
//! By rule: what a POST on a collection makes can be used by every operation below its path, and a version that was read
//! can be changed over.

use serde_json::{Map, Value, json};

use super::operations;

/// An operation that needs the id of something, and perhaps its version.
struct Follower {
    collection: String,
    parameter: String,
    id: String,
    guarded: bool,
}

/// Adds the links.
pub(super) fn apply(document: &mut Value) {
    let followers: Vec<Follower> =
        operations(document).filter_map(|(path, _, operation)| follower(path, operation)).collect();
    for (path, method, operation) in operations(document) {
        let (collection, status) = match (method.as_str(), path.strip_suffix("/{id}")) {
            ("post", None) => (path.as_str(), "201"),
            ("get", Some(collection)) => (collection, "200"),
            _ => continue,
        };
        let own = operation["operationId"].as_str().unwrap_or_default().to_owned();
        let links: Map<String, Value> = followers
            .iter()
            .filter(|follower| follower.collection == collection && follower.id != own)
            .map(|follower| (follower.id.clone(), link(follower)))
            .collect();
        if let Some(Value::Object(response)) = operation["responses"].get_mut(status)
            && response.contains_key("content")
            && !links.is_empty()
        {
            response.insert("links".to_owned(), links.into());
        }
    }
}

/// Only operations directly on one thing: `/cases/{id}` and `/cases/{id}/close`, not `/cases/{id}/notes/{noteId}`.
fn follower(path: &str, operation: &Value) -> Option<Follower> {
    let (collection, rest) = path.split_once("/{")?;
    let (parameter, below) = rest.split_once('}')?;
    if below.contains('{') {
        return None;
    }
    Some(Follower {
        collection: collection.to_owned(),
        parameter: parameter.to_owned(),
        id: operation["operationId"].as_str()?.to_owned(),
        guarded: operation["parameters"].to_string().contains("/IfMatch\""),
    })
}

fn link(Follower { parameter, id, guarded, .. }: &Follower) -> Value {
    let mut parameters = json!({ (format!("path.{parameter}")): "$response.body#/id" });
    if *guarded {
        parameters["header.If-Match"] = json!("$response.header.ETag");
    }
    json!({ "operationId": id, "parameters": parameters })
}
