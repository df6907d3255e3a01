//! The first reading: collects which ids are tied to which, and finds out whether the subject
//! occurs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::ThreadPool;

use super::closure::Seeds;
use super::inspect::{Inspected, Inspector};
use super::link::{Kind, Link, LinkWriter, Links, Node};
use super::nearest::Nearest;
use super::subject::Subject;
use crate::engine::Engine;
use crate::engine::exchange::spill::{Piece, Spill};
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::{Ids, NodeId, Space};
use crate::engine::ingest::blocks::each_block;
use crate::engine::map::batch::Place;
use crate::engine::map::counters::Counters;
use crate::engine::plan::Volume;
use crate::engine::watch::Watch;
use crate::error::Error;
use crate::event::id::Id;
use crate::event::{Event, Member};
use crate::parse::reject::{Reject, Surplus};
use crate::parse::{Arrival, Sink};
use crate::rules::DedupBy;
use crate::source::Reader;

/// The result of the first reading.
#[derive(Debug)]
pub struct Learned {
    /// The ids and e-mails of the subject.
    pub seeds: Seeds,
    /// Whether any event contains the subject.
    pub is_found: bool,
    /// The nearest id, if no event contains the subject.
    pub nearest: Nearest,
    /// The links of all events.
    pub links: Links,
    /// The counts of all events.
    pub counters: Counters,
    /// Raw signals that are sent, by the minute.
    pub volume: Volume,
}

/// Reads everything from `reader`, on all threads of `pool`; `spill` stores the links.
///
/// # Errors
/// Returns an error if the job was interrupted, if links cannot be spilled or, with a strict
/// reader, at the first fault of an input.
pub fn learn(
    engine: &Engine,
    subject: &Subject,
    reader: &Reader,
    pool: &ThreadPool,
    spill: Arc<Spill>,
    watch: &dyn Watch,
) -> Result<Learned, Error> {
    let (is_found, pieces) = (AtomicBool::new(false), Mutex::new(Vec::<Piece>::new()));
    let start = || (engine.parser(), Learner::new(engine, subject, &is_found));
    let workers = each_block(reader, pool, watch, start, |(parser, learner), block| {
        learner.inspector.begin(Place { file: block.file, block: block.number });
        let lines = parser.read_block(block, learner);
        learner.compare();
        if let Some(piece) = learner.links.flush(&spill).map_err(Error::Spill)? {
            pieces.lock().unwrap_or_else(PoisonError::into_inner).push(piece);
        }
        Ok(learner.inspector.end(lines))
    })?;
    let (mut counters, mut seeds) = (Counters::default(), Seeds::default());
    let (mut nearest, mut volume) = (Nearest::new(subject.text()), Volume::default());
    for (_, learner) in workers {
        volume += learner.volume;
        counters += learner.inspector.into_counters();
        seeds.absorb(learner.seeds);
        nearest.absorb(learner.nearest);
    }
    let pieces = pieces.into_inner().unwrap_or_else(PoisonError::into_inner);
    let links = Links::new(spill, pieces);
    Ok(Learned { seeds, is_found: is_found.into_inner(), nearest, links, counters, volume })
}

/// Collects links; each worker has one.
struct Learner<'a> {
    engine: &'a Engine,
    inspector: Inspector<'a>,
    notes: Notes<'a>,
    links: LinkWriter,
    seeds: Seeds,
    nearest: Nearest,
    volume: Volume,
}

/// What to look for in events.
struct Notes<'a> {
    subject: &'a Subject,
    is_found: &'a AtomicBool,
    copies: Copies,
    scratch: Vec<u8>,
}

/// What the copies of an event have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Copies {
    /// Their ids and facts: if one copy is in the closure, all are.
    Ids,
    /// Possibly only the key of deduplication.
    Key,
}

impl Copies {
    fn of(engine: &Engine) -> Self {
        let rules = &engine.rules;
        match rules.dedup.by {
            DedupBy::None => Self::Ids,
            DedupBy::Content if rules.read_content_alone() => Self::Ids,
            DedupBy::Content | DedupBy::MessageId => Self::Key,
        }
    }
}

impl<'a> Learner<'a> {
    fn new(engine: &'a Engine, subject: &'a Subject, is_found: &'a AtomicBool) -> Self {
        let notes = Notes { subject, is_found, copies: Copies::of(engine), scratch: Vec::new() };
        Self {
            engine,
            inspector: Inspector::new(engine),
            notes,
            links: LinkWriter::default(),
            seeds: Seeds::default(),
            nearest: Nearest::new(subject.text()),
            volume: Volume::default(),
        }
    }

