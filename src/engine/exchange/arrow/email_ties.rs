//! Record batches that determine which e-mails are merged to one lead.
//!
//! With `merge = "user_id"`, e-mails that share a user id are one lead. *E-mail ties* are the pairs
//! of user ids and e-mails that were connected, and when each e-mail was last connected to any id:
//!
//! | column | type | what it holds |
//! | --- | --- | --- |
//! | `job` | `int64` | the fingerprint of the job |
//! | `user_id` | `string`, nullable | the user id; null for connections of anonymous ids, of which only the key is used |
//! | `email` | `string` | the e-mail |
//! | `time`, `received_at` | `timestamp(us, UTC)`, nullable | when the last event that connects them happened and was received |
//! | `signal_id` | `binary` | the content hash of that event |
//!
//! *Lead names* are the result:
//!
//! | column | type | what it holds |
//! | --- | --- | --- |
//! | `job` | `int64` | the fingerprint of the job |
//! | `email` | `string` | an e-mail of a lead with several |
//! | `name` | `string` | the e-mail that names the lead |

use std::sync::LazyLock;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::{
    BatchBuilder, ExchangeError, Fingerprint, JOB, KEY, Null, Reader, Spec, Type, conform, put_key,
    schema_of,
};
use crate::engine::identity::fact::OrderKey;

/// The name of batches of e-mail ties in errors.
pub const KIND: &str = "e-mail ties";
/// The name of batches of lead names in errors.
pub const NAMES_KIND: &str = "lead names";

const SPECS: [Spec; 6] =
    [JOB, Spec::text("user_id"), Spec("email", Type::Text, Null::Never), KEY[0], KEY[1], KEY[2]];

const NAME_SPECS: [Spec; 3] =
    [JOB, Spec("email", Type::Text, Null::Never), Spec("name", Type::Text, Null::Never)];

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(KIND, &SPECS));

static NAME_SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(NAMES_KIND, &NAME_SPECS));

/// Returns the schema of e-mail ties.
pub fn schema() -> SchemaRef {
    SchemaRef::clone(&SCHEMA)
}

/// Returns the schema of lead names.
pub fn name_schema() -> SchemaRef {
    SchemaRef::clone(&NAME_SCHEMA)
}

/// Writes ties, each with its user id (or an empty text), e-mail and key, to record batches of
/// `job`.
pub(in crate::engine) fn write<'a>(
    ties: impl IntoIterator<Item = (&'a str, &'a str, OrderKey)>,
    job: Fingerprint,
) -> Result<Vec<RecordBatch>, ExchangeError> {
    let mut out = BatchBuilder::new(schema(), &SPECS, job);
    for (user, email, key) in ties {
        out.begin(user.len() + email.len())?;
        out.next().text(user);
        out.next().any_text(Some(email));
        put_key(key, &mut out);
    }
    out.finish()
}

/// Calls `take` with the user id, e-mail and key of each tie of `batch`.
///
/// # Errors
/// Returns an error if the batch does not conform to the schema, or is of another job.
pub(in crate::engine) fn each(
    batch: &RecordBatch,
    job: Fingerprint,
    mut take: impl FnMut(&str, &str, OrderKey),
) -> Result<(), ExchangeError> {
    let batch = conform(batch, KIND, &SCHEMA, job)?;
    let mut columns = Reader::new(&batch);
    columns.skip();
    let (user, email, key) = (columns.text(), columns.text(), columns.key());
    for row in 0..batch.num_rows() {
        take(user.at(row), email.at(row), key.at(row, KIND)?);
    }
    Ok(())
}

/// Writes pairs of an e-mail and the name of its lead to record batches of `job`.
pub(in crate::engine) fn write_names<'a>(
    names: impl IntoIterator<Item = (&'a str, &'a str)>,
    job: Fingerprint,
) -> Result<Vec<RecordBatch>, ExchangeError> {
    let mut out = BatchBuilder::new(name_schema(), &NAME_SPECS, job);
    for (email, name) in names {
        out.begin(email.len() + name.len())?;
        out.next().any_text(Some(email));
        out.next().any_text(Some(name));
    }
    out.finish()
}

/// Calls `take` with each e-mail of `batch` and the name of its lead.
///
/// # Errors
/// Returns an error if the batch does not conform to the schema, or is of another job.
pub(in crate::engine) fn each_name(
    batch: &RecordBatch,
    job: Fingerprint,
    mut take: impl FnMut(&str, &str),
) -> Result<(), ExchangeError> {
    let batch = conform(batch, NAMES_KIND, &NAME_SCHEMA, job)?;
    let mut columns = Reader::new(&batch);
    columns.skip();
    let (email, name) = (columns.text(), columns.text());
    (0..batch.num_rows()).for_each(|row| take(email.at(row), name.at(row)));
    Ok(())
}
