//! Tests of the language, the engine and the preview.

mod builtin;
mod example;
mod faults;
mod lasting;
mod programmes;
mod properties;
mod recovery;
mod reference;
mod rules;
mod scenario_a;
mod support;
