//! Messages: one notification to one recipient over one channel, judged at the moment of sending.

mod templates;

pub use templates::Template;
