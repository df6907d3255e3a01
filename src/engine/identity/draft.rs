//! The construction of timelines.

use std::io;

use rayon::iter::{
    IndexedParallelIterator, IntoParallelIterator, IntoParallelRefIterator, ParallelIterator,
};
use smallvec::SmallVec;

use super::all_ids::AllIds;
use super::anonymous::AnonymousWriter;
use super::fact::{Fact, OrderKey};
use super::ids::{NodeId, Space};
use super::slots::Slots;
use super::timeline::{Link, MAX_STEPS, NOWHERE, Spot, Spots, Summary};

/// The e-mails that an id resolves to at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Emails {
    /// None.
    None,
    /// One.
    One(NodeId),
    /// Several, sorted; at most one more than the limit.
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

/// A receiver of the links of one id after another. Links to the target of the previous link are
/// left out.
trait Ties {
    /// Begins the links of `source`.
    fn begin(&mut self, source: NodeId) -> io::Result<()>;

    /// Adds a link. An eclipsed link counts for the e-mails of the id, but is not part of its
    /// timeline.
    fn put(&mut self, link: Link, eclipsed: bool);
}

/// Converts sorted facts to links.
#[derive(Default)]
struct Entry {
    source: Option<NodeId>,
    key: Option<OrderKey>,
    /// The targets of `source` in the event of `key`.
    targets: SmallVec<[NodeId; 4]>,
    /// The previous target of `source`, and the previous eclipsed one.
    latest: [Option<NodeId>; 2],
}

impl Entry {
    /// Adds `fact`; facts must be added in order.
    fn put(&mut self, ids: &AllIds, fact: &Fact, ties: &mut impl Ties) -> io::Result<()> {
        if (self.source, self.key) != (Some(fact.source), Some(fact.key)) {
            self.end_event(ids, ties);
            self.key = Some(fact.key);
        }
        if self.source != Some(fact.source) {
            self.source = Some(fact.source);
            self.latest = [None; 2];
            ties.begin(fact.source)?;
        }
        if self.targets.last() != Some(&fact.target) {
            self.targets.push(fact.target);
        }
        Ok(())
    }

    /// One event can connect an anonymous id to both a user id and an e-mail. The e-mail is the
    /// closer connection, and eclipses the user id.
    fn end_event(&mut self, ids: &AllIds, ties: &mut impl Ties) {
        let Some(OrderKey { time, .. }) = self.key else { return };
        let identifies = self.targets.iter().any(|&target| ids.space(target) == Space::Email);
        for target in self.targets.drain(..) {
            let eclipsed = identifies && ids.space(target) == Space::User;
            // Most links repeat the previous target.
            if self.latest[usize::from(eclipsed)].replace(target) != Some(target) {
                ties.put(Link { time, target }, eclipsed);
            }
        }
    }
}

/// The timelines under construction. Lists by slot are indexed by [`Slots`].
pub(super) struct Draft<'i> {
    ids: &'i AllIds,
    max_emails: usize,
    slots: Slots,
    /// By slot, the index of the first link.
    starts: Vec<u32>,
    links: Vec<Link>,
    /// For each link, whether it is eclipsed.
    eclipsed: Vec<bool>,
    /// By slot, the number of links to the nearest e-mail.
    distance: Vec<u8>,
    /// By slot, the e-mails that it resolves to.
    emails: Vec<Emails>,
    /// By slot, whether it leads to a shared user id.
    leads_through_shared: Vec<bool>,
}

impl Ties for Draft<'_> {
    fn begin(&mut self, source: NodeId) -> io::Result<()> {
        let slot = self.slots.push(source);
        self.begin_up_to(slot + 1);
        Ok(())
    }

    fn put(&mut self, link: Link, eclipsed: bool) {
        self.links.push(link);
        self.eclipsed.push(eclipsed);
    }
}

