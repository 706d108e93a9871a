//! What a step of a protocol rests on, for the judging of its messages.

use crate::protocols::{Late, Requirement, Step, Unmet};

/// What a step says about when its message may go (`requires` and `late` of PROTOCOLS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestsOn {
    /// The purposes the person agreed to.
    pub consents: Vec<String>,
    /// A contact point that is known to be safe, as in a safety file.
    pub safe_contact: bool,
    /// What happens when that is not so.
    pub unmet: Unmet,
    /// Its message is sent however late it is (`late: run`).
    pub however_late: bool,
}

impl Default for RestsOn {
    fn default() -> Self {
        Self { consents: Vec::new(), safe_contact: false, unmet: Unmet::Wait, however_late: false }
    }
}

impl RestsOn {
    /// What a step says.
    #[must_use]
    pub fn of(step: &Step) -> Self {
        let purpose = |one: &Requirement| match one {
            Requirement::Consent(purpose) => Some(purpose.clone()),
            Requirement::OptIn | Requirement::SafeContact | Requirement::Instrument(_) => None,
        };
        Self {
            consents: step.requires.iter().filter_map(purpose).collect(),
            safe_contact: step.requires.contains(&Requirement::SafeContact),
            unmet: step.unmet,
            however_late: step.late == Some(Late::Run),
        }
    }
}
