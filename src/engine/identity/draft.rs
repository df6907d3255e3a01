//! The construction of timelines.

use std::io;

use rayon::iter::{
    IndexedParallelIterator, IntoParallelIterator, IntoParallelRefIterator, ParallelIterator,
};
use smallvec::SmallVec;

use super::all_ids::AllIds;
use super::anonymous::AnonymousWriter;
use super::entry_index::EntryIndex;
use super::fact::Fact;
use super::ids::{NodeId, Space};
use super::links::{LinkSink, LinkWriter, Section, link_number};
use super::timeline::{Link, MAX_STEPS, NOWHERE, Summary, TimelineEntry, TimelineTable};

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

/// The timelines under construction. Lists by entry are indexed by [`EntryIndex`].
pub(super) struct Draft<'i> {
    ids: &'i AllIds,
    max_emails: usize,
    index: EntryIndex,
    /// By entry, the index of the first link.
    starts: Vec<u32>,
    links: Vec<Link>,
    /// For each link, whether it is eclipsed.
    eclipsed: Vec<bool>,
    /// By entry, the number of links to the nearest e-mail.
    distance: Vec<u8>,
    /// By entry, the e-mails that it resolves to.
    emails: Vec<Emails>,
    /// By entry, whether it leads to a shared user id.
    leads_through_shared: Vec<bool>,
}

impl<'i> Draft<'i> {
    /// Builds the timelines of the facts that `each` passes in order. E-mails of an id are counted
    /// up to one more than `max_emails`.
    pub fn of(
        ids: &'i AllIds,
        max_emails: usize,
        each: impl FnOnce(&mut dyn FnMut(&Fact)) -> io::Result<()>,
    ) -> io::Result<Self> {
        let (mut link_writer, mut section) = (LinkWriter::default(), Section::default());
        each(&mut |fact| {
            let Ok(()) = link_writer.put(ids, fact, &mut section);
        })?;
        link_writer.end_event(ids, &mut section);
        Ok(Self::of_sections(ids, max_emails, vec![section]))
    }

    /// Builds the timelines of sorted `facts`, on all threads of the current pool. E-mails of an id
    /// are counted up to one more than `max_emails`.
    pub fn of_sorted(ids: &'i AllIds, max_emails: usize, facts: &[Fact]) -> Self {
        Self::of_sections(ids, max_emails, Section::of_sorted(ids, facts))
    }

    /// Builds the timelines of consecutive sections.
    fn of_sections(ids: &'i AllIds, max_emails: usize, sections: Vec<Section>) -> Self {
        let links = sections.iter().map(|section| section.links.len()).sum::<usize>();
        let mut draft = Self {
            ids,
            max_emails,
            index: EntryIndex::new(ids),
            starts: Vec::new(),
            links: Vec::new(),
            eclipsed: Vec::new(),
            distance: Vec::new(),
            emails: Vec::new(),
            leads_through_shared: Vec::new(),
        };
        for section in sections {
            draft.append(section);
            draft.links.reserve_exact(links - draft.links.len());
            draft.eclipsed.reserve_exact(links - draft.eclipsed.len());
        }
        draft.index.finish();
        let len = draft.index.len();
        draft.starts.resize(len + 1, link_number(draft.links.len()));
        draft.distance = vec![NOWHERE; len];
        draft.emails = vec![Emails::None; len];
        draft.leads_through_shared = vec![false; len];
        for (entry, id) in draft.index.ids().enumerate() {
            if ids.space(id) == Space::Email {
                draft.distance[entry] = 0;
                draft.emails[entry] = Emails::One(id);
            }
        }
        draft.measure();
        let (users, anonymous) = (draft.tied(Space::User), draft.tied(Space::Anonymous));
        draft.count_emails(users.clone(), &anonymous);
        draft.find_shared(&users, &anonymous);
        draft
    }

    /// Adds the links of `section`, whose sources have larger numbers than those before.
    fn append(&mut self, section: Section) {
        let before = link_number(self.links.len());
        for (source, start) in section.starts {
            let entry = self.index.push(source);
            // Ends the links of all entries before.
            self.starts.resize(entry + 1, before + start);
        }
        if self.links.is_empty() {
            // A single section, which can be large, is not copied.
            (self.links, self.eclipsed) = (section.links, section.eclipsed);
        } else {
            self.links.extend(section.links);
            self.eclipsed.extend(section.eclipsed);
        }
    }

    fn links(&self, entry: usize) -> &[Link] {
        &self.links[self.starts[entry] as usize..self.starts[entry + 1] as usize]
    }

    fn distance(&self, id: NodeId) -> u8 {
        match self.index.position(id) {
            Some(entry) => self.distance[entry],
            None if self.index.is_email(id) => 0,
            None => NOWHERE,
        }
    }

    /// Returns the e-mails of the target of `link`.
    fn emails<'s>(&'s self, link: &'s Link) -> &'s [NodeId] {
        match self.index.position(link.target) {
            Some(entry) => self.emails[entry].as_slice(),
            None if self.index.is_email(link.target) => std::slice::from_ref(&link.target),
            None => &[],
        }
    }

