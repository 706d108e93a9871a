//! An operator starts the service, and things are not as they should be.

use nazorg::{Parts, Start, start};
use nazorg_tests::{
    client::Client,
    processes::Processes,
    service::{BEGINNING, Ground, Leg, Service, config},
};
use serde_json::Value;

async fn probe(base: &str, page: &str) -> (u16, Value) {
    let answer = reqwest::get(format!("{base}{page}")).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

#[tokio::test]
async fn a_started_service_says_that_it_is_ready_and_counts() {
    let service = Service::start().await;
    for base in [&service.base, &service.operations] {
        assert_eq!(probe(base, "/healthz").await.0, 200);
        let (status, report) = probe(base, "/readyz").await;
        assert_eq!(status, 200, "{report}");
        assert_eq!(report["parts"]["database"], "ok");
    }
    let metrics = reqwest::get(format!("{}/metrics", service.operations)).await.unwrap();
    assert_eq!(metrics.status(), 200);
}

#[tokio::test]
async fn the_embedded_stores_may_be_migrated_before_the_first_start() {
    let ground = Ground::new(Leg::Embedded);
    let config = config(&ground.environment());
    assert!(!nazorg::migrate(&config).await.unwrap().is_empty());
    let mut first = start(config, Start::default()).await.unwrap();
    assert!(first.ready().await.unwrap_or_else(|failure| panic!("{failure}")).first_key().is_some());
    first.shutdown().await;
}

#[tokio::test]
async fn the_embedded_service_makes_one_first_key_and_keeps_it_secret() {
    let ground = Ground::new(Leg::Embedded);
    let config = config(&ground.environment());
    let mut first = start(config.clone(), Start::default()).await.unwrap();
    let ready = first.ready().await.unwrap_or_else(|failure| panic!("{failure}"));
    let secret = ready.first_key().unwrap().secret.clone();
    let base = format!("http://{}", first.address().unwrap());
    Client::new(&base, &secret).get("/v1/units").await.expect(200);
    Client::anonymous(&base).get("/v1/units").await.refused(401, "unauthenticated");
    let only = Client::new(&base, &secret).get("/v1/api-keys").await.expect(200);
    let revoke = format!("/v1/api-keys/{}/revoke", only["items"][0]["id"].as_str().unwrap());
    Client::new(&base, &secret).post_nothing(&revoke).await.refused(409, "own_key");
    first.shutdown().await;
    let mut second = start(config, Start::default()).await.unwrap();
    assert!(second.ready().await.unwrap_or_else(|failure| panic!("{failure}")).first_key().is_none());
    second.shutdown().await;
    for entry in std::fs::read_dir(ground.dir.path().join("data")).unwrap().flatten() {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        let holds = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!holds, "{} holds the key", entry.path().display());
    }
}

#[tokio::test]
async fn a_process_refuses_a_schema_that_is_behind_and_says_what_to_do() {
    let ground = Ground::new(Leg::from_env());
    let config = config(&ground.environment());
    let mut running = start(config, Start { parts: Parts::Api, clock: None }).await.unwrap();
    let failure = running.ready().await.err().unwrap().to_string();
    assert!(failure.contains("run `nazorg migrate` first"), "{failure}");
    running.shutdown().await;
}

#[tokio::test]
async fn a_process_waits_for_its_database_and_says_so() {
    let mut ground = Ground::new(Leg::Distributed);
    let config = config(&ground.environment());
    assert!(!nazorg::migrate(&config).await.unwrap().is_empty());
    ground.postgres.as_mut().unwrap().stop();
    let mut running = start(config, Start::default()).await.unwrap();
    let base = format!("http://{}", running.address().unwrap());
    assert_eq!(probe(&base, "/healthz").await.0, 200);
    let (status, report) = probe(&base, "/readyz").await;
    assert_eq!((status, &report["parts"]["database"]), (503, &Value::from("away")), "{report}");
    Client::anonymous(&base).get("/v1/units").await.refused(503, "unavailable");
    ground.postgres.as_mut().unwrap().start_again();
    running.ready().await.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(probe(&base, "/readyz").await.0, 200);
    running.shutdown().await;
}

#[tokio::test]
async fn a_port_in_use_is_told_at_once() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let ground = Ground::new(Leg::Embedded);
    let mut environment = ground.environment();
    environment.push(("NAZORG_HTTP_LISTEN".to_owned(), taken.local_addr().unwrap().to_string()));
    let failure = start(config(&environment), Start::default()).await.err().unwrap().to_string();
    assert!(failure.contains("cannot listen on 127.0.0.1:"), "{failure}");
}

#[tokio::test]
async fn several_processes_come_up_and_end_when_told() {
    let binary = env!("CARGO_BIN_EXE_nazorg-process");
    let mut service = Processes::start(binary, BEGINNING, (2, 1), &[]).await;
    service.workers[0].kill();
    service.apis[1].terminate();
    service.start_all().await;
    for api in &service.apis {
        assert_eq!(probe(&api.base, "/readyz").await.0, 200);
    }
    service.end().await;
    let log = service.log();
    assert_eq!(log.matches("\"message\":\"stopped\",\"target\":\"nazorg::cli::serve\"").count(), 4, "{log}");
}

#[test]
fn a_bad_configuration_ends_the_process_with_every_error() {
    let mut process = std::process::Command::new(env!("CARGO_BIN_EXE_nazorg-process"));
    process
        .arg("serve")
        .env_remove("NAZORG_LEG")
        .env("NAZORG_NONSENSE", "1")
        .env("DATABASE_URL", "mysql://CANARY-secret@x");
    let output = process.env("NAZORG_LOG_FORMAT", "xml").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    for expected in ["3 errors", "NAZORG_NONSENSE", "database.url (DATABASE_URL)", "log.format"] {
        assert!(told.contains(expected), "{expected} is missing: {told}");
    }
    assert!(!told.contains("CANARY"), "{told}");
}
