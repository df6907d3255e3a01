//! Identity facts: one id was tied to another at some time.

use super::ids::NodeId;
use crate::time::Time;

/// What decides between two things that compete: time, then received time, then signal id; never
/// where they stood in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderKey {
    /// When it happened.
    pub time: Time,
    /// When it was received.
    pub received: Time,
    /// The content hash of the event.
    pub signal_id: u128,
}

/// One id tied to another by an event.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    /// When, and by which event.
    pub key: OrderKey,
    /// The anonymous id or user id.
    pub source: NodeId,
    /// The user id or e-mail that it is tied to.
    pub target: NodeId,
    /// Which event it comes of, in numbers of whoever made it.
    pub event: u64,
}
