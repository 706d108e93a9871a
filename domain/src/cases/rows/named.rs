//! What an opening names, looked up in one journey to the database.

use std::collections::HashMap;

use nazorg_entities::{Instant, PersonId, ProtocolId, ProtocolStatus, UnitId};
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};

use crate::{
    Context,
    database::Writing,
    error::{Error, Result},
    organisations::{self, AROUND, UP},
    protocols::Surroundings,
};

/// What an opening names: where it is, on what version it runs, and who is in it, the person it is about first.
pub(in crate::cases) struct Named<'a> {
    pub(in crate::cases) unit: Option<UnitId>,
    pub(in crate::cases) protocol: ProtocolId,
    pub(in crate::cases) person: PersonId,
    pub(in crate::cases) others: &'a [(String, PersonId)],
}

/// What was found of it among the tenant's.
pub(in crate::cases) struct Found {
    /// The zone and calendar in the unit; `None` when there is no such unit.
    pub(in crate::cases) around: Option<Surroundings>,
    /// Where the version stands, if there is one.
    pub(in crate::cases) status: Option<ProtocolStatus>,
    /// Of those named who are there and not erased, and stay until the transaction ends: since when their data may only be kept.
    pub(in crate::cases) people: HashMap<PersonId, Option<Instant>>,
    /// Whether there has been a case about the person.
    pub(in crate::cases) been: bool,
}

/// Looks it all up. Persons by their ids, as [`Context::ours`] tells for the same reason; held as [`crate::people::known`] holds them.
pub(in crate::cases) async fn look(tx: &Writing, cx: &Context<'_>, named: &Named<'_>) -> Result<Found> {
    let Named { unit, protocol, person, others } = named;
    let places: Vec<String> = (4..=4 + others.len()).map(|place| format!("${place}")).collect();
    let held = if tx.get_database_backend() == DbBackend::Postgres { "FOR KEY SHARE" } else { "" };
    let sql = format!(
        "{UP}, present AS (SELECT id, restricted_at FROM persons WHERE id IN ({}) \
         AND CASE WHEN organisation_id = $1 THEN TRUE ELSE FALSE END AND erased_at IS NULL {held}) \
         SELECT {AROUND}, \
         (SELECT status FROM protocols WHERE organisation_id = $1 AND id = $3) AS protocol_status, \
         EXISTS (SELECT 1 FROM cases WHERE organisation_id = $1 AND person_id = $4) AS been, \
         present.id AS person, present.restricted_at \
         FROM organisations LEFT JOIN present ON TRUE WHERE organisations.id = $1",
        places.join(", ")
    );
    let mut values: Vec<Value> = vec![cx.organisation.into(), (*unit).into(), (*protocol).into(), (*person).into()];
    values.extend(others.iter().map(|(_, other)| Value::from(*other)));
    let rows = tx.query_all_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?;
    let row = rows.first().ok_or(Error::NotFound)?;
    let around = match organisations::around(row, *unit) {
        Ok(around) => Some(around),
        Err(Error::NotFound) => None,
        Err(other) => return Err(other),
    };
    let (status, been) = (row.try_get("", "protocol_status")?, row.try_get("", "been")?);
    let mut people = HashMap::new();
    for row in &rows {
        if let Some(person) = row.try_get("", "person")? {
            people.insert(person, row.try_get("", "restricted_at")?);
        }
    }
    Ok(Found { around, status, people, been })
}
