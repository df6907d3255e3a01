//! Encodes rows as Arrow columns, and writes them to Parquet files.

use std::io::{self, Write};
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Int64Builder, ListBuilder, StringBuilder,
    StringDictionaryBuilder, TimestampMillisecondBuilder,
};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::csv::write_hash;
use super::row::{Cells, Row};
use super::table::{Kind, Table};
use crate::time::Time;

/// The maximum number of rows in a row group: enough for good compression, few enough to keep in
/// memory. A multiple of the 2,048 rows that `DuckDB` reads at once.
const ROW_GROUP_ROWS: usize = 122_880;
/// The maximum size of a row group, in encoded bytes, for large rows.
const ROW_GROUP_BYTES: usize = 64 << 20;
/// The size of text in bytes above which a batch is closed: Arrow counts a column's bytes in an
/// `i32`.
const BATCH_TEXT_BYTES: usize = 64 << 20;
/// The compression level: zstd's default, which compresses well at little cost.
const ZSTD_LEVEL: i32 = 3;

/// The columns of one batch of rows, in the order of the table.
pub(super) type Columns = Vec<ArrayRef>;

/// Encodes rows as Arrow columns.
pub(super) struct ParquetRows {
    columns: Vec<Column>,
    /// The index of the next cell's column.
    next: usize,
    own: usize,
    /// The size of the text in `columns`, in bytes.
    text_bytes: usize,
    rows: usize,
    batches: Vec<Columns>,
    hex: Vec<u8>,
}

/// The builder of a column.
enum Column {
    Time(TimestampMillisecondBuilder),
    Integer(Int64Builder),
    Flag(BooleanBuilder),
    /// A text that is never missing.
    Key(StringBuilder),
    Text(StringBuilder),
    /// A name that is never missing.
    Name(StringDictionaryBuilder<Int32Type>),
    Word(StringDictionaryBuilder<Int32Type>),
    List(ListBuilder<StringBuilder>),
}

impl Column {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Hash | Kind::Key => Self::Key(StringBuilder::new()),
            Kind::Time => Self::Time(TimestampMillisecondBuilder::new().with_timezone("UTC")),
            Kind::Name => Self::Name(StringDictionaryBuilder::new()),
            Kind::Text => Self::Text(StringBuilder::new()),
            Kind::Word => Self::Word(StringDictionaryBuilder::new()),
            Kind::Integer => Self::Integer(Int64Builder::new()),
            Kind::Flag => Self::Flag(BooleanBuilder::new()),
            Kind::List => Self::List(ListBuilder::new(StringBuilder::new()).with_field(item())),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        let builder: &mut dyn ArrayBuilder = match self {
            Self::Time(builder) => builder,
            Self::Integer(builder) => builder,
            Self::Flag(builder) => builder,
            Self::Key(builder) | Self::Text(builder) => builder,
            Self::Name(builder) | Self::Word(builder) => builder,
            Self::List(builder) => builder,
        };
        builder.finish()
    }
}

/// Returns the field of a list's items.
fn item() -> Field {
    Field::new_list_field(DataType::Utf8, false)
}

/// Returns the Arrow schema of `table`.
pub(super) fn schema(table: Table<'_>) -> SchemaRef {
    let field = |(name, kind): (&str, Kind)| {
        let words = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let (data_type, nullable) = match kind {
            Kind::Hash | Kind::Key => (DataType::Utf8, false),
            Kind::Time => (DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())), true),
            Kind::Name => (words(), false),
            Kind::Text => (DataType::Utf8, true),
            Kind::Word => (words(), true),
            Kind::Integer => (DataType::Int64, false),
            Kind::Flag => (DataType::Boolean, false),
            Kind::List => (DataType::List(Arc::new(item())), false),
        };
        Field::new(name, data_type, nullable)
    };
    Arc::new(Schema::new(table.columns().map(field).collect::<Vec<_>>()))
}

impl ParquetRows {
    pub(super) fn new(table: Table<'_>) -> Self {
        Self {
            columns: table.columns().map(|(_, kind)| Column::new(kind)).collect(),
            next: 0,
            own: table.own().len(),
            text_bytes: 0,
            rows: 0,
            batches: Vec::new(),
            hex: Vec::with_capacity(32),
        }
    }

    /// Appends a row.
    #[inline]
    pub(super) fn push(&mut self, row: &impl Row) {
        if self.text_bytes > BATCH_TEXT_BYTES {
            self.close_batch();
        }
        self.next = 0;
        self.rows += 1;
        row.write_cells(self.own, self);
    }

    /// Returns the batches appended since the last call.
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

    /// Returns the next column, or `None` if a row has more cells than the table has columns.
    #[inline]
    fn column(&mut self) -> Option<&mut Column> {
        self.next += 1;
        self.columns.get_mut(self.next - 1)
    }
}

impl Cells for ParquetRows {
    fn hash(&mut self, hash: u128) {
        let mut hex = std::mem::take(&mut self.hex);
        hex.clear();
        write_hash(hash, &mut hex);
        // Hex digits are ASCII, so the conversion loses nothing.
        self.text(&String::from_utf8_lossy(&hex));
        self.hex = hex;
    }

    fn time(&mut self, time: Time) {
        if let Some(Column::Time(column)) = self.column() {
            column.append_option(time.millis());
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

/// A Parquet file that is written batch by batch.
pub(super) struct ParquetFile<W: Write + Send> {
    writer: ArrowWriter<Slot<W>>,
    schema: SchemaRef,
}

impl<W: Write + Send> ParquetFile<W> {
    pub(super) fn new(table: Table<'_>, out: W) -> io::Result<Self> {
        let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(io_error)?;
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES));
        // The values of these columns are distinct, so a dictionary would be built only to be
        // discarded.
        for (name, _) in table.columns().filter(|(_, kind)| matches!(kind, Kind::Hash | Kind::Key))
        {
            properties = properties.set_column_dictionary_enabled(name.into(), false);
        }
        let schema = schema(table);
        let writer =
            ArrowWriter::try_new(Slot(Some(out)), schema.clone(), Some(properties.build()))
                .map_err(io_error)?;
        Ok(Self { writer, schema })
    }

    pub(super) fn write(&mut self, columns: Columns) -> io::Result<()> {
        let batch = RecordBatch::try_new(self.schema.clone(), columns).map_err(io::Error::other)?;
        self.writer.write(&batch).map_err(io_error)
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.writer.finish().map_err(io_error)?;
        self.writer.inner_mut().0.take().ok_or_else(closed)
    }
}

/// The output of a file, until it is taken back. The crate's way of returning it loses the kind of
/// the last write error.
struct Slot<W>(Option<W>);

impl<W: Write> Write for Slot<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.as_mut().ok_or_else(closed)?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_mut().ok_or_else(closed)?.flush()
    }
}

/// Returns the error of writing to an output that was taken back.
fn closed() -> io::Error {
    io::Error::other("the file is closed")
}

/// Returns the I/O error inside `error`, so that its kind (a full disk, a closed pipe) is not lost.
fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}
