//! Truncated zip archives: without the central directory at the end, members are read from front to
//! back.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rawzip::CompressionMethod;

use super::zip::{Storage, storage};
use super::{Archive, Member, display_path};
use crate::source::bytes::{BufferedSource, DecodeError, Source, Stored};
use crate::source::codec::{Compression, Decoder};

/// The length of a local file header before the name, in bytes.
const HEADER_BYTES: usize = 30;

/// Flags in a header: the member is encrypted; its sizes follow the contents.
const ENCRYPTED: u16 = 1;
const SIZES_FOLLOW: u16 = 1 << 3;

/// A local file header.
struct Header {
    name: String,
    flags: u16,
    method: CompressionMethod,
    /// The offset of the contents in the archive, and their stored length, in bytes.
    start: u64,
    stored_bytes: u64,
}

/// The complete members of a truncated archive.
pub(super) struct Salvage {
    file: Arc<File>,
    length: u64,
    /// The offset of the next header.
    position: u64,
    /// The end of the current member, set once it is read. For members whose sizes follow.
    end: Option<Arc<AtomicU64>>,
    /// The error of the archive, which follows the last member.
    error: DecodeError,
    bytes_read: Arc<AtomicU64>,
}

impl Salvage {
    /// Reads the members of the archive in `file`. `error` says that it is truncated.
    pub fn new(file: Arc<File>, error: DecodeError, bytes_read: Arc<AtomicU64>) -> Self {
        Self { length: error.offset, file, position: 0, end: None, error, bytes_read }
    }

    /// Returns `count` bytes at `offset`; `None` if the file ends before.
    fn bytes(&self, offset: u64, count: usize) -> Option<Vec<u8>> {
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(offset)).ok()?;
        let mut bytes = vec![0; count];
        file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Returns the header at the current position; `None` if there is no complete one.
    fn header(&self) -> Option<Header> {
        let fixed = self.bytes(self.position, HEADER_BYTES)?;
        if !fixed.starts_with(b"PK\x03\x04") {
            return None;
        }
        let short = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
        let long = |at: usize| u32::from(short(at)) | u32::from(short(at + 2)) << 16;
        let (name, extra) = (usize::from(short(26)), usize::from(short(28)));
        let variable = self.bytes(self.position + HEADER_BYTES as u64, name + extra)?;
        let stored_bytes = match long(18) {
            u32::MAX => wide_size(&variable[name..])?,
            size => size.into(),
        };
        Some(Header {
            name: String::from_utf8_lossy(&variable[..name]).into_owned(),
            flags: short(6),
            method: CompressionMethod::new(short(8)),
            start: self.position + (HEADER_BYTES + variable.len()) as u64,
            stored_bytes,
        })
    }

    /// Moves to the header after a member that ended at `end`. Its sizes are in between, with or
    /// without a signature, in 32 or 64 bits.
    fn skip_sizes(&mut self, end: u64) {
        let begins = |at: &u64| self.bytes(*at, 2).is_some_and(|bytes| bytes == b"PK");
        let next = [12, 16, 20, 24].map(|size| end + size).into_iter().find(begins);
        self.position = next.unwrap_or(self.length);
    }

    /// Returns the contents of a member, and moves to the next one if its offset is known.
    fn contents(&mut self, header: &Header) -> Option<Result<Box<dyn Source>, DecodeError>> {
        let follows = header.flags & SIZES_FOLLOW != 0;
        let end = header.start.saturating_add(header.stored_bytes);
        let range = header.start..if follows { self.length } else { end.min(self.length) };
        let stored = Stored::part(&self.file, range, Arc::clone(&self.bytes_read)).ok()?;
        self.position = end;
        let source = match storage(header.method)? {
            Storage::Plain if follows => return None,
            Storage::Plain => {
                let missing = end.saturating_sub(self.length);
                Ok(Box::new(Truncated { stored, missing }) as Box<dyn Source>)
            }
            Storage::Compressed(compression) => self.decoded(stored, compression, follows),
        };
        Some(source)
    }

    fn decoded(
        &mut self,
        stored: Stored,
        compression: Compression,
        follows: bool,
    ) -> Result<Box<dyn Source>, DecodeError> {
        let source = Box::new(Decoder::new(BufferedSource::new(Box::new(stored), 0), compression)?);
        if !follows {
            return Ok(source);
        }
        let end = Arc::new(AtomicU64::new(0));
        self.end = Some(Arc::clone(&end));
        Ok(Box::new(EndRecorder { source, end }))
    }
}

/// Returns the stored size from the extra fields of a header, which contain sizes over 32 bits.
fn wide_size(mut extra: &[u8]) -> Option<u64> {
    while let Some((head, rest)) = extra.split_first_chunk::<4>() {
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let (field, rest) = rest.split_at_checked(length)?;
        if head[..2] == [1, 0] {
            return Some(u64::from_le_bytes(*field.get(8..)?.first_chunk()?));
        }
        extra = rest;
    }
    None
}

impl Archive for Salvage {
    fn next(&mut self) -> Result<Option<Member>, DecodeError> {
        loop {
            if let Some(end) = self.end.take() {
                match end.load(Ordering::Relaxed) {
                    0 => return Err(self.error.clone()), // the member itself is truncated
                    end => self.skip_sizes(end),
                }
            }
            let Some(header) = self.header() else { return Err(self.error.clone()) };
            let is_folder = header.name.ends_with('/');
            let name =
                display_path(&header.name).filter(|_| !is_folder && header.flags & ENCRYPTED == 0);
            let Some(name) = name else {
                if header.flags & SIZES_FOLLOW != 0 && !is_folder {
                    return Err(self.error.clone()); // its end is unknown
                }
                self.position = header.start.saturating_add(header.stored_bytes);
                continue;
            };
            return match self.contents(&header) {
                Some(source) => Ok(Some(Member { name, source })),
                None => Err(self.error.clone()),
            };
        }
    }
}

/// A member without compression whose last `missing` bytes are missing from the archive.
struct Truncated {
    stored: Stored,
    missing: u64,
}

impl Source for Truncated {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        match self.stored.read(out)? {
            0 if self.missing > 0 => {
                let message = format!("the last {} bytes of this member are cut off", self.missing);
                Err(DecodeError { offset: self.offset(0), message })
            }
            count => Ok(count),
        }
    }

    fn offset(&self, behind: usize) -> u64 {
        self.stored.offset(behind)
    }
}

/// A member that stores its end in `end` once it is read.
struct EndRecorder {
    source: Box<dyn Source>,
    end: Arc<AtomicU64>,
}

impl Source for EndRecorder {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        let count = self.source.read(out)?;
        if count == 0 {
            self.end.store(self.offset(0), Ordering::Relaxed);
        }
        Ok(count)
    }

    fn offset(&self, behind: usize) -> u64 {
        self.source.offset(behind)
    }
}
