//! All leads while events are added to them: in memory, or in parts on disk where they do not fit.

use std::io;

use rayon::ThreadPool;

use super::LEAD_BYTES;
use super::fold::{Leads, Signal, Touch};
use super::rank::{Ranking, Terms};
use super::spilled::{Flush, Gatherer, SpilledLeads};
use crate::engine::exchange::spill::Scratch;
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::{NodeId, Space};

/// All leads.
#[derive(Debug)]
pub enum LeadStore {
    /// In memory.
    Memory(Leads),
    /// In parts on disk.
    Spilled(SpilledLeads),
}

impl LeadStore {
    /// None yet, for the e-mails among `ids`; on disk where that many leads would take more memory
    /// than `scratch` has for them. So many threads will add to them.
    pub fn new(ids: &AllIds, scratch: &Scratch, threads: usize) -> Self {
        let emails = ids.count(Space::Email);
        if emails.saturating_mul(LEAD_BYTES) <= scratch.lead_bytes {
            return Self::Memory(Leads::new(ids));
        }
        let (dir, bytes) = (scratch.dir.clone(), scratch.lead_bytes);
        Self::Spilled(SpilledLeads::new(dir, emails, bytes, threads))
    }

    /// Where a thread adds to them.
    pub fn sink(&self) -> Sink<'_> {
        match self {
            Self::Memory(leads) => Sink::Memory(leads),
            Self::Spilled(spilled) => Sink::Spilled(Gatherer::new(spilled)),
        }
    }

    /// Events that bring the e-mails of these `leads` would have been taken by the service after
    /// all.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn accept(&self, mut leads: impl Iterator<Item = NodeId>) -> io::Result<()> {
        match self {
            Self::Memory(all) => leads.try_for_each(|lead| {
                all.accept(lead);
                Ok(())
            }),
            Self::Spilled(spilled) => spilled.accept(leads),
        }
    }

    /// Scores and ranks all leads, on the threads of `pool`.
    ///
    /// # Errors
    /// When leads on disk cannot be read or written.
    pub fn rank<'a>(
        self,
        terms: Terms<'a>,
        ids: &'a AllIds,
        pool: &ThreadPool,
    ) -> io::Result<Ranking<'a>> {
        match self {
            Self::Memory(leads) => Ok(pool.install(|| leads.rank(&terms, ids))),
            Self::Spilled(spilled) => spilled.rank(terms, ids, pool),
        }
    }
}

/// Where one thread adds to leads.
#[derive(Debug)]
pub enum Sink<'a> {
    /// To all leads, which threads share.
    Memory(&'a Leads),
    /// To those that it has gathered.
    Spilled(Gatherer<'a>),
}

impl Sink<'_> {
    /// Fetches `lead` into the caches.
    #[inline]
    pub fn prefetch(&self, lead: NodeId) {
        if let Self::Memory(leads) = self {
            leads.prefetch(lead);
        }
    }

    /// An identify call.
    pub fn identify(&mut self, touch: &Touch<'_>) {
        match self {
            Self::Memory(leads) => leads.identify(touch),
            Self::Spilled(gatherer) => gatherer.identify(touch),
        }
    }

    /// An event outside of the window: what it says of the person counts, but that it happened
    /// makes no lead.
    pub fn enrich(&mut self, touch: &Touch<'_>) {
        match self {
            Self::Memory(leads) => leads.enrich(touch),
            Self::Spilled(gatherer) => gatherer.enrich(touch),
        }
    }

    /// A signal.
    pub fn signal(&mut self, touch: &Touch<'_>, signal: &Signal<'_>) {
        match self {
            Self::Memory(leads) => leads.signal(touch, signal),
            Self::Spilled(gatherer) => gatherer.signal(touch, signal),
        }
    }

    /// A group call, which makes no lead by itself.
    pub fn group(&mut self, lead: NodeId, key: OrderKey, group: NodeId) {
        match self {
            Self::Memory(leads) => leads.group(lead, key, group),
            Self::Spilled(gatherer) => gatherer.group(lead, key, group),
        }
    }

    /// Writes what was gathered, if it is to be written.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self, when: Flush) -> io::Result<()> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Spilled(gatherer) => gatherer.flush(when),
        }
    }
}
