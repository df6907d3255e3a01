//! One event at a time through the filters and the mapper of a run, without being kept.

use std::mem::take;

use ahash::RandomState;

use super::link::{Kind, Node};
use crate::engine::Engine;
use crate::engine::identity::ids::{Ids, NodeId};
use crate::engine::map::batch::{BatchFact, Place};
use crate::engine::map::counters::Counters;
use crate::engine::map::{Mapped, Mapper};
use crate::event::Event;
use crate::filter::destination::{Dropped, Scratch, Verdict};
use crate::parse::reject::{Reject, Surplus};
use crate::parse::{Arrival, Sink as _};

/// The verdict of the filters on an event.
#[derive(Clone, Copy, Debug)]
pub enum Filtering<'a> {
    /// It is sent, without what these destination filters took out of it.
    Sent(&'a [usize]),
    /// No line of the allow list takes it.
    NotAllowed,
    /// The expression of `--where` does not hold.
    NotWhere,
    /// A destination filter drops it.
    Dropped(Dropped),
}

impl Filtering<'_> {
    /// Whether the event is sent.
    pub fn is_sent(self) -> bool {
        matches!(self, Self::Sent(_))
    }
}

/// An event that has been filtered and mapped.
#[derive(Clone, Copy, Debug)]
pub struct Inspected<'a> {
    /// Whether it is sent. What is not is mapped as it came.
    pub filtering: Filtering<'a>,
    /// Its call, its rule, its ids.
    pub mapped: Mapped,
    /// The key that its copies share; `None` where nothing is a copy.
    pub dedup: Option<u128>,
    /// What it ties.
    pub facts: &'a [BatchFact],
    /// The ids of the block so far.
    pub ids: &'a Ids,
}

impl Inspected<'_> {
    /// Every id and e-mail that it names or ties.
    pub fn named(&self) -> impl Iterator<Item = NodeId> {
        let ids = self.mapped.ids;
        let own = [ids.anonymous, ids.user, ids.email, ids.group];
        let tied = self.facts.iter().flat_map(|fact| [fact.source, fact.target]);
        own.into_iter().flatten().chain(tied)
    }

    /// The node of `id`.
    pub fn node(&self, id: NodeId) -> Node {
        Node::of(self.ids, id)
    }

    /// The e-mails among [`named`](Self::named).
    pub fn emails(&self) -> impl Iterator<Item = Node> {
        self.named().map(|id| self.node(id)).filter(|node| node.kind() == Kind::Email)
    }
}

/// Filters and maps events; one for each worker.
pub struct Inspector<'a> {
    engine: &'a Engine,
    mapper: Mapper<'a>,
    judging: Scratch,
}

impl<'a> Inspector<'a> {
    /// An inspector for `engine`.
    pub fn new(engine: &'a Engine) -> Self {
        let mut mapper = Mapper::new(engine, RandomState::new());
        mapper.batch.rows.keep_names_only();
        Self { engine, mapper, judging: Scratch::default() }
    }

    /// Begins the block at `place`.
    pub fn begin(&mut self, place: Place) {
        self.mapper.begin(place);
    }

    /// Ends a block of so many lines; returns how many records it had.
    pub fn end(&mut self, lines: u64) -> u64 {
        self.mapper.end(lines)
    }

    /// The ids of the block so far.
    pub fn ids(&self) -> &Ids {
        &self.mapper.batch.ids
    }

    /// The sums over all blocks.
    pub fn into_counters(self) -> Counters {
        self.mapper.into_counters()
    }

    /// Filters and maps `event`, and hands the result to `then` with what is sent of it; where it is
    /// not sent, with the event as it came.
    pub fn inspect(
        &mut self,
        event: &Event<'_>,
        arrival: Arrival,
        mut then: impl FnMut(Inspected<'_>, &Event<'_>),
    ) {
        let Self { engine, mapper, judging } = self;
        if !mapper.admit(event, arrival) {
            let is_allowed = engine.allow.as_ref().is_none_or(|allow| allow.takes(event).is_some());
            let filtering = if is_allowed { Filtering::NotWhere } else { Filtering::NotAllowed };
            return map(mapper, event, arrival, filtering, &mut then);
        }
        let Some(filters) = &engine.filters else {
            return map(mapper, event, arrival, Filtering::Sent(&[]), &mut then);
        };
        let mut scratch = take(judging);
        filters.apply(event, engine.detection, &mut scratch, |verdict, left| {
            let filtering = match verdict {
                Verdict::Untouched => Filtering::Sent(&[]),
                Verdict::Changed(by) => Filtering::Sent(by),
                Verdict::Dropped(dropped) => Filtering::Dropped(dropped),
            };
            map(mapper, left, arrival, filtering, &mut then);
        });
        *judging = scratch;
    }

    /// Counts a reject; it is not kept.
    pub fn reject(&mut self, reject: Reject<'_>) {
        self.mapper.reject(reject);
        self.mapper.batch.rejects.clear();
    }

    /// Counts what a record has more of rejects.
    pub fn surplus(&mut self, surplus: Surplus<'_>) {
        self.mapper.surplus(surplus);
        self.mapper.batch.rejects.clear();
    }

    /// Counts a captured request that has nothing to do with Segment.
    pub fn foreign(&mut self) {
        self.mapper.foreign();
    }
}

fn map(
    mapper: &mut Mapper<'_>,
    event: &Event<'_>,
    arrival: Arrival,
    filtering: Filtering<'_>,
    then: &mut impl FnMut(Inspected<'_>, &Event<'_>),
) {
    let tied = mapper.batch.facts.len();
    let Some(received) = mapper.receive(event, arrival) else { return };
    let batch = &mapper.batch;
    let dedup = batch.marks.last().and_then(|mark| mark.dedup);
    let facts = batch.facts.get(tied..).unwrap_or_default();
    then(Inspected { filtering, mapped: received, dedup, facts, ids: &batch.ids }, event);
}
