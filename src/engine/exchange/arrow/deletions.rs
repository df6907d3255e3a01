//! Record batches of deletion requests.
//!
//! | column | type | what it holds |
//! | --- | --- | --- |
//! | `job` | `int64` | the fingerprint of the job |
//! | `user_id` | `string` | the user |
//! | `until` | `timestamp(us, UTC)`, nullable | the time up to which the user's events are covered; null covers all |

use std::sync::LazyLock;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::{
    BatchBuilder, ExchangeError, Fingerprint, JOB, Null, Reader, Spec, Type, conform, schema_of,
};
use crate::engine::map::deletions::{Deletions, Until};
use crate::time::Time;

/// The name of these batches in errors.
pub const KIND: &str = "deletions";

const SPECS: [Spec; 3] =
    [JOB, Spec("user_id", Type::Text, Null::Never), Spec("until", Type::Time, Null::Maybe)];

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(KIND, &SPECS));

/// Returns the schema of deletion requests.
pub fn schema() -> SchemaRef {
    SchemaRef::clone(&SCHEMA)
}

/// Writes `deletions` to record batches of `job`.
pub(in crate::engine) fn write(
    deletions: &Deletions,
    job: Fingerprint,
) -> Result<Vec<RecordBatch>, ExchangeError> {
    let mut all: Vec<_> = deletions.iter().collect();
    all.sort_unstable();
    let mut out = BatchBuilder::new(schema(), &SPECS, job);
    for (user, until) in all {
        out.begin(user.len())?;
        out.next().any_text(Some(user));
        out.next().time(match until {
            Until::Time(time) => time,
            Until::Always => Time::MISSING,
        });
    }
    out.finish()
}

/// Calls `take` with each user id of `batch` and the time up to which it is covered.
///
/// # Errors
/// Returns an error if the batch does not conform to the schema, or is of another job.
pub(in crate::engine) fn each(
    batch: &RecordBatch,
    job: Fingerprint,
    mut take: impl FnMut(&str, Until),
) -> Result<(), ExchangeError> {
    let batch = conform(batch, KIND, &SCHEMA, job)?;
    let mut columns = Reader::new(&batch);
    columns.skip();
    let (user, until) = (columns.text(), columns.time());
    for row in 0..batch.num_rows() {
        let until = until.at(row);
        let until = if until.is_missing() { Until::Always } else { Until::Time(until) };
        take(user.at(row), until);
    }
    Ok(())
}
