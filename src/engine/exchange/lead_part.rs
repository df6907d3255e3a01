//! A part of a lead between processes: the sum over some events of one e-mail, with texts in place
//! of numbers.
//!
//! Parts are merged by [`Lead::merge`](crate::engine::lead::Lead), which is associative and
//! commutative: the result does not depend on how rows were divided, nor on the order of parts.

use crate::engine::identity::fact::OrderKey;
use crate::engine::lead::{FirstTouch, Trait};
use crate::time::Time;

/// A value with the key of its event.
pub type DatedText = (OrderKey, Box<str>);

/// What determines the name of a signal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignalName {
    /// The id of the rule that maps the signal; empty if none does.
    pub rule: Box<str>,
    /// The event name.
    pub event: Box<str>,
}

/// A part of a lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeadPart {
    /// The bucket of the e-mail.
    pub bucket: u32,
    /// The e-mail that names the lead.
    pub email: Box<str>,
    /// Whether any event belongs to the lead; otherwise the part only adds to other parts.
    pub exists: bool,
    /// Whether the service would have accepted an event that brings the e-mail.
    pub accepted: bool,
    /// Whether a deletion request removed an event that brings the e-mail.
    pub forgotten: bool,
    /// The number of signals.
    pub signals: u64,
    /// The number of signals of rules with `high_intent`.
    pub high_intent_signals: u64,
    /// The number of signals from before the lead was identified.
    pub rehydrated_signals: u64,
    /// The time of the first signal.
    pub first_seen: Option<Time>,
    /// The time of the last signal.
    pub last_seen: Option<Time>,
    /// The time of the first event that brings the e-mail.
    pub identified_at: Option<Time>,
    /// The traits, in the order of [`Trait::ALL`].
    pub traits: [Option<DatedText>; Trait::ALL.len()],
    /// The page of the first signal that has one.
    pub first_touch: Option<(OrderKey, FirstTouch)>,
    /// The latest signal.
    pub last_signal: Option<(OrderKey, SignalName)>,
    /// The groups that the lead joined, with the key of the latest event that says so.
    pub groups: Vec<(Box<str>, OrderKey)>,
    /// The distinct anonymous ids.
    pub anonymous_ids: Vec<Box<str>>,
    /// The distinct user ids.
    pub user_ids: Vec<Box<str>>,
    /// The indexes of the plan's periods with signals.
    pub periods: Vec<u32>,
    /// The number of signals by rule and event name.
    pub names: Vec<(SignalName, u64)>,
}

impl LeadPart {
    /// Creates a part of the lead of `email` that adds nothing to it.
    pub fn empty(bucket: u32, email: &str) -> Self {
        Self { bucket, email: email.into(), ..Self::default() }
    }
}
