//! An open input: one file, or the files of an archive.

use super::archive::Archive;
use super::block::{Block, FileId};
use super::bytes::{DecodeError, Source};
use super::content::{Content, Unknown};
use super::discover::Given;
use super::fault::Fault;
use super::foreign::Kind;
use super::input::OpenInput;
use super::outputs;
use super::reader::Reader;
use super::reserved::Reserved;
use super::stream::Stream;

/// How many archives may stand in one another.
const NESTED: usize = 4;

/// An archive and what it is called.
struct Level {
    name: String,
    archive: Box<dyn Archive>,
}

/// The next block of an input.
pub(super) enum Next {
    /// It is filled.
    Filled,
    /// It is to be filled with these lines, which takes no turn.
    Reserved(Reserved),
    /// There is none: all files are read.
    End,
}

/// An input that is being read.
pub(super) struct Opened {
    /// The file that is read now or, between files, the next one.
    file: FileId,
    name: String,
    stream: Option<Stream>,
    /// The archives that the file stands in, the innermost last.
    archives: Vec<Level>,
}

impl Opened {
    /// The input numbered `input`, not opened yet.
    pub fn new(input: u32, name: String) -> Self {
        Self { file: FileId { input, member: 0 }, name, stream: None, archives: Vec::new() }
    }

    /// The index of the input.
    pub fn input(&self) -> u32 {
        self.file.input
    }

    /// Begins to read the input itself.
    ///
    /// # Errors
    /// The fault that stops the run.
    pub fn begin(
        &mut self,
        reader: &Reader,
        source: Result<Box<dyn Source>, Fault>,
    ) -> Result<(), Fault> {
        match source {
            Ok(source) => self.open(reader, source),
            Err(fault) => {
                self.register(reader);
                reader.report(Fault { file: Some(self.file), ..fault })
            }
        }
    }

    /// Fills `block` with the next block, or returns the lines with which it is to be filled.
    ///
    /// # Errors
    /// The fault that stops the run.
    pub fn next(&mut self, reader: &Reader, block: &mut Block) -> Result<Next, Fault> {
        loop {
            if let Some(mut stream) = self.stream.take() {
                if let Some(lines) = stream.next(block, reader.options()) {
                    self.stream = Some(stream);
                    return Ok(Next::Reserved(lines));
                }
                if !block.last {
                    self.stream = Some(stream);
                } else if let Some(error) = stream.fault() {
                    reader.report(self.fault(error.clone(), stream.decoded()))?;
                }
                return Ok(Next::Filled);
            }
            if !self.next_file(reader)? {
                return Ok(Next::End);
            }
        }
    }

    /// Whether nothing is left to read, so far as that is known.
    pub fn is_done(&self) -> bool {
        self.stream.is_none() && self.archives.is_empty()
    }

    /// Goes on to the next file of the archives. `false` if there is none.
    fn next_file(&mut self, reader: &Reader) -> Result<bool, Fault> {
        let Some(level) = self.archives.last_mut() else { return Ok(false) };
        match level.archive.next() {
            Ok(Some(member)) => {
                self.name = format!("{}/{}", level.name, member.name);
                match member.source {
                    Ok(source) => self.open(reader, source)?,
                    Err(error) => self.refuse(reader, error)?,
                }
            }
            Ok(None) => {
                self.leave(reader);
            }
            Err(error) => {
                self.leave(reader);
                reader.report(self.fault(error, None))?;
            }
        }
        Ok(true)
    }

    /// Leaves the innermost archive. The input itself is listed if it has no members.
    fn leave(&mut self, reader: &Reader) {
        if let Some(level) = self.archives.pop() {
            self.name = level.name;
        }
        if self.archives.is_empty() && self.file.member == 0 {
            self.register(reader);
        }
    }

    /// Opens the file that `source` gives.
    fn open(&mut self, reader: &Reader, source: Box<dyn Source>) -> Result<(), Fault> {
        let given = self.given(reader);
        let file = Unknown { name: &self.name, given, bytes_read: reader.counter() };
        match Content::of(source, &file) {
            Ok(Content::Text { source, is_decoded }) => {
                let file = self.register(reader);
                self.stream = Some(Stream::new(file, OpenInput::new(source, is_decoded)));
            }
            Ok(Content::Archive(_)) if self.archives.len() == NESTED => {
                let message = format!("an archive in {NESTED} others; unpack it first");
                return self.refuse(reader, DecodeError { offset: 0, message });
            }
            Ok(Content::Archive(archive)) => {
                self.archives.push(Level { name: self.name.clone(), archive });
            }
            Ok(Content::Output(output)) => {
                reader.pass_over(self.file, outputs::passed_over(&self.name, output));
            }
            Ok(Content::Foreign(foreign))
                if given == Given::Found && foreign.kind == Kind::Other =>
            {
                let text = format!("{}: passed over: this is {}", self.name, foreign.what());
                reader.pass_over(self.file, text);
            }
            Ok(Content::Foreign(foreign)) => {
                self.register(reader);
                let error = DecodeError { offset: 0, message: foreign.refusal() };
                // It is the file as a whole.
                return reader.report(Fault { offset: None, ..self.fault(error, None) });
            }
            Err(error) => return self.refuse(reader, error),
        }
        Ok(())
    }

    /// Notes that the present file cannot be read.
    fn refuse(&mut self, reader: &Reader, error: DecodeError) -> Result<(), Fault> {
        self.register(reader);
        reader.report(self.fault(error, None))
    }

    /// Whether the present file was named itself, not found in a folder or an archive.
    fn given(&self, reader: &Reader) -> Given {
        let input = reader.inputs().get(self.file.input as usize);
        match input {
            Some(input) if self.archives.is_empty() => input.given,
            _ => Given::Found,
        }
    }

    /// Makes the present file known; the next one has the next number.
    fn register(&mut self, reader: &Reader) -> FileId {
        let file = self.file;
        reader.register(file, &self.name, self.archives.is_empty());
        self.file.member += 1;
        file
    }

    fn fault(&self, error: DecodeError, decoded: Option<u64>) -> Fault {
        let DecodeError { offset, message } = error;
        // The file that was registered last.
        let file = FileId { member: self.file.member.saturating_sub(1), ..self.file };
        Fault {
            file: Some(file),
            display: self.name.clone(),
            offset: Some(offset),
            decoded,
            message,
        }
    }
}
