//! Record batches of the user ids whose links a bucket needs.
//!
//! | column | type | what it holds |
//! | --- | --- | --- |
//! | `job` | `int64` | the fingerprint of the job |
//! | `bucket` | `int32` | the bucket that needs the links |
//! | `user_id` | `string` | the user id |

use std::sync::LazyLock;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::{BatchBuilder, ExchangeError, Fingerprint, JOB, Null, Spec, Type, schema_of};

/// The name of these batches in errors.
pub const KIND: &str = "wanted ids";

const SPECS: [Spec; 3] =
    [JOB, Spec("bucket", Type::Int32, Null::Never), Spec("user_id", Type::Text, Null::Never)];

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(KIND, &SPECS));

/// Returns the schema of wanted ids.
pub fn schema() -> SchemaRef {
    SchemaRef::clone(&SCHEMA)
}

/// Writes pairs of a bucket and a user id to record batches of `job`.
pub(in crate::engine) fn write<'a>(
    wanted: impl IntoIterator<Item = (u32, &'a str)>,
    job: Fingerprint,
) -> Result<Vec<RecordBatch>, ExchangeError> {
    let mut out = BatchBuilder::new(schema(), &SPECS, job);
    for (bucket, user) in wanted {
        out.begin(user.len())?;
        out.next().int32(bucket.cast_signed());
        out.next().any_text(Some(user));
    }
    out.finish()
}
