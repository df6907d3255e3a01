//! Rows as Arrow columns, and the schemas of the two tables.

use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Int64Builder, ListBuilder, StringBuilder,
    StringDictionaryBuilder, TimestampMicrosecondBuilder, TimestampMillisecondBuilder,
};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};

use super::csv::write_hash;
use super::row::{Cells, LeadRow, Row, SignalRow};
use super::table::{Kind, Table};
use crate::time::Time;

/// A batch is closed past so many bytes of text: Arrow counts a column's bytes in an `i32`.
const BATCH_TEXT_BYTES: usize = 64 << 20;

/// The columns of one batch of rows, in the order of the table.
pub(super) type Columns = Vec<ArrayRef>;

/// Which Arrow types columns have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Types {
    /// Texts of few values are dictionaries, and times are milliseconds.
    Compact,
    /// No dictionaries, and times are microseconds: types that every engine takes, Spark too.
    Plain,
}

/// The Arrow schema of `table`. Times are in UTC.
pub fn schema(table: Table<'_>, types: Types) -> SchemaRef {
    let text = || match types {
        Types::Compact => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        Types::Plain => DataType::Utf8,
    };
    let unit = match types {
        Types::Compact => TimeUnit::Millisecond,
        Types::Plain => TimeUnit::Microsecond,
    };
    let field = |(name, kind): (&str, Kind)| {
        let (data_type, nullable) = match kind {
            Kind::Hash | Kind::Key => (DataType::Utf8, false),
            Kind::Time => (DataType::Timestamp(unit, Some("UTC".into())), true),
            Kind::Name => (text(), false),
            Kind::Text => (DataType::Utf8, true),
            Kind::Word => (text(), true),
            Kind::Integer => (DataType::Int64, false),
            Kind::Flag => (DataType::Boolean, false),
            Kind::List => (DataType::List(Arc::new(item())), false),
        };
        Field::new(name, data_type, nullable)
    };
    Arc::new(Schema::new(table.columns().map(field).collect::<Vec<_>>()))
}

/// Rows of one table as record batches.
pub struct TableBatches {
    schema: SchemaRef,
    rows: ArrowRows,
}

impl TableBatches {
    /// No rows yet.
    pub fn new(table: Table<'_>, types: Types) -> Self {
        Self { schema: schema(table, types), rows: ArrowRows::new(table, types) }
    }

    /// Appends a row of `signals`; the table must be that.
    pub fn signal(&mut self, row: &SignalRow<'_>) {
        self.rows.push(row);
    }

    /// Appends a row of `leads`; the table must be that.
    pub fn lead(&mut self, row: &LeadRow<'_>) {
        self.rows.push(row);
    }

    /// The batches of all rows since the last time; none where there was no row.
    ///
    /// # Errors
    /// When rows of another table were appended.
    pub fn take(&mut self) -> Result<Vec<RecordBatch>, ArrowError> {
        let batches = self.rows.take().into_iter();
        batches.map(|columns| RecordBatch::try_new(Arc::clone(&self.schema), columns)).collect()
    }
}

/// Rows as Arrow columns.
pub(super) struct ArrowRows {
    columns: Vec<Column>,
    /// The column whose cell comes next.
    next: usize,
    own: usize,
    /// Bytes of text in `columns`.
    text_bytes: usize,
    rows: usize,
    batches: Vec<Columns>,
    hex: Vec<u8>,
}

/// A column that is being built.
enum Column {
    Millis(TimestampMillisecondBuilder),
    Micros(TimestampMicrosecondBuilder),
    Integer(Int64Builder),
    Flag(BooleanBuilder),
    /// Never missing.
    Key(StringBuilder),
    Text(StringBuilder),
    /// Never missing.
    Name(StringDictionaryBuilder<Int32Type>),
    Word(StringDictionaryBuilder<Int32Type>),
    List(ListBuilder<StringBuilder>),
}

