//! The wall around a tenant, as SQL.

use nazorg_entities::OrganisationId;
use sea_orm::{
    ColumnTrait,
    sea_query::{CaseStatement, Expr},
};

/// A condition that holds for the rows of an organisation and that no index answers; `Context::ours` says what for.
pub(super) fn among_ours(organisation_id: impl ColumnTrait, ours: OrganisationId) -> Expr {
    CaseStatement::new().case(organisation_id.eq(ours), Expr::cust("TRUE")).finally(Expr::cust("FALSE")).into()
}

#[cfg(test)]
mod tests;
