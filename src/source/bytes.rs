//! Bytes on their way out of a file, and where in the file they stand.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::reserved::{PlainFile, Reserved};

/// Why a stream ended before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DecodeError {
    /// Byte offset in the file as it is stored.
    pub offset: u64,
    /// What went wrong.
    pub message: String,
}

/// A stream of bytes that knows where it is in the file as that is stored.
pub(super) trait Source: Send {
    /// Reads into `out`, which must not be empty; 0 is the end.
    ///
    /// # Errors
    /// Once all bytes before the fault are delivered; after that, the same again or the end.
    fn read(&mut self, out: &mut [u8]) -> Result<usize, DecodeError>;

    /// Offset in the stored file of the byte `behind` bytes before the next one. What was decoded
    /// has no place of its own there: its offset is how far the stored bytes are used up.
    fn offset(&self, behind: usize) -> u64;

    /// The stored file, if the stream is all of it, byte for byte.
    fn file(&self) -> Option<&Arc<File>> {
        None
    }

    /// Takes the whole lines among the `len` bytes from offset `start` of the file on out of the
    /// stream, which goes on behind them. Returns `None`, and changes nothing, if they have to be
    /// read from the stream.
    fn reserve_lines(&mut self, _start: u64, _len: usize) -> Option<Reserved> {
        None
    }
}

/// The bytes of a file as they are stored, or of a part of it.
pub(super) struct Stored {
    source: Box<dyn Read + Send>,
    /// The file, if `source` is all of it.
    file: Option<PlainFile>,
    offset: u64,
    /// An end before this offset is a fault.
    least_end: u64,
    bytes_read: Arc<AtomicU64>,
}

impl Stored {
    /// A pipe and the like, of any length, or standard input. An end before `found`, the size it
    /// had when it was found, is a fault. What is read is counted into `bytes_read`.
    pub fn stream(
        source: Box<dyn Read + Send>,
        found: Option<u64>,
        bytes_read: Arc<AtomicU64>,
    ) -> Self {
        Self { source, file: None, offset: 0, least_end: found.unwrap_or(0), bytes_read }
    }

    /// A regular file, to wherever it ends when it is read. If that is before its present size, or
    /// before `found`, the size it had when it was found, it was cut meanwhile: a fault.
    ///
    /// # Errors
    /// When the size of the file cannot be told.
    pub fn file(file: File, found: Option<u64>, bytes_read: Arc<AtomicU64>) -> io::Result<Self> {
        let least_end = file.metadata()?.len().max(found.unwrap_or(0));
        let file = Arc::new(file);
        let source = Box::new(Arc::clone(&file));
        let file = Some(PlainFile::new(file, least_end));
        Ok(Self { source, file, offset: 0, least_end, bytes_read })
    }

    /// The part of `file` at `range`. Only one part can be read at a time.
    ///
    /// # Errors
    /// When there is no such place in the file.
    pub fn part(
        file: &Arc<File>,
        range: Range<u64>,
        bytes_read: Arc<AtomicU64>,
    ) -> io::Result<Self> {
        let mut source = Arc::clone(file);
        source.seek(SeekFrom::Start(range.start))?;
        let source = Box::new(source.take(range.end.saturating_sub(range.start)));
        Ok(Self { source, file: None, offset: range.start, least_end: range.end, bytes_read })
    }

    fn error(&self, message: String) -> DecodeError {
        DecodeError { offset: self.offset, message }
    }

    /// The fault of an end at the present offset, unless another thread has reported it.
    fn cut_off(&self) -> Option<DecodeError> {
        match &self.file {
            Some(file) => file.cut_off(self.offset),
            None => cut_off(self.offset, self.least_end),
        }
    }
}

