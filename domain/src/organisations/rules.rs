//! Pure rules about units.

use nazorg_entities::UnitId;

use super::Unit;

/// `unit` and those above it, nearest first; ends where a parent is missing or comes round.
#[must_use]
pub fn lineage(unit: UnitId, mut all: Vec<Unit>) -> Vec<Unit> {
    let mut found = Vec::new();
    let mut next = Some(unit);
    while let Some(id) = next {
        let Some(place) = all.iter().position(|unit| unit.id == id) else { break };
        let unit = all.swap_remove(place);
        next = unit.parent_id;
        found.push(unit);
    }
    found
}
