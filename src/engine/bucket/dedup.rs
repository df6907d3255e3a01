//! The stage that finds duplicates.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};

use super::Job;
use super::resolve::rows_of;
use crate::engine::EventRef;
use crate::engine::dedup::{Dedup, Entry, Rank, Verdict};
use crate::engine::exchange::arrow::ExchangeError;
use crate::engine::exchange::arrow::event_rows::{self, EventRows};
use crate::engine::exchange::event_row::{EventFate, EventRow, InputPlace};

/// Returns the same rows in the same order; those that are duplicates of another row get the fate
/// `duplicate`. Of several duplicates, the one received first is kept, then the one that happened
/// first. All rows of a `copies_bucket` must be given together.
///
/// # Errors
/// Returns an error if a batch was not made by a stage of `job`.
pub fn dedup(job: &Job, rows: &[RecordBatch]) -> Result<Vec<RecordBatch>, ExchangeError> {
    let batches = rows_of(job, rows)?;
    let mut copies = Copies::default();
    for (number, batch) in batches.iter().enumerate() {
        copies.see(number, &EventRows::new(batch))?;
    }
    let with_fates = |(batch, fates): (&RecordBatch, &Vec<EventFate>)| with_fates(batch, fates);
    batches.iter().zip(&copies.fates).map(with_fates).collect()
}

/// Returns `batch` with its column of fates replaced.
pub(super) fn with_fates(
    batch: &RecordBatch,
    fates: &[EventFate],
) -> Result<RecordBatch, ExchangeError> {
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    let names: StringArray = fates.iter().map(|fate| Some(fate.name())).collect();
    columns[event_rows::FATE] = Arc::new(names);
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

/// The deduplication keys seen so far, and the fates of their rows.
#[derive(Default)]
struct Copies {
    dedup: Dedup,
    places: Vec<Vec<InputPlace>>,
    fates: Vec<Vec<EventFate>>,
    hashes: Vec<u32>,
}

impl Copies {
    fn see(&mut self, number: usize, rows: &EventRows<'_>) -> Result<(), ExchangeError> {
        let rows: Vec<EventRow<'_>> = rows.iter().collect::<Result<_, _>>()?;
        self.places.push(rows.iter().map(|row| row.place).collect());
        self.fates.push(rows.iter().map(|row| row.fate).collect());
        self.hashes.clear();
        self.dedup.hash(rows.iter().filter_map(|row| row.copies_key), &mut self.hashes);
        let keyed = (0_u32..).zip(&rows).filter_map(|(at, row)| Some((at, row, row.copies_key?)));
        for ((at, row, key), &hash) in keyed.zip(&self.hashes) {
            let rank = Rank {
                received: row.key.received,
                time: row.key.time,
                content: row.copies_content,
            };
            let event = EventRef::new(number, at);
            let places = &self.places;
            let place_of = |event: EventRef| places[event.segment()][event.row() as usize];
            let loser = match self.dedup.see(Entry { key, rank, event }, hash, place_of) {
                Verdict::Kept => continue,
                Verdict::Duplicate => event,
                Verdict::Replaces(loser) => loser,
            };
            self.fates[loser.segment()][loser.row() as usize] = EventFate::Duplicate;
        }
        Ok(())
    }
}
