//! Timelines: for each id, its links in order of time, without redundant ones.

use std::io;
use std::path::Path;

use prefetch_index::prefetch_index;
use rayon::slice::ParallelSliceMut;

use super::all_ids::AllIds;
use super::anonymous::{Anonymous, AnonymousWriter};
use super::draft::Draft;
use super::entry_index::EntryIndex;
use super::fact::Fact;
use super::facts::Facts;
use super::ids::{NodeId, Space};
use crate::engine::exchange::spill::{Scratch, Spill};
use crate::time::Time;

/// The maximum number of links of a chain from an id to an e-mail.
pub const MAX_STEPS: u8 = 8;
/// The distance of an id that leads to no e-mail.
pub(super) const NOWHERE: u8 = u8::MAX;

/// A connection of an id to `target` from `time` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The time of the event that made the connection.
    pub time: Time,
    /// A user id or an e-mail.
    pub target: NodeId,
}

/// The timeline of an id. Links that lead to no e-mail are left out, since resolution ignores them,
/// and so are links to the same target as the previous link.
#[derive(Clone, Copy, Debug)]
pub struct Timeline<'t> {
    /// The links, by time.
    pub links: &'t [Link],
    pub(super) summary: Summary,
}

impl Timeline<'_> {
    /// The timeline of an id without facts.
    pub(super) const UNTIED: Self = Self {
        links: &[],
        summary: Summary { emails: 0, distance: NOWHERE, leads_through_shared: false },
    };
    /// The timeline of an e-mail.
    const EMAIL: Self = Self {
        links: &[],
        summary: Summary { emails: 1, distance: 0, leads_through_shared: false },
    };

    /// Returns the number of links of the shortest chain from the id to an e-mail, or `None` if
    /// there is no chain of at most [`MAX_STEPS`] links.
    #[inline]
    pub fn distance(&self) -> Option<u8> {
        let distance = self.summary.distance;
        (distance != NOWHERE).then_some(distance)
    }

    /// Returns the number of e-mails that the id leads to, counted up to one more than the limit.
    #[inline]
    pub fn emails(&self) -> usize {
        self.summary.emails as usize
    }

    /// Returns whether the id leads to a shared user id. It can then resolve to e-mails that are
    /// not counted as its own.
    #[inline]
    pub fn leads_through_shared(&self) -> bool {
        self.summary.leads_through_shared
    }
}

/// The properties of a timeline as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub emails: u32,
    pub distance: u8,
    pub leads_through_shared: bool,
}

/// The range of links and the summary of an id, in one place for a single cache miss.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimelineEntry {
    pub start: u32,
    pub end: u32,
    pub summary: Summary,
}

/// Timelines in memory.
#[derive(Debug)]
pub(super) struct TimelineTable {
    pub index: EntryIndex,
    pub entries: Vec<TimelineEntry>,
    pub links: Vec<Link>,
}

impl TimelineTable {
    #[inline]
    pub fn of(&self, id: NodeId) -> Timeline<'_> {
        match self.index.position(id) {
            Some(place) => {
                let &TimelineEntry { start, end, summary } = &self.entries[place];
                Timeline { links: &self.links[start as usize..end as usize], summary }
            }
            None if self.index.is_email(id) => Timeline::EMAIL,
            None => Timeline::UNTIED,
        }
    }

    #[inline]
    fn prefetch(&self, id: NodeId) {
        if let Some(place) = self.index.position(id) {
            prefetch_index(&self.entries, place);
        }
    }

    #[inline]
    fn prefetch_links(&self, id: NodeId) {
        if let Some(place) = self.index.position(id) {
            prefetch_index(&self.links, self.entries[place].start as usize);
        }
    }

    pub fn bytes(&self) -> usize {
        self.index.bytes()
            + self.entries.len() * size_of::<TimelineEntry>()
            + self.links.len() * size_of::<Link>()
    }
}

/// The timelines of all ids.
#[derive(Debug)]
pub struct Timelines {
    table: TimelineTable,
    /// The timelines of anonymous ids, kept separately if facts are on disk. No link leads to an
    /// anonymous id.
    anonymous: Option<Anonymous>,
}

/// The memory for timelines of anonymous ids if facts are on disk, and where the rest is stored.
#[derive(Clone, Copy, Debug)]
pub struct Room<'a> {
    /// The maximum memory in bytes.
    pub bytes: usize,
    /// The folder in which anonymous files are created.
    pub dir: &'a Path,
}

impl<'a> Room<'a> {
    /// The inverse of the share of table memory for timelines of anonymous ids.
    const SHARE: usize = 4;

    /// Returns the room in `scratch`.
    pub fn of(scratch: &'a Scratch) -> Self {
        Self { bytes: scratch.table_bytes / Self::SHARE, dir: &scratch.dir }
    }
}

