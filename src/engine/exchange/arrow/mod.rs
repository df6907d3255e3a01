//! Exchange values as Arrow record batches: the one place of their schemas.
//!
//! Each value has a module with its columns and the way to and from them. All columns are of types
//! that `DuckDB`, Polars and Spark have; times are microseconds in UTC, and hashes are 16 bytes, the
//! most significant first. A missing text is null. The first column of every batch is `job`, the
//! [`Fingerprint`] under which it was made: a stage refuses batches of another.
//!
//! Batches may come back from a host with wider types (`large_string`, `string_view`, dictionaries,
//! milliseconds), with their columns in another order, and with further columns: columns are found by
//! their names and cast.

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

/// The version of the exchange values. It changes with their columns and with what they mean.
pub const VERSION: u32 = 1;

/// A batch is full at so many rows.
pub const MOST_ROWS: usize = 1 << 16;
/// A batch is full at so many bytes of text: Arrow counts a column's bytes in an `i32`.
pub const MOST_TEXT_BYTES: usize = 32 << 20;

/// What batches must have in common to be worked on together: the version of the program and of the
/// exchange values, and the rules and settings under which they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The fingerprint of jobs under these texts: the rules file, filters and settings, each with a
    /// name.
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

    /// As it stands in the column `job`.
    pub fn to_column(self) -> i64 {
        self.0.cast_signed()
    }

    /// From the column `job`.
    pub fn from_column(value: i64) -> Self {
        Self(value.cast_unsigned())
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Why a batch cannot be worked on. No text holds a value of the data.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// A column is missing.
    #[error(
        "a batch of {kind} has no column `{column}`: pass on all columns that the stage before gave"
    )]
    MissingColumn {
        /// What the batch should hold.
        kind: &'static str,
        /// The column.
        column: String,
    },
    /// A column has a type that cannot be read.
    #[error("column `{column}` of a batch of {kind} is {found} and cannot be read as {expected}")]
    WrongType {
        /// What the batch should hold.
        kind: &'static str,
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// The type that it should have.
        expected: String,
    },
    /// A batch was made by another version, or under other rules.
    #[error(
        "a batch of {kind} was made by another version of backtrail, or under other rules or \
         settings (job {found}, not {expected}): make all batches of a job with one version and one \
         set of rules and settings"
    )]
    OtherJob {
        /// What the batch holds.
        kind: &'static str,
        /// The job that made it.
        found: Fingerprint,
        /// The job that reads it.
        expected: Fingerprint,
    },
    /// A value is none that a stage gives.
    #[error("column `{column}` of a batch of {kind} holds a value that no stage gives")]
    BrokenValue {
        /// What the batch should hold.
        kind: &'static str,
        /// The column.
        column: &'static str,
    },
    /// Arrow refuses a batch.
    #[error("a batch cannot be made: {0}")]
    Arrow(#[from] ArrowError),
    /// What ends jobs.
    #[error(transparent)]
    Job(#[from] crate::error::Error),
}

/// What a column holds.
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

/// A column: its name, what it holds, and whether it may be null.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Spec(pub &'static str, pub Type, pub Null);

/// Whether a column may be null.
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

    /// The same as a member of another column. Hosts do not keep what inside of a column may be
    /// null.
    fn member(&self) -> Field {
        self.field().with_nullable(true)
    }
}

fn members_of(specs: &[Spec]) -> Fields {
    specs.iter().map(Spec::member).collect()
}

/// The columns of a key, which decides between two things that compete.
pub(in crate::engine) const KEY: [Spec; 3] = [
    Spec("time", Type::Time, Null::Maybe),
    Spec("received_at", Type::Time, Null::Maybe),
    Spec("signal_id", Type::Hash, Null::Never),
];

/// The column of the fingerprint.
pub(in crate::engine) const JOB: Spec = Spec("job", Type::Int64, Null::Never);

/// The schema of a batch of `kind`, which the schema's metadata names with the version.
pub(in crate::engine) fn schema_of(kind: &str, specs: &[Spec]) -> SchemaRef {
    let fields: Fields = specs.iter().map(Spec::field).collect();
    let metadata: HashMap<String, String> =
        [("backtrail.kind", kind), ("backtrail.version", &VERSION.to_string())]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

/// Microseconds of `time`; none of a missing one.
fn to_micros(time: Time) -> Option<i64> {
    // The years 0 to 9999 fit.
    time.millis().map(|millis| millis * 1000)
}

/// The time of so many microseconds.
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
