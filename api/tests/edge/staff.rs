//! Who works here, from end to end.

use nazorg_domain::entities::{PersonId, Role};
use serde_json::{Value, json};

use crate::support::{Ask, Reply, Service};

async fn as_one(who: &str, ask: Ask<'_>) -> Reply {
    ask.header("Authorization", who).send().await
}

async fn person(service: &Service, who: &str, name: &str) -> Value {
    as_one(who, service.post("/v1/persons").json(&json!({ "name": name }))).await.expect(201).json()["id"].take()
}

#[tokio::test]
async fn a_role_a_roster_and_an_absence_begin_and_end() {
    let service = Service::new().await;
    let who = format!("Bearer {}", service.key(service.organisation, Role::Coordinator).await);
    let anna = person(&service, &who, "Anna").await;
    let bram = person(&service, &who, "Bram").await;
    let told = [
        ("/v1/memberships", json!({ "personId": anna, "role": "supporter" })),
        ("/v1/roster-entries", json!({ "personId": anna, "role": "peer_supporter", "position": 1 })),
        (
            "/v1/absences",
            json!({ "personId": anna, "coverPersonId": bram, "fromAt": "2027-01-01T00:00:00Z", "untilAt": "2099-01-01T00:00:00Z" }),
        ),
    ];
    for (collection, body) in told {
        let made = as_one(&who, service.post(collection).json(&body)).await.expect(201);
        let path = made.header("location").to_owned();
        assert!(path.starts_with(collection), "{path}");
        assert_eq!(as_one(&who, service.get(&path)).await.expect(200).json(), made.json());
        let of_anna = format!("{collection}?personId={}", anna.as_str().unwrap());
        assert_eq!(as_one(&who, service.get(&of_anna)).await.expect(200).json()["items"], json!([made.json()]));
        let of_bram = format!("{collection}?personId={}", bram.as_str().unwrap());
        assert_eq!(as_one(&who, service.get(&of_bram)).await.expect(200).json()["items"], json!([]));
        as_one(&who, service.post(&format!("{path}/end"))).await.expect(200);
        let other = format!("Bearer {}", service.coordinator_elsewhere().await);
        as_one(&other, service.get(&path)).await.problem(404, "not_found");
        as_one(&other, service.post(&format!("{path}/end"))).await.problem(404, "not_found");
    }
    let now = as_one(&who, service.get("/v1/memberships?current=true")).await.expect(200).json();
    assert_eq!(now["items"], json!([]));
    let never = json!({ "personId": anna, "fromAt": "2027-01-02T00:00:00Z", "untilAt": "2027-01-01T00:00:00Z" });
    let errors = as_one(&who, service.post("/v1/absences").json(&never)).await.errors();
    assert_eq!(errors, ["body /untilAt not_after_from"]);
}

#[tokio::test]
async fn only_an_administrator_makes_an_administrator() {
    let service = Service::new().await;
    let who = format!("Bearer {}", service.key(service.organisation, Role::Coordinator).await);
    let new = json!({ "personId": person(&service, &who, "Anna").await, "role": "admin" });
    as_one(&who, service.post("/v1/memberships").json(&new)).await.problem(403, "forbidden");
    service.post("/v1/memberships").json(&new).send().await.expect(201);
}

#[tokio::test]
async fn an_integration_acts_in_the_role_its_user_has_now() {
    let service = Service::new().await;
    let who = format!("Bearer {}", service.key(service.organisation, Role::Coordinator).await);
    let anna = person(&service, &who, "Anna").await;
    let integration = format!("Bearer {}", service.key(service.organisation, Role::Integration).await);
    let user = anna.as_str().unwrap().to_owned();
    let list = || service.get("/v1/persons").header("X-On-Behalf-Of", &user);
    as_one(&integration, list()).await.problem(403, "forbidden");
    let new = json!({ "personId": anna, "role": "coordinator" });
    let given = as_one(&who, service.post("/v1/memberships").json(&new)).await.expect(201);
    as_one(&integration, list()).await.expect(200);
    as_one(&who, service.post(&format!("{}/end", given.header("location")))).await.expect(200);
    as_one(&integration, list()).await.problem(403, "forbidden");
    let nobody = PersonId(uuid::Uuid::nil()).to_string();
    as_one(&integration, service.get("/v1/persons").header("X-On-Behalf-Of", &nobody)).await.problem(403, "forbidden");
}