impl Timelines {
    /// Builds the timelines of `facts`, which must be sorted. E-mails of an id are counted up to
    /// one more than `max_emails`.
    ///
    /// # Errors
    /// Returns an error if facts on disk cannot be read, or timelines cannot be written.
    pub fn new(facts: Facts, ids: &AllIds, max_emails: usize, room: Room<'_>) -> io::Result<Self> {
        let runs = match facts {
            Facts::Memory(facts) => {
                let draft = Draft::of_sorted(ids, max_emails, &facts);
                drop(facts);
                return Ok(Self { table: draft.finish(), anonymous: None });
            }
            Facts::Runs(runs) => runs,
        };
        // As no link leads to an anonymous id, the timelines of all other ids are built first.
        // Those of anonymous ids then need not be in memory at the same time.
        let is_anonymous = |fact: &Fact| ids.space(fact.source) == Space::Anonymous;
        let others = Draft::of(ids, max_emails, |see| {
            runs.try_each(|fact| {
                if !is_anonymous(&fact) {
                    see(&fact);
                }
                Ok(())
            })
        })?;
        let spill = Spill::new(room.dir.to_owned(), 0);
        let mut writer = AnonymousWriter::new(ids, max_emails, room.bytes, &spill);
        let mut follower = others.follow();
        runs.try_each(
            |fact| {
                if is_anonymous(&fact) { follower.put(&fact, &mut writer) } else { Ok(()) }
            },
        )?;
        follower.finish(&mut writer)?;
        let anonymous = writer.finish()?.into_timelines(spill);
        Ok(Self { table: others.finish(), anonymous: Some(anonymous) })
    }

    /// Returns the timeline of `id`. If that is on disk, it is empty, and has to be read by
    /// [`load`](Self::load).
    #[inline]
    pub fn of(&self, id: NodeId) -> Timeline<'_> {
        match &self.anonymous {
            Some(anonymous) if anonymous.has(id) => anonymous.of(id),
            _ => self.table.of(id),
        }
    }

    /// Returns whether timelines of anonymous ids are on disk.
    #[inline]
    pub fn are_on_disk(&self) -> bool {
        self.anonymous.as_ref().is_some_and(Anonymous::is_on_disk)
    }

    /// Reads the timeline of `id` from disk into `buffers`. If it cannot be read, it is empty, and
    /// [`check`](Self::check) returns the error.
    pub fn load<'b>(&'b self, id: NodeId, buffers: &'b mut Buffers) -> Timeline<'b> {
        let anonymous = self.anonymous.as_ref().filter(|anonymous| anonymous.has(id));
        anonymous.map_or(Timeline::UNTIED, |anonymous| anonymous.load(id, buffers))
    }

    /// Returns the timeline of `id`, in memory or read into `buffers`. If it cannot be read, it is empty,
    /// and [`check`](Self::check) returns the error.
    pub fn read<'b>(&'b self, id: NodeId, buffers: &'b mut Buffers) -> Timeline<'b> {
        match &self.anonymous {
            Some(anonymous) if anonymous.is_on_disk() && anonymous.has(id) => {
                anonymous.load(id, buffers)
            }
            _ => self.of(id),
        }
    }

    /// Checks that all timelines could be read.
    ///
    /// # Errors
    /// Returns an error if a timeline could not be read.
    #[inline]
    pub fn check(&self) -> io::Result<()> {
        self.anonymous.as_ref().map_or(Ok(()), Anonymous::check)
    }

    /// Prefetches the summary of `id`, so that the cache misses of many ids overlap.
    #[inline]
    pub fn prefetch(&self, id: NodeId) {
        if self.anonymous.is_none() {
            self.table.prefetch(id);
        }
    }

    /// Prefetches the links of `id`.
    #[inline]
    pub fn prefetch_links(&self, id: NodeId) {
        if self.anonymous.is_none() {
            self.table.prefetch_links(id);
        }
    }

    /// Returns the number of ids of `space` that resolve to an e-mail.
    pub fn resolved(&self, ids: &AllIds, space: Space) -> u64 {
        let of_space = self.table.index.ids().filter(|&id| ids.space(id) == space);
        let resolved = of_space.filter(|&id| self.table.of(id).distance().is_some()).count();
        let apart = self.anonymous.as_ref().filter(|_| space == Space::Anonymous);
        resolved as u64 + apart.map_or(0, Anonymous::resolved)
    }

    /// Returns the ids with more e-mails than `max_emails`, which must be the limit given to
    /// [`new`](Self::new), and how many they have.
    pub fn shared(&self, max_emails: usize) -> Vec<(NodeId, usize)> {
        let entries = self.table.index.ids().map(|id| (id, self.table.of(id).emails()));
        let apart = self.anonymous.iter().flat_map(|anonymous| anonymous.shared().iter().copied());
        entries.filter(|&(_, emails)| emails > max_emails).chain(apart).collect()
    }

    /// Returns the memory in bytes.
    pub fn bytes(&self) -> usize {
        self.table.bytes() + self.anonymous.as_ref().map_or(0, Anonymous::bytes)
    }
}

/// Buffers for timelines read from disk, which can be reused.
#[derive(Debug, Default)]
pub struct Buffers {
    pub(super) bytes: Vec<u8>,
    pub(super) links: Vec<Link>,
}

/// Sorts `facts` by source, then by key, then by target: user ids before e-mails, then by text.
pub fn sort(facts: &mut [Fact], ids: &AllIds) {
    facts.par_sort_unstable_by(|a, b| {
        a.source.cmp(&b.source).then_with(|| a.key.cmp(&b.key)).then_with(|| {
            let by_space = ids.space(a.target).cmp(&ids.space(b.target));
            by_space.then_with(|| ids.order(a.target).cmp(&ids.order(b.target)))
        })
    });
}
