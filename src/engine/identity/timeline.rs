//! For each id, whom it was tied to and when: the facts in order, without those that change
//! nothing.

use std::io;
use std::path::Path;

use prefetch_index::prefetch_index;
use rayon::slice::ParallelSliceMut;

use super::all_ids::AllIds;
use super::anonymous::{Anonymous, AnonymousWriter};
use super::draft::Draft;
use super::fact::Fact;
use super::facts::Facts;
use super::ids::{NodeId, Space};
use super::slots::Slots;
use crate::engine::exchange::spill::Spill;
use crate::time::Time;

/// How many facts a chain from an id to an e-mail may have.
pub const MAX_STEPS: u8 = 8;
/// The distance of an id that leads to no e-mail.
pub(super) const NOWHERE: u8 = u8::MAX;

/// From `time` on the id is tied to `target`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// When the tie was made.
    pub time: Time,
    /// A user id or an e-mail.
    pub target: NodeId,
}

/// What is known of an id. Links that lead to no e-mail are left out, as resolution passes them over,
/// and so are those that tie an id again to what it is tied to already.
#[derive(Clone, Copy, Debug)]
pub struct Timeline<'t> {
    /// Its links, by time.
    pub links: &'t [Link],
    pub(super) summary: Summary,
}

impl Timeline<'_> {
    /// That of an id that was never tied to anything.
    pub(super) const UNTIED: Self = Self {
        links: &[],
        summary: Summary { emails: 0, distance: NOWHERE, leads_through_shared: false },
    };
    /// That of an e-mail.
    const EMAIL: Self = Self {
        links: &[],
        summary: Summary { emails: 1, distance: 0, leads_through_shared: false },
    };

    /// How many facts the shortest chain from the id to an e-mail has; `None` where there is no
    /// chain of at most [`MAX_STEPS`].
    #[inline]
    pub fn distance(&self) -> Option<u8> {
        let distance = self.summary.distance;
        (distance != NOWHERE).then_some(distance)
    }

    /// How many e-mails the id leads to, counted no further than one past the limit.
    #[inline]
    pub fn emails(&self) -> usize {
        self.summary.emails as usize
    }

    /// Whether the id is tied to a user id that is shared, or leads to one. It may then belong to
    /// e-mails that are not counted as its own.
    #[inline]
    pub fn leads_through_shared(&self) -> bool {
        self.summary.leads_through_shared
    }
}

/// What a timeline comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub emails: u32,
    pub distance: u8,
    pub leads_through_shared: bool,
}

/// All that is asked about an id, side by side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub start: u32,
    pub end: u32,
    pub summary: Summary,
}

/// Timelines in memory.
#[derive(Debug)]
pub(super) struct Spots {
    pub slots: Slots,
    pub by_slot: Vec<Spot>,
    pub links: Vec<Link>,
}

impl Spots {
    #[inline]
    pub fn of(&self, id: NodeId) -> Timeline<'_> {
        match self.slots.place(id) {
            Some(place) => {
                let &Spot { start, end, summary } = &self.by_slot[place];
                Timeline { links: &self.links[start as usize..end as usize], summary }
            }
            None if self.slots.is_email(id) => Timeline::EMAIL,
            None => Timeline::UNTIED,
        }
    }

    #[inline]
    fn prefetch(&self, id: NodeId) {
        if let Some(place) = self.slots.place(id) {
            prefetch_index(&self.by_slot, place);
        }
    }

    #[inline]
    fn prefetch_links(&self, id: NodeId) {
        if let Some(place) = self.slots.place(id) {
            prefetch_index(&self.links, self.by_slot[place].start as usize);
        }
    }

    pub fn bytes(&self) -> usize {
        self.slots.bytes()
            + self.by_slot.len() * size_of::<Spot>()
            + self.links.len() * size_of::<Link>()
    }
}

/// All timelines.
#[derive(Debug)]
pub struct Timelines {
    spots: Spots,
    /// Of facts on disk the anonymous ids, to which nothing leads.
    anonymous: Option<Anonymous>,
}

/// How much memory the timelines of anonymous ids may take, where their facts are on disk already, and
/// where they wait beyond.
#[derive(Clone, Copy, Debug)]
pub struct Room<'a> {
    /// So much memory.
    pub bytes: usize,
    /// A folder that has room for files without names.
    pub dir: &'a Path,
}

