//! Incidents: critical events, who was involved, and whether support was offered.

mod rows;

pub(crate) use rows::visible_ids;

/// Which incident an involvement stands in, and whose it is.
pub(crate) async fn involved(
    _db: &impl sea_orm::ConnectionTrait,
    _cx: &crate::Context<'_>,
    _id: nazorg_entities::InvolvementId,
) -> crate::Result<Option<(nazorg_entities::IncidentId, Option<nazorg_entities::PersonId>)>> {
    Err(crate::Error::NotFound)
}
pub(crate) async fn mark_offered(
    _tx: &crate::database::Writing,
    _cx: &crate::Context<'_>,
    _case: nazorg_entities::CaseId,
) -> crate::Result<()> {
    Ok(())
}
