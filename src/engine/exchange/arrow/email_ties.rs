//! What decides which e-mails become one lead, as record batches.
//!
//! Where `merge = "user_id"` makes one lead of the e-mails that share a user id, this is what is known
//! of each pair: that a user id was tied to an e-mail, and when an e-mail was last tied to anything.
//!
//! | column | type | what it holds |
//! | --- | --- | --- |
//! | `job` | `int64` | the fingerprint of the job |
//! | `user_id` | `string`, nullable | the user id that was tied; null of ties of anonymous ids, of which only the key counts |
//! | `email` | `string` | the e-mail that it was tied to |
//! | `time`, `received_at` | `timestamp(us, UTC)`, nullable | when that was last said, and received |
//! | `signal_id` | `binary` | the content hash of the event that last said it |
//!
//! What comes of them all are *lead names*:
//!
//! | column | type | what it holds |
//! | --- | --- | --- |
//! | `job` | `int64` | the fingerprint of the job |
//! | `email` | `string` | an e-mail that is part of a lead of several |
//! | `name` | `string` | the e-mail that names that lead |

use std::sync::LazyLock;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::{
    BatchBuilder, ExchangeError, Fingerprint, JOB, KEY, Null, Reader, Spec, Type, conform, put_key,
    schema_of,
};
use crate::engine::identity::fact::OrderKey;

/// What errors call batches of ties.
pub const KIND: &str = "e-mail ties";
/// What errors call batches of names.
pub const NAMES_KIND: &str = "lead names";

const SPECS: [Spec; 6] =
    [JOB, Spec::text("user_id"), Spec("email", Type::Text, Null::Never), KEY[0], KEY[1], KEY[2]];

const NAME_SPECS: [Spec; 3] =
    [JOB, Spec("email", Type::Text, Null::Never), Spec("name", Type::Text, Null::Never)];

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(KIND, &SPECS));

static NAME_SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(NAMES_KIND, &NAME_SPECS));

/// The schema of ties.
pub fn schema() -> SchemaRef {
    SchemaRef::clone(&SCHEMA)
}

/// The schema of names of leads.
pub fn name_schema() -> SchemaRef {
    SchemaRef::clone(&NAME_SCHEMA)
}

/// Ties, each with its user id, or an empty one, its e-mail and its key, as record batches of `job`.
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

/// Hands each tie of `batch`, a batch of `job`, to `take`.
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

/// Names of leads, each after the e-mail that it is for, as record batches of `job`.
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

/// Hands each name of `batch`, a batch of `job`, to `take`: the e-mail, then the name of its lead.
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
