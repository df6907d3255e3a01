//! Delete calls: Segment's requests that a user be forgotten. They are no events; a run does not
//! carry them out, and tells which of these users its leads still name.

use std::ops::AddAssign;

use ahash::AHashSet;

use crate::engine::identity::ids::{Ids, NodeId, Space};
use crate::engine::lead::Ranking;
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

    /// How many of these users are among the user ids of `leads`.
    pub fn with_leads(&self, leads: &Ranking<'_>, ids: &Ids) -> u64 {
        let asked = self.user_ids.iter().filter_map(|text| ids.find(Space::User, text));
        let mut asked: AHashSet<NodeId> = asked.collect();
        if asked.is_empty() {
            return 0;
        }
        let known = asked.len();
        for ranked in leads.iter() {
            for id in ranked.lead.user_ids() {
                asked.remove(id);
            }
        }
        (known - asked.len()) as u64
    }
}

impl AddAssign for Deletions {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.user_ids.extend(other.user_ids);
    }
}
