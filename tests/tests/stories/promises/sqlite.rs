//! The disk under SQLite is full.

use std::{path::Path, process::Command, time::Duration};

use nazorg::domain::entities::{Role, persons};
use nazorg_tests::{
    client::{Client, With, fresh_key},
    morning::{Morning, OPENED, judge, settled},
    service::{Ground, Leg, Service},
    smtp_sink::SmtpSink,
};
use reqwest::Method;
use sea_orm::EntityTrait;
use serde_json::json;
use uuid::Uuid;

use super::PATIENCE;

/// Set in the world of its own that the test begins anew in.
const INSIDE: &str = "P11_INSIDE";

/// A disk of the test's own has to be mounted, which takes a world of its own: the test begins anew in a namespace in which it may.
#[test]
fn p11_a_full_disk_is_told_and_leaves_nothing_half() {
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        return runtime.block_on(on_a_disk_of_its_own());
    }
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "--"]).arg(std::env::current_exe().unwrap()).env(INSIDE, "1");
    let name = "promises::sqlite::p11_a_full_disk_is_told_and_leaves_nothing_half";
    let status = command.args(["--exact", name, "--nocapture"]).status().unwrap();
    assert!(status.success(), "unshare of util-linux, with user namespaces allowed, is needed: {status}");
}

async fn on_a_disk_of_its_own() {
    let ground = Ground::new(Leg::Embedded);
    let disk = ground.dir.path().join("data");
    std::fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=12m", "none"]).arg(&disk).status().unwrap();
    assert!(mounted.success(), "{mounted}");
    let mail = SmtpSink::start().await;
    let service = Service::start_with(ground, OPENED, &[("SMTP_URL", mail.url().as_str())]).await;
    let app = service.app();
    let morning = Morning::prepare(app, 20, 1).await;
    let coordinator = service.key(morning.organisation, Role::Coordinator, None).await;
    service.drain().await;

    let filler = fill(&disk);
    let mut acknowledged = register_until_refused(&coordinator).await;
    // What falls due now goes if it can be marked as being sent, and waits if not.
    service.clock.move_to(Morning::wave(0));
    app.bell.ring();
    tokio::time::sleep(Duration::from_secs(2)).await;
    println!("P11: {} were acknowledged on the last bytes, {} mails went", acknowledged.len(), mail.seen().len());

    std::fs::remove_file(filler).unwrap();
    acknowledged.push(register(&coordinator).await.expect("there is room again"));
    settled(app, PATIENCE).await;
    judge(app, &mail, 20).await;
    let kept = persons::Entity::find().all(app.db.reader()).await.unwrap();
    for id in &acknowledged {
        assert!(kept.iter().any(|person| person.id.0 == *id), "{id} was acknowledged and is not there");
    }
    assert_eq!(kept.len(), 20 + acknowledged.len(), "what was refused left nothing");
    service.is_balanced().await;
}

/// Takes all the room there is.
fn fill(disk: &Path) -> std::path::PathBuf {
    let path = disk.join("filler");
    let mut file = std::fs::File::create(&path).unwrap();
    while std::io::Write::write_all(&mut file, &[0; 4_096]).is_ok() {}
    path
}

/// Registers somebody; `None` when the service says that it cannot now.
async fn register(client: &Client) -> Option<Uuid> {
    let with = With { idempotency_key: Some(fresh_key()), ..With::default() };
    let body = json!({"name": "Somebody with a name of some length, so that the disk is soon full"});
    let answer = client.send(Method::POST, "/v1/persons", Some(body), with).await;
    if answer.status == 503 {
        return None;
    }
    Some(answer.id_of(201))
}

/// Until ten in a row were refused: what a write-ahead log had room for still goes through.
async fn register_until_refused(client: &Client) -> Vec<Uuid> {
    let (mut acknowledged, mut refused) = (Vec::new(), 0);
    while refused < 10 {
        match register(client).await {
            Some(id) => {
                acknowledged.push(id);
                refused = 0;
            }
            None => refused += 1,
        }
        assert!(acknowledged.len() < 5_000, "the disk is never full");
    }
    acknowledged
}
