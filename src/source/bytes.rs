//! Streams of bytes with their position in the stored file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::reserved::{PlainFile, Reserved};

/// The error that ended a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DecodeError {
    /// The offset in the stored file, in bytes.
    pub offset: u64,
    /// The cause.
    pub message: String,
}

/// A stream of bytes that knows its position in the stored file.
pub(super) trait Source: Send {
    /// Reads into `out`, which must not be empty. Returns the number of bytes; 0 at the end.
    ///
    /// # Errors
    /// Returns an error after all bytes before it were returned. Later calls return the error again,
    /// or 0.
    fn read(&mut self, out: &mut [u8]) -> Result<usize, DecodeError>;

    /// Returns the offset in the stored file of the byte `behind` bytes before the next one.
    /// Decoded bytes have no position of their own; their offset is the number of stored bytes that
    /// were consumed.
    fn offset(&self, behind: usize) -> u64;

    /// Returns the stored file, if the stream consists of exactly its bytes.
    fn file(&self) -> Option<&Arc<File>> {
        None
    }

    /// Reserves the whole lines among the `len` bytes from offset `start` of the file on, and
    /// continues after them. Returns `None`, and changes nothing, if they have to be read from the
    /// stream.
    fn reserve_lines(&mut self, _start: u64, _len: usize) -> Option<Reserved> {
        None
    }
}

/// The stored bytes of a file, or of a range of it.
pub(super) struct Stored {
    source: Box<dyn Read + Send>,
    /// The file, if `source` is all of it.
    file: Option<PlainFile>,
    offset: u64,
    /// The minimum offset of the end; the file was truncated if it ends before.
    min_end: u64,
    bytes_read: Arc<AtomicU64>,
}

impl Stored {
    /// Reads a stream, such as standard input or a pipe. If `size`, the size at discovery, is
    /// known, an earlier end is an error. Adds the bytes that are read to `bytes_read`.
    pub fn stream(
        source: Box<dyn Read + Send>,
        size: Option<u64>,
        bytes_read: Arc<AtomicU64>,
    ) -> Self {
        Self { source, file: None, offset: 0, min_end: size.unwrap_or(0), bytes_read }
    }

    /// Reads a regular file up to its end. An end before its present size, or before `size`, the
    /// size at discovery, is an error, as the file was truncated while it was read.
    ///
    /// # Errors
    /// Returns an error if the size of the file is unavailable.
    pub fn file(file: File, size: Option<u64>, bytes_read: Arc<AtomicU64>) -> io::Result<Self> {
        let min_end = file.metadata()?.len().max(size.unwrap_or(0));
        let file = Arc::new(file);
        let source = Box::new(Arc::clone(&file));
        let file = Some(PlainFile::new(file, min_end));
        Ok(Self { source, file, offset: 0, min_end, bytes_read })
    }

    /// Reads `range` of `file`. Only one range can be read at a time, as they share the position.
    ///
    /// # Errors
    /// Returns an error if seeking fails.
    pub fn part(
        file: &Arc<File>,
        range: Range<u64>,
        bytes_read: Arc<AtomicU64>,
    ) -> io::Result<Self> {
        let mut source = Arc::clone(file);
        source.seek(SeekFrom::Start(range.start))?;
        let source = Box::new(source.take(range.end.saturating_sub(range.start)));
        Ok(Self { source, file: None, offset: range.start, min_end: range.end, bytes_read })
    }

    fn error(&self, message: String) -> DecodeError {
        DecodeError { offset: self.offset, message }
    }

    /// Returns the error of an end at the current offset, unless another thread has reported it.
    fn cut_off(&self) -> Option<DecodeError> {
        match &self.file {
            Some(file) => file.cut_off(self.offset),
            None => cut_off(self.offset, self.min_end),
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

/// Returns the error of an end at `offset`, if it is before `min_end`.
pub(super) fn cut_off(offset: u64, min_end: u64) -> Option<DecodeError> {
    (offset < min_end).then(|| DecodeError {
        offset,
        message: format!("the file was cut off while it was read: it had {min_end} bytes"),
    })
}

/// A source with a lookahead buffer.
pub(super) struct BufferedSource {
    source: Box<dyn Source>,
    buffer: Vec<u8>,
    /// `buffer[start..end]` was read and not consumed; `start <= end <= buffer.len()`.
    start: usize,
    end: usize,
    /// The end of the source or its error, once reached.
    end_of_source: Option<Result<(), DecodeError>>,
}

impl BufferedSource {
    /// Creates a buffer for up to `capacity` bytes.
    pub fn new(source: Box<dyn Source>, capacity: usize) -> Self {
        Self { source, buffer: vec![0; capacity], start: 0, end: 0, end_of_source: None }
    }

    /// Enlarges the buffer to at least `capacity` bytes.
    pub fn grow(&mut self, capacity: usize) {
        if self.buffer.len() < capacity {
            self.buffer.resize(capacity, 0);
        }
    }

    /// Returns the bytes that were read and not consumed.
    pub fn available(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Consumes `count` of the available bytes.
    pub fn consume(&mut self, count: usize) {
        self.start += count;
    }

    /// Creates an error at the offset of the next byte.
    pub fn error(&self, message: &(impl ToString + ?Sized)) -> DecodeError {
        DecodeError { offset: self.offset(0), message: message.to_string() }
    }

    /// Reads until `min` bytes are available or the source ends. `min` must not exceed the size of
    /// the buffer.
    ///
    /// # Errors
    /// Returns an error if the source fails before that.
    pub fn refill(&mut self, min: usize) -> Result<(), DecodeError> {
        if self.end - self.start >= min {
            return Ok(());
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < min {
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

    /// Returns the stored file if the source consists of exactly its bytes. Ignores what was
    /// consumed.
    pub fn file(&self) -> Option<&Arc<File>> {
        self.source.file()
    }
}

impl Source for BufferedSource {
    /// Returns the buffered bytes first, then reads directly from the source.
    fn read(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        let available = self.available();
        if available.is_empty() {
            return match &self.end_of_source {
                Some(result) => result.clone().map(|()| 0),
                None => self.source.read(out),
            };
        }
        let count = available.len().min(out.len());
        out[..count].copy_from_slice(&available[..count]);
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
