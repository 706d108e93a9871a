//! The rules of the language, one story each.

mod closing;
mod repeating;
mod requirements;
mod windows;
