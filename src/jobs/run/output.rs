//! Where the tables of a run go: files of a directory, or one stream.

use std::io::{self, Write};

use crate::emit::staging::{Committed, StagedFile, Staging};
use crate::emit::{Chunk, Crm, Encoder, Format, FormulaGuard, Layout, Spent, Table, TableWriter};
use crate::engine::Engine;
use crate::error::Error;
use crate::jobs::run::page::Emails;

/// The name of the page.
pub const PAGE: &str = "report.html";

/// Which table a stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// The signals.
    Signals,
    /// The leads.
    Leads,
}

/// Where outputs go.
pub enum Target {
    /// Into a directory, all tables in every format.
    Directory(Staging),
    /// One table to a stream.
    Stream(Stream, Box<dyn Write + Send>),
}

/// A file or the stream.
pub enum Sink {
    /// A file in the making.
    File(StagedFile),
    /// The stream.
    Stream(Box<dyn Write + Send>),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Stream(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stream(stream) => stream.flush(),
        }
    }
}

/// One table in every format that was asked for.
pub struct Tables<'a> {
    layouts: Vec<Layout<'a>>,
    writers: Vec<TableWriter<Sink>>,
}

impl Tables<'_> {
    /// An encoder for each format.
    pub fn encoders(&self) -> Vec<Encoder> {
        self.layouts.iter().map(Layout::encoder).collect()
    }

    /// Writes what the encoders of one worker made, a chunk for each format, and gives back the
    /// memory of each.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&mut self, chunks: Vec<Chunk>) -> Result<Vec<Spent>, Error> {
        let written = self.writers.iter_mut().zip(chunks);
        written.map(|(writer, chunk)| writer.write(chunk).map_err(Error::from_output)).collect()
    }

    /// Cells that were kept from acting as formulas.
    pub fn guarded_cells(&self) -> u64 {
        self.writers.iter().map(TableWriter::guarded_cells).sum()
    }
}

/// All outputs of a run.
pub struct Output {
    target: Target,
    formats: Vec<Format>,
    /// Whose importers get leads besides.
    crms: Vec<Crm>,
    guard: FormulaGuard,
    done: Vec<StagedFile>,
}

impl Output {
    /// Outputs in `formats`, and for `crms`, to `target`.
    pub fn new(target: Target, formats: Vec<Format>, crms: Vec<Crm>, guard: FormulaGuard) -> Self {
        Self { target, formats, crms, guard, done: Vec::new() }
    }

    /// The files of leads for `crms`.
    pub fn crm_tables(crms: &[Crm]) -> Vec<String> {
        crms.iter().map(|&crm| file_name(Table::LeadsFor(crm), Format::Csv)).collect()
    }

    /// The files of all tables in `formats`.
    pub fn tables(formats: &[Format]) -> Vec<String> {
        let tables = [Table::Signals(&[]), Table::Leads];
        let files = tables
            .into_iter()
            .flat_map(|table| formats.iter().map(move |&format| file_name(table, format)));
        files.collect()
    }

    /// Every file that a run in `formats`, and for `crms`, may write; the page only where one is
    /// asked for.
    pub fn names(formats: &[Format], crms: &[Crm], page: Option<Emails>) -> Vec<String> {
        let files = Self::tables(formats).into_iter().chain(Self::crm_tables(crms));
        let page = page.map(|_| PAGE.to_owned());
        files.chain(["report.json".into(), "rejects.ndjson".into()]).chain(page).collect()
    }

    /// The writers of the signals.
    ///
    /// # Errors
    /// When a file cannot be made.
    pub fn signals<'a>(&mut self, engine: &'a Engine) -> Result<Tables<'a>, Error> {
        let columns = &engine.rules.columns;
        let table = match engine.redaction {
            None => Table::Signals(columns),
            Some(_) => Table::RedactedSignals(columns),
        };
        self.table_writers(table, Stream::Signals)
    }

    /// The writers of the leads, for CRMs too.
    ///
    /// # Errors
    /// When a file cannot be made.
    pub fn leads(&mut self, engine: &Engine) -> Result<Tables<'static>, Error> {
        let table = match engine.redaction {
            None => Table::Leads,
            Some(_) => Table::RedactedLeads,
        };
        let mut tables = self.table_writers(table, Stream::Leads)?;
        for crm in self.crms.clone() {
            self.add_writer(Table::LeadsFor(crm), Format::Csv, Stream::Leads, &mut tables)?;
        }
        Ok(tables)
    }

    fn table_writers<'a>(&mut self, table: Table<'a>, stream: Stream) -> Result<Tables<'a>, Error> {
        let mut tables = Tables { layouts: Vec::new(), writers: Vec::new() };
        for format in self.formats.clone() {
            self.add_writer(table, format, stream, &mut tables)?;
        }
        Ok(tables)
    }

    /// Adds the writer of one table in one format, unless the stream carries another.
    fn add_writer<'a>(
        &mut self,
        table: Table<'a>,
        format: Format,
        stream: Stream,
        tables: &mut Tables<'a>,
    ) -> Result<(), Error> {
        let sink = match &mut self.target {
            Target::Directory(staging) => Sink::File(staging.create(&file_name(table, format))?),
            Target::Stream(wanted, out) if *wanted == stream => {
                Sink::Stream(std::mem::replace(out, Box::new(io::sink())))
            }
            Target::Stream(..) => return Ok(()),
        };
        let layout = Layout { table, format, guard: self.guard };
        tables.writers.push(layout.writer(sink).map_err(Error::from_output)?);
        tables.layouts.push(layout);
        Ok(())
    }

    /// Ends `tables`.
    ///
    /// # Errors
    /// Those of writing.
    pub fn close(&mut self, tables: Tables<'_>) -> Result<(), Error> {
        for writer in tables.writers {
            match writer.finish().map_err(Error::from_output)? {
                Sink::File(file) => self.done.push(file),
                Sink::Stream(mut stream) => stream.flush().map_err(Error::from_output)?,
            }
        }
        Ok(())
    }

    /// A file beside the tables; `None` where they go to a stream.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn file(&mut self, name: &str) -> Result<Option<StagedFile>, Error> {
        match &self.target {
            Target::Directory(staging) => Ok(Some(staging.create(name)?)),
            Target::Stream(..) => Ok(None),
        }
    }

    /// Keeps a file that is complete.
    pub fn keep(&mut self, file: StagedFile) {
        self.done.push(file);
    }

    /// Brings all files to their places; `None` where the tables went to a stream.
    ///
    /// # Errors
    /// Those of writing.
    pub fn commit(self) -> Result<Option<Committed>, Error> {
        match self.target {
            Target::Directory(staging) => Ok(Some(staging.commit(self.done)?)),
            Target::Stream(..) => Ok(None),
        }
    }
}

/// The name of the file of `table` in `format`.
fn file_name(table: Table<'_>, format: Format) -> String {
    format!("{}.{}", table.name(), format.extension())
}
