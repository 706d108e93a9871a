//! The arrows between the rooms (DESIGN section 3) and the size of the files, read from what is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Which room may use which; `tests` may use all, since it looks at everything from outside.
const ARROWS: &[(&str, &[&str])] = &[
    ("nazorg-entities", &[]),
    ("nazorg-migrations", &[]),
    ("nazorg-domain", &["nazorg-entities"]),
    ("nazorg-api", &["nazorg-domain"]),
    ("nazorg-worker", &["nazorg-domain"]),
    ("nazorg-openapi", &["nazorg-api"]),
    ("nazorg", &["nazorg-api", "nazorg-domain", "nazorg-migrations", "nazorg-openapi", "nazorg-worker"]),
];

/// Where a crate from outside may be used, and nowhere else (but in tests).
const HOMES: &[(&str, &[&str])] = &[
    ("poem", &["nazorg-api", "nazorg"]),
    ("poem-openapi", &["nazorg-api"]),
    ("apalis", &["nazorg-worker"]),
    ("apalis-redis", &["nazorg-worker"]),
    ("redis", &["nazorg-worker"]),
    ("lettre", &["nazorg-worker"]),
    ("sea-orm", &["nazorg-entities", "nazorg-domain", "nazorg-migrations", "nazorg"]),
    ("sea-orm-migration", &["nazorg-migrations"]),
    ("sqlx", &[]),
    ("clap", &["nazorg"]),
    ("figment", &["nazorg"]),
    ("tracing-subscriber", &["nazorg"]),
    ("metrics-exporter-prometheus", &["nazorg"]),
];

/// Lines of a file that people write (DESIGN section 3).
const LONGEST_FILE: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Direct dependencies of each of our crates, without those for tests and build scripts.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let uses = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap();
        all.iter().filter(|dependency| dependency["kind"].is_null()).map(name).collect()
    };
    packages.iter().map(|package| (name(package), uses(package))).collect()
}

/// Every file of a kind that git knows or would know, without what is generated.
fn written_files(ending: &str) -> Vec<PathBuf> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", &format!("*{ending}")])
        .current_dir(root())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let files = text.lines().filter(|path| !path.starts_with("openapi/sdk/")).map(|path| root().join(path));
    files.filter(|path| path.exists()).collect()
}

#[test]
fn every_arrow_points_the_right_way() {
    let found = dependencies();
    let ours: BTreeSet<&String> = found.keys().collect();
    for (room, uses) in &found {
        if room == "nazorg-tests" {
            continue;
        }
        let allowed = ARROWS.iter().find(|(name, _)| name == room).unwrap_or_else(|| panic!("{room} is a new room")).1;
        for other in uses.iter().filter(|other| ours.contains(other)) {
            assert!(allowed.contains(&other.as_str()), "{room} uses {other}, which DESIGN section 3 does not allow");
        }
    }
}

#[test]
fn every_outside_crate_stays_in_its_room() {
    for (room, uses) in dependencies() {
        for (outside, homes) in HOMES {
            let at_home = homes.contains(&room.as_str()) || room == "nazorg-tests";
            assert!(at_home || !uses.contains(*outside), "{room} uses {outside}, which lives in {homes:?} only");
        }
    }
}

#[test]
fn rules_are_pure() {
    let rules: Vec<_> = written_files("rules.rs");
    for file in rules {
        let text = std::fs::read_to_string(&file).unwrap();
        for word in ["async ", ".await", "sea_orm", "Utc::now", "SystemTime::now", "new_v4", "now_v7"] {
            assert!(
                !text.contains(word),
                "{} holds {word:?}; rules know no database, no waiting, no clock",
                file.display()
            );
        }
    }
}

#[test]
fn no_file_is_a_hall() {
    let long = |file: &PathBuf| std::fs::read_to_string(file).unwrap_or_default().lines().count() > LONGEST_FILE;
    let halls: Vec<_> = written_files(".rs").into_iter().filter(long).collect();
    assert!(halls.is_empty(), "longer than {LONGEST_FILE} lines: {halls:?}");
}
