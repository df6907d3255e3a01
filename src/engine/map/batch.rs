//! Batches: the rows, facts and rejects of one block, in input order, ready to be committed.

use ahash::RandomState;

use crate::engine::dedup::Rank;
use crate::engine::exchange::rejects::Rejects;
use crate::engine::exchange::row::Rows;
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::{Ids, NodeId};
use crate::source::FileId;

/// The position of a block in the input, which orders as the input does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file of the block.
    pub file: FileId,
    /// The number of the block in its file, from 0.
    pub block: u32,
}

/// The keys by which the committer orders an event and finds its duplicates.
#[derive(Clone, Copy, Debug)]
pub struct EventKeys {
    /// The times and the content hash of the event.
    pub key: OrderKey,
    /// The deduplication key, equal for all duplicates of an event; `None` if nothing is
    /// deduplicated.
    pub dedup: Option<u128>,
    /// The order among duplicates, which decides the one that is kept.
    pub rank: Rank,
}

/// An identity fact, with ids as numbers of the batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchFact {
    /// The index of the event in the batch.
    pub row: u32,
    /// The id that the event connects to another.
    pub source: NodeId,
    /// The id that it is connected to.
    pub target: NodeId,
}

/// The result of mapping one block.
#[derive(Debug)]
pub struct Batch {
    /// The position of the block.
    pub place: Place,
    /// The number of lines of the block.
    pub lines: u64,
    /// The keys of the events, in input order.
    pub events: Vec<EventKeys>,
    /// One row for each event, in the same order.
    pub rows: Rows,
    /// The ids that the rows and facts refer to.
    pub ids: Ids,
    /// The identity facts of the events.
    pub facts: Vec<BatchFact>,
    /// The rejected records.
    pub rejects: Rejects,
    /// For each event, the hashes of its message id and of its content without the message id;
    /// empty unless duplicates are profiled.
    pub profiles: Vec<(u64, u64)>,
}

impl Batch {
    /// Creates an empty batch, whose ids are hashed by `hasher`.
    pub fn new(hasher: RandomState) -> Self {
        Self {
            place: Place::default(),
            lines: 0,
            events: Vec::new(),
            rows: Rows::default(),
            ids: Ids::new(hasher),
            facts: Vec::new(),
            rejects: Rejects::default(),
            profiles: Vec::new(),
        }
    }

    /// Clears the batch for the block at `place`, and keeps the allocations.
    pub fn restart(&mut self, place: Place) {
        self.place = place;
        self.lines = 0;
        self.events.clear();
        self.rows.clear();
        self.ids.clear();
        self.facts.clear();
        self.rejects.clear();
        self.profiles.clear();
    }
}
