//! `/docs`: the document as one readable page, without a script and with nothing fetched from anywhere.
//!
//! Operations by chapter with their parameters, bodies, answers and a curl line; then every schema. It is made once, from
//! the document itself, so it cannot say anything else.

mod curl;
mod schema;
mod text;

use std::{fmt::Write, sync::LazyLock};

use poem::Response;
use serde_json::{Map, Value};

use crate::{
    document,
    html::{self, Page, escape},
};

/// The page.
pub(crate) fn page() -> Response {
    static PAGE: LazyLock<String> = LazyLock::new(|| render(document()).unwrap_or_default());
    html::respond(PAGE.clone())
}

/// An operation with its place.
struct Operation<'a> {
    path: &'a str,
    method: &'a str,
    value: &'a Value,
}

fn render(document: &Value) -> Result<String, std::fmt::Error> {
    let operations = operations(document);
    let chapters: Vec<_> = document["tags"].as_array().into_iter().flatten().collect();
    let mut out = String::new();
    writeln!(out, "<p class=\"skip\"><a href=\"#operations\">To the operations</a></p>")?;
    out.push_str(&text::paragraphs(string(&document["info"]["description"])));
    writeln!(
        out,
        "<p>Version {} · <a href=\"/v1/openapi.json\">OpenAPI document</a> · <a href=\"/problems\">Problems</a></p>",
        escape(string(&document["info"]["version"]))
    )?;
    contents(&mut out, &chapters, &operations)?;
    out.push_str("<div id=\"operations\">\n");
    for chapter in &chapters {
        let name = string(&chapter["name"]);
        writeln!(
            out,
            "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{name}</h2>",
            id = anchor(name),
            name = escape(name)
        )?;
        out.push_str(&text::paragraphs(string(&chapter["description"])));
        for operation in operations.iter().filter(|operation| operation.value["tags"][0] == name) {
            article(&mut out, document, operation)?;
        }
        out.push_str("</section>\n");
    }
    out.push_str("</div>\n<section aria-labelledby=\"schemas\">\n<h2 id=\"schemas\">Schemas</h2>\n");
    for (name, one) in object(&document["components"]["schemas"]) {
        schema::article(&mut out, name, one)?;
    }
    out.push_str("</section>\n");
    Ok(Page::new("nazorg API", out).render())
}

fn contents(out: &mut String, chapters: &[&Value], operations: &[Operation<'_>]) -> std::fmt::Result {
    out.push_str("<nav aria-label=\"Contents\">\n");
    for chapter in chapters {
        let name = string(&chapter["name"]);
        writeln!(out, "<p><a href=\"#{}\">{}</a></p>\n<ul>", anchor(name), escape(name))?;
        for operation in operations.iter().filter(|operation| operation.value["tags"][0] == name) {
            let (id, summary) = (string(&operation.value["operationId"]), string(&operation.value["summary"]));
            writeln!(out, "<li><a href=\"#{id}\">{}</a></li>", escape(summary))?;
        }
        out.push_str("</ul>\n");
    }
    out.push_str("<p><a href=\"#schemas\">Schemas</a></p>\n</nav>\n");
    Ok(())
}

fn article(out: &mut String, document: &Value, operation: &Operation<'_>) -> std::fmt::Result {
    let Operation { path, method, value } = operation;
    let id = string(&value["operationId"]);
    writeln!(out, "<article aria-labelledby=\"{id}\">\n<h3 id=\"{id}\">{}</h3>", escape(string(&value["summary"])))?;
    writeln!(
        out,
        "<p><span class=\"method\">{method}</span> <code>/v1{}</code> · <code>{id}</code></p>",
        escape(path)
    )?;
    out.push_str(&text::paragraphs(string(&value["description"])));
    parameters(out, document, value)?;
    if let Some(body) = value.get("requestBody") {
        let schema = &body["content"]["application/json"]["schema"];
        writeln!(out, "<h4>Body</h4>\n<p>{}</p>", schema::name(schema))?;
    }
    answers(out, document, value)?;
    let line = curl::line(document, operation);
    writeln!(
        out,
        "<h4>Example</h4>\n<pre tabindex=\"0\" role=\"region\" aria-label=\"Example of {id}\"><code>{}</code></pre>\n</article>",
        escape(&line)
    )
}

fn parameters(out: &mut String, document: &Value, operation: &Value) -> std::fmt::Result {
    let all = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if all.is_empty() {
        return Ok(());
    }
    out.push_str("<h4>Parameters</h4>\n");
    text::table(out, ["Name", "In", "Type", "About"], |rows| {
        for parameter in all.iter().map(|parameter| resolve(document, parameter)) {
            let required = if parameter["required"] == true { " (required)" } else { "" };
            rows([
                format!("<code>{}</code>{required}", escape(string(&parameter["name"]))),
                escape(string(&parameter["in"])),
                schema::name(&parameter["schema"]),
                text::inline(string(&parameter["description"])),
            ])?;
        }
        Ok(())
    })
}

fn answers(out: &mut String, document: &Value, operation: &Value) -> std::fmt::Result {
    out.push_str("<h4>Answers</h4>\n");
    text::table(out, ["Status", "Body", "About"], |rows| {
        for (status, answer) in object(&operation["responses"]) {
            let answer = resolve(document, answer);
            let schema = object(&answer["content"]).values().next().map(|media| schema::name(&media["schema"]));
            rows([escape(status), schema.unwrap_or_default(), text::inline(string(&answer["description"]))])?;
        }
        Ok(())
    })
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = object(&document["paths"]).iter();
    let each = |(path, item)| {
        let methods = ["get", "post", "put", "patch", "delete"].into_iter();
        methods.filter_map(move |method| {
            let value = Value::get(item, method)?;
            Some(Operation { path: String::as_str(path), method, value })
        })
    };
    paths.flat_map(each).collect()
}

/// What a reference within the document stands for.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

fn object(value: &Value) -> &Map<String, Value> {
    static EMPTY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    value.as_object().unwrap_or(&EMPTY)
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A chapter's name as the target of a link.
fn anchor(name: &str) -> String {
    format!("chapter-{}", name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-"))
}
