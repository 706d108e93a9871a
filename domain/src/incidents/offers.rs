//! All a line manager may know: whether support was offered to those involved of their units (DESIGN section 7). Nothing
//! in it moves with the support itself: no times, no versions, no counts.

use nazorg_entities::{AccessAction, IncidentId, SupportOffered, UnitId};

use super::{of_nobody, rows};
use crate::{
    Context, audit,
    error::Result,
    organisations,
    policy::{Action, Reach},
};

/// Whether support was offered to everyone of one unit involved in one incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportOffer {
    /// The incident.
    pub incident_id: IncidentId,
    /// The unit of those involved; the incident's where theirs is not known.
    pub unit_id: Option<UnitId>,
    /// Yes to all of them, no to one of them at least, or unknown.
    pub support_offered: SupportOffered,
}

/// Support offers in order of incident and unit, after one; a line manager's own units and those below.
pub async fn support_offers(
    cx: &Context<'_>,
    after: Option<(IncidentId, Option<UnitId>)>,
    limit: u64,
) -> Result<Vec<SupportOffer>> {
    let units = match cx.may(Action::ReadSupportOffered)? {
        Reach::All => None,
        Reach::Own => Some(organisations::with_children(&cx.db(), cx, &cx.caller.units).await?),
    };
    let found = rows::offers(cx, units, after, limit).await?;
    let seen: Vec<_> =
        found.iter().map(|offer| of_nobody(AccessAction::Read, "support_offer.listed", offer.incident_id)).collect();
    audit::seen(cx, &seen).await?;
    Ok(found)
}
