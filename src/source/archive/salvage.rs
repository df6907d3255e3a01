//! Zip archives that lack their directory, since they are cut off: read from front to back.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rawzip::CompressionMethod;

use super::zip::{Stores, packing};
use super::{Archive, Member, visible};
use crate::source::bytes::{DecodeError, Raw, Source, Stored};
use crate::source::codec::{Decoder, Packing};

/// How many bytes a member's own header has before its name.
const HEADER: usize = 30;

/// Bits of the flags: the member is encrypted; its sizes stand behind it.
const ENCRYPTED: u16 = 1;
const SIZES_FOLLOW: u16 = 1 << 3;

/// The header in front of a member.
struct Header {
    name: String,
    flags: u16,
    method: CompressionMethod,
    /// Where the contents begin, and how many bytes they have as they are stored.
    start: u64,
    stored: u64,
}

/// The members that are still there.
pub(super) struct Salvage {
    file: Arc<File>,
    length: u64,
    /// Where the next header is.
    position: u64,
    /// Where the present member ends, once it is read; for members whose size follows them.
    end: Option<Arc<AtomicU64>>,
    /// What is wrong with the archive.
    fault: DecodeError,
    bytes_read: Arc<AtomicU64>,
}

impl Salvage {
    /// What is left of the archive in `file`; `fault` says that it is not whole.
    pub fn new(file: Arc<File>, fault: DecodeError, bytes_read: Arc<AtomicU64>) -> Self {
        Self { length: fault.offset, file, position: 0, end: None, fault, bytes_read }
    }

    /// The `count` bytes at `offset`; `None` if there are not so many.
    fn bytes(&self, offset: u64, count: usize) -> Option<Vec<u8>> {
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(offset)).ok()?;
        let mut bytes = vec![0; count];
        file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    /// The header at the present place; `None` if there is none or not all of it.
    fn header(&self) -> Option<Header> {
        let fixed = self.bytes(self.position, HEADER)?;
        if !fixed.starts_with(b"PK\x03\x04") {
            return None;
        }
        let short = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
        let long = |at: usize| u32::from(short(at)) | u32::from(short(at + 2)) << 16;
        let (name, extra) = (usize::from(short(26)), usize::from(short(28)));
        let variable = self.bytes(self.position + HEADER as u64, name + extra)?;
        let stored = match long(18) {
            u32::MAX => wide_size(&variable[name..])?,
            size => size.into(),
        };
        Some(Header {
            name: String::from_utf8_lossy(&variable[..name]).into_owned(),
            flags: short(6),
            method: CompressionMethod::new(short(8)),
            start: self.position + (HEADER + variable.len()) as u64,
            stored,
        })
    }

    /// Goes on to the header behind a member that ended at `end`: its sizes stand in between, with
    /// or without a signature, in 32 or 64 bits.
    fn pass_sizes(&mut self, end: u64) {
        let begins = |at: &u64| self.bytes(*at, 2).is_some_and(|bytes| bytes == b"PK");
        let next = [12, 16, 20, 24].map(|size| end + size).into_iter().find(begins);
        self.position = next.unwrap_or(self.length);
    }

    /// The bytes of a member, and where the next one begins if that is known.
    fn contents(&mut self, header: &Header) -> Option<Result<Box<dyn Source>, DecodeError>> {
        let follows = header.flags & SIZES_FOLLOW != 0;
        let end = header.start.saturating_add(header.stored);
        let range = header.start..if follows { self.length } else { end.min(self.length) };
        let stored = Stored::part(&self.file, range, Arc::clone(&self.bytes_read)).ok()?;
        self.position = end;
        let source = match packing(header.method)? {
            Stores::Plain if follows => return None,
            Stores::Plain => {
                let missing = end.saturating_sub(self.length);
                Ok(Box::new(Cut { stored, missing }) as Box<dyn Source>)
            }
            Stores::Packed(packing) => self.decoded(stored, packing, follows),
        };
        Some(source)
    }

    fn decoded(
        &mut self,
        stored: Stored,
        packing: Packing,
        follows: bool,
    ) -> Result<Box<dyn Source>, DecodeError> {
        let source = Box::new(Decoder::new(Raw::new(Box::new(stored), 0), packing)?);
        if !follows {
            return Ok(source);
        }
        let end = Arc::new(AtomicU64::new(0));
        self.end = Some(Arc::clone(&end));
        Ok(Box::new(Ending { source, end }))
    }
}

/// The stored size in the extra fields of a header that has no room for it.
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
                    0 => return Err(self.fault.clone()), // the member itself is cut off
                    end => self.pass_sizes(end),
                }
            }
            let Some(header) = self.header() else { return Err(self.fault.clone()) };
            let is_folder = header.name.ends_with('/');
            let name =
                visible(&header.name).filter(|_| !is_folder && header.flags & ENCRYPTED == 0);
            let Some(name) = name else {
                if header.flags & SIZES_FOLLOW != 0 && !is_folder {
                    return Err(self.fault.clone()); // where it ends is not known
                }
                self.position = header.start.saturating_add(header.stored);
                continue;
            };
            return match self.contents(&header) {
                Some(source) => Ok(Some(Member { name, source })),
                None => Err(self.fault.clone()),
            };
        }
    }
}

/// A member that is stored as it is, of which `missing` bytes are cut off.
struct Cut {
    stored: Stored,
    missing: u64,
}

impl Source for Cut {
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

/// A member that tells where it ends.
struct Ending {
    source: Box<dyn Source>,
    end: Arc<AtomicU64>,
}

impl Source for Ending {
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
