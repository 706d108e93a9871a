//! All a line manager may know: that support was offered.

use nazorg_domain::{
    entities::{IncidentId, UnitId},
    incidents::{self, SupportOffer},
};
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::sets::SupportOfferedView;
use crate::{
    answers::Page,
    ask::{Ask, Paging, Position},
    problem::Answer,
    tags::Tag,
};

/// The operation on support offers.
pub(super) struct SupportOffers;

#[OpenApi(tag = "Tag::Incidents")]
impl SupportOffers {
    /// List support offers
    ///
    /// Per incident and unit, whether support was offered to those involved; a line manager sees the units they manage and
    /// those below. No names, no numbers, no times: whether the offer was taken, and what came of it, shows nowhere here.
    #[oai(path = "/support-offers", method = "get", operation_id = "listSupportOffers")]
    async fn list(&self, ask: Ask<'_>, paging: Paging) -> Answer<Page<SupportOfferView>> {
        let after = paging.after::<Place>()?.map(|Place(incident, unit)| (incident, unit));
        let found = incidents::support_offers(&ask, after, paging.limit()).await?;
        let place = |offer: &SupportOffer| Place(offer.incident_id, offer.unit_id);
        Ok(Page::new(&paging, found, place, SupportOfferView::from))
    }
}

/// Where an offer stands in the list.
struct Place(IncidentId, Option<UnitId>);

impl Position for Place {
    fn write(&self) -> Vec<String> {
        std::iter::once(self.0.to_string()).chain(self.1.map(|unit| unit.to_string())).collect()
    }

    fn read(texts: &[String]) -> Option<Self> {
        match texts {
            [incident] => Some(Self(incident.parse().ok()?, None)),
            [incident, unit] => Some(Self(incident.parse().ok()?, Some(unit.parse().ok()?))),
            _ => None,
        }
    }
}

/// Whether support was offered to those of one unit involved in one incident.
#[derive(Debug, Object)]
#[oai(rename = "SupportOffer", rename_all = "camelCase", skip_serializing_if_is_none)]
struct SupportOfferView {
    incident_id: Uuid,
    /// The unit of those involved.
    unit_id: Option<Uuid>,
    /// To everyone, not to everyone, or unknown.
    support_offered: SupportOfferedView,
}

impl From<SupportOffer> for SupportOfferView {
    fn from(offer: SupportOffer) -> Self {
        let SupportOffer { incident_id, unit_id, support_offered } = offer;
        Self { incident_id: incident_id.0, unit_id: unit_id.map(|id| id.0), support_offered: support_offered.into() }
    }
}
