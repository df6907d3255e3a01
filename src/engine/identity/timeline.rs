//! For each id, whom it was tied to and when: the facts in order, without those that change
//! nothing.

use std::io;

use prefetch_index::prefetch_index;
use rayon::iter::{
    IndexedParallelIterator, IntoParallelIterator, IntoParallelRefIterator, ParallelIterator,
};
use rayon::slice::ParallelSliceMut;
use smallvec::SmallVec;

use super::all_ids::AllIds;
use super::fact::{Fact, OrderKey};
use super::facts::Facts;
use super::ids::{NodeId, Space};
use super::slots::Slots;
use crate::time::Time;

/// How many facts a chain from an id to an e-mail may have.
pub const MAX_STEPS: u8 = 8;
/// The distance of an id that leads to no e-mail.
const NOWHERE: u8 = u8::MAX;

/// From `time` on the id is tied to `target`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// When the tie was made.
    pub time: Time,
    /// A user id or an e-mail.
    pub target: NodeId,
}

/// The e-mails that an id leads to, at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Emails {
    /// None.
    None,
    /// One.
    One(NodeId),
    /// Several, sorted; no more than one past the limit that was asked for.
    Several(Box<[NodeId]>),
}

impl Emails {
    fn as_slice(&self) -> &[NodeId] {
        match self {
            Self::None => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(several) => several,
        }
    }
}

/// All timelines. Links that lead to no e-mail are left out, as resolution passes them over, and
/// so are those that tie an id again to what it is tied to already.
#[derive(Debug)]
pub struct Timelines {
    slots: Slots,
    /// By slot.
    spots: Vec<Spot>,
    links: Vec<Link>,
}

/// All that is asked about an id, side by side.
#[derive(Clone, Copy, Debug)]
struct Spot {
    start: u32,
    end: u32,
    /// How many e-mails it leads to, counted no further than one past the limit.
    emails: u32,
    distance: u8,
    leads_through_shared: bool,
}

impl Spot {
    /// That of an id that was never tied to anything.
    const UNTIED: Self =
        Self { start: 0, end: 0, emails: 0, distance: NOWHERE, leads_through_shared: false };
    /// That of an e-mail.
    const EMAIL: Self = Self { emails: 1, distance: 0, ..Self::UNTIED };
}

/// Timelines in the making.
struct Draft<'i> {
    ids: &'i AllIds,
    slots: Slots,
    /// By slot, where its links begin.
    starts: Vec<u32>,
    links: Vec<Link>,
    /// For each link whether it is eclipsed: it counts for what the id leads to at any time, and is
    /// none of its timeline.
    eclipsed: Vec<bool>,
    /// By slot.
    distance: Vec<u8>,
    /// By slot.
    emails: Vec<Emails>,
    /// By slot.
    leads_through_shared: Vec<bool>,
}

/// Enters facts into a draft, sorted ones one after the other.
struct Entry {
    source: Option<NodeId>,
    key: Option<OrderKey>,
    /// The targets of `source` under `key`.
    targets: SmallVec<[NodeId; 4]>,
    /// The latest target of `source`, and the latest one that was eclipsed.
    latest: [Option<NodeId>; 2],
}

impl Timelines {
    /// Keeps what counts of `facts`, which are sorted. E-mails of an id are counted up to one past
    /// `max_emails`.
    ///
    /// # Errors
    /// When facts on disk cannot be read.
    pub fn new(facts: Facts, ids: &AllIds, max_emails: usize) -> io::Result<Self> {
        let mut draft = Draft::of(facts, ids)?;
        draft.measure();
        draft.count_emails(max_emails);
        draft.find_shared(max_emails);
        draft.prune();
        Ok(draft.finish())
    }

    #[inline]
    fn spot(&self, id: NodeId) -> &Spot {
        match self.slots.place(id) {
            Some(place) => &self.spots[place],
            None if self.slots.is_email(id) => &Spot::EMAIL,
            None => &Spot::UNTIED,
        }
    }

    /// Fetches what is known of `id` into the caches, so that the memory of many ids is waited for
    /// at once.
    #[inline]
    pub fn prefetch(&self, id: NodeId) {
        if let Some(place) = self.slots.place(id) {
            prefetch_index(&self.spots, place);
        }
    }

    /// The same of its links.
    #[inline]
    pub fn prefetch_links(&self, id: NodeId) {
        prefetch_index(&self.links, self.spot(id).start as usize);
    }

    /// The links of `id`, by time.
    #[inline]
    pub fn links(&self, id: NodeId) -> &[Link] {
        let &Spot { start, end, .. } = self.spot(id);
        &self.links[start as usize..end as usize]
    }

    /// How many facts the shortest chain from `id` to an e-mail has; `None` where there is no
    /// chain of at most [`MAX_STEPS`].
    #[inline]
    pub fn distance(&self, id: NodeId) -> Option<u8> {
        let distance = self.spot(id).distance;
        (distance != NOWHERE).then_some(distance)
    }

    /// How many e-mails `id` leads to, counted no further than one past the limit.
    #[inline]
    pub fn emails(&self, id: NodeId) -> usize {
        self.spot(id).emails as usize
    }

