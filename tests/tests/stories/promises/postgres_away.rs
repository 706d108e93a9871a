//! PostgreSQL restarts and hangs in the middle of a morning.

use std::time::{Duration, Instant};

use nazorg::domain::entities::{Role, jobs};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement};
use serde_json::Value;

use super::{PATIENCE, Trial, size};

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
    trial.fault_begins();
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
    trial.fault_begins();
    database.freeze();
    trial.says_that_it_is_away().await;
    let asked = Instant::now();
    let refused = coordinator.get("/v1/cases").await;
    assert!(refused.header("Retry-After").is_some(), "{refused:?}");
    println!("P10: who asked was told so after {:.1?}", asked.elapsed());
    assert_eq!(refused.status, 503, "who is not answered is told so: {refused:?}");
    database.thaw();
    trial.fault_is_over();
    trial.service.ground.postgres = Some(database);
    trial.ends("P10").await;
}

/// The first time it is the work that fails, and it is tried in halves; from then on it is the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_while_failing_work_is_tried_apart_uses_up_no_attempt() {
    let mut trial = Trial::ready(1, (20, 1)).await;
    let db = trial.service.app().db.reader().clone();
    let breaks = "CREATE SEQUENCE tries; \
        CREATE FUNCTION breaks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
        IF nextval('tries') = 1 THEN RAISE EXCEPTION 'broken'; END IF; \
        RAISE EXCEPTION 'away' USING ERRCODE = '57P03'; END $$; \
        CREATE TRIGGER breaks BEFORE INSERT ON messages FOR EACH STATEMENT EXECUTE FUNCTION breaks()";
    db.execute_unprepared(breaks).await.unwrap();
    trial.begin(0);
    let began = Instant::now();
    loop {
        let tries = Statement::from_string(DbBackend::Postgres, "SELECT last_value FROM tries");
        let tries: i64 = db.query_one_raw(tries).await.unwrap().unwrap().try_get("", "last_value").unwrap();
        let left = jobs::Entity::find().all(&db).await.unwrap();
        let blamed: Vec<_> = left.iter().filter(|job| job.attempts > 0 || job.last_error.is_some()).collect();
        assert!(blamed.is_empty(), "after {tries} tries: {blamed:?}");
        if tries >= 8 {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{tries} tries");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    db.execute_unprepared("DROP TRIGGER breaks ON messages").await.unwrap();
    trial.over = Instant::now();
    trial.ends("an away database").await;
}
