//! Where the tables of a run go: files of a directory, or streams.

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
    /// A table to each stream.
    Streams(Vec<(Stream, Box<dyn Write + Send>)>),
    /// Nowhere.
    Nowhere,
}

/// Whether a run hands on its tables in memory, besides writing them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InMemory {
    /// It does.
    Yes,
    /// It does not: what is written is not kept.
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
    /// In memory, too.
    gathered: Option<(Table<'a>, Gathered)>,
}

impl Tables<'_> {
    /// An encoder for each format, and last the one of the table in memory.
    pub fn encoders(&self) -> Vec<Encoder> {
        let gathered = self.gathered.iter().map(|(table, _)| Gathered::encoder(*table));
        self.layouts.iter().map(Layout::encoder).chain(gathered).collect()
    }

    /// Writes what the encoders of one worker made, a chunk for each format, and gives back the
    /// memory of each.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&mut self, mut chunks: Vec<Chunk>) -> Result<Vec<Spent>, Error> {
        if let Some((_, gathered)) = &mut self.gathered
            && let Some(chunk) = chunks.pop()
        {
            gathered.push(chunk).map_err(Error::Write)?;
        }
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
    in_memory: InMemory,
    gathered: Vec<Gathered>,
    done: Vec<StagedFile>,
}

impl Output {
    /// Outputs in `formats`, and for `crms`, to `target`.
    pub fn new(target: Target, formats: Vec<Format>, crms: Vec<Crm>, guard: FormulaGuard) -> Self {
        let (in_memory, gathered, done) = (InMemory::No, Vec::new(), Vec::new());
        Self { target, formats, crms, guard, in_memory, gathered, done }
    }

    /// The same, with the tables in memory too if `in_memory` says so.
    #[must_use]
    pub fn gathering(self, in_memory: InMemory) -> Self {
        Self { in_memory, ..self }
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

    /// Adds the writer of one table in one format, unless the streams carry others.
    fn add_writer<'a>(
        &mut self,
        table: Table<'a>,
        format: Format,
        stream: Stream,
        tables: &mut Tables<'a>,
    ) -> Result<(), Error> {
        let sink = match &mut self.target {
            Target::Directory(staging) => Sink::File(staging.create(&file_name(table, format))?),
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

    /// Ends `tables`.
    ///
    /// # Errors
    /// Those of writing.
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

    /// A file beside the tables; `None` where these go to no directory.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn file(&mut self, name: &str) -> Result<Option<StagedFile>, Error> {
        match &self.target {
            Target::Directory(staging) => Ok(Some(staging.create(name)?)),
            Target::Streams(_) | Target::Nowhere => Ok(None),
        }
    }

    /// Keeps a file that is complete.
    pub fn keep(&mut self, file: StagedFile) {
        self.done.push(file);
    }

    /// The tables in memory, once both are closed; `None` where nobody asked for them.
    pub fn take_gathered(&mut self) -> Option<TablesInMemory> {
        // Signals are written before leads, which follow from them.
        let mut gathered = std::mem::take(&mut self.gathered).into_iter();
        Some(TablesInMemory { signals: gathered.next()?, leads: gathered.next()? })
    }

    /// Brings all files to their places; `None` where there are none.
    ///
    /// # Errors
    /// Those of writing.
    pub fn commit(self) -> Result<Option<Committed>, Error> {
        match self.target {
            Target::Directory(staging) => Ok(Some(staging.commit(self.done)?)),
            Target::Streams(_) | Target::Nowhere => Ok(None),
        }
    }
}

/// The name of the file of `table` in `format`.
fn file_name(table: Table<'_>, format: Format) -> String {
    format!("{}.{}", table.name(), format.extension())
}
