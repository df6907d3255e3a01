//! Delete calls: Segment's requests that a user be forgotten. They are no events; a run does not
//! carry them out, and tells which of these users its leads still name.

use std::ops::AddAssign;

use ahash::AHashSet;

use crate::engine::identity::ids::{Ids, NodeId, Space};
use crate::engine::lead::Lead;
use crate::event::id::Id;

/// The delete calls of an input.
#[derive(Debug, Default)]
pub struct Deletions {
    /// How many there are.
    pub calls: u64,
    user_ids: AHashSet<Box<str>>,
}

impl Deletions {
    /// Counts a call that names `user_id`.
    pub fn see(&mut self, user_id: Option<Id<'_>>) {
        self.calls += 1;
        let mut scratch = Vec::new();
        self.user_ids.extend(user_id.map(|id| id.text(&mut scratch).into()));
    }

    /// How many users they name.
    pub fn users(&self) -> u64 {
        self.user_ids.len() as u64
    }

    /// Those of these users that are among `ids`.
    pub fn asked(&self, ids: &Ids) -> AskedUsers {
        let asked = self.user_ids.iter().filter_map(|text| ids.find(Space::User, text));
        let open: AHashSet<NodeId> = asked.collect();
        AskedUsers { asked: open.len(), open }
    }
}

/// Users whom delete calls name.
#[derive(Debug)]
pub struct AskedUsers {
    asked: usize,
    /// Those that no lead has named yet.
    open: AHashSet<NodeId>,
}

impl AskedUsers {
    /// Sees a lead.
    pub fn see(&mut self, lead: &Lead) {
        if !self.open.is_empty() {
            lead.user_ids().iter().for_each(|id| {
                self.open.remove(id);
            });
        }
    }

    /// How many of them are among the user ids of the leads that were seen.
    pub fn named(&self) -> u64 {
        (self.asked - self.open.len()) as u64
    }
}

impl AddAssign for Deletions {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.user_ids.extend(other.user_ids);
    }
}
