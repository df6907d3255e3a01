//! Writes the table of leads: a line for each lead, by score.

use rayon::ThreadPool;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::output::Tables;
use crate::emit::row::LeadRow;
use crate::emit::{Chunk, Encoder};
use crate::engine::lead::{self, Ranked, Ranking};
use crate::engine::redact::Redaction;
use crate::engine::resolve::lead_rows::LeadRows;
use crate::error::Error;

/// The number of leads that are encoded at once.
const LEADS_A_CHUNK: usize = 2048;

/// Writes `leads` to `table`, redacted by `redaction`, on all threads of `pool`, and calls `see`
/// for each, in order.
///
/// # Errors
/// Returns an error if leads cannot be read back from disk, or if writing fails.
pub fn write_leads(
    rows: &LeadRows<'_>,
    leads: &Ranking<'_>,
    redaction: Option<&Redaction>,
    table: &mut Tables<'_>,
    pool: &ThreadPool,
    mut see: impl FnMut(&Ranked<'_>),
) -> Result<(), Error> {
    let mut chunks = leads.chunks(LEADS_A_CHUNK).map_err(Error::Spill)?;
    loop {
        let mut some = Vec::with_capacity(pool.current_num_threads());
        while some.len() < pool.current_num_threads()
            && let Some(chunk) = chunks.next().map_err(Error::Spill)?
        {
            chunk.each(&mut see);
            some.push((chunk, table.encoders()));
        }
        if some.is_empty() {
            return Ok(());
        }
        let encode = |(chunk, encoders)| encode(rows, &chunk, redaction, encoders);
        let encoded: Vec<_> = pool.install(|| some.into_par_iter().map(encode).collect());
        rows.ids.check().map_err(Error::Spill)?;
        for chunks in encoded {
            table.write(chunks)?;
        }
    }
}

/// Encodes the rows of a chunk of leads.
fn encode(
    rows: &LeadRows<'_>,
    leads: &lead::Chunk<'_>,
    redaction: Option<&Redaction>,
    mut encoders: Vec<Encoder>,
) -> Vec<Chunk> {
    leads.each(|ranked| {
        let mut encode = |row: &LeadRow<'_>| {
            for encoder in &mut encoders {
                encoder.lead(row);
            }
        };
        rows.with_row(ranked, |row| match redaction {
            None => encode(row),
            Some(redaction) => redaction.lead(row, encode),
        });
    });
    encoders.iter_mut().map(Encoder::take).collect()
}
