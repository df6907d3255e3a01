//! Record batches of contenders: events of minutes in which the service accepts only the first few.
//!
//! | column | type | what it holds |
//! | --- | --- | --- |
//! | `job` | `int64` | the fingerprint of the job |
//! | `minute` | `int64` | the minute of receipt, since 1970-01-01T00:00:00Z |
//! | `time`, `received_at` | `timestamp(us, UTC)`, nullable | when the event happened and was received |
//! | `signal_id` | `binary` | the content hash of the event |
//! | `is_identify` | `bool` | whether it is an identify call that is kept |
//! | `brings` | `string`, nullable | the lead whose e-mail it brings |

use std::sync::LazyLock;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::{
    BatchBuilder, ExchangeError, Fingerprint, JOB, KEY, Null, Reader, Spec, Type, conform, put_key,
    schema_of,
};
use crate::engine::identity::fact::OrderKey;

/// The name of these batches in errors.
pub const KIND: &str = "contenders";

const SPECS: [Spec; 7] = [
    JOB,
    Spec("minute", Type::Int64, Null::Never),
    KEY[0],
    KEY[1],
    KEY[2],
    Spec("is_identify", Type::Flag, Null::Never),
    Spec::text("brings"),
];

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(KIND, &SPECS));

/// Returns the schema of contenders.
pub fn schema() -> SchemaRef {
    SchemaRef::clone(&SCHEMA)
}

/// A contender with its lead as text.
pub(in crate::engine) struct NamedContender<'a> {
    /// The minute of receipt.
    pub(in crate::engine) minute: i64,
    /// The times and the content hash.
    pub(in crate::engine) key: OrderKey,
    /// Whether it is an identify call that is kept.
    pub(in crate::engine) is_identify: bool,
    /// The lead whose e-mail it brings; empty if none.
    pub(in crate::engine) brings: &'a str,
}

/// Writes `contenders` to record batches of `job`.
pub(in crate::engine) fn write<'a>(
    contenders: impl IntoIterator<Item = NamedContender<'a>>,
    job: Fingerprint,
) -> Result<Vec<RecordBatch>, ExchangeError> {
    let mut out = BatchBuilder::new(schema(), &SPECS, job);
    for contender in contenders {
        out.begin(contender.brings.len())?;
        out.next().int64(contender.minute);
        put_key(contender.key, &mut out);
        out.next().flag(contender.is_identify);
        out.next().text(contender.brings);
    }
    out.finish()
}

/// Calls `take` with each contender of `batch`.
///
/// # Errors
/// Returns an error if the batch does not conform to the schema, or is of another job.
pub(in crate::engine) fn each(
    batch: &RecordBatch,
    job: Fingerprint,
    mut take: impl FnMut(NamedContender<'_>),
) -> Result<(), ExchangeError> {
    let batch = conform(batch, KIND, &SCHEMA, job)?;
    let mut columns = Reader::new(&batch);
    columns.skip();
    let (minute, key) = (columns.int64(), columns.key());
    let (is_identify, brings) = (columns.flag(), columns.text());
    for row in 0..batch.num_rows() {
        take(NamedContender {
            minute: minute.value(row),
            key: key.at(row, KIND)?,
            is_identify: is_identify.value(row),
            brings: brings.at(row),
        });
    }
    Ok(())
}
