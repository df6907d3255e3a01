//! Writes Arrow columns to Parquet files.

use std::io::{self, Write};

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::arrow::{Columns, Types, schema};
use super::table::{Kind, Table};

/// The maximum number of rows in a row group: enough for good compression, few enough to keep in
/// memory. A multiple of the 2,048 rows that `DuckDB` reads at once.
const ROW_GROUP_ROWS: usize = 122_880;
/// The maximum size of a row group, in encoded bytes, for large rows.
const ROW_GROUP_BYTES: usize = 64 << 20;
/// The compression level: zstd's default, which compresses well at little cost.
const ZSTD_LEVEL: i32 = 3;

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
        let schema = schema(table, Types::Compact);
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
