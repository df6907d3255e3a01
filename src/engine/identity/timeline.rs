//! For each id, whom it was tied to and when: the facts in order, without those that change
//! nothing.

use prefetch_index::prefetch_index;
use rayon::iter::{
    IndexedParallelIterator, IntoParallelIterator, IntoParallelRefIterator, ParallelIterator,
};
use rayon::slice::ParallelSliceMut;
use smallvec::SmallVec;

use super::fact::Fact;
use super::ids::{Ids, NodeId, Space};
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

/// Timelines in the making.
struct Draft<'f> {
    /// All facts, sorted.
    facts: &'f [Fact],
    /// Where the facts of each id begin.
    fact_starts: Vec<u32>,
    starts: Vec<u32>,
    links: Vec<Link>,
    distance: Vec<u8>,
    emails: Vec<Emails>,
    leads_through_shared: Vec<bool>,
}

impl Timelines {
    /// Orders `facts` and keeps what counts. E-mails of an id are counted up to one past
    /// `max_emails`.
    pub fn new(facts: &mut [Fact], ids: &Ids, max_emails: usize) -> Self {
        sort(facts, ids);
        let mut draft = Draft {
            facts,
            fact_starts: Vec::with_capacity(ids.len() + 1),
            starts: Vec::with_capacity(ids.len() + 1),
            links: Vec::new(),
            distance: vec![NOWHERE; ids.len()],
            emails: vec![Emails::None; ids.len()],
            leads_through_shared: vec![false; ids.len()],
        };
        draft.fill(ids);
        draft.measure(ids);
        draft.prune();
        draft.count_emails(ids, max_emails);
        draft.find_shared(ids, max_emails);
        draft.finish()
    }

    /// Fetches what is known of `id` into the caches, so that the memory of many ids is waited for
    /// at once.
    #[inline]
    pub fn prefetch(&self, id: NodeId) {
        prefetch_index(&self.spots, id.index());
    }

    /// The same of its links.
    #[inline]
    pub fn prefetch_links(&self, id: NodeId) {
        prefetch_index(&self.links, self.spots[id.index()].start as usize);
    }

    /// The links of `id`, by time.
    #[inline]
    pub fn links(&self, id: NodeId) -> &[Link] {
        let Spot { start, end, .. } = self.spots[id.index()];
        &self.links[start as usize..end as usize]
    }

    /// How many facts the shortest chain from `id` to an e-mail has; `None` where there is no
    /// chain of at most [`MAX_STEPS`].
    #[inline]
    pub fn distance(&self, id: NodeId) -> Option<u8> {
        let distance = self.spots[id.index()].distance;
        (distance != NOWHERE).then_some(distance)
    }

    /// How many e-mails `id` leads to, counted no further than one past the limit.
    #[inline]
    pub fn emails(&self, id: NodeId) -> usize {
        self.spots[id.index()].emails as usize
    }

    /// Whether `id` is tied to a user id that is shared, or leads to one. It may then belong to
    /// e-mails that are not counted as its own.
    #[inline]
    pub fn leads_through_shared(&self, id: NodeId) -> bool {
        self.spots[id.index()].leads_through_shared
    }
}

