//! From a person's language tag and time zone to the letter they get.

use crate::rig::{AtWork, Rig};
use chrono::TimeDelta;
use chrono_tz::{Asia, Europe, Tz};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// A tag and a zone, and the language and text they lead to.
type Expected = (Option<&'static str>, Option<Tz>, (&'static str, &'static str));

/// Everyone's is the same moment: Monday 1 March 2027, 09:00 UTC; the organisation is in Amsterdam.
const PERSONS: [Expected; 8] = [
    (None, None, ("nl", "Herinnering: u heeft een afspraak op maandag 1 maart om 10:00.")),
    (Some("en-GB"), Some(Europe::London), ("en", "Reminder: you have an appointment on Monday 1 March at 09:00.")),
    (Some("uk-UA"), Some(Europe::Kyiv), ("uk", "Нагадування про зустріч: понеділок, 1 березня, 11:00.")),
    (Some("ru"), None, ("ru", "Напоминание о встрече: понедельник, 1 марта, 10:00.")),
    (Some("ar-SY"), Some(Asia::Damascus), ("ar", "تذكير: لديكم موعد يوم الاثنين 1/3 الساعة 12:00.")),
    (Some("tr"), Some(Europe::Istanbul), ("tr", "Hatırlatma: 1 Mart Pazartesi, saat 12:00 için randevunuz var.")),
    (Some("ti"), None, ("en", "Reminder: you have an appointment on Monday 1 March at 10:00.")),
    (Some("fa-AF"), Some(Asia::Tehran), ("en", "Reminder: you have an appointment on Monday 1 March at 12:30.")),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyone_is_written_to_in_their_own_language_and_about_their_own_time() {
    let rig = Rig::new().await;
    for (number, (language, zone, _)) in PERSONS.into_iter().enumerate() {
        rig.case_in(number, (language, zone)).await;
    }
    let worker = AtWork::start(&rig, rig.settings());
    rig.later(TimeDelta::hours(1));
    rig.drained(Duration::from_secs(60)).await;
    worker.stop().await;
    let mut letters = BTreeMap::new();
    for file in std::fs::read_dir(rig.files.path().join("outbox")).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|ending| ending == "json") {
            let sheet: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            letters.insert(sheet["to"].as_str().unwrap().to_owned(), sheet);
        }
    }
    for (number, (_, _, (language, text))) in PERSONS.into_iter().enumerate() {
        let letter = &letters[&format!("person{number}@example.net")];
        assert_eq!((&letter["language"], &letter["text"]), (&Value::from(language), &Value::from(text)));
    }
}
