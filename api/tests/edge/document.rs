//! The published document against the catalogue, the pages and the rules it must keep.

use std::collections::BTreeSet;

use nazorg_api::{document, document_text, problem::Code};
use serde_json::Value;

use crate::support::Service;

fn operations() -> Vec<(String, String, &'static Value)> {
    let paths = document()["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, one)| (method.clone(), path.clone(), one))
    });
    each.collect()
}

#[test]
fn every_operation_has_an_id_one_tag_a_summary_and_a_description() {
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations() {
        let at = format!("{method} {path}");
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{at}: no operationId"));
        assert!(
            id.chars().all(|c| c.is_ascii_alphanumeric()) && id.starts_with(|c: char| c.is_ascii_lowercase()),
            "{at}"
        );
        assert!(ids.insert(id), "{id} stands twice");
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{at}: exactly one tag");
        for member in ["summary", "description"] {
            assert!(operation[member].as_str().is_some_and(|text| !text.is_empty()), "{at}: no {member}");
        }
        assert!(!operation["summary"].as_str().unwrap().ends_with('.'), "{at}: a summary is no sentence");
    }
}

#[test]
fn schemas_have_names_and_members_every_generator_can_write() {
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        assert!(
            name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric()),
            "{name}"
        );
        for (member, shape) in schema["properties"].as_object().into_iter().flatten() {
            let camel = member.starts_with(|c: char| c.is_ascii_lowercase())
                && member.chars().all(|c| c.is_ascii_alphanumeric());
            assert!(camel, "{name}.{member}");
            assert!(
                !(shape["nullable"] == true && shape.get("allOf").is_some()),
                "{name}.{member}: nullable beside $ref"
            );
            for known in shape["enum"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                assert!(
                    known.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == ':'),
                    "{known}"
                );
            }
        }
    }
}

#[test]
fn every_post_that_changes_something_can_be_sent_twice() {
    for (method, path, operation) in operations().into_iter().filter(|(method, ..)| method == "post") {
        let exempt =
            path.ends_with("/_search") || operation["description"].as_str().unwrap().contains("Changes nothing.");
        let keyed = operation["parameters"].to_string().contains("/IdempotencyKey");
        assert!(keyed || exempt, "{method} {path}: take Once or OnceIfKeyed, or say \"Changes nothing.\"");
    }
}

#[test]
fn every_change_names_its_version() {
    for (method, path, operation) in
        operations().into_iter().filter(|(method, ..)| ["put", "patch", "delete"].contains(&method.as_str()))
    {
        assert!(operation["parameters"].to_string().contains("/IfMatch"), "{method} {path}: take IfMatch");
    }
}

#[test]
fn what_can_be_null_stands_only_in_patches() {
    let document = document();
    let patches: BTreeSet<_> = operations()
        .into_iter()
        .filter(|(method, ..)| method == "patch")
        .filter_map(|(.., one)| one.pointer("/requestBody/content/application~1json/schema/$ref")?.as_str())
        .filter_map(|at| at.rsplit('/').next())
        .collect();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(patches.contains(name.as_str()) || !schema.to_string().contains("\"nullable\""), "{name}");
    }
}

#[tokio::test]
async fn the_catalogue_the_document_and_the_pages_agree() {
    let service = Service::new().await;
    let mut names = BTreeSet::new();
    for code in Code::all() {
        let entry = code.entry();
        assert!(names.insert(code.as_str()), "{} stands twice", code.as_str());
        assert_eq!(Code::named(code.as_str()), Some(code));
        assert!(
            (400..600).contains(&entry.status) && !entry.title.ends_with('.') && entry.advice.ends_with('.'),
            "{entry:?}"
        );
        let responses = document()["components"]["responses"].as_object().unwrap();
        let told = responses.values().any(|one| {
            let description = one["description"].as_str().unwrap();
            description.contains(&format!("`{}`", code.as_str()))
                && one.pointer("/content/application~1problem+json/example/status") == Some(&entry.status.into())
        });
        assert!(told, "{} is not in the document", code.as_str());
        let page = service.get(&format!("/problems/{}", code.as_str())).header("Authorization", "");
        let html = page.header("Accept", "text/html,*/*;q=0.8").send().await.expect(200);
        assert!(
            html.header("content-type").starts_with("text/html")
                && html.text().contains(entry.advice.split('\'').next().unwrap())
        );
        let plain = service.get(&format!("/problems/{}", code.as_str())).send().await.expect(200);
        assert!(plain.header("content-type").starts_with("text/plain") && plain.text().contains(entry.title));
    }
    let listed = &document()["components"]["schemas"]["Problem"]["properties"]["code"]["x-extensible-enum"];
    assert_eq!(listed.as_array().unwrap().len(), names.len());
    service.get("/problems").send().await.expect(200);
    service.get("/problems/unheard_of").send().await.problem(404, "not_found");
}

#[tokio::test]
async fn the_document_is_there_for_everyone_and_from_everywhere() {
    let service = Service::new().await;
    let reply = service.get("/v1/openapi.json").header("Authorization", "").send().await.expect(200);
    assert_eq!(reply.text(), document_text());
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(service.get("/v1/units").send().await.header("access-control-allow-origin"), "");
    let docs = service.get("/docs").header("Authorization", "").send().await.expect(200).text();
    assert!(!docs.contains("http-equiv") && !docs.contains("<script"), "one page, nothing fetched");
}

/// What poem-openapi does not check: a response never holds null, a request never loses an unknown member.
#[test]
fn every_object_is_read_strictly_or_written_without_null() {
    let resources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![resources];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for part in
                text.split("#[derive(").skip(1).filter(|part| part.split(")]").next().unwrap().contains("Object"))
            {
                let attributes = part.split("struct ").next().unwrap();
                seen += 1;
                let strict =
                    attributes.contains("deny_unknown_fields") || attributes.contains("skip_serializing_if_is_none");
                assert!(
                    strict,
                    "{}: struct {}",
                    path.display(),
                    part.split("struct ").nth(1).unwrap().lines().next().unwrap()
                );
            }
        }
    }
    assert!(seen >= 5, "the test reads the right folder");
}
