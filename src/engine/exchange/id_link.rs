//! A tie of one id to another as it travels between processes.

use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::Space;

/// At a time, an id was tied to a user id or to an e-mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdLink<'a> {
    /// The bucket of the source.
    pub bucket: u32,
    /// What the source is: an anonymous id or a user id.
    pub source_space: Space,
    /// What was tied.
    pub source: &'a str,
    /// When, and by which event.
    pub key: OrderKey,
    /// What the target is: a user id or an e-mail.
    pub target_space: Space,
    /// To what.
    pub target: &'a str,
}
