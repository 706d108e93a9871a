//! The chapters of the document: every operation belongs to exactly one.

use poem_openapi::Tags;

/// A chapter.
#[derive(Tags)]
pub(crate) enum Tag {
    /// The tenant: its name, time zone and calendar.
    Organisation,
    /// Departments, stations, reception locations: the places of an organisation, one below the other.
    Units,
    /// The keys of clients: roles, scopes, expiry, revocation.
    #[oai(rename = "API keys")]
    ApiKeys,
    /// Timelines as data: built-in programmes, the organisation's versions, checking and previewing.
    Protocols,
    /// Persons, how to reach them safely, who they are to each other, and what they agreed to.
    People,
    /// Access roles, rosters and absences: who does what, and who stands in.
    Staff,
    /// Critical events, who was involved, and whether support was offered.
    Incidents,
    /// One stretch of support for one person.
    Cases,
    /// One protocol version running for one case.
    Trajectories,
    /// What is due for whom, and what came of it.
    #[oai(rename = "Follow-ups")]
    FollowUps,
    /// What was sent to whom, what was not, and why.
    Messages,
    /// The feed of everything that happened, and the ledger that shows that nothing was lost.
    Oversight,
}
