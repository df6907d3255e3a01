//! The second reading: passes the events of the closure through the stages of a run, and keeps
//! notes on what a run discards.

use std::sync::{Arc, Mutex, PoisonError};

use ahash::RandomState;
use rayon::ThreadPool;

use super::closure::Closure;
use super::inspect::{Filtering, Inspected, Inspector};
use super::limit::{Contenders, LastTaken, Limit};
use super::link::Node;
use super::rule::{Conditions, Trial, failed_part};
use crate::engine::Engine;
use crate::engine::exchange::spill::{Scratch, Spill};
use crate::engine::exchange::store::StoredBatch;
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::NodeId;
use crate::engine::ingest::blocks::each_block;
use crate::engine::ingest::commit::{Committed, Committer};
use crate::engine::map::Mapper;
use crate::engine::map::batch::Place;
use crate::engine::map::counters::Counters;
use crate::engine::watch::Watch;
use crate::error::Error;
use crate::event::{CallType, Event, Member};
use crate::filter::destination::{Cause, Dropped, Filter};
use crate::fql::Parts;
use crate::parse::deletion::Deletion;
use crate::parse::reject::{Reject, Surplus};
use crate::parse::{Arrival, Sink};
use crate::source::Reader;
use crate::time::Time;

/// The events of a closure.
pub struct Gathered {
    /// The ids, facts and rows.
    pub committed: Committed,
    /// The counts of these events.
    pub counters: Counters,
    /// The notes on the rows of each segment, in order of commit.
    pub notes: Vec<(Place, Vec<RowNotes>)>,
    /// The events that filters dropped, in no particular order.
    pub dropped: Vec<DroppedEvent>,
    /// The number of lines of each block of the input.
    pub blocks: Vec<(Place, u64)>,
    /// The number of events in the input.
    pub events: u64,
    /// Where the plan ends in minutes of which it takes only the first events.
    pub last_taken: LastTaken,
}

/// What a run does not keep of a row.
#[derive(Clone, Debug)]
pub struct RowNotes {
    /// The line in the block, from 0.
    pub line: u64,
    /// The key that the copies of the event share.
    pub dedup: Option<u128>,
    /// The time of the event by its own clock, if another time is used instead.
    pub own_clock: Option<Time>,
    /// The titles of the destination filters that changed the event.
    pub changed_by: Vec<String>,
    /// The rules that were tried on the event.
    pub trial: Trial,
}

/// An event that a filter dropped.
#[derive(Clone, Debug)]
pub struct DroppedEvent {
    /// The place of its block.
    pub place: Place,
    /// The line in the block, from 0.
    pub line: u64,
    /// The reason for which the event is not sent.
    pub because: String,
    /// The call.
    pub call: CallType,
    /// The name.
    pub name: String,
    /// The times and the content hash.
    pub key: OrderKey,
    /// The message id.
    pub message_id: Option<String>,
    /// The anonymous id, unless it is blocked.
    pub anonymous_id: Option<String>,
    /// The user id, unless it is blocked.
    pub user_id: Option<String>,
    /// The e-mail that the event would have supplied.
    pub email: Option<String>,
}

/// The input of the second reading.
pub struct Search<'a> {
    /// The settings that map events.
    pub engine: &'a Engine,
    /// The closure of the subject.
    pub closure: &'a Closure,
    /// The conditions of the rules.
    pub conditions: &'a Conditions<'a>,
    /// The conditions of `--where`.
    pub filter: Option<&'a Parts>,
    /// The plan.
    pub limit: &'a Limit,
}

