//! A link between two ids, between processes.

use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::Space;

/// A link: an event connected an id to a user id or to an e-mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdLink<'a> {
    /// The bucket of the source.
    pub bucket: u32,
    /// The kind of the source: an anonymous id or a user id.
    pub source_space: Space,
    /// The id that was connected.
    pub source: &'a str,
    /// The times and the content hash of the event.
    pub key: OrderKey,
    /// The kind of the target: a user id or an e-mail.
    pub target_space: Space,
    /// The id or e-mail that the source was connected to.
    pub target: &'a str,
}
