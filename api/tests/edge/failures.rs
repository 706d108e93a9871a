//! Every way to be refused before a verb is called.

use std::num::NonZeroU32;

use poem::http::Method;

use crate::support::{Service, common};

#[tokio::test]
async fn a_credential_is_needed_and_a_wrong_one_is_no_credential() {
    let service = Service::new().await;
    for header in ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer nzg_live_0000"] {
        let reply = service.get("/v1/units").header("Authorization", header).send().await;
        assert!(reply.header("www-authenticate").starts_with("Bearer realm=\"nazorg\""));
        assert_eq!(reply.headers.get_all("www-authenticate").iter().count(), 1);
        reply.problem(401, "unauthenticated");
    }
    let (rest, last) = service.admin.split_at(service.admin.len() - 1);
    let mistyped = format!("{rest}{}", if last == "0" { "1" } else { "0" });
    let reply = service.get("/v1/units").header("Authorization", &format!("Bearer {mistyped}")).send().await;
    reply.problem(401, "unauthenticated");
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there() {
    let service = Service::new().await;
    for path in ["/", "/v1", "/v1/", "/v1/units/", "/v1//units", "/v1/nothing", "/v2/units", "/v1/units/a/b"] {
        service.get(path).send().await.problem(404, "not_found");
    }
    let reply = service.ask(Method::DELETE, "/v1/units").send().await;
    assert_eq!(reply.header("allow"), "GET, HEAD, POST");
    reply.problem(405, "method_not_allowed");
    let reply = service.ask(Method::PATCH, "/v1/cases/_search").send().await;
    assert_eq!(reply.header("allow"), "POST", "the literal path is another one than that of a case");
    reply.problem(405, "method_not_allowed");
    let reply = service.ask(Method::POST, "/v1/openapi.json").send().await;
    assert_eq!(reply.header("allow"), "GET, HEAD");
    reply.problem(405, "method_not_allowed");
    let reply = service.ask(Method::from_bytes(b"BREW").unwrap(), "/v1/units").send().await;
    reply.problem(405, "method_not_allowed");
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let service = Service::new().await;
    let reply = service.ask(Method::HEAD, "/v1/units").send().await.expect(200);
    assert!(reply.body.is_empty());
    common(&reply);
}

#[tokio::test]
async fn accept_is_looked_at() {
    let service = Service::new().await;
    for accept in ["", "*/*", "application/*", "application/json", "text/html, application/json;q=0.1"] {
        service.get("/v1/units").header("Accept", accept).send().await.expect(200);
    }
    for accept in ["text/html", "application/xml", "application/json;q=0", "*/*, application/json;q=0"] {
        service.get("/v1/units").header("Accept", accept).send().await.problem(406, "not_acceptable");
    }
}

#[tokio::test]
async fn a_path_that_is_no_uuid_is_told_so() {
    let service = Service::new().await;
    for id in ["abc", "%ff", "%00", "0193f5a2-7c1e-7d3a-9f00-4b8e7a6c5d1", "a%2Fb"] {
        let errors = service.get(&format!("/v1/units/{id}")).send().await.errors();
        assert!(errors[0].starts_with("path "), "{id}: {errors:?}");
    }
    service.get("/v1/units/0193f5a2-7c1e-7d3a-9f00-4b8e7a6c5d10").send().await.problem(404, "not_found");
}

#[tokio::test]
async fn a_request_keeps_its_names() {
    let service = Service::new().await;
    let id = "0193f5a2-7c1e-7d3a-9f00-4b8e7a6c5d10";
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let ask = || service.get("/v1/nothing").header("X-Request-Id", id).header("traceparent", &parent);
    let reply = ask().send().await;
    assert_eq!(reply.header("x-request-id"), id);
    assert!(reply.header("traceparent").starts_with(&format!("00-{trace}-")));
    assert!(!reply.header("traceparent").contains("00f067aa0ba902b7"), "a span of our own");
    assert_eq!(reply.problem(404, "not_found")["traceId"], trace);
    let other = ask().header("X-Request-Id", "'; DROP TABLE").send().await;
    assert_ne!(other.header("x-request-id"), "'; DROP TABLE");
}

#[tokio::test]
async fn quotas_are_told_and_kept() {
    let service = Service::with(|settings| settings.requests_per_minute = NonZeroU32::new(3).unwrap()).await;
    for left in [2, 1, 0] {
        let reply = service.get("/v1/units").send().await.expect(200);
        assert_eq!(reply.header("ratelimit-policy"), "\"default\";q=3;w=60");
        assert!(reply.header("ratelimit").starts_with(&format!("\"default\";r={left};t=")), "{reply:?}");
    }
    let reply = service.get("/v1/units").send().await;
    assert!((1..=20).contains(&reply.header("retry-after").parse::<u32>().unwrap()));
    assert!(reply.header("ratelimit").starts_with("\"default\";r=0;"));
    reply.problem(429, "too_many_requests");
    let other = format!("Bearer {}", service.elsewhere().await);
    service.get("/v1/units").header("Authorization", &other).send().await.expect(200);
}

#[tokio::test]
async fn failing_credentials_are_limited_per_address_and_valid_ones_still_work() {
    let limit = NonZeroU32::new(2).unwrap();
    let service = Service::with(|settings| settings.failed_authentications_per_minute = limit).await;
    let wrong = || service.get("/v1/units").header("Authorization", "Bearer wrong").send();
    wrong().await.problem(401, "unauthenticated");
    wrong().await.problem(401, "unauthenticated");
    wrong().await.problem(429, "too_many_requests");
    service.get("/v1/units").send().await.expect(200);
}

#[tokio::test]
async fn a_fault_behind_the_edge_is_a_problem_too() {
    let service = Service::new().await;
    service.app.db.reader().close_by_ref().await.unwrap();
    let reply = service.get("/v1/units").send().await;
    assert!(!reply.header("retry-after").is_empty());
    assert!(!reply.text().to_lowercase().contains("sql"), "{}", reply.text());
    reply.problem(503, "unavailable");
}
