//! The conversion of sorted facts to links.

use std::convert::Infallible;

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use smallvec::SmallVec;

use super::all_ids::AllIds;
use super::fact::{Fact, OrderKey};
use super::ids::{NodeId, Space};
use super::timeline::Link;

/// The number of sections that facts are divided into, for each thread.
const SECTIONS_PER_THREAD: usize = 4;

/// A receiver of the links of one id after another. Links to the target of the previous link are
/// left out.
pub(super) trait LinkSink {
    /// Why links cannot be received.
    type Error;

    /// Begins the links of `source`.
    fn begin(&mut self, source: NodeId) -> Result<(), Self::Error>;

    /// Adds a link. An eclipsed link counts for the e-mails of the id, but is not part of its
    /// timeline.
    fn put(&mut self, link: Link, eclipsed: bool);
}

/// Converts sorted facts to links.
#[derive(Default)]
pub(super) struct LinkWriter {
    source: Option<NodeId>,
    key: Option<OrderKey>,
    /// The targets of `source` in the event of `key`.
    targets: SmallVec<[NodeId; 4]>,
    /// The previous target of `source`, and the previous eclipsed one.
    latest: [Option<NodeId>; 2],
}

impl LinkWriter {
    /// Adds `fact`; facts must be added in order.
    pub fn put<T: LinkSink>(
        &mut self,
        ids: &AllIds,
        fact: &Fact,
        sink: &mut T,
    ) -> Result<(), T::Error> {
        if (self.source, self.key) != (Some(fact.source), Some(fact.key)) {
            self.end_event(ids, sink);
            self.key = Some(fact.key);
        }
        if self.source != Some(fact.source) {
            self.source = Some(fact.source);
            self.latest = [None; 2];
            sink.begin(fact.source)?;
        }
        if self.targets.last() != Some(&fact.target) {
            self.targets.push(fact.target);
        }
        Ok(())
    }

    /// Passes the links of the current event to `sink`.
    ///
    /// One event can connect an anonymous id to both a user id and an e-mail. The e-mail is the
    /// closer connection, and eclipses the user id.
    pub fn end_event(&mut self, ids: &AllIds, sink: &mut impl LinkSink) {
        let Some(OrderKey { time, .. }) = self.key else { return };
        let identifies = self.targets.iter().any(|&target| ids.space(target) == Space::Email);
        for target in self.targets.drain(..) {
            let eclipsed = identifies && ids.space(target) == Space::User;
            // Most links repeat the previous target.
            if self.latest[usize::from(eclipsed)].replace(target) != Some(target) {
                sink.put(Link { time, target }, eclipsed);
            }
        }
    }
}

/// The links of consecutive sources.
#[derive(Default)]
pub(super) struct Section {
    /// The sources, and the index of the first link of each.
    pub starts: Vec<(NodeId, u32)>,
    pub links: Vec<Link>,
    /// For each link, whether it is eclipsed.
    pub eclipsed: Vec<bool>,
}

impl LinkSink for Section {
    type Error = Infallible;

    fn begin(&mut self, source: NodeId) -> Result<(), Infallible> {
        self.starts.push((source, link_number(self.links.len())));
        Ok(())
    }

    fn put(&mut self, link: Link, eclipsed: bool) {
        self.links.push(link);
        self.eclipsed.push(eclipsed);
    }
}

impl Section {
    /// Returns the links of sorted `facts` in consecutive sections, made on all threads of the
    /// current pool.
    pub fn of_sorted(ids: &AllIds, facts: &[Fact]) -> Vec<Self> {
        let parts = by_source(facts, rayon::current_num_threads() * SECTIONS_PER_THREAD);
        let section = |facts: &[Fact]| {
            let (mut writer, mut section) = (LinkWriter::default(), Self::default());
            for fact in facts {
                let Ok(()) = writer.put(ids, fact, &mut section);
            }
            writer.end_event(ids, &mut section);
            section
        };
        parts.into_par_iter().map(section).collect()
    }
}

/// Divides `facts`, which are sorted by source, into about `count` parts with all facts of their
/// sources.
fn by_source(mut facts: &[Fact], count: usize) -> Vec<&[Fact]> {
    let len = facts.len().div_ceil(count.max(1)).max(1);
    let mut parts = Vec::with_capacity(count);
    while let Some(last) = facts.get(..len).and_then(<[Fact]>::last) {
        let rest = facts[len..].partition_point(|fact| fact.source == last.source);
        let (part, later) = facts.split_at(len + rest);
        parts.push(part);
        facts = later;
    }
    parts.push(facts);
    parts
}

/// Returns the number of a link in the form in which it is stored.
#[allow(clippy::cast_possible_truncation)] // 2^32 links would take 64 GiB
pub(super) fn link_number(number: usize) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::Time;

    proptest! {
        #[test]
        fn facts_are_divided_between_sources(
            mut sources in proptest::collection::vec(0_u32..12, 0..60),
            count in 0_usize..20,
        ) {
            sources.sort_unstable();
            let fact = |&source: &u32| Fact {
                key: OrderKey { time: Time::MISSING, received: Time::MISSING, signal_id: 0 },
                source: NodeId::from_raw(source),
                target: NodeId::from_raw(99),
                event: 0,
            };
            let facts: Vec<Fact> = sources.iter().map(fact).collect();
            let parts = by_source(&facts, count);
            prop_assert!(parts.len() <= count.max(1) + 1);
            prop_assert_eq!(&parts.concat(), &facts);
            let ends = parts.iter().filter(|part| !part.is_empty());
            let ends: Vec<_> =
                ends.map(|part| (part[0].source, part[part.len() - 1].source)).collect();
            prop_assert!(ends.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }
}
