//! Builds record batches cell by cell.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Int32Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, ListArray, RecordBatch, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{FieldRef, Fields, SchemaRef};

use super::{
    ExchangeError, Fingerprint, MAX_ROWS, MAX_TEXT_BYTES, Spec, Type, members_of, to_micros,
};
use crate::time::Time;

/// A builder of a column.
pub(in crate::engine) enum Column {
    Int32(Int32Builder),
    Int64(Int64Builder),
    Flag(BooleanBuilder),
    Text(StringBuilder),
    Hash(BinaryBuilder),
    Time(TimestampMicrosecondBuilder),
    Struct { fields: Fields, members: Vec<Column>, valid: Vec<bool> },
    List { item: FieldRef, items: Box<Column>, ends: Vec<i32> },
}

impl Column {
    fn new(holds: Type) -> Self {
        match holds {
            Type::Int32 => Self::Int32(Int32Builder::new()),
            Type::Int64 => Self::Int64(Int64Builder::new()),
            Type::Flag => Self::Flag(BooleanBuilder::new()),
            Type::Text => Self::Text(StringBuilder::new()),
            Type::Hash => Self::Hash(BinaryBuilder::new()),
            Type::Time => Self::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            Type::Struct(specs) => Self::Struct {
                fields: members_of(specs),
                members: specs.iter().map(|spec| Self::new(spec.1)).collect(),
                valid: Vec::new(),
            },
            Type::List(spec) => Self::List {
                item: Arc::new(spec.member()),
                items: Box::new(Self::new(spec.1)),
                ends: vec![0],
            },
        }
    }

    pub(in crate::engine) fn int32(&mut self, value: i32) {
        if let Self::Int32(column) = self {
            column.append_value(value);
        }
    }

    pub(in crate::engine) fn int64(&mut self, value: i64) {
        if let Self::Int64(column) = self {
            column.append_value(value);
        }
    }

    pub(in crate::engine) fn flag(&mut self, value: bool) {
        if let Self::Flag(column) = self {
            column.append_value(value);
        }
    }

    /// Appends a text; null if it is empty.
    pub(in crate::engine) fn text(&mut self, value: &str) {
        self.any_text((!value.is_empty()).then_some(value));
    }

    /// Appends a text, or null. An empty text stays empty.
    pub(in crate::engine) fn any_text(&mut self, value: Option<&str>) {
        if let Self::Text(column) = self {
            column.append_option(value);
        }
    }

    pub(in crate::engine) fn hash(&mut self, value: u128) {
        self.any_hash(Some(value));
    }

    pub(in crate::engine) fn any_hash(&mut self, value: Option<u128>) {
        if let Self::Hash(column) = self {
            column.append_option(value.map(u128::to_be_bytes));
        }
    }

    pub(in crate::engine) fn time(&mut self, value: Time) {
        if let Self::Time(column) = self {
            column.append_option(to_micros(value));
        }
    }

    /// Appends null.
    pub(in crate::engine) fn null(&mut self) {
        match self {
            Self::Int32(column) => column.append_null(),
            Self::Int64(column) => column.append_null(),
            Self::Flag(column) => column.append_null(),
            Self::Text(column) => column.append_null(),
            Self::Hash(column) => column.append_null(),
            Self::Time(column) => column.append_null(),
            Self::Struct { members, valid, .. } => {
                valid.push(false);
                members.iter_mut().for_each(Self::null);
            }
            Self::List { ends, .. } => ends.push(ends.last().copied().unwrap_or(0)),
        }
    }

    /// Appends a struct, and returns its members for the caller to append to.
    pub(in crate::engine) fn members(&mut self) -> &mut [Self] {
        match self {
            Self::Struct { members, valid, .. } => {
                valid.push(true);
                members
            }
            _ => &mut [],
        }
    }

