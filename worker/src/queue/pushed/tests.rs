use super::*;
use nazorg_domain::entities::{JobId, JobKind};
use nazorg_domain::jobs::Lease;
use std::time::Duration;
use uuid::Uuid;

fn batch(number: u128) -> LeasedBatch {
    LeasedBatch { kind: JobKind::Message, leases: vec![Lease { id: JobId(Uuid::from_u128(number)), version: 1 }] }
}

/// Three pushes, of the batches 1, 2 and 3, that all arrived.
fn three() -> Pushed {
    let mut pushed = Pushed::default();
    for n in 1..=3 {
        let number = pushed.number();
        pushed.arrived(number, number.checked_sub(1).filter(|known| *known > 0), &[batch(n)]);
    }
    assert_eq!(pushed.lost(), [], "nothing is lost while Redis knows the one before");
    pushed
}

#[test]
fn a_redis_that_knows_nothing_has_lost_all_and_is_told_so_once() {
    let mut pushed = three();
    pushed.compare(3, None);
    assert_eq!(pushed.lost(), [batch(1), batch(2), batch(3)]);
    pushed.compare(3, None);
    assert_eq!((pushed.lost(), pushed.latest()), (vec![], None));
}

#[test]
fn a_replica_that_lags_has_lost_what_came_later() {
    let mut pushed = three();
    pushed.compare(3, Some(2));
    assert_eq!((pushed.lost(), pushed.latest()), (vec![batch(3)], Some(2)));
}

#[test]
fn a_push_tells_what_was_lost_before_it_and_is_not_lost_itself() {
    let mut pushed = three();
    let number = pushed.number();
    pushed.arrived(number, Some(1), &[batch(4)]);
    assert_eq!((pushed.lost(), pushed.latest()), (vec![batch(2), batch(3)], Some(4)));
}

#[test]
fn what_was_pushed_while_redis_was_asked_is_not_judged_by_the_answer() {
    let mut pushed = three();
    let asked = pushed.latest().unwrap();
    let number = pushed.number();
    pushed.arrived(number, Some(3), &[batch(4)]);
    pushed.compare(asked, Some(3));
    assert_eq!(pushed.lost(), []);
}

#[test]
fn a_push_without_an_answer_leaves_a_gap_and_no_loss() {
    let mut pushed = three();
    let _handed_back = pushed.number();
    let number = pushed.number();
    pushed.arrived(number, Some(3), &[batch(5)]);
    assert_eq!(pushed.lost(), [], "it did not arrive");
    let _handed_back = pushed.number();
    pushed.compare(5, Some(6));
    assert_eq!(pushed.lost(), [], "it arrived after all");
}

#[test]
fn leases_that_lapsed_are_nobodys_concern() {
    let mut pushed = three();
    let long_ago = Instant::now().checked_sub(LEASE + Duration::from_secs(1)).unwrap();
    pushed.lately.iter_mut().for_each(|push| push.at = long_ago);
    assert_eq!(pushed.latest(), None);
    pushed.compare(3, None);
    assert_eq!(pushed.lost(), []);
}
