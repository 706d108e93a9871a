//! Protocols: the language, its time semantics and its engine.

mod calendar;
mod duration;
mod faults;
mod holidays;

pub use calendar::{Calendar, Surroundings};
