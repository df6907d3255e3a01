//! The outputs of a run: files in a directory, or streams.

use std::io::{self, Write};

use crate::emit::staging::{Committed, StagedFile, Staging};
use crate::emit::{
    Chunk, Crm, Encoder, Format, FormulaGuard, Gathered, Layout, Spent, Table, TableWriter,
};
use crate::engine::Engine;
use crate::error::Error;
use crate::jobs::run::page::Emails;

/// The name of the page.
pub const PAGE: &str = "report.html";

/// The table that is written to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// The signals.
    Signals,
    /// The leads.
    Leads,
}

/// The target of the outputs.
pub enum Target {
    /// A folder, of this machine or of a bucket, with all tables in every format.
    Folder(Staging),
    /// One table on each stream.
    Streams(Vec<(Stream, Box<dyn Write + Send>)>),
    /// No output.
    Nowhere,
}

/// Whether a run returns its tables in memory, in addition to writing them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InMemory {
    /// The tables are returned.
    Yes,
    /// The tables are only written.
    #[default]
    No,
}

/// The tables of a run in memory.
#[derive(Clone, Debug)]
pub struct TablesInMemory {
    /// The signals, in the order of the input.
    pub signals: Gathered,
    /// The leads, by score.
    pub leads: Gathered,
}

/// The file or stream of a table.
pub enum Sink {
    /// A staged file.
    File(StagedFile),
    /// A stream.
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

/// A table in every requested format.
pub struct Tables<'a> {
    layouts: Vec<Layout<'a>>,
    writers: Vec<TableWriter<Sink>>,
    /// In memory, too.
    gathered: Option<(Table<'a>, Gathered)>,
}

impl Tables<'_> {
    /// Creates an encoder for each format, followed by that of the table in memory.
    pub fn encoders(&self) -> Vec<Encoder> {
        let gathered = self.gathered.iter().map(|(table, _)| Gathered::encoder(*table));
        self.layouts.iter().map(Layout::encoder).chain(gathered).collect()
    }

    /// Writes the chunks of one worker, one for each format, and returns their buffers for reuse.
    ///
    /// # Errors
    /// Returns an error if writing fails.
    pub fn write(&mut self, mut chunks: Vec<Chunk>) -> Result<Vec<Spent>, Error> {
        if let Some((_, gathered)) = &mut self.gathered
            && let Some(chunk) = chunks.pop()
        {
            gathered.push(chunk).map_err(Error::Write)?;
        }
        let written = self.writers.iter_mut().zip(chunks);
        written.map(|(writer, chunk)| writer.write(chunk).map_err(Error::from_output)).collect()
    }

    /// Returns the number of cells that were guarded against being run as formulas.
    pub fn guarded_cells(&self) -> u64 {
        self.writers.iter().map(TableWriter::guarded_cells).sum()
    }
}

/// The outputs of a run.
pub struct Output {
    target: Target,
    formats: Vec<Format>,
    /// The CRMs for which additional files of leads are written.
    crms: Vec<Crm>,
    guard: FormulaGuard,
    in_memory: InMemory,
    gathered: Vec<Gathered>,
    done: Vec<StagedFile>,
}

impl Output {
    /// Creates the outputs in `formats` and for `crms`.
    pub fn new(target: Target, formats: Vec<Format>, crms: Vec<Crm>, guard: FormulaGuard) -> Self {
        let (in_memory, gathered, done) = (InMemory::No, Vec::new(), Vec::new());
        Self { target, formats, crms, guard, in_memory, gathered, done }
    }

    /// The same, with the tables in memory too if `in_memory` says so.
    #[must_use]
    pub fn gathering(self, in_memory: InMemory) -> Self {
        Self { in_memory, ..self }
    }

    /// Returns the names of the files of leads for `crms`.
    pub fn crm_tables(crms: &[Crm]) -> Vec<String> {
        crms.iter().map(|&crm| file_name(Table::LeadsFor(crm), Format::Csv)).collect()
    }

    /// Returns the names of the files of all tables in `formats`.
    pub fn tables(formats: &[Format]) -> Vec<String> {
        let tables = [Table::Signals(&[]), Table::Leads];
        let files = tables
            .into_iter()
            .flat_map(|table| formats.iter().map(move |&format| file_name(table, format)));
        files.collect()
    }