impl Column {
    fn new(kind: Kind, types: Types) -> Self {
        match (kind, types) {
            (Kind::Hash | Kind::Key, _) | (Kind::Name, Types::Plain) => {
                Self::Key(StringBuilder::new())
            }
            (Kind::Time, Types::Compact) => {
                Self::Millis(TimestampMillisecondBuilder::new().with_timezone("UTC"))
            }
            (Kind::Time, Types::Plain) => {
                Self::Micros(TimestampMicrosecondBuilder::new().with_timezone("UTC"))
            }
            (Kind::Name, Types::Compact) => Self::Name(StringDictionaryBuilder::new()),
            (Kind::Text, _) | (Kind::Word, Types::Plain) => Self::Text(StringBuilder::new()),
            (Kind::Word, Types::Compact) => Self::Word(StringDictionaryBuilder::new()),
            (Kind::Integer, _) => Self::Integer(Int64Builder::new()),
            (Kind::Flag, _) => Self::Flag(BooleanBuilder::new()),
            (Kind::List, _) => {
                Self::List(ListBuilder::new(StringBuilder::new()).with_field(item()))
            }
        }
    }

    fn finish(&mut self) -> ArrayRef {
        let builder: &mut dyn ArrayBuilder = match self {
            Self::Millis(builder) => builder,
            Self::Micros(builder) => builder,
            Self::Integer(builder) => builder,
            Self::Flag(builder) => builder,
            Self::Key(builder) | Self::Text(builder) => builder,
            Self::Name(builder) | Self::Word(builder) => builder,
            Self::List(builder) => builder,
        };
        builder.finish()
    }
}

/// The field of a list's items.
fn item() -> Field {
    Field::new_list_field(DataType::Utf8, false)
}

impl ArrowRows {
    pub(super) fn new(table: Table<'_>, types: Types) -> Self {
        Self {
            columns: table.columns().map(|(_, kind)| Column::new(kind, types)).collect(),
            next: 0,
            own: table.own().len(),
            text_bytes: 0,
            rows: 0,
            batches: Vec::new(),
            hex: Vec::with_capacity(32),
        }
    }

    /// Appends one row.
    #[inline]
    pub(super) fn push(&mut self, row: &impl Row) {
        if self.text_bytes > BATCH_TEXT_BYTES {
            self.close_batch();
        }
        self.next = 0;
        self.rows += 1;
        row.write_cells(self.own, self);
    }

    /// The batches appended since the last time.
    pub(super) fn take(&mut self) -> Vec<Columns> {
        if self.rows > 0 {
            self.close_batch();
        }
        std::mem::take(&mut self.batches)
    }

    fn close_batch(&mut self) {
        self.batches.push(self.columns.iter_mut().map(Column::finish).collect());
        self.rows = 0;
        self.text_bytes = 0;
    }

    /// The next column; `None` where a row has more cells than the table has columns.
    #[inline]
    fn column(&mut self) -> Option<&mut Column> {
        self.next += 1;
        self.columns.get_mut(self.next - 1)
    }
}

impl Cells for ArrowRows {
    fn hash(&mut self, hash: u128) {
        let mut hex = std::mem::take(&mut self.hex);
        hex.clear();
        write_hash(hash, &mut hex);
        // Hex digits are ASCII: nothing is lost.
        self.text(&String::from_utf8_lossy(&hex));
        self.hex = hex;
    }

    fn time(&mut self, time: Time) {
        match self.column() {
            Some(Column::Millis(column)) => column.append_option(time.millis()),
            // The years 0 to 9999 fit.
            Some(Column::Micros(column)) => {
                column.append_option(time.millis().map(|millis| millis * 1000));
            }
            _ => {}
        }
    }

    fn name(&mut self, name: &'static str) {
        self.text(name);
    }

    fn text(&mut self, text: &str) {
        self.text_bytes += text.len();
        let present = (!text.is_empty()).then_some(text);
        match self.column() {
            Some(Column::Key(column)) => column.append_value(text),
            Some(Column::Text(column)) => column.append_option(present),
            Some(Column::Name(column)) => column.append_value(text),
            Some(Column::Word(column)) => column.append_option(present),
            _ => {}
        }
    }

    fn json(&mut self, json: &str) {
        self.text(json);
    }

    fn integer(&mut self, value: i64) {
        if let Some(Column::Integer(column)) = self.column() {
            column.append_value(value);
        }
    }

    fn flag(&mut self, value: bool) {
        if let Some(Column::Flag(column)) = self.column() {
            column.append_value(value);
        }
    }

    fn list(&mut self, texts: &[&str]) {
        self.text_bytes += texts.iter().map(|text| text.len()).sum::<usize>();
        if let Some(Column::List(column)) = self.column() {
            column.append_value(texts.iter().map(Some));
        }
    }
}
