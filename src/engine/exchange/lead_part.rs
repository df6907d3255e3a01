//! A part of a lead as it travels between processes: what some signals and identify calls of one
//! e-mail add up to, with texts in place of numbers.
//!
//! Parts are merged by [`Lead::merge`](crate::engine::lead::Lead), which is associative and
//! commutative: how rows were divided, and in which order parts come, changes nothing.

use crate::engine::identity::fact::OrderKey;
use crate::engine::lead::{FirstTouch, Trait};
use crate::time::Time;

/// A value and the event that it is of.
pub type DatedText = (OrderKey, Box<str>);

/// What the name of a signal depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignalName {
    /// The id of the rule that maps it; empty where none does.
    pub rule: Box<str>,
    /// The name of its event.
    pub event: Box<str>,
}

/// A part of a lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeadPart {
    /// The bucket of the e-mail.
    pub bucket: u32,
    /// The e-mail that names the lead.
    pub email: Box<str>,
    /// Whether any event was of it; a part of which this is false only adds to a lead.
    pub exists: bool,
    /// Whether the service would have taken an event that brought its e-mail.
    pub accepted: bool,
    /// Whether a deletion request took out an event that brought its e-mail.
    pub forgotten: bool,
    /// Its signals.
    pub signals: u64,
    /// Those of rules that say `high_intent`.
    pub high_intent_signals: u64,
    /// Those from before it was identified.
    pub rehydrated_signals: u64,
    /// The first time of its signals.
    pub first_seen: Option<Time>,
    /// The last time of its signals.
    pub last_seen: Option<Time>,
    /// When an event first brought its e-mail.
    pub identified_at: Option<Time>,
    /// Its traits, in the order of [`Trait::ALL`].
    pub traits: [Option<DatedText>; Trait::ALL.len()],
    /// Where it came in.
    pub first_touch: Option<(OrderKey, FirstTouch)>,
    /// Its latest signal.
    pub last_signal: Option<(OrderKey, SignalName)>,
    /// The groups that it joined, and by which event last.
    pub groups: Vec<(Box<str>, OrderKey)>,
    /// Its anonymous ids, each once.
    pub anonymous_ids: Vec<Box<str>>,
    /// Its user ids, each once.
    pub user_ids: Vec<Box<str>>,
    /// The periods of the plan in which it has signals, by their number in the ledger.
    pub periods: Vec<u32>,
    /// Its signals by what they are named after, each once.
    pub names: Vec<(SignalName, u64)>,
}

impl LeadPart {
    /// A part of the lead of `email`, in `bucket`, that adds nothing to it.
    pub fn empty(bucket: u32, email: &str) -> Self {
        Self { bucket, email: email.into(), ..Self::default() }
    }
}
