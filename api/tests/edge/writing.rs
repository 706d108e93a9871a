//! Writing safely: once, and only over what was read (API.md section 3).

use serde_json::json;

use crate::support::Service;

#[tokio::test]
async fn the_same_key_gives_the_same_answer_and_makes_one_unit() {
    let service = Service::new().await;
    let new = json!({ "name": "IC", "kind": "department" });
    let post = |key: &str| service.post("/v1/units").header("Idempotency-Key", key).json(&new);
    let first = post("\"k-1\"").send().await.expect(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    let bare = post("k-1").send().await.expect(201);
    assert_eq!(bare.header("idempotency-replayed"), "true", "quoted or bare is the same key");
    assert_eq!(bare.body, first.body);
    for header in ["location", "etag", "content-type"] {
        assert_eq!(bare.header(header), first.header(header));
    }
    let spaced = service.post("/v1/units").header("Idempotency-Key", "k-1");
    let spaced = spaced.body("{ \"kind\" : \"department\",\n \"name\":\"IC\" }").send().await.expect(201);
    assert_eq!(spaced.header("idempotency-replayed"), "true", "the same body, written otherwise");
    let other = json!({ "name": "Other", "kind": "department" });
    let reused = service.post("/v1/units").header("Idempotency-Key", "k-1").json(&other).send().await;
    reused.problem(422, "idempotency_key_reused");
    let all = service.get("/v1/units").send().await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let service = Service::new().await;
    let nowhere = json!({ "name": "X", "kind": "team", "parentId": "00000000-0000-7000-8000-000000000000" });
    let post = || service.post("/v1/units").header("Idempotency-Key", "k-2");
    post().json(&nowhere).send().await.problem(400, "invalid_input");
    post().json(&json!({ "name": "X", "kind": "team" })).send().await.expect(201);
}

#[tokio::test]
async fn fifty_at_once_with_one_key_make_one_unit() {
    let service = Service::new().await;
    let new = json!({ "name": "IC", "kind": "department" });
    let posts = (0..50).map(|_| service.post("/v1/units").header("Idempotency-Key", "race").json(&new).send());
    let replies = futures::future::join_all(posts).await;
    let fresh = replies.iter().filter(|reply| reply.status == 201 && reply.header("idempotency-replayed").is_empty());
    assert_eq!(fresh.count(), 1);
    for reply in replies {
        if reply.status == 201 {
            continue;
        }
        assert!(!reply.header("retry-after").is_empty());
        reply.problem(409, "idempotency_in_progress");
    }
    let all = service.get("/v1/units").send().await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_that_is_no_key_is_refused() {
    let service = Service::new().await;
    for key in ["\"half", "\"\"", "has\"quote", &"k".repeat(300)] {
        let post =
            service.post("/v1/units").header("Idempotency-Key", key).json(&json!({ "name": "X", "kind": "team" }));
        let errors = post.send().await.errors();
        assert!(errors.iter().all(|error| error.starts_with("header Idempotency-Key ")), "{errors:?}");
    }
}

#[tokio::test]
async fn a_change_needs_the_version_it_is_about() {
    let service = Service::new().await;
    let made = service.post("/v1/units").json(&json!({ "name": "IC", "kind": "department" })).send().await.expect(201);
    let path = made.header("location").to_owned();
    let patch = || service.patch(&path).json(&json!({ "name": "New" }));
    patch().send().await.problem(428, "precondition_required");
    patch().header("If-Match", "*").send().await.problem(428, "precondition_required");
    patch().header("If-Match", "\"7\"").send().await.problem(412, "precondition_failed");
    patch().header("If-Match", "W/\"1\"").send().await.problem(412, "precondition_failed");
    patch().header("If-Match", "1").send().await.problem(400, "invalid_input");
    patch().header("If-Match", "\"1\"").send().await.expect(200);
    patch().header("If-Match", "\"1\"").send().await.problem(412, "precondition_failed");
}

#[tokio::test]
async fn who_has_the_current_version_gets_no_body() {
    let service = Service::new().await;
    let made = service.post("/v1/units").json(&json!({ "name": "IC", "kind": "department" })).send().await.expect(201);
    let path = made.header("location").to_owned();
    for tag in ["\"1\"", "W/\"1\"", "\"0\", \"1\"", "*"] {
        let same = service.get(&path).header("If-None-Match", tag).send().await.expect(304);
        assert!(same.body.is_empty() && same.header("content-type").is_empty());
        assert_eq!(same.header("etag"), "\"1\"");
    }
    service.get(&path).header("If-None-Match", "\"2\"").send().await.expect(200);
}
