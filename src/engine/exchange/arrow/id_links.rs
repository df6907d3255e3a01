//! Record batches of links between ids.
//!
//! | column | type | what it holds |
//! | --- | --- | --- |
//! | `job` | `int64` | the fingerprint of the job |
//! | `bucket` | `int32` | the bucket of the source |
//! | `source_kind` | `string` | `anonymous_id` or `user_id` |
//! | `source` | `string` | the id that was connected |
//! | `time`, `received_at` | `timestamp(us, UTC)`, nullable | when the event that connects them happened and was received |
//! | `signal_id` | `binary` | the content hash of that event |
//! | `target_kind` | `string` | `user_id` or `email` |
//! | `target` | `string` | the id or e-mail that it was connected to |

use std::sync::LazyLock;

use arrow_array::{Int32Array, RecordBatch};
use arrow_schema::SchemaRef;

use super::conform::{Keys, Texts};
use super::{
    BatchBuilder, ExchangeError, Fingerprint, JOB, KEY, Null, Reader, Spec, Type, conform, put_key,
    schema_of,
};
use crate::engine::exchange::id_link::IdLink;
use crate::engine::identity::ids::Space;

/// The name of these batches in errors.
pub const KIND: &str = "links";

const SPECS: [Spec; 9] = [
    JOB,
    Spec("bucket", Type::Int32, Null::Never),
    Spec("source_kind", Type::Text, Null::Never),
    Spec("source", Type::Text, Null::Never),
    KEY[0],
    KEY[1],
    KEY[2],
    Spec("target_kind", Type::Text, Null::Never),
    Spec("target", Type::Text, Null::Never),
];

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(KIND, &SPECS));

/// Returns the schema of links.
pub fn schema() -> SchemaRef {
    SchemaRef::clone(&SCHEMA)
}

/// Returns the name of a space in batches.
pub(in crate::engine) fn kind_of(space: Space) -> &'static str {
    match space {
        Space::Anonymous => "anonymous_id",
        Space::User => "user_id",
        Space::Email => "email",
        Space::Group => "group_id",
    }
}

fn space_of(kind: &str) -> Option<Space> {
    [Space::Anonymous, Space::User, Space::Email].into_iter().find(|&space| kind_of(space) == kind)
}

/// A builder of batches of links.
pub(in crate::engine) struct IdLinkBuilder(BatchBuilder);

impl IdLinkBuilder {
    /// Creates a builder without links.
    pub(in crate::engine) fn new(job: Fingerprint) -> Self {
        Self(BatchBuilder::new(schema(), &SPECS, job))
    }

    /// Appends a link.
    pub(in crate::engine) fn push(&mut self, link: &IdLink<'_>) -> Result<(), ExchangeError> {
        let out = &mut self.0;
        out.begin(link.source.len() + link.target.len())?;
        out.next().int32(link.bucket.cast_signed());
        out.next().any_text(Some(kind_of(link.source_space)));
        out.next().any_text(Some(link.source));
        put_key(link.key, out);
        out.next().any_text(Some(kind_of(link.target_space)));
        out.next().any_text(Some(link.target));
        Ok(())
    }

    /// Returns all batches.
    pub(in crate::engine) fn finish(self) -> Result<Vec<RecordBatch>, ExchangeError> {
        self.0.finish()
    }
}

/// Returns `batch` with the columns of links of `job`.
///
/// # Errors
/// Returns an error if the batch does not conform to the schema, or is of another job.
pub(in crate::engine) fn read(
    batch: &RecordBatch,
    job: Fingerprint,
) -> Result<RecordBatch, ExchangeError> {
    conform(batch, KIND, &SCHEMA, job)
}

/// The columns of a batch of links.
pub(in crate::engine) struct IdLinks<'b> {
    len: usize,
    bucket: &'b Int32Array,
    source_kind: Texts<'b>,
    source: Texts<'b>,
    key: Keys<'b>,
    target_kind: Texts<'b>,
    target: Texts<'b>,
}

impl<'b> IdLinks<'b> {
    /// Creates a reader of a batch that [`read`] returned.
    pub(in crate::engine) fn new(batch: &'b RecordBatch) -> Self {
        let mut columns = Reader::new(batch);
        columns.skip();
        Self {
            len: batch.num_rows(),
            bucket: columns.int32(),
            source_kind: columns.text(),
            source: columns.text(),
            key: columns.key(),
            target_kind: columns.text(),
            target: columns.text(),
        }
    }

    /// Returns all links.
    pub(in crate::engine) fn iter(
        &self,
    ) -> impl Iterator<Item = Result<IdLink<'b>, ExchangeError>> + '_ {
        (0..self.len).map(|row| self.link(row))
    }

    fn link(&self, row: usize) -> Result<IdLink<'b>, ExchangeError> {
        let space = |column, kinds: Texts<'b>| {
            let broken = ExchangeError::BrokenValue { kind: KIND, column };
            space_of(kinds.at(row)).ok_or(broken)
        };
        Ok(IdLink {
            bucket: self.bucket.value(row).cast_unsigned(),
            source_space: space("source_kind", self.source_kind)?,
            source: self.source.at(row),
            key: self.key.at(row, KIND)?,
            target_space: space("target_kind", self.target_kind)?,
            target: self.target.at(row),
        })
    }
}