    /// Whether `id` is tied to a user id that is shared, or leads to one. It may then belong to
    /// e-mails that are not counted as its own.
    #[inline]
    pub fn leads_through_shared(&self, id: NodeId) -> bool {
        self.spot(id).leads_through_shared
    }

    /// The ids of which anything may be known, in the order of their numbers: all others were never
    /// tied to anything.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.slots.ids()
    }

    /// How many bytes of memory they take.
    pub fn bytes(&self) -> usize {
        self.slots.bytes()
            + self.spots.len() * size_of::<Spot>()
            + self.links.len() * size_of::<Link>()
    }
}

impl Entry {
    /// Enters `fact`, which comes after those before.
    fn put(&mut self, draft: &mut Draft<'_>, fact: &Fact) {
        if (self.source, self.key) != (Some(fact.source), Some(fact.key)) {
            self.end_event(draft);
            self.key = Some(fact.key);
        }
        if self.source != Some(fact.source) {
            self.source = Some(fact.source);
            self.latest = [None; 2];
            draft.begin(fact.source);
        }
        if self.targets.last() != Some(&fact.target) {
            self.targets.push(fact.target);
        }
    }

    /// One event can tie an anonymous id both to a user id and to an e-mail; the e-mail is the closer
    /// tie, and eclipses the other.
    fn end_event(&mut self, draft: &mut Draft<'_>) {
        let Some(OrderKey { time, .. }) = self.key else { return };
        let ids = draft.ids;
        let identifies = self.targets.iter().any(|&target| ids.space(target) == Space::Email);
        for target in self.targets.drain(..) {
            let eclipsed = identifies && ids.space(target) == Space::User;
            // Most say the same again.
            if self.latest[usize::from(eclipsed)].replace(target) != Some(target) {
                draft.links.push(Link { time, target });
                draft.eclipsed.push(eclipsed);
            }
        }
    }
}

impl<'i> Draft<'i> {
    /// All `facts` in their order.
    fn of(facts: Facts, ids: &'i AllIds) -> io::Result<Self> {
        let mut draft = Self {
            ids,
            slots: Slots::new(ids),
            starts: Vec::new(),
            links: Vec::new(),
            eclipsed: Vec::new(),
            distance: Vec::new(),
            emails: Vec::new(),
            leads_through_shared: Vec::new(),
        };
        let targets = SmallVec::new();
        let mut entry = Entry { source: None, key: None, targets, latest: [None; 2] };
        match facts {
            Facts::Memory(facts) => {
                draft.starts.reserve_exact(ids.len() + 1);
                facts.iter().for_each(|fact| entry.put(&mut draft, fact));
            }
            Facts::Runs(runs) => runs.each(|fact| entry.put(&mut draft, &fact))?,
        }
        entry.end_event(&mut draft);
        draft.slots.finish();
        let slots = draft.slots.len();
        draft.begin_up_to(slots + 1);
        draft.distance = vec![NOWHERE; slots];
        draft.emails = vec![Emails::None; slots];
        draft.leads_through_shared = vec![false; slots];
        for (slot, id) in draft.slots.ids().enumerate() {
            if ids.space(id) == Space::Email {
                draft.distance[slot] = 0;
                draft.emails[slot] = Emails::One(id);
            }
        }
        Ok(draft)
    }

    /// The links that follow are those of `source`.
    fn begin(&mut self, source: NodeId) {
        let slot = self.slots.push(source);
        self.begin_up_to(slot + 1);
    }

    /// The links that follow are those of the slot before `slots`, and those before it have no more.
    #[allow(clippy::cast_possible_truncation)] // 2^32 links would take 64 GiB
    fn begin_up_to(&mut self, slots: usize) {
        self.starts.resize(slots, self.links.len() as u32);
    }

    fn links(&self, slot: usize) -> &[Link] {
        &self.links[self.starts[slot] as usize..self.starts[slot + 1] as usize]
    }

    fn distance(&self, id: NodeId) -> u8 {
        match self.slots.place(id) {
            Some(slot) => self.distance[slot],
            None if self.slots.is_email(id) => 0,
            None => NOWHERE,
        }
    }

    /// The e-mails that the target of `link` leads to.
    fn emails<'s>(&'s self, link: &'s Link) -> &'s [NodeId] {
        match self.slots.place(link.target) {
            Some(slot) => self.emails[slot].as_slice(),
            None if self.slots.is_email(link.target) => std::slice::from_ref(&link.target),
            None => &[],
        }
    }

    /// The slots of the ids of `space` that were tied to something.
    fn tied(&self, space: Space) -> Vec<usize> {
        let of_space = self.slots.ids().enumerate();
        let of_space = of_space.filter(|&(_, id)| self.ids.space(id) == space);
        of_space.map(|(slot, _)| slot).filter(|&slot| !self.links(slot).is_empty()).collect()
    }

