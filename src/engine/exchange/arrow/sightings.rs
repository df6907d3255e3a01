//! Record batches of sightings of ids, from which visitors are counted.
//!
//! Each sighting of an id has some of its properties;
//! [`census`](crate::engine::bucket::census::census) combines all sightings of an id.
//!
//! | column | type | what it holds |
//! | --- | --- | --- |
//! | `job` | `int64` | the fingerprint of the job |
//! | `bucket` | `int32` | the bucket of the id |
//! | `kind` | `string` | `anonymous_id`, `user_id`, `email`, or `unused_email` for an address that no rule maps |
//! | `id` | `string` | the id; for addresses, the XXH3 (64 bits, seed 0) in 16 hex digits |
//! | `is_resolved` | `bool` | whether the id resolves to an e-mail |
//! | `emails` | `int32` | the number of e-mails of the id, counted up to one more than the limit of shared ids |
//! | `period` | `int32` | the index of a period of the plan with an event of the id; -1 if the sighting is not of a period |
//! | `with_user` | `bool` | whether that event had a user id |

use std::sync::LazyLock;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::{
    BatchBuilder, ExchangeError, Fingerprint, JOB, Null, Reader, Spec, Type, conform, schema_of,
};

/// The name of these batches in errors.
pub const KIND: &str = "sightings";

const SPECS: [Spec; 8] = [
    JOB,
    Spec("bucket", Type::Int32, Null::Never),
    Spec("kind", Type::Text, Null::Never),
    Spec("id", Type::Text, Null::Never),
    Spec("is_resolved", Type::Flag, Null::Never),
    Spec("emails", Type::Int32, Null::Never),
    Spec("period", Type::Int32, Null::Never),
    Spec("with_user", Type::Flag, Null::Never),
];

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(KIND, &SPECS));

/// Returns the schema of sightings.
pub fn schema() -> SchemaRef {
    SchemaRef::clone(&SCHEMA)
}

/// A sighting of an id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine) struct Sighting<'a> {
    pub(in crate::engine) bucket: u32,
    pub(in crate::engine) kind: &'a str,
    pub(in crate::engine) id: &'a str,
    pub(in crate::engine) is_resolved: bool,
    pub(in crate::engine) emails: u32,
    pub(in crate::engine) period: Option<u32>,
    pub(in crate::engine) with_user: bool,
}

/// The kind of addresses that events bring.
pub(in crate::engine) const EMAIL: &str = "email";
/// The kind of addresses that no rule maps.
pub(in crate::engine) const UNUSED_EMAIL: &str = "unused_email";

/// A builder of batches of sightings.
pub(in crate::engine) struct SightingBuilder(BatchBuilder);

impl SightingBuilder {
    /// Creates a builder without sightings.
    pub(in crate::engine) fn new(job: Fingerprint) -> Self {
        Self(BatchBuilder::new(schema(), &SPECS, job))
    }

    /// Appends a sighting.
    pub(in crate::engine) fn push(&mut self, sighting: &Sighting<'_>) -> Result<(), ExchangeError> {
        let out = &mut self.0;
        out.begin(sighting.kind.len() + sighting.id.len())?;
        out.next().int32(sighting.bucket.cast_signed());
        out.next().any_text(Some(sighting.kind));
        out.next().any_text(Some(sighting.id));
        out.next().flag(sighting.is_resolved);
        out.next().int32(sighting.emails.cast_signed());
        out.next().int32(sighting.period.map_or(-1, u32::cast_signed));
        out.next().flag(sighting.with_user);
        Ok(())
    }

    /// Returns all batches.
    pub(in crate::engine) fn finish(self) -> Result<Vec<RecordBatch>, ExchangeError> {
        self.0.finish()
    }
}

/// Calls `take` with each sighting of `batch`.
///
/// # Errors
/// Returns an error if the batch does not conform to the schema, or is of another job.
pub(in crate::engine) fn each(
    batch: &RecordBatch,
    job: Fingerprint,
    mut take: impl FnMut(Sighting<'_>),
) -> Result<(), ExchangeError> {
    let batch = conform(batch, KIND, &SCHEMA, job)?;
    let mut columns = Reader::new(&batch);
    columns.skip();
    let (bucket, kind, id) = (columns.int32(), columns.text(), columns.text());
    let (is_resolved, emails) = (columns.flag(), columns.int32());
    let (period, with_user) = (columns.int32(), columns.flag());
    for row in 0..batch.num_rows() {
        take(Sighting {
            bucket: bucket.value(row).cast_unsigned(),
            kind: kind.at(row),
            id: id.at(row),
            is_resolved: is_resolved.value(row),
            emails: emails.value(row).cast_unsigned(),
            period: u32::try_from(period.value(row)).ok(),
            with_user: with_user.value(row),
        });
    }
    Ok(())
}
