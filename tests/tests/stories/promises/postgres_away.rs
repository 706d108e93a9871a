//! PostgreSQL restarts and hangs in the middle of a morning.

use std::time::{Duration, Instant};

use nazorg::domain::entities::Role;
use serde_json::Value;

use super::{Trial, size};

async fn ready(base: &str) -> (u16, Value) {
    let answer = reqwest::get(format!("{base}/readyz")).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

impl Trial {
    /// The process says that the database is away, within five seconds, and a request is answered 503 with `Retry-After`.
    async fn says_that_it_is_away(&self) {
        let base = &self.service.apis[0].base;
        let asked = Instant::now();
        let (status, report) =
            tokio::time::timeout(Duration::from_secs(5), ready(base)).await.expect("within five seconds");
        assert_eq!((status, &report["parts"]["database"]), (503, &Value::from("away")), "{report}");
        println!("P10: /readyz said so after {:.1?}", asked.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p10_postgres_restarted_and_hanging_loses_nothing_and_is_told() {
    let mut trial = Trial::ready(2, (size("PROMISES_REMINDERS", 60), 2)).await;
    let coordinator = trial.service.key(trial.morning.organisation, Role::Coordinator, None).await;
    let postgres = |trial: &mut Trial| trial.service.ground.postgres.take().unwrap();

    trial.begin(0);
    trial.chance.wait(400).await;
    let mut database = postgres(&mut trial);
    database.stop();
    trial.says_that_it_is_away().await;
    let refused = coordinator.get("/v1/cases").await;
    assert!(refused.header("Retry-After").is_some(), "{refused:?}");
    refused.refused(503, "unavailable");
    database.start_again();
    trial.fault_is_over();
    while ready(&trial.service.apis[0].base).await.0 != 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("P10: ready {:.1?} after the restart", trial.over.elapsed());
    coordinator.get("/v1/cases").await.expect(200);

    trial.begin(1);
    trial.chance.wait(400).await;
    database.freeze();
    trial.says_that_it_is_away().await;
    database.thaw();
    trial.fault_is_over();
    trial.service.ground.postgres = Some(database);
    trial.ends("P10").await;
}
