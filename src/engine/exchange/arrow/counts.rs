//! Counts as record batches: those of several batches are added up by their first two columns.
//!
//! | column | type | what it holds |
//! | --- | --- | --- |
//! | `job` | `int64` | the fingerprint of the job |
//! | `counter` | `string` | what was counted |
//! | `key` | `string` | of what: a minute, a rule, the name of an event; empty where there is but one |
//! | `count` | `int64` | how often |

use std::sync::LazyLock;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::{
    BatchBuilder, ExchangeError, Fingerprint, JOB, Null, Reader, Spec, Type, conform, schema_of,
};

/// What errors call such batches.
pub const KIND: &str = "counts";

const SPECS: [Spec; 4] = [
    JOB,
    Spec("counter", Type::Text, Null::Never),
    Spec("key", Type::Text, Null::Never),
    Spec("count", Type::Int64, Null::Never),
];

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(KIND, &SPECS));

/// The schema of counts.
pub fn schema() -> SchemaRef {
    SchemaRef::clone(&SCHEMA)
}

/// Counts, each with its counter and its key, as record batches of `job`.
pub(in crate::engine) fn write<'a>(
    counts: impl IntoIterator<Item = (&'a str, &'a str, i64)>,
    job: Fingerprint,
) -> Result<Vec<RecordBatch>, ExchangeError> {
    let mut out = BatchBuilder::new(schema(), &SPECS, job);
    for (counter, key, count) in counts {
        out.begin(counter.len() + key.len())?;
        out.next().any_text(Some(counter));
        out.next().any_text(Some(key));
        out.next().int64(count);
    }
    out.finish()
}

/// Hands each count of `batch`, a batch of `job`, to `take`.
pub(in crate::engine) fn each(
    batch: &RecordBatch,
    job: Fingerprint,
    mut take: impl FnMut(&str, &str, i64),
) -> Result<(), ExchangeError> {
    let batch = conform(batch, KIND, &SCHEMA, job)?;
    let mut columns = Reader::new(&batch);
    columns.skip();
    let (counter, key, count) = (columns.text(), columns.text(), columns.int64());
    for row in 0..batch.num_rows() {
        take(counter.at(row), key.at(row), count.value(row));
    }
    Ok(())
}
