//! Persons, how to reach them safely, who they are to each other, and what they agreed to.

mod rows;

pub use rows::exists;
