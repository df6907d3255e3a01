//! Carries out deletion requests: which rows and facts are those of users that are to be forgotten.
//!
//! A request covers, up to its time:
//!
//! - the events of its user id;
//! - the events without a user id whose anonymous id is that user's at their time: of the ties of
//!   the anonymous id to user ids the latest at or before the event, else the earliest after it, as
//!   a signal is resolved;
//! - the ties that those events make, and those by which an alias leads from the user id elsewhere.
//!
//! What happened after it counts as that of a new person. All of this depends on times and ids
//! alone, never on the order of the input. Where `user_id = false` under `[identity]`, nothing ties
//! an anonymous id to a user id, and only the events of the user id itself are covered.

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

/// Who is to be forgotten, and which anonymous ids were theirs.
pub(in crate::engine) struct Forgotten {
    users: AHashMap<NodeId, Until>,
    /// For each anonymous id that was ever tied to one of them, all its ties to user ids in order.
    ties: AHashMap<NodeId, Vec<(OrderKey, NodeId)>>,
}

impl Forgotten {
    /// Those whom `deletions` name, with their ties among `facts`.
    ///
    /// # Errors
    /// When what is on disk cannot be read.
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

    /// Whether an event with these ids at `time` is covered.
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
    /// Finds the rows of each segment that are covered and no duplicates, which are told already.
    ///
    /// # Errors
    /// When the run was interrupted or `spill` cannot be read.
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

    /// The rows of a segment that are covered and not among the `dead`.
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

    /// Takes the ties that are covered out of `facts`, whose events are of `segments`.
    ///
    /// # Errors
    /// When those on disk cannot be read or written.
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
