//! An open input: one file, or the files of an archive.

use super::archive::Archive;
use super::block::{Block, FileId};
use super::bytes::{DecodeError, Source};
use super::content::{Content, FileInfo};
use super::discover::Origin;
use super::fault::Fault;
use super::outputs;
use super::pushback::Pushback;
use super::reader::Reader;
use super::reserved::Reserved;
use super::stream::Stream;
use super::unsupported::Kind;

/// The maximum number of archives that contain one another.
const MAX_NESTED_ARCHIVES: usize = 4;

/// An open archive and its name.
struct OpenArchive {
    name: String,
    archive: Box<dyn Archive>,
}

/// The next block of an input.
pub(super) enum Next {
    /// The block was filled.
    Filled,
    /// These lines are to be read into the block, which needs no turn.
    Reserved(Reserved),
    /// All files are read.
    End,
}

/// An input that is being read: a file, or the files of an archive.
pub(super) struct OpenInput {
    /// The id that the next registered file gets.
    file: FileId,
    name: String,
    stream: Option<Stream>,
    /// The archives that contain the file, the innermost last.
    archives: Vec<OpenArchive>,
}

impl OpenInput {
    /// Creates the state of an input that is not opened yet.
    pub fn new(input: u32, name: String) -> Self {
        Self { file: FileId { input, member: 0 }, name, stream: None, archives: Vec::new() }
    }

    /// Returns the index of the input.
    pub fn input(&self) -> u32 {
        self.file.input
    }

    /// Opens the input itself. Reports the fault if `source` could not be opened.
    ///
    /// # Errors
    /// Returns the fault that stops reading.
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

    /// Fills `block` with the next block, or returns the lines to be read into it.
    ///
    /// # Errors
    /// Returns the fault that stops reading.
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

    /// Returns `true` if all files are read. May return `false` if only empty archives remain.
    pub fn is_done(&self) -> bool {
        self.stream.is_none() && self.archives.is_empty()
    }

    /// Opens the next file of the archives. Returns `false` if there is none.
    fn next_file(&mut self, reader: &Reader) -> Result<bool, Fault> {
        let Some(parent) = self.archives.last_mut() else { return Ok(false) };
        match parent.archive.next() {
            Ok(Some(member)) => {
                self.name = format!("{}/{}", parent.name, member.name);
                match member.source {
                    Ok(source) => self.open(reader, source)?,
                    Err(error) => self.report_error(reader, error)?,
                }
            }
            Ok(None) => self.close_archive(reader),
            Err(error) => {
                self.close_archive(reader);
                reader.report(self.fault(error, None))?;
            }
        }
        Ok(true)
    }

    /// Closes the innermost archive. Registers the input itself if it has no members.
    fn close_archive(&mut self, reader: &Reader) {
        if let Some(parent) = self.archives.pop() {
            self.name = parent.name;
        }
        if self.archives.is_empty() && self.file.member == 0 {
            self.register(reader);
        }
    }

    /// Detects the content of `source`, and opens it.
    fn open(&mut self, reader: &Reader, source: Box<dyn Source>) -> Result<(), Fault> {
        let origin = self.origin(reader);
        let file = FileInfo { name: &self.name, origin, bytes_read: reader.counter() };
        match Content::of(source, &file) {
            Ok(Content::Text { source, is_decoded }) => {
                let file = self.register(reader);
                self.stream = Some(Stream::new(file, Pushback::new(source, is_decoded)));
            }
            Ok(Content::Archive(_)) if self.archives.len() == MAX_NESTED_ARCHIVES => {
                let message =
                    format!("an archive inside of {MAX_NESTED_ARCHIVES} others; unpack it first");
                return self.report_error(reader, DecodeError { offset: 0, message });
            }
            Ok(Content::Archive(archive)) => {
                self.archives.push(OpenArchive { name: self.name.clone(), archive });
            }
            Ok(Content::Output(output)) => {
                reader.skip(self.file, outputs::skipped(&self.name, output));
            }
            Ok(Content::Unsupported(unsupported))
                if origin == Origin::Found && unsupported.kind == Kind::Other =>
            {
                let text = format!("{}: skipped: this is {}", self.name, unsupported.what());
                reader.skip(self.file, text);
            }
            Ok(Content::Unsupported(unsupported)) => {
                self.register(reader);
                let error = DecodeError { offset: 0, message: unsupported.message() };
                // The fault concerns the file as a whole.
                return reader.report(Fault { offset: None, ..self.fault(error, None) });
            }
            Err(error) => return self.report_error(reader, error),
        }
        Ok(())
    }

    /// Reports that the current file cannot be read.
    fn report_error(&mut self, reader: &Reader, error: DecodeError) -> Result<(), Fault> {
        self.register(reader);
        reader.report(self.fault(error, None))
    }

    /// Returns how the current file was discovered. Members of archives were not named.
    fn origin(&self, reader: &Reader) -> Origin {
        let input = reader.inputs().get(self.file.input as usize);
        match input {
            Some(input) if self.archives.is_empty() => input.origin,
            _ => Origin::Found,
        }
    }

    /// Registers the current file, and returns its id.
    fn register(&mut self, reader: &Reader) -> FileId {
        let file = self.file;
        reader.register(file, &self.name, self.archives.is_empty());
        self.file.member += 1;
        file
    }

    fn fault(&self, error: DecodeError, decoded: Option<u64>) -> Fault {
        let DecodeError { offset, message } = error;
        // The id of the file that was registered last.
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
