//! Lists in stretches (API.md section 4).

use nazorg_domain::entities::Role;
use serde_json::{Value, json};

use crate::support::Service;

#[tokio::test]
async fn a_walk_sees_each_item_once_and_ends() {
    let service = Service::new().await;
    for number in 0..7 {
        service
            .post("/v1/units")
            .json(&json!({ "name": format!("U{number}"), "kind": "team" }))
            .send()
            .await
            .expect(201);
    }
    let mut names = Vec::new();
    let mut path = "/v1/units?limit=3".to_owned();
    loop {
        let reply = service.get(&path).send().await.expect(200);
        let page = reply.json();
        names.extend(page["items"].as_array().unwrap().iter().map(|unit| unit["name"].as_str().unwrap().to_owned()));
        let Some(next) = page.get("next") else {
            assert_eq!(reply.header("link"), "");
            break;
        };
        let link = reply.header("link");
        assert_eq!(link, format!("</v1/units?limit=3&cursor={}>; rel=\"next\"", next.as_str().unwrap()));
        path = link.trim_start_matches('<').split('>').next().unwrap().to_owned();
    }
    assert_eq!(names, ["U0", "U1", "U2", "U3", "U4", "U5", "U6"]);
    let exact = service.get("/v1/units?limit=7").send().await.expect(200).json();
    assert!(exact.get("next").is_none(), "nothing follows");
}

#[tokio::test]
async fn a_cursor_is_bound_to_its_list_its_organisation_and_its_bytes() {
    let service = Service::new().await;
    for name in ["A", "B"] {
        service.post("/v1/units").json(&json!({ "name": name, "kind": "team" })).send().await.expect(201);
    }
    let next = service.get("/v1/units?limit=1").send().await.json()["next"].as_str().unwrap().to_owned();
    service.get(&format!("/v1/units?cursor={next}&limit=50")).send().await.expect(200);
    let elsewhere = format!("Bearer {}", service.elsewhere().await);
    let foreign = service.get(&format!("/v1/units?cursor={next}")).header("Authorization", &elsewhere);
    assert_eq!(foreign.send().await.errors(), ["query cursor bad_cursor"]);
    for harmed in [format!("{next}A"), next[1..].to_owned(), next.replace(&next[4..5], "_"), "x".to_owned()] {
        let errors = service.get(&format!("/v1/units?cursor={harmed}")).send().await.errors();
        assert_eq!(errors, ["query cursor bad_cursor"], "{harmed}");
    }
}

#[tokio::test]
async fn a_cursor_of_a_search_is_bound_to_what_was_sought() {
    let service = Service::new().await;
    let coordinator = format!("Bearer {}", service.key(service.organisation, Role::Coordinator).await);
    let as_coordinator = |path: &str, body: &Value| service.post(path).header("Authorization", &coordinator).json(body);
    for name in ["Anna de Vries", "Anna de Vries", "Bo Smit"] {
        as_coordinator("/v1/persons", &json!({ "name": name, "profession": "nurse" })).send().await.expect(201);
    }
    let search =
        async |query: &str, body: Value| as_coordinator(&format!("/v1/persons/_search{query}"), &body).send().await;
    let anna = json!({ "name": "Anna de Vries" });
    let first = search("?limit=1", anna.clone()).await.expect(200).json();
    let after = format!("?cursor={}", first["next"].as_str().unwrap());
    let second = search(&after, anna).await.expect(200).json();
    assert_eq!(second["items"].as_array().unwrap().len(), 1);
    assert_ne!(first["items"], second["items"]);
    assert_eq!(search(&after, json!({ "name": "Bo Smit" })).await.errors(), ["query cursor bad_cursor"]);
}

#[tokio::test]
async fn all_that_is_wrong_with_a_query_is_told() {
    let service = Service::new().await;
    let errors = |query: &'static str| async { service.get(query).send().await.errors() };
    assert_eq!(errors("/v1/units?limit=0").await, ["query limit too_small"]);
    assert_eq!(errors("/v1/units?limit=101").await, ["query limit too_large"]);
    assert_eq!(errors("/v1/units?limit=ten").await, ["query limit wrong_type"]);
    assert_eq!(errors("/v1/units?limit=1&limit=2").await, ["query limit given_twice"]);
    assert_eq!(errors("/v1/units?cursor=").await, ["query cursor too_short"]);
    assert_eq!(
        errors("/v1/units?limit=0&Limit=2&x=").await,
        ["query Limit unknown_key", "query limit too_small", "query x unknown_key"]
    );
    assert_eq!(errors("/v1/units?cursor=%ff").await, ["query cursor bad_format"]);
    assert_eq!(errors("/v1/units?cursor=%00").await, ["query cursor forbidden_character"]);
    assert_eq!(errors("/v1/units?cursor=%zz").await, ["query cursor bad_format"]);
}
