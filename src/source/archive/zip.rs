//! Zip archives, read by the directory at their end.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crc32fast::Hasher;
use rawzip::{
    CompressionMethod, FileReader, MAX_CENTRAL_DIRECTORY_RECORD_SIZE, ZipArchive,
    ZipArchiveEntryWayfinder,
};

use super::salvage::Salvage;
use super::{Archive, Member, visible};
use crate::source::bytes::{DecodeError, Raw, Source, Stored};
use crate::source::codec::{Decoder, Packing};

/// The least that stands before the contents of a member, in bytes.
const LOCAL_HEADER: u64 = 30;

/// Whether a zip archive begins with these bytes: with a member, or with the directory if it has
/// none.
pub(in crate::source) fn begins(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// What the directory says of a member.
struct Entry {
    /// Its path as it is shown.
    name: String,
    method: CompressionMethod,
    wayfinder: ZipArchiveEntryWayfinder,
    crc: u32,
}

/// The zip archive in `file`; what is read of its members is counted into `bytes_read`. One without
/// a directory gives the members that stand in front of where it is cut off.
///
/// # Errors
/// When the directory is wrong, or members overlap.
pub(in crate::source) fn open(
    file: &Arc<File>,
    bytes_read: Arc<AtomicU64>,
) -> Result<Box<dyn Archive>, DecodeError> {
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let fault = |error: &dyn std::error::Error| {
        let message = format!(
            "the zip archive is cut off or corrupt: the directory at its end cannot be read \
             ({error})"
        );
        DecodeError { offset: length, message }
    };
    let mut buffer = vec![0; MAX_CENTRAL_DIRECTORY_RECORD_SIZE];
    let own = file.try_clone().map_err(|error| fault(&error))?;
    let archive = match ZipArchive::from_file(own, &mut buffer) {
        Ok(archive) => archive,
        Err(error) => {
            let salvage = Salvage::new(Arc::clone(file), fault(&error), bytes_read);
            return Ok(Box::new(salvage));
        }
    };
    let mut directory = archive.entries(&mut buffer);
    let (mut entries, mut places) = (Vec::new(), Vec::new());
    let mut encrypted = 0;
    while let Some(entry) = directory.next_entry().map_err(|error| fault(&error))? {
        let start = entry.local_header_offset();
        let least = LOCAL_HEADER.saturating_add(entry.compressed_size_hint());
        places.push((start, start.saturating_add(least)));
        let name = visible(&String::from_utf8_lossy(entry.file_path().as_bytes()));
        let is_file = !entry.is_dir() && !entry.mode().is_symlink();
        let Some(name) = name.filter(|_| is_file) else { continue };
        if entry.flags().is_encrypted() {
            encrypted += 1;
            continue;
        }
        let (method, crc) = (entry.compression_method(), entry.crc32());
        entries.push(Entry { name, method, wayfinder: entry.wayfinder(), crc });
    }
    check_places(&mut places)?;
    let (all, entries) = (entries.len() + encrypted, entries.into_iter());
    Ok(Box::new(Zip { archive, file: Arc::clone(file), entries, all, encrypted, bytes_read }))
}

/// The members of a zip archive.
struct Zip {
    archive: ZipArchive<FileReader>,
    file: Arc<File>,
    entries: std::vec::IntoIter<Entry>,
    /// How many members there are, and how many of them are encrypted.
    all: usize,
    encrypted: usize,
    bytes_read: Arc<AtomicU64>,
}

impl Zip {
    /// The bytes of a member.
    fn contents(&self, entry: &Entry) -> Result<Box<dyn Source>, DecodeError> {
        let located = self.archive.get_entry(entry.wayfinder);
        let (start, end) = located.map_err(|error| damaged(0, &error))?.compressed_data_range();
        let stored = Stored::part(&self.file, start..end, Arc::clone(&self.bytes_read));
        let stored = Box::new(stored.map_err(|error| damaged(start, &error))?);
        let source: Box<dyn Source> = match packing(entry.method) {
            Some(Stores::Plain) => stored,
            Some(Stores::Packed(packing)) => Box::new(Decoder::new(Raw::new(stored, 0), packing)?),
            None => {
                let method = entry.method;
                let message = format!(
                    "packed with {method}, which is not read; unpack the archive with `7z x`"
                );
                return Err(DecodeError { offset: start, message });
            }
        };
        let size = entry.wayfinder.uncompressed_size_hint();
        Ok(Box::new(Verified { source, size, crc: entry.crc, read: 0, hasher: Hasher::new() }))
    }
}

/// Refuses archives in which members share bytes: these are made to unpack to many times what they
/// hold. `places` says where members begin and how far they reach at least.
fn check_places(places: &mut [(u64, u64)]) -> Result<(), DecodeError> {
    places.sort_unstable();
    match places.windows(2).find(|pair| pair[0].1 > pair[1].0) {
        Some(pair) => {
            let message = "corrupt zip archive: members overlap, as in a zip bomb".into();
            Err(DecodeError { offset: pair[1].0, message })
        }
        None => Ok(()),
    }
}

/// How the bytes of a member are stored.
pub(super) enum Stores {
    /// As they are.
    Plain,
    /// Compressed.
    Packed(Packing),
}

/// What `method` means; `None` if it is not read.
pub(super) fn packing(method: CompressionMethod) -> Option<Stores> {
    match method {
        CompressionMethod::STORE => Some(Stores::Plain),
        CompressionMethod::DEFLATE => Some(Stores::Packed(Packing::Deflate)),
        CompressionMethod::BZIP2 => Some(Stores::Packed(Packing::Bzip2)),
        CompressionMethod::ZSTD => Some(Stores::Packed(Packing::Zstd)),
        CompressionMethod::XZ => Some(Stores::Packed(Packing::Xz)),
        _ => None,
    }
}

fn damaged(offset: u64, error: &dyn std::error::Error) -> DecodeError {
    DecodeError { offset, message: format!("corrupt zip archive: {error}") }
}

impl Archive for Zip {
    fn next(&mut self) -> Result<Option<Member>, DecodeError> {
        if let Some(entry) = self.entries.next() {
            let source = self.contents(&entry);
            return Ok(Some(Member { name: entry.name, source }));
        }
        match std::mem::take(&mut self.encrypted) {
            0 => Ok(None),
            count => {
                let all = self.all;
                let message = format!(
                    "{count} of the {all} members of this zip archive are encrypted, which are \
                     not read; unpack it with its password (`unzip` or `7z x`) and name the folder"
                );
                Err(DecodeError { offset: 0, message })
            }
        }
    }
}

/// The contents of a member, checked against the size and the checksum that the directory states.
struct Verified {
    source: Box<dyn Source>,
    size: u64,
    crc: u32,
    read: u64,
    hasher: Hasher,
}

impl Verified {
    fn error(&self, message: &str) -> DecodeError {
        DecodeError {
            offset: self.source.offset(0),
            message: format!("corrupt zip member: {message}"),
        }
    }
}

impl Source for Verified {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        let count = self.source.read(out)?;
        self.read += count as u64;
        self.hasher.update(&out[..count]);
        if self.read > self.size {
            return Err(self.error("it is longer than the directory says"));
        }
        if count == 0 && self.read < self.size {
            return Err(self.error("it is shorter than the directory says"));
        }
        if count == 0 && self.hasher.clone().finalize() != self.crc {
            return Err(self.error("its checksum is wrong"));
        }
        Ok(count)
    }

    fn offset(&self, behind: usize) -> u64 {
        self.source.offset(behind)
    }
}

/// What `raw` gives, as a file: a zip archive is read from its end.
///
/// # Errors
/// When the source fails, or there is no room for a temporary file.
pub(in crate::source) fn spooled(raw: &mut Raw) -> Result<Arc<File>, DecodeError> {
    let no_room = |raw: &Raw, error: &io::Error| {
        raw.error(&format_args!(
            "cannot use a temporary file for the zip archive: {error}; free some space, or unpack \
             the archive and name the folder"
        ))
    };
    let mut file = tempfile::tempfile().map_err(|error| no_room(raw, &error))?;
    let mut piece = vec![0; 256 << 10];
    loop {
        let count = raw.read(&mut piece)?;
        if count == 0 {
            return Ok(Arc::new(file));
        }
        io::Write::write_all(&mut file, &piece[..count]).map_err(|error| no_room(raw, &error))?;
    }
}