    /// Offers the ids of the block to `nearest`, unless the subject was found.
    fn compare(&mut self) {
        let space = match self.notes.subject {
            Subject::Email(_) => Space::Email,
            Subject::AnonymousId(_) => Space::Anonymous,
            Subject::UserId(_) => Space::User,
            Subject::MessageId(_) | Subject::SignalId(_) => return,
        };
        if self.notes.is_found.load(Ordering::Relaxed) {
            return;
        }
        let ids = self.inspector.ids();
        for (id, _) in ids.iter().filter(|&(_, own)| own == space) {
            self.nearest.offer(ids.text(id));
        }
    }
}

impl Sink for Learner<'_> {
    fn event(&mut self, event: &Event<'_>, arrival: Arrival) {
        let Self { engine, inspector, notes, links, seeds, nearest, volume } = self;
        inspector.inspect(event, arrival, |inspected, event| {
            if inspected.filtering.is_sent() {
                notes.links(&inspected, links);
                let OrderKey { time, received, .. } = inspected.mapped.key;
                if engine.counts(received.or(time)) {
                    volume.count(received.or(time));
                }
            }
            if notes.is_subject(&inspected, event, nearest) {
                notes.is_found.store(true, Ordering::Relaxed);
                notes.seed(&inspected, seeds);
            }
        });
    }

    fn reject(&mut self, reject: Reject<'_>) {
        self.inspector.reject(reject);
    }

    fn surplus(&mut self, surplus: Surplus<'_>) {
        self.inspector.surplus(surplus);
    }

    fn foreign(&mut self) {
        self.inspector.foreign();
    }
}

impl Notes<'_> {
    /// Adds the links of an event.
    fn links(&self, inspected: &Inspected<'_>, links: &mut LinkWriter) {
        for fact in inspected.facts {
            let (source, target) = (inspected.node(fact.source), inspected.node(fact.target));
            links.add(Link { source, target });
        }
        let ids = inspected.mapped.ids;
        let visitor = || [ids.anonymous, ids.user].into_iter().flatten();
        if let Some(group) = ids.group {
            let target = inspected.node(group);
            visitor().for_each(|id| links.add(Link { source: inspected.node(id), target }));
        }
        // Without ids, only the key connects the copies.
        let by_key = self.copies == Copies::Key || visitor().next().is_none();
        if let Some(key) = inspected.dedup.filter(|_| by_key) {
            let target = Node::copies(key);
            inspected.named().for_each(|id| links.add(Link { source: inspected.node(id), target }));
        }
    }

    /// Returns `true` if the event contains the subject. Other message ids and hashes are offered
    /// to `nearest`, unless the subject was found.
    fn is_subject(
        &mut self,
        inspected: &Inspected<'_>,
        event: &Event<'_>,
        nearest: &mut Nearest,
    ) -> bool {
        let has = |space, text: &str| {
            let is = |id: NodeId| is_id(inspected.ids, id, space, text);
            inspected.named().any(is)
        };
        let is_open = !self.is_found.load(Ordering::Relaxed);
        match self.subject {
            Subject::Email(email) => has(Space::Email, email),
            Subject::AnonymousId(id) => has(Space::Anonymous, id),
            Subject::UserId(id) => has(Space::User, id),
            Subject::MessageId(wanted) => {
                let text = event.id(Member::MessageId).map(|id: Id<'_>| id.text(&mut self.scratch));
                let is_it = text == Some(wanted);
                if let Some(text) = text.filter(|_| is_open && !is_it) {
                    nearest.offer(text);
                }
                is_it
            }
            Subject::SignalId(wanted) => {
                let is_it = inspected.mapped.key.signal_id == *wanted;
                if is_open && !is_it {
                    nearest.offer(&format!("{:032x}", inspected.mapped.key.signal_id));
                }
                is_it
            }
        }
    }

    /// Adds the ids and e-mails of an event that contains the subject.
    fn seed(&self, inspected: &Inspected<'_>, seeds: &mut Seeds) {
        match self.subject {
            Subject::Email(email) => {
                seeds.emails.insert(Node::new(Kind::Email, email));
            }
            Subject::AnonymousId(id) => {
                seeds.ids.insert(Node::new(Kind::Anonymous, id));
                seeds.emails.extend(inspected.emails());
            }
            Subject::UserId(id) => {
                seeds.ids.insert(Node::new(Kind::User, id));
                seeds.emails.extend(inspected.emails());
            }
            Subject::MessageId(_) | Subject::SignalId(_) => {
                seeds.emails.extend(inspected.emails());
                let ids = inspected.named().map(|id| inspected.node(id));
                seeds
                    .ids
                    .extend(ids.filter(|id| matches!(id.kind(), Kind::Anonymous | Kind::User)));
                seeds.ids.extend(inspected.dedup.map(Node::copies));
            }
        }
    }
}

fn is_id(ids: &Ids, id: NodeId, space: Space, text: &str) -> bool {
    ids.space(id) == space && ids.text(id) == text
}
