//! The caller's own organisation.

use nazorg_domain::{
    error::Error,
    organisations::{self, Organisation},
};
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::calendar::CalendarView;
use crate::{
    answers::Current,
    ask::{Ask, Body, IfMatch},
    problem::Answer,
    tags::Tag,
    types::Instant,
};

/// The operations on the organisation.
pub(super) struct Organisations;

#[OpenApi(tag = "Tag::Organisation")]
impl Organisations {
    /// Read the organisation
    ///
    /// The organisation the key belongs to. Nothing outside it can be seen.
    #[oai(path = "/organisation", method = "get", operation_id = "readOrganisation")]
    async fn read(&self, ask: Ask<'_>) -> Answer<Current<OrganisationView>> {
        let organisation = organisations::read(&ask).await?;
        Ok(Current::new(organisation.version, organisation.into()))
    }

    /// Change the organisation
    ///
    /// Its name, time zone or calendar. What already runs keeps the zone and calendar it started with.
    #[oai(path = "/organisation", method = "patch", operation_id = "changeOrganisation")]
    async fn change(
        &self,
        ask: Ask<'_>,
        if_match: IfMatch,
        body: Body<OrganisationChangeBody>,
    ) -> Answer<Current<OrganisationView>> {
        let OrganisationChangeBody { name, zone, calendar } = body.0;
        let unknown = |_| Error::field("/zone", "unknown", "There is no such time zone; use an IANA name.");
        let zone = zone.map(|zone| zone.parse().map_err(unknown)).transpose()?;
        let change = (name, zone, calendar.map(Into::into));
        let organisation = organisations::change(&ask, if_match.0, change).await?;
        Ok(Current::new(organisation.version, organisation.into()))
    }
}

/// A tenant: a hospital, a safety region, a branch of an aid organisation.
#[derive(Debug, Object)]
#[oai(rename = "Organisation", rename_all = "camelCase", skip_serializing_if_is_none)]
struct OrganisationView {
    id: Uuid,
    name: String,
    /// Its time zone, an IANA name.
    zone: String,
    /// When it works.
    calendar: CalendarView,
    created_at: Instant,
    /// When its data was last put back from a backup.
    restored_at: Option<Instant>,
}

impl From<Organisation> for OrganisationView {
    fn from(organisation: Organisation) -> Self {
        let Organisation { id, name, zone, calendar, created_at, version: _, restored_at } = organisation;
        Self {
            id: id.0,
            name,
            zone: zone.name().to_owned(),
            calendar: calendar.into(),
            created_at: Instant(created_at),
            restored_at: restored_at.map(Instant),
        }
    }
}

/// What to change about the organisation.
#[derive(Debug, Object)]
#[oai(rename = "OrganisationChange", rename_all = "camelCase", deny_unknown_fields)]
struct OrganisationChangeBody {
    #[oai(validator(min_length = 1, max_length = 200))]
    name: Option<String>,
    /// Its time zone, an IANA name.
    #[oai(validator(min_length = 1, max_length = 60))]
    zone: Option<String>,
    /// When it works.
    calendar: Option<CalendarView>,
}