impl Timelines {
    /// Keeps what counts of `facts`, which are sorted. E-mails of an id are counted up to one past
    /// `max_emails`.
    ///
    /// # Errors
    /// When facts on disk cannot be read, or timelines not be written.
    pub fn new(facts: Facts, ids: &AllIds, max_emails: usize, room: Room<'_>) -> io::Result<Self> {
        let runs = match facts {
            Facts::Memory(facts) => {
                let draft = Draft::of(ids, max_emails, |see| {
                    facts.iter().for_each(see);
                    Ok(())
                })?;
                drop(facts);
                return Ok(Self { spots: draft.finish(), anonymous: None });
            }
            Facts::Runs(runs) => runs,
        };
        // Nothing leads to an anonymous id. So all that others lead to is known before the first
        // anonymous id is looked at, and these need not be in memory together.
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
        Ok(Self { spots: others.finish(), anonymous: Some(anonymous) })
    }

    /// What is known of `id`; of an anonymous id whose timeline is on disk, nothing:
    /// [`load`](Self::load) reads that.
    #[inline]
    pub fn of(&self, id: NodeId) -> Timeline<'_> {
        match &self.anonymous {
            Some(anonymous) if anonymous.has(id) => anonymous.of(id),
            _ => self.spots.of(id),
        }
    }

    /// Whether timelines of anonymous ids are on disk.
    #[inline]
    pub fn are_on_disk(&self) -> bool {
        self.anonymous.as_ref().is_some_and(Anonymous::is_on_disk)
    }

    /// What is known of `id`, whose timeline is on disk; `buffers` hold it. Nothing where it cannot be
    /// read, which [`check`](Self::check) tells.
    pub fn load<'b>(&self, id: NodeId, buffers: &'b mut Buffers) -> Timeline<'b> {
        let anonymous = self.anonymous.as_ref().filter(|anonymous| anonymous.has(id));
        anonymous.map_or(Timeline::UNTIED, |anonymous| anonymous.load(id, buffers))
    }

    /// Whether every timeline that was asked for was read.
    ///
    /// # Errors
    /// When one could not be read.
    #[inline]
    pub fn check(&self) -> io::Result<()> {
        self.anonymous.as_ref().map_or(Ok(()), Anonymous::check)
    }

    /// Fetches what is known of `id` into the caches, so that the memory of many ids is waited for
    /// at once.
    #[inline]
    pub fn prefetch(&self, id: NodeId) {
        if self.anonymous.is_none() {
            self.spots.prefetch(id);
        }
    }

    /// The same of its links.
    #[inline]
    pub fn prefetch_links(&self, id: NodeId) {
        if self.anonymous.is_none() {
            self.spots.prefetch_links(id);
        }
    }

    /// How many of the ids of `space`, which are among `ids`, lead to an e-mail.
    pub fn resolved(&self, ids: &AllIds, space: Space) -> u64 {
        let of_space = self.spots.slots.ids().filter(|&id| ids.space(id) == space);
        let resolved = of_space.filter(|&id| self.spots.of(id).distance().is_some()).count();
        let apart = self.anonymous.as_ref().filter(|_| space == Space::Anonymous);
        resolved as u64 + apart.map_or(0, Anonymous::resolved)
    }

    /// The ids that lead to more than `max_emails`, the limit that was asked for, and to how many.
    pub fn shared(&self, max_emails: usize) -> Vec<(NodeId, usize)> {
        let spots = self.spots.slots.ids().map(|id| (id, self.spots.of(id).emails()));
        let apart = self.anonymous.iter().flat_map(|anonymous| anonymous.shared().iter().copied());
        spots.filter(|&(_, emails)| emails > max_emails).chain(apart).collect()
    }

    /// How many bytes of memory they take.
    pub fn bytes(&self) -> usize {
        self.spots.bytes() + self.anonymous.as_ref().map_or(0, Anonymous::bytes)
    }
}

/// Buffers for one timeline after the other.
#[derive(Debug, Default)]
pub struct Buffers {
    pub(super) bytes: Vec<u8>,
    pub(super) links: Vec<Link>,
}

/// Puts `facts` in order: by source, then by what decides between competing things; a user id before an e-mail of the
/// same event, and texts where nothing else tells two facts apart.
pub fn sort(facts: &mut [Fact], ids: &AllIds) {
    facts.par_sort_unstable_by(|a, b| {
        a.source.cmp(&b.source).then_with(|| a.key.cmp(&b.key)).then_with(|| {
            let by_space = ids.space(a.target).cmp(&ids.space(b.target));
            by_space.then_with(|| ids.order(a.target).cmp(&ids.order(b.target)))
        })
    });
}
