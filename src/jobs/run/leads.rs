//! The table of leads: a line for each, by score.

use std::ops::Range;

use rayon::ThreadPool;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::output::Tables;
use crate::emit::{Chunk, Encoder};
use crate::engine::lead::Ranking;
use crate::engine::resolve::lead_rows::LeadRows;
use crate::engine::resolve::owner::AHEAD;
use crate::error::Error;

/// How many leads are encoded at once.
const LEADS_A_CHUNK: usize = 8192;

/// Writes all `leads` to `table`, on all threads of `pool`.
///
/// # Errors
/// Those of writing.
pub fn write_leads(
    rows: &LeadRows<'_>,
    leads: &Ranking<'_>,
    table: &mut Tables<'_>,
    pool: &ThreadPool,
) -> Result<(), Error> {
    let at_once = LEADS_A_CHUNK * pool.current_num_threads();
    for start in (0..leads.len()).step_by(at_once) {
        let firsts = (start..leads.len().min(start + at_once)).step_by(LEADS_A_CHUNK);
        let some: Vec<_> = firsts.map(|first| (first, table.encoders())).collect();
        let encode = |(first, encoders)| {
            let end = leads.len().min(first + LEADS_A_CHUNK);
            encode(rows, leads, first..end, encoders)
        };
        let encoded: Vec<_> = pool.install(|| some.into_par_iter().map(encode).collect());
        for chunks in encoded {
            table.write(chunks)?;
        }
    }
    Ok(())
}

/// Encodes the rows of the leads from one rank to before another.
fn encode(
    rows: &LeadRows<'_>,
    leads: &Ranking<'_>,
    ranks: Range<usize>,
    mut encoders: Vec<Encoder>,
) -> Vec<Chunk> {
    for first in ranks.clone().step_by(AHEAD) {
        let some = first..ranks.end.min(first + AHEAD);
        leads.prefetch(some.clone());
        for ranked in leads.range(some) {
            rows.with_row(&ranked, |row| {
                for encoder in &mut encoders {
                    encoder.lead(row);
                }
            });
        }
    }
    encoders.iter_mut().map(Encoder::take).collect()
}
