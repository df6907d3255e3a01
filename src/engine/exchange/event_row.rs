//! A kept event as it travels between processes: a row with the texts of its ids.
//!
//! It says the same as a [`Row`](super::row::Row), whose ids are numbers of a batch, and besides
//! where the event stood in the input, to which bucket it belongs, and what tells copies of it
//! apart. [`arrow`](super::arrow) documents its columns.

use smallvec::SmallVec;

use super::row::{Field, Flags};
use crate::emit::row::Cell;
use crate::engine::identity::fact::OrderKey;
use crate::event::CallType;

/// The values of the rules' own columns; a few need no memory from the heap.
pub type OwnCells<'a> = SmallVec<[Cell<'a>; 8]>;

/// Where an event stood in the input. It decides about the order of outputs, and of copies that are
/// alike in every way which lends its place; about no value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputPlace {
    /// The number of the input among all inputs of the job, from 0.
    pub file: u32,
    /// The number of the member of an archive, from 0; 0 of any other input.
    pub member: u32,
    /// Which record of the file it is, from 1; several can share a line.
    pub record: u64,
    /// Its line in the file, from 1.
    pub line: u64,
}

/// What becomes of an event, among all others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventFate {
    /// It counts.
    #[default]
    Kept,
    /// It is a copy of one that is kept.
    Duplicate,
    /// A deletion request covers it.
    Forgotten,
}

impl EventFate {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Kept, Self::Duplicate, Self::Forgotten];

    /// The name in batches.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Duplicate => "duplicate",
            Self::Forgotten => "forgotten",
        }
    }
}

/// One event; an empty text is a missing value.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow<'a> {
    /// The bucket of its visitor.
    pub bucket: u32,
    /// The bucket in which it meets its copies: that of its visitor wherever copies have the same
    /// ids.
    pub copies_bucket: u32,
    /// Where it stood.
    pub place: InputPlace,
    /// What becomes of it.
    pub fate: EventFate,
    /// The call.
    pub call: CallType,
    /// What counts about it.
    pub flags: Flags,
    /// When, and the content hash.
    pub key: OrderKey,
    /// Copies have the same; `None` where nothing is a copy.
    pub copies_key: Option<u128>,
    /// Tells copies apart that were received and happened at the same times.
    pub copies_content: u64,
    /// The id of the rule that maps it.
    pub rule: &'a str,
    /// The anonymous id; [`Flags`] tell whether it is blocked.
    pub anonymous_id: &'a str,
    /// The user id; [`Flags`] tell whether it is blocked.
    pub user_id: &'a str,
    /// The e-mail that an identify call or a rule brought, normalised.
    pub email: &'a str,
    /// The group of a group call.
    pub group_id: &'a str,
    /// The previous id that an alias ties to its user id.
    pub previous_id: &'a str,
    /// The other texts; of the ids there is none here.
    pub texts: [&'a str; Field::ALL.len()],
    /// The values of the rules' own columns.
    pub cells: OwnCells<'a>,
}

impl<'a> EventRow<'a> {
    /// The text of `field`, which is none of the ids.
    pub fn text(&self, field: Field) -> &'a str {
        self.texts[field as usize]
    }

    /// Its anonymous id, unless it is blocked or there is none.
    pub fn visitor(&self) -> Option<&'a str> {
        let is_blocked = self.flags.has(Flags::BLOCKED_ANONYMOUS_ID);
        (!is_blocked && !self.anonymous_id.is_empty()).then_some(self.anonymous_id)
    }

    /// Its user id, unless it is blocked or there is none.
    pub fn user(&self) -> Option<&'a str> {
        let is_blocked = self.flags.has(Flags::BLOCKED_USER_ID);
        (!is_blocked && !self.user_id.is_empty()).then_some(self.user_id)
    }
}
