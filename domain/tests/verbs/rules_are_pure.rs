//! Rules know no database, no clock and no waiting: this reads them and says so (DESIGN section 3).

use std::{fs, path::Path};

const NOT_IN_RULES: &[&str] = &["sea_orm", "async ", ".await", "Context", "Utc::now", "ids.next", "database::"];

#[test]
fn rules_are_pure() {
    let mut read = 0;
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |path, text| {
        read += 1;
        for word in NOT_IN_RULES {
            assert!(!text.contains(word), "{} mentions {word}", path.display());
        }
    });
    assert!(read >= 5, "only {read} files of rules found");
}

#[test]
fn sql_stands_in_rows_only() {
    let sql = ["Entity::find", "Entity::insert", "Entity::update", "Entity::delete", "Query::select"];
    // The kernel speaks SQL where it stands; contexts only in their rows, and where the engine's difference is written.
    let kernel = [
        "jobs.rs",
        "audit.rs",
        "together.rs",
        "idempotency.rs",
        "key_store.rs",
        "events/mod.rs",
        "trajectories/difference.rs",
    ];
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    visit_all(&source, &mut |path, text| {
        let name = path.strip_prefix(&source).unwrap().display().to_string();
        if path.ends_with("rows.rs") || name.contains("/rows/") || kernel.contains(&name.as_str()) {
            return;
        }
        for word in sql {
            assert!(!text.contains(word), "{name} says {word}");
        }
    });
}

fn visit(folder: &Path, look: &mut impl FnMut(&Path, &str)) {
    visit_all(folder, &mut |path, text| {
        if path.ends_with("rules.rs") {
            look(path, text);
        }
    });
}

fn visit_all(folder: &Path, look: &mut dyn FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit_all(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            look(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}
