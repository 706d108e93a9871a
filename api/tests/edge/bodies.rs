//! Bodies: everything wrong told together, nothing hostile a fault of ours.

use serde_json::json;

use crate::support::Service;

#[tokio::test]
async fn all_errors_of_a_request_come_together() {
    let service = Service::new().await;
    let body = json!({
        "kind": "Department!", "parentId": "no", "colour": "red", "a/b~": 1,
        "calendar": { "workingDays": ["mon", "mon", "funday"], "holidays": "nl", "closedDays": ["2027-02-30"], "officeOpens": "25:00" },
    });
    let errors = service.post("/v1/units?x=1").header("Idempotency-Key", "\"").json(&body).send().await.errors();
    assert_eq!(
        errors,
        [
            "body /a~1b~0 unknown_field",
            "body /calendar/closedDays/0 bad_format",
            "body /calendar/officeCloses required",
            "body /calendar/officeOpens bad_format",
            "body /calendar/workingDays not_unique",
            "body /calendar/workingDays/2 not_allowed",
            "body /colour unknown_field",
            "body /kind bad_format",
            "body /name required",
            "body /parentId bad_format",
            "header Idempotency-Key bad_format",
            "query x unknown_key",
        ]
    );
}

#[tokio::test]
async fn no_value_that_was_sent_comes_back() {
    let service = Service::new().await;
    let canary = "CANARY-7f3a";
    let body =
        json!({ "name": { "x": canary }, "kind": canary, "parentId": canary, "calendar": [canary], "ended": canary });
    for reply in [
        service.post("/v1/units").json(&body).send().await,
        service.get(&format!("/v1/units/{canary}")).send().await,
        service.get(&format!("/v1/units?cursor={canary}&limit={canary}")).send().await,
        service.post("/v1/units").body(format!("{{\"name\": {canary}}}")).send().await,
        service.get("/v1/units").header("Authorization", &format!("Bearer {canary}")).send().await,
        service.get("/v1/units").header("X-On-Behalf-Of", canary).send().await,
        service.get(&format!("/v1/{canary}")).send().await,
    ] {
        assert!((400..500).contains(&reply.status), "{}", reply.text());
        assert!(!reply.text().contains(canary), "{}", reply.text());
    }
}

#[tokio::test]
async fn what_is_no_json_says_where() {
    let service = Service::new().await;
    let problem = service.post("/v1/units").body("{\n \"name\": ,\n}").send().await.problem(400, "malformed_json");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("line 2, column 10"), "{detail}");
}

#[tokio::test]
async fn hostile_bodies_are_refused_and_never_break_anything() {
    let service = Service::new().await;
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let malformed: Vec<(&str, Vec<u8>)> = vec![
        ("empty", b"".to_vec()),
        ("blank", b" ".to_vec()),
        ("cut", b"{\"name\":\"x\"".to_vec()),
        ("more", b"{} {}".to_vec()),
        ("twice", b"{\"name\":\"a\",\"kind\":\"team\",\"name\":\"b\"}".to_vec()),
        ("twice, escaped", b"{\"name\":\"a\",\"\\u006eame\":\"b\"}".to_vec()),
        ("deep", deep(100_000).into_bytes()),
        ("huge number", b"{\"name\":1e999}".to_vec()),
        ("not UTF-8", b"{\"name\":\"\xff\xfe\"}".to_vec()),
        ("lone surrogate", b"{\"name\":\"\\ud800\",\"kind\":\"team\"}".to_vec()),
        ("byte order mark", b"\xef\xbb\xbf{}".to_vec()),
        ("not a number", b"{\"name\":NaN}".to_vec()),
    ];
    for (what, body) in malformed {
        let reply = service.post("/v1/units").body(body).send().await;
        let expected = if what == "empty" { "invalid_input" } else { "malformed_json" };
        assert_eq!((reply.status, reply.json()["code"].as_str()), (400, Some(expected)), "{what}: {}", reply.text());
    }
    let invalid = [
        ("not an object", "[]".to_owned(), "body  wrong_type"),
        ("null", "null".to_owned(), "body  wrong_type"),
        ("NUL", "{\"name\":\"a\\u0000b\",\"kind\":\"team\"}".to_owned(), "body /name forbidden_character"),
        (
            "NUL in a name",
            "{\"na\\u0000me\":1,\"name\":\"x\",\"kind\":\"team\"}".to_owned(),
            "body  forbidden_character",
        ),
        ("shallow", format!("{{\"name\":{},\"kind\":\"team\"}}", deep(90)), "body /name wrong_type"),
        ("number", "{\"name\":1e300,\"kind\":\"team\"}".to_owned(), "body /name wrong_type"),
        ("long", format!("{{\"name\":\"{}\",\"kind\":\"team\"}}", "é".repeat(201)), "body /name too_long"),
    ];
    for (what, body, error) in invalid {
        let errors = service.post("/v1/units").body(body).send().await.errors();
        assert!(errors.iter().any(|one| one == error), "{what}: {errors:?}");
    }
    let fits = json!({ "name": "é".repeat(200), "kind": "team" });
    service.post("/v1/units").json(&fits).send().await.expect(201);
}

#[tokio::test]
async fn size_and_format_have_their_own_statuses() {
    let service = Service::new().await;
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(1024 * 1024));
    service.post("/v1/units").body(large.clone()).send().await.problem(413, "content_too_large");
    let hidden =
        service.post("/v1/units").body(large).header("Content-Length", "").header("Transfer-Encoding", "chunked");
    hidden.send().await.problem(413, "content_too_large");
    let body = json!({ "name": "X", "kind": "team" });
    for format in ["text/plain", "application/xml", "application/merge-patch+json", "application/json; charset=latin1"]
    {
        let post = service.post("/v1/units").json(&body).header("Content-Type", format);
        post.send().await.problem(415, "unsupported_media_type");
    }
    let post = service.post("/v1/units").json(&body).header("Content-Type", "");
    post.send().await.problem(415, "unsupported_media_type");
    let post = service.post("/v1/units").json(&body).header("Content-Type", "Application/JSON; Charset=\"UTF-8\"");
    post.send().await.expect(201);
    let errors = service.get("/v1/units").json(&body).send().await.errors();
    assert_eq!(errors, ["body  unknown_field"]);
}
