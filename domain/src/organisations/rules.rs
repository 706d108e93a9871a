//! Pure rules about units.

use std::collections::{HashMap, HashSet};

use nazorg_entities::UnitId;

/// Whether a unit is another or hangs below it; a circle ends.
#[must_use]
pub fn hangs_below(unit: UnitId, other: UnitId, parents: &HashMap<UnitId, Option<UnitId>>) -> bool {
    let mut above = std::iter::successors(Some(unit), |unit| parents.get(unit).copied().flatten());
    above.by_ref().take(parents.len() + 1).any(|unit| unit == other)
}

/// These units and all that hang below them, each once.
#[must_use]
pub fn with_children(units: &[UnitId], parents: &HashMap<UnitId, Option<UnitId>>) -> Vec<UnitId> {
    let mut children: HashMap<UnitId, Vec<UnitId>> = HashMap::new();
    for (unit, parent) in parents {
        if let Some(parent) = parent {
            children.entry(*parent).or_default().push(*unit);
        }
    }
    let (mut found, mut next) = (HashSet::new(), units.to_vec());
    while let Some(unit) = next.pop() {
        if found.insert(unit) {
            next.extend(children.remove(&unit).unwrap_or_default());
        }
    }
    found.into_iter().collect()
}

#[cfg(test)]
mod tests;
