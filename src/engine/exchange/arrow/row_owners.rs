//! Record batches of rows with their owners.
//!
//! A batch of *resolved rows* has the columns of [`event_rows`], followed by these:
//!
//! | column | type | what it holds |
//! | --- | --- | --- |
//! | `lead_email` | `string`, nullable | the lead of the e-mail that the event brings, or else of its owner |
//! | `brought_email` | `string`, nullable | the lead of the e-mail that the event brings, or else of its user id |
//! | `user_email` | `string`, nullable | the lead of the e-mail that the user id is, if such a user id identifies |
//! | `found` | `string`, nullable | `known` or `rehydrated` if the owner was found by the ids |
//! | `through` | `string`, nullable | how the owner was found: `anonymous_id`, `user_id` or `bridge` |
//! | `tied_at` | `timestamp(us, UTC)`, nullable | when the id was connected to the owner |
//! | `moved_by` | `int32` | the policies under which the signal would have another lead, as bits: 1 `split`, 2 `first`, 4 `last`, 8 `strict` |

use std::sync::LazyLock;

use arrow_array::{Int32Array, RecordBatch};
use arrow_schema::{Fields, Schema, SchemaRef};

use super::conform::{Texts, Times};
use super::{
    BatchBuilder, ExchangeError, Fingerprint, JOB, Null, Reader, Spec, Type, conform, event_rows,
    schema_of,
};
use crate::engine::exchange::row_owner::{FoundOwner, RowOwner};
use crate::engine::identity::Resolution;
use crate::engine::identity::resolve::Through;
use crate::engine::resolve::row::PolicySet;

/// The name of these batches in errors.
pub const KIND: &str = "resolved rows";

const SPECS: [Spec; 8] = [
    JOB,
    Spec::text("lead_email"),
    Spec::text("brought_email"),
    Spec::text("user_email"),
    Spec::text("found"),
    Spec::text("through"),
    Spec("tied_at", Type::Time, Null::Maybe),
    Spec("moved_by", Type::Int32, Null::Never),
];

static OWNERS: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(KIND, &SPECS));

static RESOLVED: LazyLock<SchemaRef> = LazyLock::new(|| {
    let (rows, owners) = (event_rows::schema(), SchemaRef::clone(&OWNERS));
    let fields: Fields = rows.fields().iter().chain(&owners.fields()[1..]).cloned().collect();
    SchemaRef::new(Schema::new_with_metadata(fields, owners.metadata().clone()))
});

/// Returns the schema of resolved rows.
pub fn schema() -> SchemaRef {
    SchemaRef::clone(&RESOLVED)
}

const THROUGH: [(&str, Through); 3] = [
    ("anonymous_id", Through::AnonymousId),
    ("user_id", Through::UserId),
    ("bridge", Through::Bridge),
];

/// A builder of the columns of owners.
pub(in crate::engine) struct OwnerBuilder(BatchBuilder);

impl OwnerBuilder {
    /// Creates a builder without owners.
    pub(in crate::engine) fn new(job: Fingerprint) -> Self {
        Self(BatchBuilder::new(SchemaRef::clone(&OWNERS), &SPECS, job))
    }

    /// Appends an owner.
    pub(in crate::engine) fn push(&mut self, owner: &RowOwner<'_>) -> Result<(), ExchangeError> {
        let out = &mut self.0;
        // A batch has as many owners as rows, even if it exceeds the maximum size.
        out.begin(0)?;
        for email in [owner.lead_email, owner.brought_email, owner.user_email] {
            out.next().text(email);
        }
        match owner.found {
            Some(found) => {
                let through = THROUGH.into_iter().find(|(_, through)| *through == found.through);
                out.next().text(found.resolution.name());
                out.next().text(through.map_or("", |(name, _)| name));
                out.next().time(found.tied);
            }
            None => (0..3).for_each(|_| out.next().null()),
        }
        out.next().int32(owner.moved_by.to_bits().into());
        Ok(())
    }

    /// Returns `rows` with the columns of the owners, which are as many, appended.
    pub(in crate::engine) fn beside(
        self,
        rows: &RecordBatch,
    ) -> Result<RecordBatch, ExchangeError> {
        let owners = self.0.finish_one()?;
        let columns = rows.columns().iter().chain(&owners.columns()[1..]).cloned().collect();
        Ok(RecordBatch::try_new(schema(), columns)?)
    }
}

/// Returns `batch` with the columns of resolved rows of `job`.
///
/// # Errors
/// Returns an error if the batch does not conform to the schema, or is of another job.
pub(in crate::engine) fn read(
    batch: &RecordBatch,
    job: Fingerprint,
) -> Result<RecordBatch, ExchangeError> {
    conform(batch, KIND, &RESOLVED, job)
}

/// The columns of owners in a batch of resolved rows.
pub(in crate::engine) struct RowOwners<'b> {
    emails: [Texts<'b>; 3],
    found: Texts<'b>,
    through: Texts<'b>,
    tied: Times<'b>,
    moved_by: &'b Int32Array,
}

impl<'b> RowOwners<'b> {
    /// Creates a reader of a batch that [`read`] returned.
    pub(in crate::engine) fn new(batch: &'b RecordBatch) -> Self {
        let mut columns = Reader::new(batch);
        (0..event_rows::SPECS.len()).for_each(|_| columns.skip());
        Self {
            emails: std::array::from_fn(|_| columns.text()),
            found: columns.text(),
            through: columns.text(),
            tied: columns.time(),
            moved_by: columns.int32(),
        }
    }

    /// Returns the owner of a row.
    ///
    /// # Errors
    /// Returns an error if a value was not written by [`OwnerBuilder`].
    pub(in crate::engine) fn owner(&self, row: usize) -> Result<RowOwner<'b>, ExchangeError> {
        let broken = |column| ExchangeError::BrokenValue { kind: KIND, column };
        let [lead_email, brought_email, user_email] = self.emails.map(|column| column.at(row));
        let found = match self.found.get(row) {
            None => None,
            Some(name) => {
                let known = [Resolution::Known, Resolution::Rehydrated].into_iter();
                let through = THROUGH.into_iter().find(|(name, _)| *name == self.through.at(row));
                Some(FoundOwner {
                    resolution: { known }
                        .find(|known| known.name() == name)
                        .ok_or_else(|| broken("found"))?,
                    through: through.ok_or_else(|| broken("through"))?.1,
                    tied: self.tied.at(row),
                })
            }
        };
        let bits = u8::try_from(self.moved_by.value(row)).map_err(|_| broken("moved_by"))?;
        let moved_by = PolicySet::from_bits(bits);
        Ok(RowOwner { lead_email, brought_email, user_email, found, moved_by })
    }
}
