//! Incidents: critical events, who was involved, and whether support was offered.

mod rows;

pub(crate) use rows::visible_ids;
