//! A batch: the rows, facts and counts of one block, ready to be committed.

use ahash::RandomState;

use crate::engine::dedup::Rank;
use crate::engine::exchange::rejects::Rejects;
use crate::engine::exchange::row::Rows;
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::{Ids, NodeId};
use crate::source::FileId;

/// Where a block stands: its file and its number in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// Number of the block in the file.
    pub block: u32,
}

/// What the committer needs to know of one event.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// When, and the content hash.
    pub key: OrderKey,
    /// Copies have the same; `None` where nothing is a copy.
    pub dedup: Option<u128>,
    /// Tells copies apart.
    pub rank: Rank,
}

/// A fact whose ids are numbers of the batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchFact {
    /// Which event of the batch.
    pub row: u32,
    /// What was tied.
    pub source: NodeId,
    /// To what.
    pub target: NodeId,
}

/// One block, mapped.
#[derive(Debug)]
pub struct Batch {
    /// Where the block stands.
    pub place: Place,
    /// How many lines it has.
    pub lines: u64,
    /// Its events, in order.
    pub marks: Vec<Mark>,
    /// A row for each event.
    pub rows: Rows,
    /// The ids that its rows and facts name.
    pub ids: Ids,
    /// Its identity facts.
    pub facts: Vec<BatchFact>,
    /// Its rejects.
    pub rejects: Rejects,
    /// For each event a hash of its message id and of its content without it, where asked for.
    pub profiles: Vec<(u64, u64)>,
}

impl Batch {
    /// An empty batch whose ids are hashed by `hasher`.
    pub fn new(hasher: RandomState) -> Self {
        Self {
            place: Place::default(),
            lines: 0,
            marks: Vec::new(),
            rows: Rows::default(),
            ids: Ids::new(hasher),
            facts: Vec::new(),
            rejects: Rejects::default(),
            profiles: Vec::new(),
        }
    }

    /// Makes it the empty batch of the block at `place`; keeps the memory.
    pub fn restart(&mut self, place: Place) {
        self.place = place;
        self.lines = 0;
        self.marks.clear();
        self.rows.clear();
        self.ids.clear();
        self.facts.clear();
        self.rejects.clear();
        self.profiles.clear();
    }
}
