//! Record batches of counts. Counts with the same counter and key are added up.
//!
//! | column | type | what it holds |
//! | --- | --- | --- |
//! | `job` | `int64` | the fingerprint of the job |
//! | `counter` | `string` | the counter |
//! | `key` | `string` | the item, such as a minute, a rule or an event name; empty if the counter has only one |
//! | `count` | `int64` | the count |

use std::sync::LazyLock;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::{
    BatchBuilder, ExchangeError, Fingerprint, JOB, Null, Reader, Spec, Type, conform, schema_of,
};

/// The name of these batches in errors.
pub const KIND: &str = "counts";

const SPECS: [Spec; 4] = [
    JOB,
    Spec("counter", Type::Text, Null::Never),
    Spec("key", Type::Text, Null::Never),
    Spec("count", Type::Int64, Null::Never),
];

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(KIND, &SPECS));

/// Returns the schema of counts.
pub fn schema() -> SchemaRef {
    SchemaRef::clone(&SCHEMA)
}

/// Writes counts, each with its counter and key, to record batches of `job`.
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

/// Calls `take` with each counter, key and count of `batch`.
///
/// # Errors
/// Returns an error if the batch does not conform to the schema, or is of another job.
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