impl<'i> Draft<'i> {
    /// Builds the timelines of the facts that `each` passes in order. E-mails of an id are counted
    /// up to one more than `max_emails`.
    pub fn of(
        ids: &'i AllIds,
        max_emails: usize,
        each: impl FnOnce(&mut dyn FnMut(&Fact)) -> io::Result<()>,
    ) -> io::Result<Self> {
        let mut draft = Self {
            ids,
            max_emails,
            slots: Slots::new(ids),
            starts: Vec::new(),
            links: Vec::new(),
            eclipsed: Vec::new(),
            distance: Vec::new(),
            emails: Vec::new(),
            leads_through_shared: Vec::new(),
        };
        let (mut entry, mut result) = (Entry::default(), Ok(()));
        each(&mut |fact| {
            if result.is_ok() {
                result = entry.put(ids, fact, &mut draft);
            }
        })?;
        result?;
        entry.end_event(ids, &mut draft);
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
        draft.measure();
        draft.count_emails();
        draft.find_shared();
        Ok(draft)
    }

    /// Ends the links of all slots before the last of `slots`, and begins those of that one.
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

    /// Returns the e-mails of the target of `link`.
    fn emails<'s>(&'s self, link: &'s Link) -> &'s [NodeId] {
        match self.slots.place(link.target) {
            Some(slot) => self.emails[slot].as_slice(),
            None if self.slots.is_email(link.target) => std::slice::from_ref(&link.target),
            None => &[],
        }
    }

    /// Returns the slots of the ids of `space` that have links.
    fn tied(&self, space: Space) -> Vec<usize> {
        let of_space = self.slots.ids().enumerate();
        let of_space = of_space.filter(|&(_, id)| self.ids.space(id) == space);
        of_space.map(|(slot, _)| slot).filter(|&slot| !self.links(slot).is_empty()).collect()
    }

    /// Returns the finished timelines.
    #[allow(clippy::cast_possible_truncation)] // ids are numbered in 32 bits
    pub fn finish(mut self) -> Spots {
        self.prune();
        let Self { slots, starts, links, distance, emails, leads_through_shared, .. } = self;
        let ends = starts.iter().skip(1);
        let of_id = starts.iter().zip(ends).zip(distance).zip(&emails).zip(leads_through_shared);
        let spot = |((((&start, &end), distance), emails), leads_through_shared): (_, bool)| {
            let emails = Emails::as_slice(emails).len() as u32;
            Spot { start, end, summary: Summary { emails, distance, leads_through_shared } }
        };
        Spots { by_slot: of_id.map(spot).collect(), slots, links }
    }

    /// Computes distances breadth-first from the e-mails, one round per step.
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

    /// Removes links that resolution ignores.
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

    /// Counts e-mails: those of an id are its own and those of the user ids that it is connected
    /// to, except for user ids that are shared themselves.
    ///
    /// Each round extends chains of user ids by one step. Ids without aliases are complete after
    /// the first round, and anonymous ids need one more after the last.
    fn count_emails(&mut self) {
        let mut open = self.tied(Space::User);
        let anonymous = self.tied(Space::Anonymous);
        let is_bridged = |this: &Self, slot: usize| {
            this.links(slot).iter().any(|link| this.ids.space(link.target) == Space::User)
        };
        for _ in 0..MAX_STEPS {
            let found = self.gather_all(&open);
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
        let found = self.gather_all(&anonymous);
        for (slot, emails) in anonymous.into_iter().zip(found) {
            self.emails[slot] = emails;
        }
    }

    /// Finds the ids that lead to shared user ids, in rounds as in
    /// [`count_emails`](Self::count_emails).
    fn find_shared(&mut self) {
        let users = self.tied(Space::User);
        if !users.iter().any(|&slot| self.is_shared(slot)) {
            return;
        }
        let anonymous = self.tied(Space::Anonymous);
        let rounds = std::iter::repeat_n(&users, MAX_STEPS.into()).chain([&anonymous]);
        for open in rounds {
            let is_new = |slot: &usize| {
                !self.leads_through_shared[*slot] && self.lead_through_shared(self.links(*slot))
            };
            let found: Vec<usize> =
                open.par_iter().with_min_len(1024).copied().filter(is_new).collect();
            for slot in found {
                self.leads_through_shared[slot] = true;
            }
        }
    }

    fn is_shared(&self, slot: usize) -> bool {
        self.emails[slot].as_slice().len() > self.max_emails
    }

    /// Returns whether one of `links` leads to a shared user id, directly or through other user
    /// ids.
    fn lead_through_shared(&self, links: &[Link]) -> bool {
        links.iter().any(|link| {
            let user = self.slots.place(link.target);
            let user = user.filter(|_| self.ids.space(link.target) == Space::User);
            user.is_some_and(|user| self.is_shared(user) || self.leads_through_shared[user])
        })
    }

    fn gather_all(&self, slots: &[usize]) -> Vec<Emails> {
        let gather = |&slot: &usize| self.gather(self.links(slot));
        slots.par_iter().with_min_len(1024).map(gather).collect()
    }

    /// Returns the e-mails of the targets of `links`, at most one more than the limit.
    fn gather(&self, links: &[Link]) -> Emails {
        let max_emails = self.max_emails;
        let mut several: SmallVec<[NodeId; 8]> = SmallVec::new();
        for link in links {
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

    /// Returns a builder of timelines of ids that are not the target of any link.
    pub fn follow(&self) -> Follower<'_> {
        Follower {
            draft: self,
            entry: Entry::default(),
            source: None,
            links: Vec::new(),
            eclipsed: Vec::new(),
        }
    }
}

/// Builds the timelines of ids that are not the target of any link, one after another, by the links
/// of a draft.
pub(super) struct Follower<'d> {
    draft: &'d Draft<'d>,
    entry: Entry,
    source: Option<NodeId>,
    links: Vec<Link>,
    eclipsed: Vec<bool>,
}

/// A follower with the writer of its timelines.
struct Following<'f, 'd, 's> {
    draft: &'d Draft<'d>,
    source: &'f mut Option<NodeId>,
    links: &'f mut Vec<Link>,
    eclipsed: &'f mut Vec<bool>,
    writer: &'f mut AnonymousWriter<'s>,
}

