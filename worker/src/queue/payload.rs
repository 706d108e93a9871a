//! How a batch looks on the wire: `{"kind":"message","leases":[["0197…",3]]}`. Ids only; never anything about a person.

use crate::owed::{JobKind, Lease, LeasedBatch};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// More than this is not ours: a hundred leases take about 5 kB.
const LARGEST: usize = 64 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    kind: &'a str,
    leases: Vec<(Uuid, i32)>,
}

/// Why a payload was refused. It fails alone: logged and dropped, and its leases (if it had any) lapse.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("{0} bytes")]
    TooLarge(usize),
    #[error("no batch of leases")]
    Unreadable,
    #[error("a kind this version does not know")]
    UnknownKind,
}

pub(crate) fn encode(batch: &LeasedBatch) -> Vec<u8> {
    let wire = Wire {
        kind: batch.kind.as_str(),
        leases: batch
            .leases
            .iter()
            .map(|lease| (lease.id, lease.version))
            .collect(),
    };
    // A string, uuids and integers always have a JSON form; an empty payload would be refused by `decode`.
    serde_json::to_vec(&wire).unwrap_or_default()
}

pub(crate) fn decode(bytes: &[u8]) -> Result<LeasedBatch, Malformed> {
    if bytes.len() > LARGEST {
        return Err(Malformed::TooLarge(bytes.len()));
    }
    let wire: Wire<'_> = serde_json::from_slice(bytes).map_err(|_| Malformed::Unreadable)?;
    let kind = JobKind::parse(wire.kind).ok_or(Malformed::UnknownKind)?;
    let leases = wire
        .leases
        .into_iter()
        .map(|(id, version)| Lease { id, version })
        .collect();
    Ok(LeasedBatch { kind, leases })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let batch = LeasedBatch {
            kind: JobKind::Message,
            leases: vec![Lease {
                id: Uuid::from_u128(7),
                version: 3,
            }],
        };
        assert_eq!(decode(&encode(&batch)), Ok(batch));
    }

    #[test]
    fn strangers_are_refused_without_a_panic() {
        assert_eq!(decode(b""), Err(Malformed::Unreadable));
        assert_eq!(decode(b"\xff\xfe"), Err(Malformed::Unreadable));
        assert_eq!(decode(br#"{"kind":"message"}"#), Err(Malformed::Unreadable));
        assert_eq!(
            decode(br#"{"kind":"tea","leases":[]}"#),
            Err(Malformed::UnknownKind)
        );
        assert_eq!(
            decode(&vec![b'['; 10 << 20]),
            Err(Malformed::TooLarge(10 << 20))
        );
    }

    #[test]
    fn a_full_batch_stays_far_below_the_limit() {
        let leases = vec![
            Lease {
                id: Uuid::max(),
                version: i32::MIN
            };
            super::super::BATCH
        ];
        let bytes = encode(&LeasedBatch {
            kind: JobKind::FollowUp,
            leases,
        });
        assert!(bytes.len() < LARGEST / 8, "{} bytes", bytes.len());
    }
}
