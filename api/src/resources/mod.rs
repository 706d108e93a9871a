//! One file per resource: how it is asked for, and how it is shown.

mod absences;
mod api_keys;
mod calendar;
mod cases;
mod consents;
mod contact_points;
mod external_refs;
mod follow_ups;
mod given_up_jobs;
mod incidents;
mod memberships;
mod messages;
mod organisation;
mod oversight;
mod persons;
mod previews;
mod protocols;
mod relations;
mod replies;
mod retention;
mod rights;
mod roster_entries;
mod sets;
mod support_offers;
mod trajectories;
mod units;

use poem_openapi::OpenApi;

/// All resources. A tuple holds sixteen at most; nest another one when it is full.
pub(crate) fn apis() -> impl OpenApi {
    (settings(), people(), support())
}

/// What an organisation is made of.
fn settings() -> impl OpenApi {
    (organisation::Organisations, units::Units, api_keys::ApiKeys, protocols::Protocols)
}

/// Whom it is about, and who does it.
fn people() -> impl OpenApi {
    (
        (persons::Persons, contact_points::ContactPoints, relations::Relations, consents::Consents, rights::Rights),
        (memberships::Memberships, roster_entries::RosterEntries, absences::Absences),
        (incidents::Incidents, support_offers::SupportOffers),
    )
}

/// What support is made of.
fn support() -> impl OpenApi {
    (
        (cases::Cases, trajectories::Trajectories, follow_ups::FollowUps),
        (messages::Messages, replies::Replies),
        (oversight::Oversight, given_up_jobs::GivenUpJobs, retention::Retention),
    )
}
