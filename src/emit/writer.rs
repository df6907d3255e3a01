//! Writes chunks to a file: the sequential half of writing.

use std::io::{self, Write};

use super::encoder::{Body, Chunk, Spent};
use super::parquet::ParquetFile;
use super::table::Layout;
use super::{Format, csv};

/// Writes the chunks of a table in order. Created by [`Layout::writer`].
///
/// The same chunks give the same bytes. Different chunks of the same rows give the same CSV, NDJSON
/// and JSON, but the pages of a Parquet file may be split differently.
pub struct TableWriter<W: Write + Send> {
    file: File<W>,
    rows: u64,
    guarded_cells: u64,
}

enum File<W: Write + Send> {
    /// CSV and NDJSON: the chunks are written unchanged.
    Lines(W),
    Array(W),
    Parquet(Box<ParquetFile<W>>),
}

impl<W: Write + Send> TableWriter<W> {
    pub(super) fn new(layout: &Layout<'_>, mut out: W) -> io::Result<Self> {
        let file = match layout.format {
            Format::Csv => {
                out.write_all(&csv::header(layout.table, layout.guard))?;
                File::Lines(out)
            }
            Format::Ndjson => File::Lines(out),
            Format::Json => {
                out.write_all(b"[")?;
                File::Array(out)
            }
            Format::Parquet => File::Parquet(Box::new(ParquetFile::new(layout.table, out)?)),
        };
        Ok(Self { file, rows: 0, guarded_cells: 0 })
    }

    /// Appends the rows of `chunk` and returns its buffers, for [`Encoder::reuse`].
    ///
    /// [`Encoder::reuse`]: super::Encoder::reuse
    ///
    /// # Errors
    /// Returns the error of writing, with its kind, or `InvalidInput` if the chunk has another
    /// format.
    pub fn write(&mut self, chunk: Chunk) -> io::Result<Spent> {
        if chunk.rows() == 0 {
            return Ok(Spent(None));
        }
        let (rows, guarded_cells) = (chunk.rows() as u64, chunk.guarded_cells());
        let spent = match (&mut self.file, chunk.body) {
            (File::Lines(out), Body::Text(text)) => {
                out.write_all(&text)?;
                Some(text)
            }
            (File::Array(out), Body::Text(text)) => {
                // Each row begins with a comma; that of the first row is removed.
                let comma = usize::from(self.rows == 0);
                out.write_all(text.get(comma..).unwrap_or_default())?;
                Some(text)
            }
            (File::Parquet(file), Body::Columns(batches)) => {
                for columns in batches {
                    file.write(columns)?;
                }
                None
            }
            _ => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "a chunk of another format",
                ));
            }
        };
        self.rows += rows;
        self.guarded_cells += guarded_cells;
        Ok(Spent(spent))
    }

    /// Returns the number of rows written so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the number of CSV cells written so far that were guarded against being run as
    /// formulas.
    pub fn guarded_cells(&self) -> u64 {
        self.guarded_cells
    }

    /// Finishes the table and returns the flushed output.
    ///
    /// # Errors
    /// Returns the error of writing, with its kind.
    pub fn finish(self) -> io::Result<W> {
        let mut out = match self.file {
            File::Lines(out) => out,
            File::Array(mut out) => {
                out.write_all(b"\n]\n")?;
                out
            }
            File::Parquet(file) => file.finish()?,
        };
        out.flush()?;
        Ok(out)
    }
}