    /// Returns the entries of the ids of `space` that have links.
    fn tied(&self, space: Space) -> Vec<usize> {
        let of_space = self.index.ids().enumerate();
        let of_space = of_space.filter(|&(_, id)| self.ids.space(id) == space);
        of_space.map(|(entry, _)| entry).filter(|&entry| !self.links(entry).is_empty()).collect()
    }

    /// Returns the finished timelines.
    #[allow(clippy::cast_possible_truncation)] // ids are numbered in 32 bits
    pub fn finish(mut self) -> TimelineTable {
        self.prune();
        let Self { index, starts, links, distance, emails, leads_through_shared, .. } = self;
        let ends = starts.iter().skip(1);
        let of_id = starts.iter().zip(ends).zip(distance).zip(&emails).zip(leads_through_shared);
        let entry = |((((&start, &end), distance), emails), leads_through_shared): (_, bool)| {
            let emails = Emails::as_slice(emails).len() as u32;
            TimelineEntry {
                start,
                end,
                summary: Summary { emails, distance, leads_through_shared },
            }
        };
        TimelineTable { entries: of_id.map(entry).collect(), index, links }
    }

    /// Computes distances breadth-first from the e-mails, one round per step.
    fn measure(&mut self) {
        for step in 1..=MAX_STEPS {
            let reached: Vec<usize> = (0..self.index.len())
                .into_par_iter()
                .filter(|&entry| {
                    self.distance[entry] == NOWHERE
                        && self.links(entry).iter().any(|link| self.distance(link.target) < step)
                })
                .collect();
            if reached.is_empty() {
                return;
            }
            for entry in reached {
                self.distance[entry] = step;
            }
        }
    }

    /// Removes links that resolution ignores.
    #[allow(clippy::cast_possible_truncation)] // never more links than before
    fn prune(&mut self) {
        let mut kept = 0;
        for entry in 0..self.index.len() {
            let links = self.starts[entry] as usize..self.starts[entry + 1] as usize;
            let start = kept;
            self.starts[entry] = start as u32;
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
    ///
    /// `open` are the entries of user ids with links, and `anonymous` those of anonymous ids.
    fn count_emails(&mut self, mut open: Vec<usize>, anonymous: &[usize]) {
        let is_bridged = |this: &Self, entry: usize| {
            this.links(entry).iter().any(|link| this.ids.space(link.target) == Space::User)
        };
        for _ in 0..MAX_STEPS {
            let found = self.gather_all(&open);
            let mut changed = false;
            for (&entry, emails) in open.iter().zip(found) {
                changed |= self.emails[entry] != emails;
                self.emails[entry] = emails;
            }
            open.retain(|&entry| is_bridged(self, entry));
            if !changed || open.is_empty() {
                break;
            }
        }
        let found = self.gather_all(anonymous);
        for (&entry, emails) in anonymous.iter().zip(found) {
            self.emails[entry] = emails;
        }
    }

    /// Finds the ids that lead to shared user ids, in rounds as in
    /// [`count_emails`](Self::count_emails).
    fn find_shared(&mut self, users: &[usize], anonymous: &[usize]) {
        if !users.iter().any(|&entry| self.is_shared(entry)) {
            return;
        }
        let rounds = std::iter::repeat_n(users, MAX_STEPS.into()).chain([anonymous]);
        for open in rounds {
            let is_new = |entry: &usize| {
                !self.leads_through_shared[*entry] && self.lead_through_shared(self.links(*entry))
            };
            let found: Vec<usize> =
                open.par_iter().with_min_len(1024).copied().filter(is_new).collect();
            for entry in found {
                self.leads_through_shared[entry] = true;
            }
        }
    }

    fn is_shared(&self, entry: usize) -> bool {
        self.emails[entry].as_slice().len() > self.max_emails
    }

    /// Returns whether one of `links` leads to a shared user id, directly or through other user
    /// ids.
    fn lead_through_shared(&self, links: &[Link]) -> bool {
        links.iter().any(|link| {
            let user = self.index.position(link.target);
            let user = user.filter(|_| self.ids.space(link.target) == Space::User);
            user.is_some_and(|user| self.is_shared(user) || self.leads_through_shared[user])
        })
    }

    fn gather_all(&self, entries: &[usize]) -> Vec<Emails> {
        let gather = |&entry: &usize| self.gather(self.links(entry));
        entries.par_iter().with_min_len(1024).map(gather).collect()
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
            link_writer: LinkWriter::default(),
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
    link_writer: LinkWriter,
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
        let Self { draft, link_writer, source, links, eclipsed } = self;
        let mut following = Following { draft, source, links, eclipsed, writer };
        link_writer.put(draft.ids, fact, &mut following)
    }

    /// Writes the last timeline.
    ///
    /// # Errors
    /// Returns an error if it cannot be written.
    pub fn finish(mut self, writer: &mut AnonymousWriter<'_>) -> io::Result<()> {
        let Self { draft, link_writer, source, links, eclipsed } = &mut self;
        let mut following = Following { draft, source, links, eclipsed, writer };
        link_writer.end_event(draft.ids, &mut following);
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

impl LinkSink for Following<'_, '_, '_> {
    type Error = io::Error;

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
