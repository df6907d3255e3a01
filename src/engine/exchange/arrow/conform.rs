//! Finds the columns of batches by name, casts them to the types of a schema, and reads them.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, BinaryArray, BooleanArray, Int32Array, Int64Array, ListArray, RecordBatch, StringArray,
    StructArray, TimestampMicrosecondArray,
};
use arrow_schema::SchemaRef;

use super::cast::cast;
use super::{ExchangeError, Fingerprint, from_micros};
use crate::engine::identity::fact::OrderKey;
use crate::time::Time;

/// Returns `batch` with the columns of `schema`, which is that of batches of `kind`.
///
/// # Errors
/// Returns an error if a column is missing or cannot be cast, if a column that cannot be null has
/// nulls, or if the batch is of another job.
pub(in crate::engine) fn conform(
    batch: &RecordBatch,
    kind: &'static str,
    schema: &SchemaRef,
    job: Fingerprint,
) -> Result<RecordBatch, ExchangeError> {
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let name = || field.name().clone();
        let missing = || ExchangeError::MissingColumn { kind, column: name() };
        let column = batch.column_by_name(field.name()).ok_or_else(missing)?;
        let wrong = || ExchangeError::WrongType {
            kind,
            column: name(),
            found: column.data_type().to_string(),
            expected: field.data_type().to_string(),
        };
        columns.push(cast(column, field.data_type()).ok_or_else(wrong)?);
    }
    let batch = RecordBatch::try_new(Arc::clone(schema), columns)?;
    let jobs = Reader::new(&batch).int64();
    match jobs.values().iter().map(|&value| Fingerprint::from_column(value)).find(|&of| of != job) {
        None => Ok(batch),
        Some(found) => Err(ExchangeError::OtherJob { kind, found, expected: job }),
    }
}

/// Reads the columns of a conforming batch in the order of its schema.
pub(in crate::engine) struct Reader<'b> {
    columns: &'b [Arc<dyn Array>],
    next: usize,
}

impl<'b> Reader<'b> {
    pub(in crate::engine) fn new(batch: &'b RecordBatch) -> Self {
        Self { columns: batch.columns(), next: 0 }
    }

    /// Creates a reader of the members of `column`.
    pub(in crate::engine) fn of_struct(column: &'b StructArray) -> Self {
        Self { columns: column.columns(), next: 0 }
    }

    /// Skips a column.
    pub(in crate::engine) fn skip(&mut self) {
        self.next += 1;
    }

    fn next(&mut self) -> &'b dyn Array {
        self.next += 1;
        &*self.columns[self.next - 1]
    }

    pub(in crate::engine) fn int32(&mut self) -> &'b Int32Array {
        self.next().as_primitive::<Int32Type>()
    }

    pub(in crate::engine) fn int64(&mut self) -> &'b Int64Array {
        self.next().as_primitive::<Int64Type>()
    }

    pub(in crate::engine) fn flag(&mut self) -> &'b BooleanArray {
        self.next().as_boolean()
    }

    pub(in crate::engine) fn text(&mut self) -> Texts<'b> {
        Texts(self.next().as_string::<i32>())
    }

    pub(in crate::engine) fn hash(&mut self) -> Hashes<'b> {
        Hashes(self.next().as_binary::<i32>())
    }

    pub(in crate::engine) fn time(&mut self) -> Times<'b> {
        Times(self.next().as_primitive::<TimestampMicrosecondType>())
    }

    pub(in crate::engine) fn structs(&mut self) -> &'b StructArray {
        self.next().as_struct()
    }

    pub(in crate::engine) fn list(&mut self) -> &'b ListArray {
        self.next().as_list::<i32>()
    }

    pub(in crate::engine) fn key(&mut self) -> Keys<'b> {
        Keys { time: self.time(), received: self.time(), signal_id: self.hash() }
    }
}

/// A column of texts.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Texts<'b>(&'b StringArray);

impl<'b> Texts<'b> {
    pub(in crate::engine) fn of(column: &'b dyn Array) -> Self {
        Self(column.as_string::<i32>())
    }

    /// Returns the text of a row; empty if it is null.
    #[inline]
    pub(in crate::engine) fn at(self, row: usize) -> &'b str {
        if self.0.is_null(row) { "" } else { self.0.value(row) }
    }

    /// Returns the text of a row, or `None` if it is null.
    pub(in crate::engine) fn get(self, row: usize) -> Option<&'b str> {
        self.0.is_valid(row).then(|| self.0.value(row))
    }
}

/// A column of hashes.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Hashes<'b>(&'b BinaryArray);

impl Hashes<'_> {
    /// Returns the hash of a row, or `None` if it is null or does not have 16 bytes.
    pub(in crate::engine) fn at(self, row: usize) -> Option<u128> {
        let bytes = self.0.is_valid(row).then(|| self.0.value(row))?;
        Some(u128::from_be_bytes(bytes.try_into().ok()?))
    }
}

/// A column of times.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Times<'b>(&'b TimestampMicrosecondArray);

impl Times<'_> {
    pub(in crate::engine) fn at(self, row: usize) -> Time {
        from_micros(self.0.is_valid(row).then(|| self.0.value(row)))
    }
}

/// The columns of an [`OrderKey`].
#[derive(Clone, Copy)]
pub(in crate::engine) struct Keys<'b> {
    time: Times<'b>,
    received: Times<'b>,
    signal_id: Hashes<'b>,
}

impl Keys<'_> {
    /// Returns the key of a row of a batch of `kind`.
    ///
    /// # Errors
    /// Returns an error if the content hash does not have 16 bytes.
    pub(in crate::engine) fn at(
        self,
        row: usize,
        kind: &'static str,
    ) -> Result<OrderKey, ExchangeError> {
        let broken = ExchangeError::BrokenValue { kind, column: "signal_id" };
        let signal_id = self.signal_id.at(row).ok_or(broken)?;
        Ok(OrderKey { time: self.time.at(row), received: self.received.at(row), signal_id })
    }
}