impl Draft<'_> {
    fn facts(&self, id: NodeId) -> &[Fact] {
        let place = id.index();
        &self.facts[self.fact_starts[place] as usize..self.fact_starts[place + 1] as usize]
    }

    fn links(&self, id: NodeId) -> &[Link] {
        let place = id.index();
        &self.links[self.starts[place] as usize..self.starts[place + 1] as usize]
    }

    #[allow(clippy::cast_possible_truncation)] // ids are numbered in 32 bits
    fn finish(self) -> Timelines {
        let Self { starts, links, distance, emails, leads_through_shared, .. } = self;
        let ends = starts.iter().skip(1);
        let of_id = starts.iter().zip(ends).zip(distance).zip(&emails).zip(leads_through_shared);
        let spot = |((((&start, &end), distance), emails), leads_through_shared): (_, bool)| Spot {
            start,
            end,
            emails: Emails::as_slice(emails).len() as u32,
            distance,
            leads_through_shared,
        };
        Timelines { spots: of_id.map(spot).collect(), links }
    }

    #[allow(clippy::cast_possible_truncation)] // 2^32 links would take 64 GiB
    fn fill(&mut self, ids: &Ids) {
        let mut rest = self.facts;
        for id in 0..ids.len() {
            self.fact_starts.push((self.facts.len() - rest.len()) as u32);
            self.starts.push(self.links.len() as u32);
            while let Some((fact, later)) = rest.split_first()
                && fact.source.index() == id
            {
                rest = later;
                // One event can tie an anonymous id both to a user id and to an e-mail; the
                // e-mail is the closer tie, and sorted it comes last.
                let eclipsed = ids.space(fact.target) == Space::User
                    && later
                        .iter()
                        .take_while(|next| next.source == fact.source && next.key == fact.key)
                        .any(|next| ids.space(next.target) == Space::Email);
                if !eclipsed {
                    self.links.push(Link { time: fact.key.time, target: fact.target });
                }
            }
        }
        self.fact_starts.push(self.facts.len() as u32);
        self.starts.push(self.links.len() as u32);
    }

    /// Breadth first from the e-mails, a round for each step.
    fn measure(&mut self, ids: &Ids) {
        for (id, space) in ids.iter() {
            if space == Space::Email {
                self.distance[id.index()] = 0;
            }
        }
        for step in 1..=MAX_STEPS {
            #[allow(clippy::cast_possible_truncation)] // ids are numbered in 32 bits
            let reached: Vec<NodeId> = (0..ids.len() as u32)
                .into_par_iter()
                .map(NodeId::from_raw)
                .filter(|&id| {
                    self.distance[id.index()] == NOWHERE
                        && self.links(id).iter().any(|l| self.distance[l.target.index()] < step)
                })
                .collect();
            if reached.is_empty() {
                return;
            }
            for id in reached {
                self.distance[id.index()] = step;
            }
        }
    }

    #[allow(clippy::cast_possible_truncation)] // never more links than before
    fn prune(&mut self) {
        let mut kept = 0;
        for id in 0..self.starts.len().saturating_sub(1) {
            let links = self.starts[id] as usize..self.starts[id + 1] as usize;
            let start = kept;
            self.starts[id] = start as u32;
            for place in links {
                let link = self.links[place];
                let repeated = kept > start && self.links[kept - 1].target == link.target;
                if !repeated && self.distance[link.target.index()] != NOWHERE {
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
    fn count_emails(&mut self, ids: &Ids, max_emails: usize) {
        let of_space = |wanted| {
            let these = ids.iter().filter(move |&(_, space)| space == wanted);
            these.map(|(id, _)| id).filter(|&id| !self.facts(id).is_empty()).collect::<Vec<_>>()
        };
        let mut open = of_space(Space::User);
        let anonymous = of_space(Space::Anonymous);
        for (id, space) in ids.iter() {
            if space == Space::Email {
                self.emails[id.index()] = Emails::One(id);
            }
        }
        let is_bridged = |this: &Self, id| {
            this.facts(id).iter().any(|fact| ids.space(fact.target) == Space::User)
        };
        for _ in 0..MAX_STEPS {
            let found = self.gather_all(&open, max_emails);
            let mut changed = false;
            for (&id, emails) in open.iter().zip(found) {
                changed |= self.emails[id.index()] != emails;
                self.emails[id.index()] = emails;
            }
            open.retain(|&id| is_bridged(self, id));
            if !changed || open.is_empty() {
                break;
            }
        }
        let found = self.gather_all(&anonymous, max_emails);
        for (id, emails) in anonymous.into_iter().zip(found) {
            self.emails[id.index()] = emails;
        }
    }

    /// Finds the ids that lead to shared user ids: chain by chain as
    /// [`count_emails`](Self::count_emails) does.
    fn find_shared(&mut self, ids: &Ids, max_emails: usize) {
        let of_space =
            |wanted| ids.iter().filter(move |&(_, space)| space == wanted).map(|(id, _)| id);
        let is_shared =
            |this: &Self, id: NodeId| this.emails[id.index()].as_slice().len() > max_emails;
        if !of_space(Space::User).any(|id| is_shared(self, id)) {
            return;
        }
        let leads_there = |this: &Self, id: NodeId| {
            let mut targets = this.facts(id).iter().map(|fact| fact.target);
            targets.any(|target| {
                ids.space(target) == Space::User
                    && (is_shared(this, target) || this.leads_through_shared[target.index()])
            })
        };
        let users: Vec<NodeId> = of_space(Space::User).collect();
        let anonymous: Vec<NodeId> = of_space(Space::Anonymous).collect();
        let rounds = std::iter::repeat_n(&users, MAX_STEPS.into()).chain([&anonymous]);
        for open in rounds {
            let is_new =
                |id: &NodeId| !self.leads_through_shared[id.index()] && leads_there(self, *id);
            let found: Vec<NodeId> =
                open.par_iter().with_min_len(1024).copied().filter(is_new).collect();
            for id in found {
                self.leads_through_shared[id.index()] = true;
            }
        }
    }

    fn gather_all(&self, ids: &[NodeId], max_emails: usize) -> Vec<Emails> {
        ids.par_iter().with_min_len(1024).map(|&id| self.gather(id, max_emails)).collect()
    }

    /// The e-mails of all that `id` is tied to, at most one more than `max_emails`.
    fn gather(&self, id: NodeId, max_emails: usize) -> Emails {
        let mut several: SmallVec<[NodeId; 8]> = SmallVec::new();
        let mut last = None;
        for target in self.facts(id).iter().map(|fact| fact.target) {
            // Most say the same again.
            if last.replace(target) == Some(target) {
                continue;
            }
            let emails = self.emails[target.index()].as_slice();
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
pub fn sort(facts: &mut [Fact], ids: &Ids) {
    facts.par_sort_unstable_by(|a, b| {
        a.source.cmp(&b.source).then_with(|| a.key.cmp(&b.key)).then_with(|| {
            let by_space = ids.space(a.target).cmp(&ids.space(b.target));
            by_space.then_with(|| ids.text(a.target).cmp(ids.text(b.target)))
        })
    });
}
