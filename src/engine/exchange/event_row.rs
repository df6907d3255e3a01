//! An event row between processes, with the texts of its ids.
//!
//! It has the same contents as a [`Row`](super::row::Row), whose ids are numbers of a batch, and in
//! addition the position of the event in the input, its bucket, and its deduplication key.
//! [`arrow`](super::arrow) documents the columns.

use smallvec::SmallVec;

use super::row::{Field, Flags};
use crate::emit::row::Cell;
use crate::engine::identity::fact::OrderKey;
use crate::event::CallType;

/// The values of the custom columns; up to eight need no heap allocation.
pub type OwnCells<'a> = SmallVec<[Cell<'a>; 8]>;

/// The position of an event in the input. It determines the order of outputs, and which one of
/// identical duplicates is kept, but no value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputPlace {
    /// The number of the input among all inputs of the job, from 0.
    pub file: u32,
    /// The number of the archive member, from 0; 0 if the input is no archive.
    pub member: u32,
    /// The number of the record in the file, from 1. Several records can share a line.
    pub record: u64,
    /// The line in the file, from 1.
    pub line: u64,
}

/// Whether an event counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventFate {
    /// The event counts.
    #[default]
    Kept,
    /// The event is a duplicate of one that is kept.
    Duplicate,
    /// The event is covered by a deletion request.
    Forgotten,
}

impl EventFate {
    /// All fates.
    pub const ALL: [Self; 3] = [Self::Kept, Self::Duplicate, Self::Forgotten];

    /// Returns the name in batches.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Duplicate => "duplicate",
            Self::Forgotten => "forgotten",
        }
    }
}

/// One event. Empty texts are missing values.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow<'a> {
    /// The bucket of the visitor.
    pub bucket: u32,
    /// The bucket of all duplicates of the event; equal to `bucket` if duplicates have the same
    /// ids.
    pub copies_bucket: u32,
    /// The position in the input.
    pub place: InputPlace,
    /// Whether the event counts.
    pub fate: EventFate,
    /// The call.
    pub call: CallType,
    /// The properties that are counted.
    pub flags: Flags,
    /// The times and the content hash.
    pub key: OrderKey,
    /// The deduplication key, equal for all duplicates; `None` if nothing is deduplicated.
    pub copies_key: Option<u128>,
    /// Orders duplicates with equal times.
    pub copies_content: u64,
    /// The id of the rule that maps the event.
    pub rule: &'a str,
    /// The anonymous id, even if [`Flags`] say that it is blocked.
    pub anonymous_id: &'a str,
    /// The user id, even if [`Flags`] say that it is blocked.
    pub user_id: &'a str,
    /// The normalised e-mail of an identify call or a rule.
    pub email: &'a str,
    /// The group of a group call.
    pub group_id: &'a str,
    /// The previous id that an alias connects to its user id.
    pub previous_id: &'a str,
    /// The other texts; those of ids are empty.
    pub texts: [&'a str; Field::ALL.len()],
    /// The values of the custom columns.
    pub cells: OwnCells<'a>,
}

impl<'a> EventRow<'a> {
    /// Returns the text of `field`, which is not an id.
    pub fn text(&self, field: Field) -> &'a str {
        self.texts[field as usize]
    }

    /// Returns the anonymous id, unless it is blocked or missing.
    pub fn visitor(&self) -> Option<&'a str> {
        let is_blocked = self.flags.has(Flags::BLOCKED_ANONYMOUS_ID);
        (!is_blocked && !self.anonymous_id.is_empty()).then_some(self.anonymous_id)
    }

    /// Returns the user id, unless it is blocked or missing.
    pub fn user(&self) -> Option<&'a str> {
        let is_blocked = self.flags.has(Flags::BLOCKED_USER_ID);
        (!is_blocked && !self.user_id.is_empty()).then_some(self.user_id)
    }
}
