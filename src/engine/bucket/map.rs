//! The stage that maps files or lines to rows.

use std::borrow::Cow;
use std::convert::Infallible;

use ahash::RandomState;
use arrow_array::RecordBatch;

use super::Job;
use super::assign::{bucket_of, bucket_of_hash, bucket_of_row};
use super::counts::Counts;
use crate::engine::Engine;
use crate::engine::exchange::arrow::event_rows::EventRowBuilder;
use crate::engine::exchange::arrow::sightings::{Sighting, SightingBuilder, UNUSED_EMAIL};
use crate::engine::exchange::arrow::{ExchangeError, deletions};
use crate::engine::exchange::event_row::{EventFate, EventRow, InputPlace};
use crate::engine::exchange::rejects;
use crate::engine::exchange::row::{Field, Flags, Row};
use crate::engine::identity::ids::{Ids, NodeId};
use crate::engine::map::Mapper;
use crate::engine::map::batch::{Batch, Place};
use crate::engine::map::counters::Counters;
use crate::error::Error;
use crate::event::Event;
use crate::parse::deletion::Deletion;
use crate::parse::reject::{Reject, Surplus};
use crate::parse::{Arrival, Parser, Repairs, Sink};
use crate::source::{Block, DiscoverError, Discovery, FileId, Input, Inputs, Options, Reader};

/// The number of bytes of objects of stores that are read before they are parsed, about. A host runs
/// one map on each core.
const PREFETCH_BYTES: u64 = 32 << 20;

/// A file or object to map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// The number of the file among all inputs of the job, from 0. It determines the order of
    /// signals, but no value.
    pub number: u32,
    /// The file.
    pub input: Input,
}

/// The results of mapping files or lines, besides the rows.
#[derive(Debug)]
pub struct MapSums {
    /// The counters.
    pub counters: Counters,
    /// The counters as batches, which other processes can add up.
    pub counts: Vec<RecordBatch>,
    /// The deletion requests.
    pub deletions: Vec<RecordBatch>,
    /// Sightings of e-mail addresses that no rule maps.
    pub sightings: Vec<RecordBatch>,
    /// The rejected records, as lines of `rejects.ndjson`.
    pub rejects: Vec<u8>,
    /// The number of lines of each block.
    pub blocks: Vec<(Place, u64)>,
    /// Warnings about files that were skipped.
    pub skipped: Vec<String>,
    /// The inputs that could not be read to the end.
    pub faults: Vec<crate::source::Fault>,
    /// Bytes read, in stored (compressed) form.
    pub bytes_read: u64,
}

/// Maps files one after another. Rows are returned while files are read.
pub struct FileMap<'a> {
    reader: Reader,
    /// The number of each input of the reader.
    numbers: Vec<u32>,
    block: Block,
    blocks: BlockMap<'a>,
}

impl<'a> FileMap<'a> {
    /// Creates a map of `files`.
    pub fn new(job: &'a Job, files: impl IntoIterator<Item = InputFile>) -> Self {
        let (numbers, inputs): (_, Inputs) =
            files.into_iter().map(|file| (file.number, file.input)).unzip();
        let max_record_bytes = usize::try_from(job.engine.max_record_bytes).unwrap_or(usize::MAX);
        let options =
            Options { max_record_bytes, prefetch_bytes: PREFETCH_BYTES, ..Options::default() };
        Self {
            reader: Reader::new(Discovery { inputs, ..Discovery::default() }, options),
            numbers,
            block: Block::default(),
            blocks: BlockMap::new(job),
        }
    }

    /// Returns the next rows, or `None` at the end.
    ///
    /// # Errors
    /// Returns an error if a store does not give all of an object as it was listed: the host can try
    /// again, and must not keep what is there. Returns an error if the texts of a row exceed the size
    /// of a batch.
    pub fn next_rows(&mut self) -> Result<Option<Vec<RecordBatch>>, ExchangeError> {
        loop {
            let full = self.blocks.rows.take_full();
            if !full.is_empty() {
                return Ok(Some(full));
            }
            let is_block = self.reader.next(&mut self.block).map_err(Error::from)?;
            if let Some(error) = self.reader.store_errors().into_iter().next() {
                return Err(Error::from(DiscoverError::from(error)).into());
            }
            if !is_block {
                return self.blocks.rest();
            }
            let FileId { input, member } = self.block.file;
            let input = self.numbers.get(input as usize).copied().unwrap_or(input);
            let (file, name) = (FileId { input, member }, self.reader.name(self.block.file));
            self.blocks.map(file, &name, &self.block)?;
        }
    }

    /// Returns the results, once [`next_rows`](Self::next_rows) has returned `None`.
    ///
    /// # Errors
    /// Returns an error if Arrow cannot build a batch.
    pub fn finish(mut self) -> Result<MapSums, ExchangeError> {
        self.blocks.sums.skipped = self.reader.skipped();
        self.blocks.sums.faults = self.reader.faults();
        self.blocks.sums.bytes_read = self.reader.bytes_read();
        self.blocks.finish()
    }
}

