//! The store of all leads while events are added: in memory, or as parts on disk if they do not
//! fit.

use std::io;

use rayon::ThreadPool;

use super::LEAD_BYTES;
use super::fold::{Leads, Signal, Touch};
use super::rank::{Ranking, Terms};
use super::spilled::{Flush, LeadCollector, SpilledLeads};
use crate::engine::exchange::spill::Scratch;
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::{NodeId, Space};

/// All leads.
#[derive(Debug)]
pub enum LeadStore {
    /// In memory.
    Memory(Leads),
    /// As parts on disk.
    Spilled(SpilledLeads),
}

impl LeadStore {
    /// Creates a store for the e-mails of `ids`, to which the threads of `pool` add events. It is on
    /// disk if a lead for each e-mail exceeds the memory that `scratch` has for leads.
    pub fn new(ids: &AllIds, scratch: &Scratch, pool: &ThreadPool) -> Self {
        let emails = ids.count(Space::Email);
        if emails.saturating_mul(LEAD_BYTES) <= scratch.lead_bytes {
            return Self::Memory(pool.install(|| Leads::new(ids)));
        }
        let (dir, bytes) = (scratch.dir.clone(), scratch.lead_bytes);
        Self::Spilled(SpilledLeads::new(dir, emails, bytes, pool.current_num_threads()))
    }

    /// Returns what a thread adds events to.
    pub fn sink(&self) -> Sink<'_> {
        match self {
            Self::Memory(leads) => Sink::Memory(leads),
            Self::Spilled(spilled) => Sink::Spilled(LeadCollector::new(spilled)),
        }
    }

    /// Marks `leads` as accepted: the service would have accepted an event that brings their
    /// e-mail.
    ///
    /// # Errors
    /// Returns an error if the marks cannot be written.
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
    /// Returns an error if leads on disk cannot be read or written.
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

/// What one thread adds events to.
#[derive(Debug)]
pub enum Sink<'a> {
    /// The leads in memory, which all threads share.
    Memory(&'a Leads),
    /// The leads that the thread collects.
    Spilled(LeadCollector<'a>),
}

impl Sink<'_> {
    /// Prefetches `lead`.
    #[inline]
    pub fn prefetch(&self, lead: NodeId) {
        if let Self::Memory(leads) = self {
            leads.prefetch(lead);
        }
    }

    /// Adds an identify call.
    pub fn identify(&mut self, touch: &Touch<'_>) {
        match self {
            Self::Memory(leads) => leads.identify(touch),
            Self::Spilled(collector) => collector.identify(touch),
        }
    }

    /// Adds an event outside of the window, which enriches a lead but does not create one.
    pub fn enrich(&mut self, touch: &Touch<'_>) {
        match self {
            Self::Memory(leads) => leads.enrich(touch),
            Self::Spilled(collector) => collector.enrich(touch),
        }
    }

    /// Adds a signal.
    pub fn signal(&mut self, touch: &Touch<'_>, signal: &Signal<'_>) {
        match self {
            Self::Memory(leads) => leads.signal(touch, signal),
            Self::Spilled(collector) => collector.signal(touch, signal),
        }
    }

    /// Adds a group call, which does not create a lead.
    pub fn group(&mut self, lead: NodeId, key: OrderKey, group: NodeId) {
        match self {
            Self::Memory(leads) => leads.group(lead, key, group),
            Self::Spilled(collector) => collector.group(lead, key, group),
        }
    }

    /// Writes collected leads, if any, as `when` demands.
    ///
    /// # Errors
    /// Returns an error if the leads cannot be written.
    pub fn flush(&mut self, when: Flush) -> io::Result<()> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Spilled(collector) => collector.flush(when),
        }
    }
}
