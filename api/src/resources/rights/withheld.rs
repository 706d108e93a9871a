//! What an export does not say, because another person did: why something between the two was not sent.

use std::collections::HashSet;

use nazorg_domain::{
    follow_ups::FollowUp,
    protocols::{Input, Key, What},
};
use uuid::Uuid;

/// What stands in the place of a task's code.
const CODE: &str = "withheld";

/// The messages whose reason may be another person's doing. The task that one of them left is named after the reason, and bears the
/// message's id.
pub(super) struct Withheld(pub(super) HashSet<Uuid>);

impl Withheld {
    /// Whether it is about one of these, as its task is.
    pub(super) fn holds(&self, id: Uuid) -> bool {
        self.0.contains(&id)
    }

    /// A follow-up without it.
    pub(super) fn follow_up(&self, one: FollowUp) -> FollowUp {
        FollowUp { step: self.step(one.step, one.anchor_id), ..one }
    }

    /// What was said without it.
    pub(super) fn input(&self, Input { at, what }: Input) -> Input {
        let what = match what {
            What::TaskAdded { id, code: _, role, due_at } if self.holds(id) => {
                What::TaskAdded { id, code: CODE.to_owned(), role, due_at }
            }
            What::Outcome { follow_up, code } => What::Outcome { follow_up: self.key(follow_up), code },
            What::Rescheduled { follow_up, due_at } => What::Rescheduled { follow_up: self.key(follow_up), due_at },
            What::CalledOff { follow_up, reason } => What::CalledOff { follow_up: self.key(follow_up), reason },
            What::Acknowledged { follow_up } => What::Acknowledged { follow_up: self.key(follow_up) },
            other => other,
        };
        Input { at, what }
    }

    fn key(&self, key: Key) -> Key {
        Key { step: self.step(key.step, key.anchor_id), ..key }
    }

    fn step(&self, step: String, of: Option<Uuid>) -> String {
        let task = step.starts_with("task:") && of.is_some_and(|id| self.holds(id));
        if task { format!("task:{CODE}") } else { step }
    }
}