/// Maps all of `files` at once.
///
/// # Errors
/// Those of [`FileMap::next_rows`].
pub fn map_files(
    job: &Job,
    files: impl IntoIterator<Item = InputFile>,
) -> Result<(Vec<RecordBatch>, MapSums), ExchangeError> {
    let mut map = FileMap::new(job, files);
    let mut rows = Vec::new();
    while let Some(more) = map.next_rows()? {
        rows.extend(more);
    }
    let sums = map.finish()?;
    Ok((rows, sums))
}

/// Maps `texts`, each of one or more lines, of the input with this `number` and `name`.
///
/// # Errors
/// Returns an error if the texts of a row exceed the size of a batch.
pub fn map_lines<'t>(
    job: &Job,
    (number, name): (u32, &str),
    texts: impl IntoIterator<Item = &'t [u8]>,
) -> Result<(Vec<RecordBatch>, MapSums), ExchangeError> {
    /// The number of bytes that are parsed at once.
    const BLOCK_BYTES: usize = 1 << 20;
    let mut blocks = BlockMap::new(job);
    let file = FileId { input: number, member: 0 };
    let (mut block, mut lines, mut offset) = (Block::default(), Vec::new(), 0);
    let mut flush = |lines: &mut Vec<u8>| {
        block.fill(lines, offset);
        offset += lines.len() as u64;
        let mapped = blocks.map(file, name, &block);
        block.number += 1;
        lines.clear();
        mapped
    };
    for text in texts {
        lines.extend_from_slice(text);
        lines.push(b'\n');
        if lines.len() >= BLOCK_BYTES {
            flush(&mut lines)?;
        }
    }
    flush(&mut lines)?;
    let mut rows = blocks.rows.take_full();
    rows.extend(blocks.rest()?.into_iter().flatten());
    let sums = blocks.finish()?;
    Ok((rows, sums))
}

/// Maps blocks. Blocks of a file must come in order.
struct BlockMap<'a> {
    job: &'a Job,
    parser: Parser,
    mapper: PositionedMapper<'a>,
    rows: EventRowBuilder,
    sums: MapSums,
    /// The file of the last block, and the number of its lines and records so far.
    file: Option<FileId>,
    lines: u64,
    records: u64,
}

impl<'a> BlockMap<'a> {
    fn new(job: &'a Job) -> Self {
        let mapper = Mapper::new(&job.engine, RandomState::new());
        Self {
            job,
            parser: job.engine.parser(),
            mapper: PositionedMapper { mapper, places: Vec::new() },
            rows: EventRowBuilder::new(job.fingerprint),
            sums: MapSums {
                counters: Counters::default(),
                counts: Vec::new(),
                deletions: Vec::new(),
                sightings: Vec::new(),
                rejects: Vec::new(),
                blocks: Vec::new(),
                skipped: Vec::new(),
                faults: Vec::new(),
                bytes_read: 0,
            },
            file: None,
            lines: 0,
            records: 0,
        }
    }

    /// Returns the last rows, or `None` if there are none.
    fn rest(&mut self) -> Result<Option<Vec<RecordBatch>>, ExchangeError> {
        let rows = EventRowBuilder::new(self.job.fingerprint);
        let rest = std::mem::replace(&mut self.rows, rows).finish()?;
        Ok((!rest.is_empty()).then_some(rest))
    }

    fn finish(self) -> Result<MapSums, ExchangeError> {
        let counters = self.mapper.mapper.into_counters();
        let counts = Counts::of_map(&counters).write(self.job)?;
        let deletions = deletions::write(&counters.deletions, self.job.fingerprint)?;
        let sightings = unused_emails(self.job, &counters)?;
        Ok(MapSums { counters, counts, deletions, sightings, ..self.sums })
    }

    /// Maps a block of `file`, whose name is `name`.
    fn map(&mut self, file: FileId, name: &str, block: &Block) -> Result<(), ExchangeError> {
        if self.file.replace(file) != Some(file) {
            (self.lines, self.records) = (0, 0);
        }
        let place = Place { file, block: block.number };
        self.mapper.begin(place);
        let lines = self.parser.read_block(block, &mut self.mapper);
        let records = self.mapper.mapper.end(lines);
        self.sums.blocks.push((place, lines));
        self.keep_rejects(name);
        self.keep_rows(file)?;
        self.lines += lines;
        self.records += records;
        Ok(())
    }

    fn keep_rejects(&mut self, name: &str) {
        let name = match &self.job.engine.redaction {
            None => Cow::Borrowed(name),
            Some(redaction) => redaction.text(name),
        };
        let (encoded, out) = (self.mapper.mapper.batch.rejects.as_bytes(), &mut self.sums.rejects);
        let Ok(()) = rejects::write_lines(encoded, &name, self.lines, |lines| {
            out.extend_from_slice(lines);
            Ok::<_, Infallible>(())
        });
    }