impl Search<'_> {
    /// Reads everything from `reader`, on all threads of `pool`, and keeps the events in the
    /// closure.
    ///
    /// # Errors
    /// Returns an error if the job was interrupted, if rows cannot be spilled or, with a strict
    /// reader, at the first fault of an input.
    pub fn gather(
        &self,
        reader: &Reader,
        pool: &ThreadPool,
        scratch: Scratch,
        watch: &dyn Watch,
    ) -> Result<Gathered, Error> {
        let hasher = RandomState::new();
        let spill = Arc::new(Spill::new(scratch.dir.clone(), scratch.row_bytes));
        let threads = pool.current_num_threads();
        let committer = Committer::new(hasher.clone(), Arc::clone(&spill), scratch, 0, threads);
        let shared = Mutex::new(Shared { committer, notes: Vec::new(), blocks: Vec::new() });
        let start = || (self.engine.parser(), Gatherer::new(self, hasher.clone()));
        let workers = each_block(reader, pool, watch, start, |(parser, gatherer), block| {
            let place = Place { file: block.file, block: block.number };
            gatherer.begin(place);
            let lines = parser.read_block(block, gatherer);
            let records = gatherer.end(lines);
            gatherer.hand_over(&shared, &spill, lines).map_err(Error::Spill)?;
            Ok(records)
        })?;
        let (mut counters, mut dropped, mut events) = (Counters::default(), Vec::new(), 0);
        let mut contenders = Contenders::default();
        for (_, mut gatherer) in workers {
            events += gatherer.inspector.into_counters().events;
            counters += gatherer.keeper.into_counters();
            dropped.append(&mut gatherer.dropped);
            contenders.absorb(gatherer.contenders);
        }
        let shared = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Shared { committer, notes, blocks } = shared;
        let settled = committer.finish(&counters.deletions, pool, watch)?;
        let last_taken = contenders.settle(self.limit);
        Ok(Gathered { committed: settled, counters, notes, dropped, blocks, events, last_taken })
    }
}

/// The state that the workers share.
struct Shared {
    committer: Committer,
    notes: Vec<(Place, Vec<RowNotes>)>,
    blocks: Vec<(Place, u64)>,
}

/// Keeps the events of the closure; each worker has one.
struct Gatherer<'a> {
    search: &'a Search<'a>,
    inspector: Inspector<'a>,
    /// Maps the events in the closure.
    keeper: Mapper<'a>,
    place: Place,
    line: u64,
    notes: Vec<RowNotes>,
    dropped: Vec<DroppedEvent>,
    contenders: Contenders,
}

impl<'a> Gatherer<'a> {
    fn new(search: &'a Search<'a>, hasher: RandomState) -> Self {
        Self {
            search,
            inspector: Inspector::new(search.engine),
            keeper: Mapper::new(search.engine, hasher),
            place: Place::default(),
            line: 0,
            notes: Vec::new(),
            dropped: Vec::new(),
            contenders: Contenders::default(),
        }
    }

    fn begin(&mut self, place: Place) {
        self.place = place;
        self.inspector.begin(place);
        self.keeper.begin(place);
    }

    fn end(&mut self, lines: u64) -> u64 {
        self.keeper.end(lines);
        self.inspector.end(lines)
    }

    /// Commits the kept events of the block.
    fn hand_over(
        &mut self,
        shared: &Mutex<Shared>,
        spill: &Spill,
        lines: u64,
    ) -> std::io::Result<()> {
        let batch = &self.keeper.batch;
        let notes = std::mem::take(&mut self.notes);
        if notes.is_empty() {
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            shared.blocks.push((self.place, lines));
            return Ok(());
        }
        let kept = StoredBatch::new(batch, Some(&batch.ids), spill)?;
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.blocks.push((self.place, lines));
        shared.committer.commit(batch, kept)?;
        shared.notes.push((self.place, notes));
        Ok(())
    }
}

impl Sink for Gatherer<'_> {
    fn line(&mut self, line_in_block: u64) {
        self.line = line_in_block;
    }

    fn event(&mut self, event: &Event<'_>, arrival: Arrival) {
        let Self { search, inspector, keeper, place, line, notes, dropped, contenders } = self;
        inspector.inspect(event, arrival, |inspected, event| {
            if inspected.filtering.is_sent() {
                contenders.see(inspected.mapped.key, search.limit, search.engine);
            }
            if !search.is_in_closure(&inspected) {
                return;
            }
            match inspected.filtering {
                Filtering::Sent(by) => {
                    if keeper.receive(event, arrival).is_some() {
                        notes.push(search.notes(&inspected, event, by, *line));
                    }
                }
                _ => dropped.push(search.dropped(&inspected, event, *place, *line)),
            }
        });
    }

    fn reject(&mut self, reject: Reject<'_>) {
        self.inspector.reject(reject);
    }

    fn deletion(&mut self, deletion: Deletion<'_>) {
        self.keeper.deletion(deletion);
    }

    fn surplus(&mut self, surplus: Surplus<'_>) {
        self.inspector.surplus(surplus);
    }

    fn foreign(&mut self) {
        self.inspector.foreign();
    }
}

