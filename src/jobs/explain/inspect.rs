//! Passes single events through the filters and the mapper of a run, without keeping them.

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
    /// The event is sent, after the destination filters with these indices changed it.
    Sent(&'a [usize]),
    /// No line of the allow list matches the event.
    NotAllowed,
    /// The event does not match the expression of `--where`.
    NotWhere,
    /// A destination filter drops the event.
    Dropped(Dropped),
}

impl Filtering<'_> {
    /// Returns `true` if the event is sent.
    pub fn is_sent(self) -> bool {
        matches!(self, Self::Sent(_))
    }
}

/// An event that has been filtered and mapped.
#[derive(Clone, Copy, Debug)]
pub struct Inspected<'a> {
    /// The verdict of the filters. An event that is not sent is mapped unchanged.
    pub filtering: Filtering<'a>,
    /// The call, the rule and the ids.
    pub mapped: Mapped,
    /// The key that copies of the event share; `None` if there is no deduplication.
    pub dedup: Option<u128>,
    /// The facts of the event.
    pub facts: &'a [BatchFact],
    /// The ids of the block so far.
    pub ids: &'a Ids,
}

impl Inspected<'_> {
    /// Iterates over every id and e-mail that the event contains or ties.
    pub fn named(&self) -> impl Iterator<Item = NodeId> {
        let ids = self.mapped.ids;
        let own = [ids.anonymous, ids.user, ids.email, ids.group];
        let tied = self.facts.iter().flat_map(|fact| [fact.source, fact.target]);
        own.into_iter().flatten().chain(tied)
    }

    /// Returns the node of `id`.
    pub fn node(&self, id: NodeId) -> Node {
        Node::of(self.ids, id)
    }

    /// Iterates over the e-mails among [`named`](Self::named).
    pub fn emails(&self) -> impl Iterator<Item = Node> {
        self.named().map(|id| self.node(id)).filter(|node| node.kind() == Kind::Email)
    }
}

/// Filters and maps events; each worker has one.
pub struct Inspector<'a> {
    engine: &'a Engine,
    mapper: Mapper<'a>,
    judging: Scratch,
}

impl<'a> Inspector<'a> {
    /// Creates an inspector for `engine`.
    pub fn new(engine: &'a Engine) -> Self {
        let mut mapper = Mapper::new(engine, RandomState::new());
        mapper.batch.rows.keep_names_only();
        Self { engine, mapper, judging: Scratch::default() }
    }

    /// Begins the block at `place`.
    pub fn begin(&mut self, place: Place) {
        self.mapper.begin(place);
    }

    /// Ends a block of `lines` lines, and returns the number of its records.
    pub fn end(&mut self, lines: u64) -> u64 {
        self.mapper.end(lines)
    }

    /// Returns the ids of the block so far.
    pub fn ids(&self) -> &Ids {
        &self.mapper.batch.ids
    }

    /// Returns the counts of all blocks.
    pub fn into_counters(self) -> Counters {
        self.mapper.into_counters()
    }

    /// Filters and maps `event`, and calls `then` with the result and with what is sent of the
    /// event, or with the unchanged event if it is not sent.
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

    /// Counts a reject without keeping it.
    pub fn reject(&mut self, reject: Reject<'_>) {
        self.mapper.reject(reject);
        self.mapper.batch.rejects.clear();
    }

    /// Counts the rejects of a record beyond the limit.
    pub fn surplus(&mut self, surplus: Surplus<'_>) {
        self.mapper.surplus(surplus);
        self.mapper.batch.rejects.clear();
    }

    /// Counts a captured request that is not related to Segment.
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
    let dedup = batch.events.last().and_then(|keys| keys.dedup);
    let facts = batch.facts.get(tied..).unwrap_or_default();
    then(Inspected { filtering, mapped: received, dedup, facts, ids: &batch.ids }, event);
}
