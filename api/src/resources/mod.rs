//! One file per resource: how it is asked for, and how it is shown.

mod api_keys;
mod calendar;
mod cases;
mod external_refs;
mod follow_ups;
mod messages;
mod organisation;
mod oversight;
mod previews;
mod protocols;
mod sets;
mod trajectories;
mod units;

use poem_openapi::OpenApi;

/// All resources. A tuple holds sixteen at most; nest another one when it is full.
pub(crate) fn apis() -> impl OpenApi {
    (settings(), support())
}

/// What an organisation is made of.
fn settings() -> impl OpenApi {
    (organisation::Organisations, units::Units, api_keys::ApiKeys, protocols::Protocols)
}

/// What support is made of.
fn support() -> impl OpenApi {
    (cases::Cases, trajectories::Trajectories, follow_ups::FollowUps, messages::Messages, oversight::Oversight)
}
