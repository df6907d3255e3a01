//! Exchange values as Arrow record batches, with their schemas.
//!
//! Each kind of batch has a module that documents its columns, and writes and reads it. All columns
//! have types that `DuckDB`, Polars and Spark support: times are microseconds in UTC, hashes are 16
//! bytes in big-endian order, and a missing text is null. The first column of every batch is `job`,
//! the [`Fingerprint`] of the job that made it; stages reject batches of other jobs.
//!
//! Hosts can return batches with wider types (`large_string`, `string_view`, dictionaries,
//! milliseconds), columns in another order, and further columns: columns are found by name and
//! cast.

mod build;
mod cast;
mod conform;
pub mod contenders;
pub mod counts;
pub mod deletions;
pub mod email_ties;
pub mod event_rows;
pub mod group_names;
pub mod id_links;
pub mod lead_parts;
pub mod row_owners;
pub mod sightings;
pub mod wanted_ids;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use xxhash_rust::xxh3::Xxh3;

pub(in crate::engine) use build::{BatchBuilder, Column};
pub(in crate::engine) use conform::{Reader, conform};

use crate::engine::identity::fact::OrderKey;
use crate::time::Time;

/// The version of the exchange values. It changes if a column or its meaning changes.
pub const VERSION: u32 = 1;

/// The maximum number of rows of a batch.
pub const MAX_ROWS: usize = 1 << 16;
/// The maximum number of text bytes of a batch; Arrow offsets are `i32`.
pub const MAX_TEXT_BYTES: usize = 32 << 20;

/// Identifies the version of the program and of the exchange values, and the rules and settings of
/// a job. All batches of a job have the same fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Creates the fingerprint of a job from `texts`: the rules file, filters and settings, each
    /// with a name.
    pub fn new<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let mut hash = Xxh3::new();
        let mut add = |text: &str| {
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        add(env!("CARGO_PKG_VERSION"));
        add(&VERSION.to_string());
        for (name, text) in texts {
            add(name);
            add(text);
        }
        Self(hash.digest())
    }

    /// Returns the value of the column `job`.
    pub fn to_column(self) -> i64 {
        self.0.cast_signed()
    }

    /// Converts a value of the column `job`.
    pub fn from_column(value: i64) -> Self {
        Self(value.cast_unsigned())
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Why a batch cannot be processed. No message contains a value of the data.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// A column is missing.
    #[error(
        "a batch of {kind} has no column `{column}`: pass on all columns of the previous stage"
    )]
    MissingColumn {
        /// The expected kind of batch.
        kind: &'static str,
        /// The column.
        column: String,
    },
    /// A column has a type that cannot be converted.
    #[error("column `{column}` of a batch of {kind} is {found} and cannot be read as {expected}")]
    WrongType {
        /// The expected kind of batch.
        kind: &'static str,
        /// The column.
        column: String,
        /// The type of the column.
        found: String,
        /// The expected type.
        expected: String,
    },
    /// The batch was made by another version, or with other rules or settings.
    #[error(
        "a batch of {kind} was made by another version of backtrail, or under other rules or \
         settings (job {found}, not {expected}): make all batches of a job with one version and one \
         set of rules and settings"
    )]
    OtherJob {
        /// The expected kind of batch.
        kind: &'static str,
        /// The job that made the batch.
        found: Fingerprint,
        /// The job that reads the batch.
        expected: Fingerprint,
    },
    /// A value was not written by any stage.
    #[error("column `{column}` of a batch of {kind} holds a value that no stage writes")]
    BrokenValue {
        /// The expected kind of batch.
        kind: &'static str,
        /// The column.
        column: &'static str,
    },
    /// Arrow cannot build a batch.
    #[error("cannot build a record batch: {0}")]
    Arrow(#[from] ArrowError),
    /// A job failed.
    #[error(transparent)]
    Job(#[from] crate::error::Error),
}

/// The type of a column.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) enum Type {
    Int32,
    Int64,
    Flag,
    Text,
    /// A hash of 16 bytes.
    Hash,
    Time,
    Struct(&'static [Spec]),
    List(&'static Spec),
}

/// A column: its name, type, and whether it can be null.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Spec(pub &'static str, pub Type, pub Null);

/// Whether a column can be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Null {
    Never,
    Maybe,
}

impl Spec {
    pub(in crate::engine) const fn text(name: &'static str) -> Self {
        Self(name, Type::Text, Null::Maybe)
    }

    fn field(&self) -> Field {
        let data_type = match self.1 {
            Type::Int32 => DataType::Int32,
            Type::Int64 => DataType::Int64,
            Type::Flag => DataType::Boolean,
            Type::Text => DataType::Utf8,
            Type::Hash => DataType::Binary,
            Type::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Type::Struct(members) => DataType::Struct(members_of(members)),
            Type::List(item) => DataType::List(Arc::new(item.member())),
        };
        Field::new(self.0, data_type, self.2 == Null::Maybe)
    }

    /// Returns the field for a member of another column. These are always nullable, as hosts do not
    /// keep the nullability of members.
    fn member(&self) -> Field {
        self.field().with_nullable(true)
    }
}

fn members_of(specs: &[Spec]) -> Fields {
    specs.iter().map(Spec::member).collect()
}

/// The columns of an [`OrderKey`].
pub(in crate::engine) const KEY: [Spec; 3] = [
    Spec("time", Type::Time, Null::Maybe),
    Spec("received_at", Type::Time, Null::Maybe),
    Spec("signal_id", Type::Hash, Null::Never),
];

/// The column of the fingerprint.
pub(in crate::engine) const JOB: Spec = Spec("job", Type::Int64, Null::Never);

/// Returns the schema of batches of `kind`. Its metadata has the kind and the version.
pub(in crate::engine) fn schema_of(kind: &str, specs: &[Spec]) -> SchemaRef {
    let fields: Fields = specs.iter().map(Spec::field).collect();
    let metadata: HashMap<String, String> =
        [("backtrail.kind", kind), ("backtrail.version", &VERSION.to_string())]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

/// Converts `time` to microseconds; `None` if it is missing.
fn to_micros(time: Time) -> Option<i64> {
    // Times are in the years 0 to 9999.
    time.millis().map(|millis| millis * 1000)
}

/// Converts microseconds to a time.
fn from_micros(micros: Option<i64>) -> Time {
    micros.and_then(|micros| Time::from_millis(micros.div_euclid(1000))).unwrap_or(Time::MISSING)
}

/// Appends the columns of [`KEY`].
pub(in crate::engine) fn put_key(key: OrderKey, out: &mut BatchBuilder) {
    out.next().time(key.time);
    out.next().time(key.received);
    out.next().hash(key.signal_id);
}

#[cfg(test)]
mod tests;