impl Search<'_> {
    fn is_in_closure(&self, inspected: &Inspected<'_>) -> bool {
        inspected.named().any(|id| self.closure.has(inspected.node(id)))
            || inspected.dedup.is_some_and(|key| self.closure.has(Node::copies(key)))
    }

    fn notes(
        &self,
        inspected: &Inspected<'_>,
        event: &Event<'_>,
        by: &[usize],
        line: u64,
    ) -> RowNotes {
        let trial = if inspected.mapped.call.is_signal() {
            self.conditions.trial(self.engine, event, inspected.mapped.rule)
        } else {
            Trial::default()
        };
        let changed_by = by.iter().map(|&filter| self.filter_name(filter)).collect();
        let own_clock = own_clock(event).filter(|&time| time != inspected.mapped.key.time);
        RowNotes { line, dedup: inspected.dedup, own_clock, changed_by, trial }
    }

    fn dropped(
        &self,
        inspected: &Inspected<'_>,
        event: &Event<'_>,
        place: Place,
        line: u64,
    ) -> DroppedEvent {
        let text = |id: Option<NodeId>| id.map(|id| inspected.ids.text(id).to_owned());
        let mapped = inspected.mapped;
        let mut scratch = Vec::new();
        let message_id = event.id(Member::MessageId).map(|id| id.text(&mut scratch).to_owned());
        let name = mapped.call.fixed_name().or_else(|| event.text(Member::Event));
        DroppedEvent {
            place,
            line,
            because: self.because(inspected.filtering, event),
            call: mapped.call,
            name: name.unwrap_or_default().to_owned(),
            key: mapped.key,
            message_id,
            anonymous_id: text(mapped.ids.anonymous),
            user_id: text(mapped.ids.user),
            email: text(mapped.ids.email),
        }
    }

    /// Returns the reason for which an event is not sent.
    fn because(&self, filtering: Filtering<'_>, event: &Event<'_>) -> String {
        match filtering {
            Filtering::Sent(_) => String::new(),
            Filtering::NotAllowed => "no line of the allow list takes it".into(),
            Filtering::NotWhere => {
                let failed = self.filter.and_then(|parts| failed_part(parts, event, self.engine));
                match failed {
                    Some((condition, Some(found))) => {
                        format!("--where is not true of it: {condition} (found {found})")
                    }
                    Some((condition, None)) => format!("--where is not true of it: {condition}"),
                    None => "--where is not true of it".into(),
                }
            }
            Filtering::Dropped(Dropped { filter, cause, .. }) => {
                let name = self.filter_name(filter);
                match cause {
                    Cause::Invalid => {
                        format!("the `if` of {name} does not compile, so Segment sends nothing")
                    }
                    Cause::Sampled => format!("it is not in the sample of {name}"),
                    Cause::Dropped => format!("{name} drops it"),
                    Cause::Unrecognised => format!("{name} leaves no event of it"),
                }
            }
        }
    }

    fn filter_name(&self, place: usize) -> String {
        let filters = self.engine.filters.as_ref();
        match filters.and_then(|filters| filters.filters().get(place)) {
            Some(Filter { title, number, .. }) if title.is_empty() => {
                format!("destination filter {number}")
            }
            Some(Filter { title, .. }) => format!("destination filter \"{title}\""),
            None => "a destination filter".into(),
        }
    }
}

/// Returns the time of `event` by the client's clock.
fn own_clock(event: &Event<'_>) -> Option<Time> {
    let members = [Member::Timestamp, Member::OriginalTimestamp, Member::SentAt];
    let mut values = members.into_iter().filter_map(|member| event.get(member));
    values.find_map(Time::from_json)
}
