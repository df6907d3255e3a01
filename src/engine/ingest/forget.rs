//! Applies deletion requests: finds the rows and facts of users that are to be deleted.
//!
//! A request covers, up to its time:
//!
//! - the events with its user id;
//! - the events without a user id whose anonymous id belongs to that user at their time: of the
//!   user ids that the anonymous id is connected to, the latest at or before the event counts, or
//!   else the earliest after it, as in the resolution of signals;
//! - the facts of these events, and those of aliases from the user id to another one.
//!
//! Later events are those of a new person. All of this depends only on times and ids, not on the
//! order of the input. With `user_id = false` under `[identity]`, no anonymous id is connected to a
//! user id, and only the events of the user id itself are covered.

use std::io;

use ahash::AHashMap;
use rayon::ThreadPool;
use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};

use crate::engine::EventRef;
use crate::engine::exchange::row::{Row, RowIds};
use crate::engine::exchange::spill::Spill;
use crate::engine::exchange::store::{Buffers, Segment, SegmentView};
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::{Fact, OrderKey};
use crate::engine::identity::facts::Facts;
use crate::engine::identity::ids::{NodeId, Space};
use crate::engine::map::deletions::{Deletions, Until};
use crate::engine::watch::Watch;
use crate::error::Error;
use crate::time::Time;

/// The users with deletion requests, and the anonymous ids connected to them.
pub(in crate::engine) struct Forgotten {
    users: AHashMap<NodeId, Until>,
    /// For each anonymous id that was ever connected to such a user, all its connections to user
    /// ids, in order.
    ties: AHashMap<NodeId, Vec<(OrderKey, NodeId)>>,
}

impl Forgotten {
    /// Creates the set of the users in `deletions`, with their connections among `facts`.
    ///
    /// # Errors
    /// Returns an error if facts or ids on disk cannot be read.
    pub(in crate::engine) fn new(
        deletions: &Deletions,
        ids: &AllIds,
        facts: &Facts,
    ) -> io::Result<Self> {
        let users: AHashMap<NodeId, Until> = deletions
            .iter()
            .filter_map(|(user, until)| Some((ids.find(Space::User, user)?, until)))
            .collect();
        ids.check()?;
        let is_to_user = |fact: &Fact| {
            ids.space(fact.source) == Space::Anonymous && ids.space(fact.target) == Space::User
        };
        let mut ties: AHashMap<NodeId, Vec<(OrderKey, NodeId)>> = AHashMap::new();
        facts.each(|fact| {
            if users.contains_key(&fact.target) && is_to_user(fact) {
                ties.entry(fact.source).or_default();
            }
        })?;
        facts.each(|fact| {
            if is_to_user(fact)
                && let Some(ties) = ties.get_mut(&fact.source)
            {
                ties.push((fact.key, fact.target));
            }
        })?;
        for ties in ties.values_mut() {
            ties.sort_unstable_by_key(|&(key, target)| (key, ids.order(target)));
        }
        Ok(Self { users, ties })
    }

    /// Returns whether an event with these ids at `time` is covered.
    pub(in crate::engine) fn covers(
        &self,
        user: Option<NodeId>,
        anonymous: Option<NodeId>,
        time: Time,
    ) -> bool {
        let user = user.or_else(|| {
            let ties = self.ties.get(&anonymous?)?;
            let known = ties.partition_point(|(key, _)| key.time <= time);
            Some(ties[known.saturating_sub(1)].1)
        });
        let until = user.and_then(|user| self.users.get(&user));
        until.is_some_and(|until| until.covers(time))
    }
    /// Finds the covered rows of each segment that are not duplicates, once duplicates are known.
    ///
    /// # Errors
    /// Returns an error if the job was cancelled, or `spill` cannot be read.
    pub(super) fn find_rows(
        &self,
        segments: &mut [Segment],
        spill: &Spill,
        pool: &ThreadPool,
        watch: &dyn Watch,
    ) -> Result<(), Error> {
        if self.users.is_empty() {
            return Ok(());
        }
        let find = |buffers: &mut Buffers, segment: &mut Segment| {
            if watch.stopped() {
                return Err(Error::Interrupted);
            }
            let view = segment.read(spill, buffers).map_err(Error::Spill)?;
            segment.forgotten = self.covered_rows(&view, &segment.dead);
            Ok(())
        };
        pool.install(|| segments.par_iter_mut().try_for_each_init(Buffers::default, find))
    }

    /// Returns the rows of a segment that are covered and not in `dead`.
    fn covered_rows(&self, view: &SegmentView<'_>, dead: &[u32]) -> Vec<u32> {
        let global = |id: Option<NodeId>| id.and_then(|id| view.id(id));
        let mut bytes = view.rows;
        let rows = (0_u32..).map_while(|number| Some((number, Row::read(&mut bytes)?)));
        let covered = rows.filter(|(number, row)| {
            let RowIds { anonymous, user, .. } = row.ids;
            self.covers(global(user), global(anonymous), row.head.key.time)
                && dead.binary_search(number).is_err()
        });
        covered.map(|(number, _)| number).collect()
    }

    /// Removes the covered facts from `facts`, whose events are in `segments`.
    ///
    /// # Errors
    /// Returns an error if facts on disk cannot be read or written.
    pub(super) fn take_back(&self, facts: Facts, segments: &[Segment]) -> io::Result<Facts> {
        facts.retain(|fact| {
            let event = EventRef::from_raw(fact.event);
            let rows = &segments[event.segment()].forgotten;
            let until = self.users.get(&fact.source);
            rows.binary_search(&event.row()).is_err()
                && !until.is_some_and(|until| until.covers(fact.key.time))
        })
    }
}
