//! Record batches of group names.
//!
//! | column | type | what it holds |
//! | --- | --- | --- |
//! | `job` | `int64` | the fingerprint of the job |
//! | `group_id` | `string` | the group |
//! | `time`, `received_at` | `timestamp(us, UTC)`, nullable | when the call that names the group happened and was received |
//! | `signal_id` | `binary` | the content hash of that call |
//! | `name` | `string` | the name; of several, the one with the latest key counts, then the last in byte order |

use std::sync::LazyLock;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::{
    BatchBuilder, ExchangeError, Fingerprint, JOB, KEY, Null, Reader, Spec, Type, conform, put_key,
    schema_of,
};
use crate::engine::identity::fact::OrderKey;

/// The name of these batches in errors.
pub const KIND: &str = "group names";

const SPECS: [Spec; 6] = [
    JOB,
    Spec("group_id", Type::Text, Null::Never),
    KEY[0],
    KEY[1],
    KEY[2],
    Spec("name", Type::Text, Null::Never),
];

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(KIND, &SPECS));

/// Returns the schema of group names.
pub fn schema() -> SchemaRef {
    SchemaRef::clone(&SCHEMA)
}

/// Writes group names, each with the key of the call that gave it, to record batches of `job`.
pub(in crate::engine) fn write<'a>(
    names: impl IntoIterator<Item = (&'a str, OrderKey, &'a str)>,
    job: Fingerprint,
) -> Result<Vec<RecordBatch>, ExchangeError> {
    let mut out = BatchBuilder::new(schema(), &SPECS, job);
    for (group, key, name) in names {
        out.begin(group.len() + name.len())?;
        out.next().any_text(Some(group));
        put_key(key, &mut out);
        out.next().any_text(Some(name));
    }
    out.finish()
}

/// Calls `take` with each group, key and name of `batch`.
///
/// # Errors
/// Returns an error if the batch does not conform to the schema, or is of another job.
pub(in crate::engine) fn each(
    batch: &RecordBatch,
    job: Fingerprint,
    mut take: impl FnMut(&str, OrderKey, &str),
) -> Result<(), ExchangeError> {
    let batch = conform(batch, KIND, &SCHEMA, job)?;
    let mut columns = Reader::new(&batch);
    columns.skip();
    let (group, key, name) = (columns.text(), columns.key(), columns.text());
    for row in 0..batch.num_rows() {
        take(group.at(row), key.at(row, KIND)?, name.at(row));
    }
    Ok(())
}
