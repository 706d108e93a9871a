//! Two thousand independently computed offsets, all of them exact.

use chrono::{DateTime, NaiveTime, Utc};
use nazorg_domain::protocols::{Roll, Shift, Surroundings, offset};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    anchor: DateTime<Utc>,
    zone: String,
    offset: String,
    at: Option<String>,
    roll: Roll,
    expect: DateTime<Utc>,
}

#[test]
fn offsets_come_out_exactly() {
    let lines: Vec<&str> = include_str!("data/offsets.jsonl").lines().collect();
    assert_eq!(lines.len(), 2_000);
    for line in lines {
        let case: Case = serde_json::from_str(line).unwrap();
        let at = case.at.map(|at| NaiveTime::parse_from_str(&at, "%H:%M").unwrap());
        let shift = Shift::new(case.offset.parse().unwrap()).at(at).roll(case.roll);
        let around = Surroundings { zone: case.zone.parse().unwrap(), ..Surroundings::default() };
        assert_eq!(offset(case.anchor, shift, &around), case.expect, "{line}");
    }
}
