//! How a batch looks on the wire: `{"kind":"message","leases":[{"id":"0197…","version":3}]}`. Ids only; never anything about a person.

use nazorg_domain::jobs::LeasedBatch;

/// More than this is not ours: a hundred leases take about 6 kB.
const LARGEST: usize = 64 * 1024;

/// Why a payload was refused. It fails alone: logged and dropped, and its leases (if it had any) lapse.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("{0} bytes")]
    TooLarge(usize),
    #[error("no batch of leases, or of a kind this version does not know")]
    Unreadable,
}

pub(crate) fn encode(batch: &LeasedBatch) -> Vec<u8> {
    // A word, uuids and integers always have a JSON form; an empty payload would be refused by `decode`.
    serde_json::to_vec(batch).unwrap_or_default()
}

pub(crate) fn decode(bytes: &[u8]) -> Result<LeasedBatch, Malformed> {
    if bytes.len() > LARGEST {
        return Err(Malformed::TooLarge(bytes.len()));
    }
    serde_json::from_slice(bytes).map_err(|_| Malformed::Unreadable)
}

#[cfg(test)]
mod tests;