    /// Returns the names of all files that a run may write: tables in `formats` and for `crms`, and
    /// the page if `page` requests one.
    pub fn names(formats: &[Format], crms: &[Crm], page: Option<Emails>) -> Vec<String> {
        let files = Self::tables(formats).into_iter().chain(Self::crm_tables(crms));
        let page = page.map(|_| PAGE.to_owned());
        files.chain(["report.json".into(), "rejects.ndjson".into()]).chain(page).collect()
    }

    /// Creates the writers of the signals.
    ///
    /// # Errors
    /// Returns an error if a file cannot be created.
    pub fn signals<'a>(&mut self, engine: &'a Engine) -> Result<Tables<'a>, Error> {
        let columns = &engine.rules.columns;
        let table = match engine.redaction {
            None => Table::Signals(columns),
            Some(_) => Table::RedactedSignals(columns),
        };
        self.table_writers(table, Stream::Signals)
    }

    /// Creates the writers of the leads, including those for CRMs.
    ///
    /// # Errors
    /// Returns an error if a file cannot be created.
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
        let gathered = match self.in_memory {
            InMemory::Yes => Some((table, Gathered::new(table))),
            InMemory::No => None,
        };
        let mut tables = Tables { layouts: Vec::new(), writers: Vec::new(), gathered };
        for format in self.formats.clone() {
            self.add_writer(table, format, stream, &mut tables)?;
        }
        Ok(tables)
    }

    /// Adds the writer of one table in one format, unless the streams are for other tables.
    fn add_writer<'a>(
        &mut self,
        table: Table<'a>,
        format: Format,
        stream: Stream,
        tables: &mut Tables<'a>,
    ) -> Result<(), Error> {
        let sink = match &mut self.target {
            Target::Folder(staging) => Sink::File(staging.create(&file_name(table, format))?),
            Target::Streams(streams) => {
                let Some(at) = streams.iter().position(|(table, _)| *table == stream) else {
                    return Ok(());
                };
                Sink::Stream(streams.swap_remove(at).1)
            }
            Target::Nowhere => return Ok(()),
        };
        let layout = Layout { table, format, guard: self.guard };
        tables.writers.push(layout.writer(sink).map_err(Error::from_output)?);
        tables.layouts.push(layout);
        Ok(())
    }

    /// Finishes `tables`.
    ///
    /// # Errors
    /// Returns an error if writing fails.
    pub fn close(&mut self, tables: Tables<'_>) -> Result<(), Error> {
        self.gathered.extend(tables.gathered.map(|(_, gathered)| gathered));
        for writer in tables.writers {
            match writer.finish().map_err(Error::from_output)? {
                Sink::File(file) => self.done.push(file),
                Sink::Stream(mut stream) => stream.flush().map_err(Error::from_output)?,
            }
        }
        Ok(())
    }

    /// Creates a file beside the tables; returns `None` if these are not written to a directory.
    ///
    /// # Errors
    /// Returns an error if the file cannot be created.
    pub fn file(&mut self, name: &str) -> Result<Option<StagedFile>, Error> {
        match &self.target {
            Target::Folder(staging) => Ok(Some(staging.create(name)?)),
            Target::Streams(_) | Target::Nowhere => Ok(None),
        }
    }

    /// Keeps a complete file for the commit.
    pub fn keep(&mut self, file: StagedFile) {
        self.done.push(file);
    }

    /// Returns the tables in memory, once both are closed, or `None` if they were not requested.
    pub fn take_gathered(&mut self) -> Option<TablesInMemory> {
        // Signals are written before leads, which follow from them.
        let mut gathered = std::mem::take(&mut self.gathered).into_iter();
        Some(TablesInMemory { signals: gathered.next()?, leads: gathered.next()? })
    }

    /// Returns those of `names` that exist already; returns `None` if no folder is written to.
    ///
    /// # Errors
    /// Returns an error if a store cannot be asked.
    pub fn present(&self, names: &[String]) -> Result<Option<Vec<String>>, Error> {
        match &self.target {
            Target::Folder(staging) => Ok(Some(staging.present(names)?)),
            Target::Streams(_) | Target::Nowhere => Ok(None),
        }
    }

    /// Moves all files to their final paths; returns `None` if there are none.
    ///
    /// # Errors
    /// Returns an error if the files cannot be moved.
    pub fn commit(self) -> Result<Option<Committed>, Error> {
        match self.target {
            Target::Folder(staging) => Ok(Some(staging.commit(self.done)?)),
            Target::Streams(_) | Target::Nowhere => Ok(None),
        }
    }
}

/// Returns the name of the file of `table` in `format`.
fn file_name(table: Table<'_>, format: Format) -> String {
    format!("{}.{}", table.name(), format.extension())
}
