use super::*;
use nazorg_domain::entities::{JobId, JobKind};
use nazorg_domain::jobs::{BATCH, Lease};
use uuid::Uuid;

#[test]
fn what_is_encoded_is_decoded() {
    let lease = Lease { id: JobId(Uuid::from_u128(7)), version: 3 };
    let batch = LeasedBatch { kind: JobKind::Message, leases: vec![lease] };
    assert_eq!(decode(&encode(&batch)), Ok(batch));
}

#[test]
fn strangers_are_refused_without_a_panic() {
    for stranger in ["", "\u{0}", r#"{"kind":"message"}"#, r#"{"kind":"tea","leases":[]}"#] {
        assert_eq!(decode(stranger.as_bytes()), Err(Malformed::Unreadable), "{stranger}");
    }
    assert_eq!(decode(&vec![b'['; 10 << 20]), Err(Malformed::TooLarge(10 << 20)));
}

#[test]
fn a_full_batch_stays_far_below_the_limit() {
    let leases = vec![Lease { id: JobId(Uuid::max()), version: i32::MIN }; BATCH];
    let bytes = encode(&LeasedBatch { kind: JobKind::FollowUp, leases });
    assert!(bytes.len() < LARGEST / 4, "{} bytes", bytes.len());
}
