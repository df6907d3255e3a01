//! Events of minutes of which the service would have taken only the first few, as record batches.
//!
//! | column | type | what it holds |
//! | --- | --- | --- |
//! | `job` | `int64` | the fingerprint of the job |
//! | `minute` | `int64` | the minute in which it was received, since 1970-01-01T00:00:00Z |
//! | `time`, `received_at` | `timestamp(us, UTC)`, nullable | when it happened and was received |
//! | `signal_id` | `binary` | its content hash |
//! | `is_identify` | `bool` | it is an identify call that is kept |
//! | `brings` | `string`, nullable | the lead whose e-mail it brings |

use std::sync::LazyLock;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::{
    BatchBuilder, ExchangeError, Fingerprint, JOB, KEY, Null, Reader, Spec, Type, conform, put_key,
    schema_of,
};
use crate::engine::identity::fact::OrderKey;

/// What errors call such batches.
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

/// The schema of contenders.
pub fn schema() -> SchemaRef {
    SchemaRef::clone(&SCHEMA)
}

/// A contender with texts.
pub(in crate::engine) struct NamedContender<'a> {
    /// The minute.
    pub(in crate::engine) minute: i64,
    /// When, and by which event.
    pub(in crate::engine) key: OrderKey,
    /// It is a kept identify call.
    pub(in crate::engine) is_identify: bool,
    /// The lead whose e-mail it brings; empty where it brings none.
    pub(in crate::engine) brings: &'a str,
}

/// `contenders` as record batches of `job`.
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

/// Hands each contender of `batch`, a batch of `job`, to `take`.
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
