//! Cases: one stretch of support for one person.

mod rows;

pub(crate) use rows::visible_ids;