    /// Converts the rows of the batch to rows with texts.
    fn keep_rows(&mut self, file: FileId) -> Result<(), ExchangeError> {
        let batch = &self.mapper.mapper.batch;
        let mut bytes = batch.rows.as_bytes();
        let mut facts = batch.facts.as_slice();
        let engine = &self.job.engine;
        for (number, (keys, &(line, record))) in
            batch.events.iter().zip(&self.mapper.places).enumerate()
        {
            let Some(row) = Row::read(&mut bytes) else { break };
            let of_row = facts.partition_point(|fact| fact.row as usize <= number);
            let (own, rest) = facts.split_at(of_row);
            facts = rest;
            let mut row = with_texts(&row, &batch.ids, engine);
            if row.flags.has(Flags::TIES_PREVIOUS) {
                // The fact of the previous id of an alias comes last.
                row.previous_id = own.last().map_or("", |fact| batch.ids.text(fact.source));
            }
            row.place = InputPlace {
                file: file.input,
                member: file.member,
                record: self.records + record,
                line: self.lines + line + 1,
            };
            (row.copies_key, row.copies_content) = (keys.dedup, keys.rank.content);
            row.bucket = bucket_of_row(&row, self.job.buckets);
            row.copies_bucket = match keys.dedup {
                Some(key) if !self.job.copies_share_a_bucket() => {
                    bucket_of_hash(key, self.job.buckets)
                }
                _ => row.bucket,
            };
            self.rows.push(&row)?;
        }
        Ok(())
    }
}

/// Returns sightings of the addresses that signals carry and no rule maps.
fn unused_emails(job: &Job, counters: &Counters) -> Result<Vec<RecordBatch>, ExchangeError> {
    let mut ids: Vec<String> =
        counters.unused_emails.hashes().map(|hash| format!("{hash:016x}")).collect();
    ids.sort_unstable();
    let mut out = SightingBuilder::new(job.fingerprint);
    for id in &ids {
        let bucket = bucket_of(id, job.buckets);
        out.push(&Sighting { bucket, kind: UNUSED_EMAIL, id, ..Sighting::default() })?;
    }
    out.finish()
}

/// Returns `row` with the texts of its ids, which are numbers of `ids`.
fn with_texts<'r>(row: &Row<'r>, ids: &'r Ids, engine: &'r Engine) -> EventRow<'r> {
    let text = |id: Option<NodeId>| id.map(|id| ids.text(id));
    let mut texts = [""; Field::ALL.len()];
    for &field in Field::ALL {
        texts[field as usize] = row.text(field);
    }
    // Blocked ids are texts of the row.
    let blocked = |field: Field, texts: &mut [&'r str]| std::mem::take(&mut texts[field as usize]);
    let blocked_anonymous = blocked(Field::AnonymousId, &mut texts);
    let blocked_user = blocked(Field::UserId, &mut texts);
    let rule = row.head.rule.and_then(|rule| engine.rules.rules.get(rule as usize));
    EventRow {
        bucket: 0,
        copies_bucket: 0,
        place: InputPlace::default(),
        fate: EventFate::Kept,
        call: row.head.call,
        flags: row.head.flags,
        key: row.head.key,
        copies_key: None,
        copies_content: 0,
        rule: rule.map_or("", |rule| &rule.id),
        anonymous_id: text(row.ids.anonymous).unwrap_or(blocked_anonymous),
        user_id: text(row.ids.user).unwrap_or(blocked_user),
        email: text(row.ids.email).unwrap_or_default(),
        group_id: text(row.ids.group).unwrap_or_default(),
        previous_id: "",
        texts,
        cells: row.cells().collect(),
    }
}

/// A mapper that records the positions of events.
struct PositionedMapper<'a> {
    mapper: Mapper<'a>,
    /// For each row, its line in the block, from 0, and the number of its record in the block, from
    /// 1.
    places: Vec<(u64, u64)>,
}

impl PositionedMapper<'_> {
    fn begin(&mut self, place: Place) {
        self.mapper.begin(place);
        self.places.clear();
    }

    fn rows(&self) -> usize {
        let batch: &Batch = &self.mapper.batch;
        batch.events.len()
    }
}

impl Sink for PositionedMapper<'_> {
    fn line(&mut self, line_in_block: u64) {
        self.mapper.line(line_in_block);
    }

    fn event(&mut self, event: &Event<'_>, arrival: Arrival) {
        let before = self.rows();
        self.mapper.event(event, arrival);
        if self.rows() > before {
            let at = self.mapper.position();
            self.places.push((at.line, at.record));
        }
    }

    fn reject(&mut self, reject: Reject<'_>) {
        self.mapper.reject(reject);
    }

    fn surplus(&mut self, surplus: Surplus<'_>) {
        self.mapper.surplus(surplus);
    }

    fn foreign(&mut self) {
        self.mapper.foreign();
    }

    fn deletion(&mut self, deletion: Deletion<'_>) {
        self.mapper.deletion(deletion);
    }

    fn mended(&mut self, repairs: Repairs) {
        self.mapper.mended(repairs);
    }
}