impl Follower<'_> {
    /// Adds `fact`; facts must be added in order. A timeline that is complete is passed to
    /// `writer`.
    ///
    /// # Errors
    /// Returns an error if the timeline cannot be written.
    pub fn put(&mut self, fact: &Fact, writer: &mut AnonymousWriter<'_>) -> io::Result<()> {
        let Self { draft, entry, source, links, eclipsed } = self;
        let mut following = Following { draft, source, links, eclipsed, writer };
        entry.put(draft.ids, fact, &mut following)
    }

    /// Writes the last timeline.
    ///
    /// # Errors
    /// Returns an error if it cannot be written.
    pub fn finish(mut self, writer: &mut AnonymousWriter<'_>) -> io::Result<()> {
        let Self { draft, entry, source, links, eclipsed } = &mut self;
        let mut following = Following { draft, source, links, eclipsed, writer };
        entry.end_event(draft.ids, &mut following);
        following.end()
    }
}

impl Following<'_, '_, '_> {
    fn end(&mut self) -> io::Result<()> {
        let Some(source) = self.source.take() else { return Ok(()) };
        let draft = self.draft;
        let nearest = self.links.iter().map(|link| draft.distance(link.target)).min();
        let distance = nearest.filter(|&nearest| nearest < MAX_STEPS).map_or(NOWHERE, |d| d + 1);
        #[allow(clippy::cast_possible_truncation)] // one more than a limit of 32 bits at most
        let emails = draft.gather(self.links).as_slice().len() as u32;
        let leads_through_shared = draft.lead_through_shared(self.links);
        let mut kept = 0;
        for place in 0..self.links.len() {
            let link = self.links[place];
            let repeated = kept > 0 && self.links[kept - 1].target == link.target;
            if !self.eclipsed[place] && !repeated && draft.distance(link.target) != NOWHERE {
                self.links[kept] = link;
                kept += 1;
            }
        }
        let summary = Summary { emails, distance, leads_through_shared };
        self.writer.put(source, &self.links[..kept], summary)
    }
}

impl Ties for Following<'_, '_, '_> {
    fn begin(&mut self, source: NodeId) -> io::Result<()> {
        self.end()?;
        *self.source = Some(source);
        self.links.clear();
        self.eclipsed.clear();
        Ok(())
    }

    fn put(&mut self, link: Link, eclipsed: bool) {
        self.links.push(link);
        self.eclipsed.push(eclipsed);
    }
}
