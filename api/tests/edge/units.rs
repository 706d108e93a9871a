//! Units from end to end.

use nazorg_domain::entities::Role;
use serde_json::json;

use crate::support::{Service, common};

#[tokio::test]
async fn a_unit_is_made_read_and_changed() {
    let service = Service::new().await;
    let made = service.post("/v1/units").json(&json!({ "name": "Intensive care", "kind": "department" })).send().await;
    let made = made.expect(201);
    common(&made);
    let unit = made.json();
    let path = made.header("location").to_owned();
    assert_eq!(path, format!("/v1/units/{}", unit["id"].as_str().unwrap()));
    assert_eq!(made.header("etag"), "\"1\"");
    assert!(unit["createdAt"].as_str().unwrap().ends_with('Z'));
    assert!(unit.get("parentId").is_none() && unit.get("calendar").is_none(), "absent means absent");

    let read = service.get(&path).send().await.expect(200);
    assert_eq!(read.json(), unit);
    assert_eq!(read.header("etag"), "\"1\"");

    let below = json!({ "name": "Night team", "kind": "team", "parentId": unit["id"] });
    let below = service.post("/v1/units").json(&below).send().await.expect(201);
    assert_eq!(below.json()["parentId"], unit["id"]);

    let change = json!({ "name": "IC", "ended": true });
    let changed = service.patch(&path).header("If-Match", "\"1\"").json(&change).send().await.expect(200);
    assert_eq!(changed.header("etag"), "\"2\"");
    assert_eq!(changed.json()["name"], "IC");
    assert!(changed.json()["endedAt"].is_string());
}

#[tokio::test]
async fn null_clears_and_merge_patch_is_read_too() {
    let service = Service::new().await;
    let top = service.post("/v1/units").json(&json!({ "name": "Top", "kind": "station" })).send().await.expect(201);
    let below = json!({ "name": "Below", "kind": "team", "parentId": top.json()["id"] });
    let below = service.post("/v1/units").json(&below).send().await.expect(201);
    let path = below.header("location").to_owned();
    let moved = service.patch(&path).header("If-Match", "\"1\"").json(&json!({ "parentId": null }));
    let moved = moved.header("Content-Type", "application/merge-patch+json").send().await.expect(200);
    assert!(moved.json().get("parentId").is_none());
    let errors = service.patch(&path).header("If-Match", "\"2\"").json(&json!({ "name": null })).send().await.errors();
    assert_eq!(errors, ["body /name wrong_type"], "only what is published as nullable can be cleared");
}

#[tokio::test]
async fn a_calendar_survives_the_journey() {
    let service = Service::new().await;
    let calendar = json!({
        "workingDays": ["mon", "tue", "sat"], "holidays": "nl", "goodFridayClosed": true, "liberationDayYearly": false,
        "closedDays": ["2027-12-24"], "officeOpens": "08:30", "officeCloses": "17:00",
    });
    let new = json!({ "name": "Station", "kind": "station", "calendar": calendar });
    let made = service.post("/v1/units").json(&new).send().await.expect(201);
    let path = made.header("location").to_owned();
    assert_eq!(made.json()["calendar"], calendar);
    let inherit = service.patch(&path).header("If-Match", "\"1\"").json(&json!({ "inheritCalendar": true }));
    assert!(inherit.send().await.expect(200).json().get("calendar").is_none());
}

#[tokio::test]
async fn what_is_not_yours_is_not_found_and_what_you_may_not_do_is_forbidden() {
    let service = Service::new().await;
    let made = service.post("/v1/units").json(&json!({ "name": "IC", "kind": "department" })).send().await.expect(201);
    let path = made.header("location").to_owned();
    let other = format!("Bearer {}", service.elsewhere().await);
    service.get(&path).header("Authorization", &other).send().await.problem(404, "not_found");
    let body = json!({ "name": "mine now" });
    let change = service.patch(&path).header("Authorization", &other).header("If-Match", "\"1\"").json(&body);
    change.send().await.problem(404, "not_found");
    let coordinator = format!("Bearer {}", service.key(service.organisation, Role::Coordinator).await);
    service.get(&path).header("Authorization", &coordinator).send().await.expect(200);
    let change = service.patch(&path).header("Authorization", &coordinator).header("If-Match", "\"1\"").json(&body);
    change.send().await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_rule_that_says_no_has_its_own_code_and_an_unknown_reference_a_pointer() {
    let service = Service::new().await;
    let top = service.post("/v1/units").json(&json!({ "name": "Top", "kind": "station" })).send().await.expect(201);
    let below = json!({ "name": "Below", "kind": "team", "parentId": top.json()["id"] });
    let below = service.post("/v1/units").json(&below).send().await.expect(201).json();
    let cycle =
        service.patch(top.header("location")).header("If-Match", "\"1\"").json(&json!({ "parentId": below["id"] }));
    cycle.send().await.problem(409, "unit_cycle");
    let nowhere = json!({ "name": "X", "kind": "team", "parentId": "00000000-0000-7000-8000-000000000000" });
    let errors = service.post("/v1/units").json(&nowhere).send().await.errors();
    assert_eq!(errors, ["body /parentId unknown"]);
}