    #[allow(clippy::cast_possible_truncation)] // ids are numbered in 32 bits
    fn finish(self) -> Timelines {
        let Self { slots, starts, links, distance, emails, leads_through_shared, .. } = self;
        let ends = starts.iter().skip(1);
        let of_id = starts.iter().zip(ends).zip(distance).zip(&emails).zip(leads_through_shared);
        let spot = |((((&start, &end), distance), emails), leads_through_shared): (_, bool)| Spot {
            start,
            end,
            emails: Emails::as_slice(emails).len() as u32,
            distance,
            leads_through_shared,
        };
        Timelines { slots, spots: of_id.map(spot).collect(), links }
    }

    /// Breadth first from the e-mails, a round for each step.
    fn measure(&mut self) {
        for step in 1..=MAX_STEPS {
            let reached: Vec<usize> = (0..self.slots.len())
                .into_par_iter()
                .filter(|&slot| {
                    self.distance[slot] == NOWHERE
                        && self.links(slot).iter().any(|link| self.distance(link.target) < step)
                })
                .collect();
            if reached.is_empty() {
                return;
            }
            for slot in reached {
                self.distance[slot] = step;
            }
        }
    }

    /// Leaves the links that resolution looks at.
    #[allow(clippy::cast_possible_truncation)] // never more links than before
    fn prune(&mut self) {
        let mut kept = 0;
        for slot in 0..self.slots.len() {
            let links = self.starts[slot] as usize..self.starts[slot + 1] as usize;
            let start = kept;
            self.starts[slot] = start as u32;
            for place in links {
                let link = self.links[place];
                let repeated = kept > start && self.links[kept - 1].target == link.target;
                if !self.eclipsed[place] && !repeated && self.distance(link.target) != NOWHERE {
                    self.links[kept] = link;
                    kept += 1;
                }
            }
        }
        if let Some(end) = self.starts.last_mut() {
            *end = kept as u32;
        }
        self.links.truncate(kept);
        self.links.shrink_to_fit();
    }

    /// An id's e-mails are its own and those of the user ids that it is tied to, but for user ids
    /// that are shared themselves.
    ///
    /// Round by round, so that a chain of so many steps is seen after as many rounds; ids that no
    /// alias touches are done after the first, anonymous ids after one more.
    fn count_emails(&mut self, max_emails: usize) {
        let mut open = self.tied(Space::User);
        let anonymous = self.tied(Space::Anonymous);
        let is_bridged = |this: &Self, slot: usize| {
            this.links(slot).iter().any(|link| this.ids.space(link.target) == Space::User)
        };
        for _ in 0..MAX_STEPS {
            let found = self.gather_all(&open, max_emails);
            let mut changed = false;
            for (&slot, emails) in open.iter().zip(found) {
                changed |= self.emails[slot] != emails;
                self.emails[slot] = emails;
            }
            open.retain(|&slot| is_bridged(self, slot));
            if !changed || open.is_empty() {
                break;
            }
        }
        let found = self.gather_all(&anonymous, max_emails);
        for (slot, emails) in anonymous.into_iter().zip(found) {
            self.emails[slot] = emails;
        }
    }

    /// Finds the ids that lead to shared user ids: chain by chain as
    /// [`count_emails`](Self::count_emails) does.
    fn find_shared(&mut self, max_emails: usize) {
        let users = self.tied(Space::User);
        let is_shared = |this: &Self, slot: usize| this.emails[slot].as_slice().len() > max_emails;
        if !users.iter().any(|&slot| is_shared(self, slot)) {
            return;
        }
        let leads_there = |this: &Self, slot: usize| {
            this.links(slot).iter().any(|link| {
                let user = this.slots.place(link.target);
                let user = user.filter(|_| this.ids.space(link.target) == Space::User);
                user.is_some_and(|user| is_shared(this, user) || this.leads_through_shared[user])
            })
        };
        let anonymous = self.tied(Space::Anonymous);
        let rounds = std::iter::repeat_n(&users, MAX_STEPS.into()).chain([&anonymous]);
        for open in rounds {
            let is_new =
                |slot: &usize| !self.leads_through_shared[*slot] && leads_there(self, *slot);
            let found: Vec<usize> =
                open.par_iter().with_min_len(1024).copied().filter(is_new).collect();
            for slot in found {
                self.leads_through_shared[slot] = true;
            }
        }
    }

    fn gather_all(&self, slots: &[usize], max_emails: usize) -> Vec<Emails> {
        slots.par_iter().with_min_len(1024).map(|&slot| self.gather(slot, max_emails)).collect()
    }

    /// The e-mails of all that the id of `slot` is tied to, at most one more than `max_emails`.
    fn gather(&self, slot: usize, max_emails: usize) -> Emails {
        let mut several: SmallVec<[NodeId; 8]> = SmallVec::new();
        for link in self.links(slot) {
            let emails = self.emails(link);
            for &email in emails.iter().take_while(|_| emails.len() <= max_emails) {
                if !several.contains(&email) {
                    several.push(email);
                }
            }
            if several.len() > max_emails {
                several.truncate(max_emails + 1);
                break;
            }
        }
        several.sort_unstable();
        match *several {
            [] => Emails::None,
            [one] => Emails::One(one),
            _ => Emails::Several(several.into_boxed_slice()),
        }
    }
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
