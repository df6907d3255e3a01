//! Writes chunks to a file: the sequential half of writing.

use std::io::{self, Write};

use super::encoder::{Body, Chunk, Spent};
use super::parquet::ParquetFile;
use super::table::Layout;
use super::{Format, csv};

/// Writes the chunks of one table in order. Made by [`Layout::writer`].
///
/// The same chunks give the same bytes; other chunks of the same rows give the same CSV, NDJSON
/// and JSON, but can cut the pages of a Parquet file elsewhere.
pub struct TableWriter<W: Write + Send> {
    file: File<W>,
    rows: u64,
    guarded_cells: u64,
}

enum File<W: Write + Send> {
    /// CSV and NDJSON: the chunks as they come.
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

    /// Appends the rows of `chunk` and gives back its memory, for [`Encoder::reuse`].
    ///
    /// [`Encoder::reuse`]: super::Encoder::reuse
    ///
    /// # Errors
    /// Those of writing, with their kind kept; `InvalidInput` for a chunk of another format.
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
                // Each row brings the comma before it; the first one needs none.
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

    /// How many rows were written so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// How many of the CSV cells written so far were kept from acting as formulas.
    pub fn guarded_cells(&self) -> u64 {
        self.guarded_cells
    }

    /// Ends the table and gives back what it was written to, flushed.
    ///
    /// # Errors
    /// Those of writing, with their kind kept.
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