impl Source for Stored {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        loop {
            match self.source.read(out) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error(error.to_string())),
                Ok(0) => return self.cut_off().map_or(Ok(0), Err),
                Ok(count) => {
                    self.offset += count as u64;
                    self.bytes_read.fetch_add(count as u64, Ordering::Relaxed);
                    return Ok(count);
                }
            }
        }
    }

    fn offset(&self, behind: usize) -> u64 {
        self.offset.saturating_sub(behind as u64)
    }

    fn file(&self) -> Option<&Arc<File>> {
        self.file.as_ref().map(|plain| &plain.file)
    }

    fn reserve_lines(&mut self, start: u64, len: usize) -> Option<Reserved> {
        let reserved = self.file.as_ref()?.reserve(start, len)?;
        let end = reserved.range.end;
        Arc::clone(self.file()?).seek(SeekFrom::Start(end)).ok()?;
        // Bytes that were read ahead of `start` are counted already.
        self.bytes_read.fetch_add(end.wrapping_sub(self.offset), Ordering::Relaxed);
        self.offset = end;
        Some(reserved)
    }
}

/// Returns the fault of an end at `offset`, if it is before `least_end`.
pub(super) fn cut_off(offset: u64, least_end: u64) -> Option<DecodeError> {
    (offset < least_end).then(|| DecodeError {
        offset,
        message: format!("the file was cut off while it was read: it had {least_end} bytes"),
    })
}

/// A source with the part of it that was read but not used.
pub(super) struct Raw {
    source: Box<dyn Source>,
    buffer: Vec<u8>,
    /// `buffer[start..end]` is read and not used; `start <= end <= buffer.len()`.
    start: usize,
    end: usize,
    /// What the source has come to.
    end_of_source: Option<Result<(), DecodeError>>,
}

impl Raw {
    /// Looks up to `capacity` bytes ahead.
    pub fn new(source: Box<dyn Source>, capacity: usize) -> Self {
        Self { source, buffer: vec![0; capacity], start: 0, end: 0, end_of_source: None }
    }

    /// Looks at least `capacity` bytes ahead from now on.
    pub fn grow(&mut self, capacity: usize) {
        if self.buffer.len() < capacity {
            self.buffer.resize(capacity, 0);
        }
    }

    /// What is read and not used.
    pub fn available(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Uses up `count` bytes of what is available.
    pub fn consume(&mut self, count: usize) {
        self.start += count;
    }

    /// A fault at the next byte.
    pub fn error(&self, message: &(impl ToString + ?Sized)) -> DecodeError {
        DecodeError { offset: self.offset(0), message: message.to_string() }
    }

    /// Reads until `least` bytes are available or the source ends. `least` is at most the size of
    /// the buffer.
    ///
    /// # Errors
    /// If the source fails before that.
    pub fn refill(&mut self, least: usize) -> Result<(), DecodeError> {
        if self.end - self.start >= least {
            return Ok(());
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < least {
            match &self.end_of_source {
                Some(result) => return result.clone(),
                None => match self.source.read(&mut self.buffer[self.end..]) {
                    Ok(0) => self.end_of_source = Some(Ok(())),
                    Ok(count) => self.end += count,
                    Err(error) => self.end_of_source = Some(Err(error)),
                },
            }
        }
        Ok(())
    }

    /// The source, of which nothing may have been used yet, if it is a file byte for byte.
    pub fn file(&self) -> Option<&Arc<File>> {
        self.source.file()
    }
}

impl Source for Raw {
    /// First the bytes at hand, then straight from the source.
    fn read(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        let at_hand = self.available();
        if at_hand.is_empty() {
            return match &self.end_of_source {
                Some(result) => result.clone().map(|()| 0),
                None => self.source.read(out),
            };
        }
        let count = at_hand.len().min(out.len());
        out[..count].copy_from_slice(&at_hand[..count]);
        self.consume(count);
        Ok(count)
    }

    fn offset(&self, behind: usize) -> u64 {
        self.source.offset(behind + self.end - self.start)
    }

    fn reserve_lines(&mut self, start: u64, len: usize) -> Option<Reserved> {
        if self.end_of_source.is_some() {
            return None;
        }
        let reserved = self.source.reserve_lines(start, len)?;
        (self.start, self.end) = (0, 0);
        Some(reserved)
    }
}
