//! The README's first case: its lines as they stand there, in a shell, against the running service.

use std::process::Command;

use nazorg_tests::service::Service;
use serde_json::Value;

const README: &str = include_str!("../../../README.md");

fn first_case() -> &'static str {
    let (_, rest) = README.split_once("<!-- first-case -->\n```sh\n").expect("the README has a first case");
    rest.split_once("```\n<!-- /first-case -->").expect("and it ends").0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lines_of_the_readme_work_as_written() {
    let service = Service::start().await;
    let tenant = service.tenant("Ziekenhuis van de README").await;
    let lines = first_case();
    assert_eq!(lines.lines().filter(|line| line.contains("api ") && !line.starts_with("api()")).count(), 5, "{lines}");
    // Only the port is the story's own, and the moment: its clock stands in the past.
    let moment = service.app().clock.now().format("%FT%TZ").to_string();
    let script = lines.replace("http://127.0.0.1:8080", &service.base).replace("$(date -u +%FT%TZ)", &moment);
    assert_ne!(script, lines);
    let mut shell = Command::new("bash");
    let key = tenant.admin.key().unwrap().to_owned();
    let output = tokio::task::spawn_blocking(move || {
        shell.args(["-e", "-u", "-c", &script]).env("ADMIN", key).env_remove("KEY").output().unwrap()
    });
    let output = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let page: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    let steps: Vec<_> = page["items"].as_array().unwrap().iter().map(|one| one["step"].as_str().unwrap()).collect();
    assert!(steps.contains(&"assign") && steps.contains(&"offer"), "{page}");
    service.is_balanced().await;
}
