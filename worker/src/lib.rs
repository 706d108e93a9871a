//! Doing what is owed: the relay finds what is due, the queue carries it, the dispatcher runs it, the channels send it.

pub mod channels;
pub mod queue;
pub mod templates;
