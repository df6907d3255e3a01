//! Identity facts: an id was connected to another at some time.

use super::ids::NodeId;
use crate::time::Time;

/// The order of events: by time, then received time, then signal id. It does not depend on
/// positions in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderKey {
    /// The time of the event.
    pub time: Time,
    /// The time of receipt.
    pub received: Time,
    /// The content hash of the event.
    pub signal_id: u128,
}

/// A connection of two ids, made by an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The times and the content hash of the event.
    pub key: OrderKey,
    /// The anonymous id or user id.
    pub source: NodeId,
    /// The user id or e-mail that it is connected to.
    pub target: NodeId,
    /// The event, as numbered by the caller that made the fact.
    pub event: u64,
}

/// The size of a fact on disk.
pub const FACT_BYTES: usize = 48;

impl Fact {
    /// Returns the sort key of facts whose ids are numbered by space and text. Of one event, a user
    /// id comes before an e-mail.
    #[inline]
    pub fn order(&self) -> (NodeId, OrderKey, NodeId) {
        (self.source, self.key, self.target)
    }

    /// Appends the fact in [`FACT_BYTES`] bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut bytes = [0; FACT_BYTES];
        bytes[..16].copy_from_slice(&self.key.signal_id.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.key.time.to_raw().to_le_bytes());
        bytes[24..32].copy_from_slice(&self.key.received.to_raw().to_le_bytes());
        bytes[32..36].copy_from_slice(&self.source.to_raw().to_le_bytes());
        bytes[36..40].copy_from_slice(&self.target.to_raw().to_le_bytes());
        bytes[40..].copy_from_slice(&self.event.to_le_bytes());
        out.extend_from_slice(&bytes);
    }

    /// Decodes the bytes of a fact.
    pub fn read(bytes: &[u8; FACT_BYTES]) -> Self {
        fn part<const N: usize>(bytes: &[u8; FACT_BYTES], at: usize) -> [u8; N] {
            std::array::from_fn(|place| bytes[at + place])
        }
        let time = |at| Time::from_raw(i64::from_le_bytes(part(bytes, at)));
        let id = |at| NodeId::from_raw(u32::from_le_bytes(part(bytes, at)));
        let signal_id = u128::from_le_bytes(part(bytes, 0));
        Self {
            key: OrderKey { time: time(16), received: time(24), signal_id },
            source: id(32),
            target: id(36),
            event: u64::from_le_bytes(part(bytes, 40)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_comes_back_from_its_bytes() {
        let fact = Fact {
            key: OrderKey {
                time: Time::MISSING,
                received: Time::from_millis(1_700_000_000_000).unwrap(),
                signal_id: u128::MAX - 5,
            },
            source: NodeId::from_raw(7),
            target: NodeId::from_raw(u32::MAX - 1),
            event: 1 << 40,
        };
        let mut bytes = Vec::new();
        fact.write(&mut bytes);
        assert_eq!(Fact::read(bytes.first_chunk().unwrap()), fact);
        assert_eq!(bytes.len(), FACT_BYTES);
    }
}
