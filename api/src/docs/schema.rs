//! Schemas in words, and as tables of their members.

use std::fmt::Write;

use serde_json::Value;

use super::{object, string, text};
use crate::html::escape;

/// One named schema.
pub(super) fn article(out: &mut String, name: &str, schema: &Value) -> std::fmt::Result {
    writeln!(out, "<article aria-labelledby=\"schema-{name}\">\n<h3 id=\"schema-{name}\">{name}</h3>")?;
    out.push_str(&text::paragraphs(string(&schema["description"])));
    let properties = object(&schema["properties"]);
    if properties.is_empty() {
        writeln!(out, "<p>{}</p>\n</article>", self::name(schema))?;
        return Ok(());
    }
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    text::table(out, ["Member", "Type", "About"], |rows| {
        for (member, shape) in properties {
            let mark = if required.contains(&member.as_str()) { " (required)" } else { "" };
            let about = text::inline(string(&shape["description"]));
            rows([format!("<code>{}</code>{mark}", escape(member)), self::name(shape), about])?;
        }
        Ok(())
    })?;
    out.push_str("</article>\n");
    Ok(())
}

/// A schema in a few words, with a link where it has a name.
pub(super) fn name(schema: &Value) -> String {
    let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
    if let Some(name) = reference.and_then(|at| at.rsplit('/').next()) {
        let name = escape(name);
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    if let Some(values) = schema["enum"].as_array() {
        let words = values.iter().filter_map(Value::as_str).map(|word| format!("<code>{}</code>", escape(word)));
        return words.collect::<Vec<_>>().join(" or ");
    }
    let mut words = match schema["type"].as_str() {
        Some("array") => format!("list of {}", name(&schema["items"])),
        Some("object") if schema["additionalProperties"].is_object() => {
            format!("object of {}", name(&schema["additionalProperties"]))
        }
        Some(kind) => match schema["format"].as_str() {
            Some(format) => format!("{kind}, {format}"),
            None => kind.to_owned(),
        },
        None => "anything".to_owned(),
    };
    for (key, before, after) in BOUNDS {
        if let Some(bound) = schema.get(*key) {
            let bound =
                bound.as_str().map_or_else(|| bound.to_string(), |text| format!("<code>{}</code>", escape(text)));
            words.push_str(&format!(", {before}{bound}{after}"));
        }
    }
    if schema["nullable"] == true {
        words.push_str(", or null");
    }
    words
}

const BOUNDS: &[(&str, &str, &str)] = &[
    ("minimum", "at least ", ""),
    ("maximum", "at most ", ""),
    ("minLength", "at least ", " characters"),
    ("maxLength", "at most ", " characters"),
    ("minItems", "at least ", " items"),
    ("maxItems", "at most ", " items"),
    ("pattern", "matching ", ""),
    ("default", "otherwise ", ""),
];
