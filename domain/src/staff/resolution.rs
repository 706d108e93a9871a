//! Who is the one: a protocol's role in a case, resolved to a person (DESIGN section 7).

use std::collections::HashMap;

use nazorg_entities::{CaseId, PersonId, UnitId};
use sea_orm::ConnectionTrait;

use super::{
    rows,
    rules::{COORDINATOR, Staffing},
};
use crate::{Context, error::Result};

/// A role that someone must fill.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// In which case.
    pub case: CaseId,
    /// The unit whose roster is asked.
    pub unit: Option<UnitId>,
    /// The protocol's role.
    pub role: String,
}

/// Resolves roles to persons as things stand at `cx.now`: the assigned person, their cover while they are away, the
/// rosters of the unit, of its parents and of the organisation; then the same for the coordinator. `None` is nobody at
/// all, which raises an alarm where it is used. Four queries, however many are wanted.
pub async fn resolve(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    wanted: &[Wanted],
) -> Result<HashMap<Wanted, Option<PersonId>>> {
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let mut roles: Vec<_> = wanted.iter().map(|one| one.role.clone()).chain([COORDINATOR.to_owned()]).collect();
    roles.sort_unstable();
    roles.dedup();
    let mut cases: Vec<_> = wanted.iter().map(|one| one.case).collect();
    cases.sort_unstable();
    cases.dedup();
    let parents = match wanted.iter().any(|one| one.unit.is_some()) {
        true => crate::organisations::parents(db, cx).await?,
        false => HashMap::new(),
    };
    let staffing = Staffing::new(
        rows::assigned(db, cx, &cases, &roles).await?,
        rows::roster(db, cx, &roles).await?,
        rows::away(db, cx).await?,
        parents,
    );
    Ok(wanted.iter().map(|one| (one.clone(), staffing.who(one))).collect())
}

/// Whom a role's work on a follow-up falls to now: who it was handed to or who covers for them, else whoever fills the role.
pub async fn whose(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    (handed, wanted): (Option<PersonId>, Wanted),
) -> Result<Option<PersonId>> {
    if let Some(person) = handed
        && let Some(Some(present)) = present(db, cx, &[person]).await?.get(&person)
    {
        return Ok(Some(*present));
    }
    Ok(resolve(db, cx, std::slice::from_ref(&wanted)).await?.get(&wanted).copied().flatten())
}

/// Each of these persons, or who covers for them while they are away; `None` when nobody does. One query.
pub async fn present(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    persons: &[PersonId],
) -> Result<HashMap<PersonId, Option<PersonId>>> {
    if persons.is_empty() {
        return Ok(HashMap::new());
    }
    let staffing = Staffing::new(Vec::new(), Vec::new(), rows::away(db, cx).await?, HashMap::new());
    Ok(persons.iter().map(|person| (*person, staffing.or_cover(*person))).collect())
}
