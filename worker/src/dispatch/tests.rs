use super::*;
use chrono::DateTime;
use nazorg_domain::entities::{JobId, OrganisationId};
use nazorg_domain::error::ViolationCode;
use nazorg_domain::jobs::Lease;
use uuid::Uuid;

fn job(attempts: i32) -> Claimed {
    Claimed {
        job: Lease { id: JobId(Uuid::from_u128(1)), version: 1 },
        subject: Uuid::from_u128(2),
        organisation: OrganisationId(Uuid::from_u128(3)),
        attempts,
        due_at: DateTime::UNIX_EPOCH,
    }
}

#[test]
fn p34_what_may_pass_is_tried_again_and_at_last_given_up() {
    let passing = [
        Trouble::TimedOut,
        Trouble::Panicked,
        Trouble::Failed(Error::internal("x")),
        Trouble::Failed(Error::Stale),
        Trouble::Failed(Error::violation(ViolationCode::TooEarly, "x")),
    ];
    for trouble in &passing {
        assert!(matches!(verdict(trouble, &job(0)), Outcome::Retry { .. }), "{trouble}");
        assert!(matches!(verdict(trouble, &job(14)), Outcome::Retry { .. }), "{trouble}");
        assert!(matches!(verdict(trouble, &job(15)), Outcome::GivenUp { .. }), "{trouble}");
    }
}

#[test]
fn what_can_never_succeed_is_given_up_at_once() {
    for trouble in [Error::NotFound, Error::Forbidden, Error::Invalid(vec![])].map(Trouble::Failed) {
        assert_eq!(verdict(&trouble, &job(0)), Outcome::GivenUp { error: trouble.code() });
    }
}