    /// Appends a list of `len` items, and returns the column of items for the caller to append to.
    pub(in crate::engine) fn items(&mut self, len: usize) -> &mut Self {
        if let Self::List { items, ends, .. } = self {
            let end = ends.last().copied().unwrap_or(0);
            // Batches are full long before this saturates.
            ends.push(end.saturating_add(i32::try_from(len).unwrap_or(i32::MAX)));
            return items;
        }
        self
    }

    fn finish(&mut self) -> Result<ArrayRef, ExchangeError> {
        Ok(match self {
            Self::Int32(column) => Arc::new(column.finish()),
            Self::Int64(column) => Arc::new(column.finish()),
            Self::Flag(column) => Arc::new(column.finish()),
            Self::Text(column) => Arc::new(column.finish()),
            Self::Hash(column) => Arc::new(column.finish()),
            Self::Time(column) => Arc::new(column.finish()),
            Self::Struct { fields, members, valid } => {
                let arrays: Result<_, ExchangeError> =
                    members.iter_mut().map(Self::finish).collect();
                let nulls = NullBuffer::from(std::mem::take(valid));
                Arc::new(StructArray::try_new(fields.clone(), arrays?, Some(nulls))?)
            }
            Self::List { item, items, ends } => {
                let ends = std::mem::replace(ends, vec![0]);
                let ends = OffsetBuffer::new(ends.into());
                Arc::new(ListArray::try_new(Arc::clone(item), ends, items.finish()?, None)?)
            }
        })
    }
}

/// A builder of record batches of one kind.
pub(in crate::engine) struct BatchBuilder {
    schema: SchemaRef,
    columns: Vec<Column>,
    next: usize,
    rows: usize,
    text_bytes: usize,
    job: Fingerprint,
    full: Vec<RecordBatch>,
}

impl BatchBuilder {
    /// Creates a builder without rows. The first of the columns `specs` is the fingerprint.
    pub(in crate::engine) fn new(schema: SchemaRef, specs: &[Spec], job: Fingerprint) -> Self {
        Self {
            schema,
            columns: specs.iter().map(|spec| Column::new(spec.1)).collect(),
            next: 0,
            rows: 0,
            text_bytes: 0,
            job,
            full: Vec::new(),
        }
    }

    /// Begins a row with `text_bytes` bytes of text in all columns.
    pub(in crate::engine) fn begin(&mut self, text_bytes: usize) -> Result<(), ExchangeError> {
        let is_full =
            self.rows == MAX_ROWS || self.text_bytes.saturating_add(text_bytes) > MAX_TEXT_BYTES;
        if is_full && self.rows > 0 {
            self.close()?;
        }
        self.rows += 1;
        self.text_bytes += text_bytes;
        self.next = 0;
        let job = self.job.to_column();
        self.next().int64(job);
        Ok(())
    }

    /// Returns the next column of the row.
    pub(in crate::engine) fn next(&mut self) -> &mut Column {
        self.next += 1;
        let last = self.columns.len() - 1;
        &mut self.columns[(self.next - 1).min(last)]
    }

    fn close(&mut self) -> Result<(), ExchangeError> {
        let columns: Result<Vec<_>, _> = self.columns.iter_mut().map(Column::finish).collect();
        self.full.push(RecordBatch::try_new(Arc::clone(&self.schema), columns?)?);
        (self.rows, self.text_bytes) = (0, 0);
        Ok(())
    }

    /// Takes the full batches, which the caller can pass on while others are built.
    pub(in crate::engine) fn take_full(&mut self) -> Vec<RecordBatch> {
        std::mem::take(&mut self.full)
    }

    /// Returns all rows as one batch, even if it exceeds the maximum size.
    pub(in crate::engine) fn finish_one(mut self) -> Result<RecordBatch, ExchangeError> {
        self.close()?;
        Ok(self.full.swap_remove(0))
    }

    /// Returns all batches that were not taken; empty if there are no rows.
    pub(in crate::engine) fn finish(mut self) -> Result<Vec<RecordBatch>, ExchangeError> {
        if self.rows > 0 {
            self.close()?;
        }
        Ok(self.full)
    }
}
