//! The first phase of a queue: maps every event once and examines its payload if requested.

use std::sync::Arc;

use ahash::RandomState;
use rayon::ThreadPool;

use super::fields::Fields;
use super::profile::Profile;
use crate::engine::Engine;
use crate::engine::exchange::spill::{Scratch, Spill};
use crate::engine::exchange::store::StoredBatch;
use crate::engine::ingest::blocks::each_block;
use crate::engine::ingest::commit::{Committed, Committer, expected_events};
use crate::engine::map::Mapper;
use crate::engine::map::batch::Place;
use crate::engine::map::counters::Counters;
use crate::engine::map::extract::event_name;
use crate::engine::watch::Watch;
use crate::error::Error;
use crate::event::{CallType, Event};
use crate::json::canonical::Canonical;
use crate::parse::deletion::Deletion;
use crate::parse::reject::{Reject, Surplus};
use crate::parse::{Arrival, Repairs, Sink};
use crate::source::Reader;

/// A selection of events, by name or by call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// The events of a call.
    Call(CallType),
    /// The events with a name, whatever their call.
    Name(String),
}

impl Selection {
    /// Parses `text`: a call if it is one of the six, otherwise a name.
    pub fn new(text: &str) -> Self {
        match CallType::from_name(text) {
            Some(call) => Self::Call(call),
            None => Self::Name(text.to_owned()),
        }
    }

    /// Returns `true` if the selection contains events with this call and name.
    #[inline]
    pub fn takes(&self, call: CallType, name: &str) -> bool {
        match self {
            Self::Call(wanted) => *wanted == call,
            Self::Name(wanted) => wanted == name,
        }
    }
}

/// What to find out about payloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Nothing.
    Names,
    /// Every path in some events.
    Profile(Selection),
    /// The fields that rules could map.
    Fields,
}

/// The result of the first phase.
#[derive(Debug)]
pub struct Ingested {
    /// The ids, facts and rows.
    pub committed: Committed,
    /// Counts of all events.
    pub counters: Counters,
    /// The paths in the requested events.
    pub profile: Profile,
    /// The fields that rules could map, by name.
    pub fields: Fields,
}

/// Reads everything from `reader`, on all threads of `pool`. What does not fit into memory until
/// the second phase is spilled as `scratch` says.
///
/// # Errors
/// Returns an error if the job was interrupted, if rows or keys cannot be spilled or, with a strict
/// reader, at the first fault of an input.
pub fn ingest(
    engine: &Engine,
    question: &Question,
    reader: &Reader,
    pool: &ThreadPool,
    scratch: Scratch,
    watch: &dyn Watch,
) -> Result<Ingested, Error> {
    let hasher = RandomState::new();
    let spill = Arc::new(Spill::new(scratch.dir.clone(), scratch.row_bytes));
    let expected = expected_events(reader.total_bytes());
    let threads = pool.current_num_threads();
    let shared = Committer::new(hasher.clone(), Arc::clone(&spill), scratch, expected, threads);
    let start = || (engine.parser(), Collector::new(engine, question, hasher.clone()));
    let workers = each_block(reader, pool, watch, start, |(parser, collector), block| {
        collector.mapper.begin(Place { file: block.file, block: block.number });
        let lines = parser.read_block(block, collector);
        let records = collector.mapper.end(lines);
        let batch = &collector.mapper.batch;
        let stored = StoredBatch::new(batch, None, &spill).map_err(Error::Spill)?;
        shared.commit(batch, stored).map_err(Error::Spill)?;
        Ok(records)
    })?;
    let (mut counters, mut profile) = (Counters::default(), Profile::default());
    let mut fields = Fields::default();
    for (_, collector) in workers {
        counters += collector.mapper.into_counters();
        profile += collector.profile;
        fields += collector.fields;
    }
    let committed = shared.finish(&counters.deletions, pool, watch)?;
    Ok(Ingested { committed, counters, profile, fields })
}

/// Maps events and examines their payloads; each worker has one.
struct Collector<'a> {
    engine: &'a Engine,
    question: &'a Question,
    mapper: Mapper<'a>,
    profile: Profile,
    fields: Fields,
    canonical: Canonical,
    scratch: Vec<u8>,
}

impl<'a> Collector<'a> {
    fn new(engine: &'a Engine, question: &'a Question, hasher: RandomState) -> Self {
        let mut mapper = Mapper::new(engine, hasher);
        if *question != Question::Fields {
            // Only suggestions need the texts of pages as well.
            mapper.batch.rows.keep_names_only();
        }
        Self {
            engine,
            question,
            mapper,
            profile: Profile::default(),
            fields: Fields::default(),
            canonical: Canonical::default(),
            scratch: Vec::new(),
        }
    }
}

impl Sink for Collector<'_> {
    #[inline]
    fn event(&mut self, event: &Event<'_>, arrival: Arrival) {
        let Self { engine, question, mapper, profile, fields, canonical, scratch } = self;
        mapper.pass(event, arrival, |sent, mapped| match question {
            _ if !engine.counts(mapped.key.time) => {}
            Question::Names => {}
            Question::Profile(wanted) => {
                let name = event_name(sent, mapped.call, canonical, scratch);
                if wanted.takes(mapped.call, name) {
                    profile.see(sent, &engine.auth);
                }
            }
            Question::Fields => {
                if mapped.call.is_signal() {
                    let name = event_name(sent, mapped.call, canonical, scratch);
                    fields.see(sent, mapped.call, name);
                }
            }
        });
    }

    fn reject(&mut self, reject: Reject<'_>) {
        self.mapper.reject(reject);
        // Rejects are only counted; a queue does not write them.
        self.mapper.batch.rejects.clear();
    }

    fn deletion(&mut self, deletion: Deletion<'_>) {
        self.mapper.deletion(deletion);
    }

    fn mended(&mut self, repairs: Repairs) {
        self.mapper.mended(repairs);
    }

    fn surplus(&mut self, surplus: Surplus<'_>) {
        self.mapper.surplus(surplus);
        self.mapper.batch.rejects.clear();
    }
}
