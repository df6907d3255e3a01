//! Zip archives, read by their central directory.

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
use super::{Archive, Member, display_path};
use crate::source::bytes::{BufferedSource, DecodeError, Source, Stored};
use crate::source::codec::{Compression, Decoder};

/// The minimum length of a local file header, in bytes.
const MIN_HEADER_BYTES: u64 = 30;

/// Returns `true` if a file with these first bytes is a zip archive: a member, or the central
/// directory if it is empty.
pub(in crate::source) fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// A member in the central directory.
struct Entry {
    /// The display path.
    name: String,
    method: CompressionMethod,
    wayfinder: ZipArchiveEntryWayfinder,
    crc: u32,
}

/// Opens the zip archive in `file`. Adds the bytes that are read from members to `bytes_read`. If
/// there is no central directory, the archive is truncated and only the members before its end are
/// read.
///
/// # Errors
/// Returns an error if the directory is malformed, or if members overlap.
pub(in crate::source) fn open(
    file: &Arc<File>,
    bytes_read: Arc<AtomicU64>,
) -> Result<Box<dyn Archive>, DecodeError> {
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let directory_error = |error: &dyn std::error::Error| {
        let message = format!(
            "the zip archive is cut off or corrupt: the directory at its end cannot be read \
             ({error})"
        );
        DecodeError { offset: length, message }
    };
    let mut buffer = vec![0; MAX_CENTRAL_DIRECTORY_RECORD_SIZE];
    let own = file.try_clone().map_err(|error| directory_error(&error))?;
    let archive = match ZipArchive::from_file(own, &mut buffer) {
        Ok(archive) => archive,
        Err(error) => {
            let salvage = Salvage::new(Arc::clone(file), directory_error(&error), bytes_read);
            return Ok(Box::new(salvage));
        }
    };
    let mut directory = archive.entries(&mut buffer);
    let (mut entries, mut places) = (Vec::new(), Vec::new());
    let mut encrypted = 0;
    while let Some(entry) = directory.next_entry().map_err(|error| directory_error(&error))? {
        let start = entry.local_header_offset();
        let least = MIN_HEADER_BYTES.saturating_add(entry.compressed_size_hint());
        places.push((start, start.saturating_add(least)));
        let name = display_path(&String::from_utf8_lossy(entry.file_path().as_bytes()));
        let is_file = !entry.is_dir() && !entry.mode().is_symlink();
        let Some(name) = name.filter(|_| is_file) else { continue };
        if entry.flags().is_encrypted() {
            encrypted += 1;
            continue;
        }
        let (method, crc) = (entry.compression_method(), entry.crc32());
        entries.push(Entry { name, method, wayfinder: entry.wayfinder(), crc });
    }
    check_overlaps(&mut places)?;
    let (all, entries) = (entries.len() + encrypted, entries.into_iter());
    Ok(Box::new(Zip { archive, file: Arc::clone(file), entries, all, encrypted, bytes_read }))
}

/// A zip archive.
struct Zip {
    archive: ZipArchive<FileReader>,
    file: Arc<File>,
    entries: std::vec::IntoIter<Entry>,
    /// The number of members, and how many of them are encrypted.
    all: usize,
    encrypted: usize,
    bytes_read: Arc<AtomicU64>,
}

impl Zip {
    /// Returns the contents of a member.
    fn contents(&self, entry: &Entry) -> Result<Box<dyn Source>, DecodeError> {
        let located = self.archive.get_entry(entry.wayfinder);
        let (start, end) = located.map_err(|error| damaged(0, &error))?.compressed_data_range();
        let stored = Stored::part(&self.file, start..end, Arc::clone(&self.bytes_read));
        let stored = Box::new(stored.map_err(|error| damaged(start, &error))?);
        let source: Box<dyn Source> = match storage(entry.method) {
            Some(Storage::Plain) => stored,
            Some(Storage::Compressed(compression)) => {
                Box::new(Decoder::new(BufferedSource::new(stored, 0), compression)?)
            }
            None => {
                let method = entry.method;
                let message = format!(
                    "compressed with {method}, which is not supported; unpack the archive with `7z x`"
                );
                return Err(DecodeError { offset: start, message });
            }
        };
        let size = entry.wayfinder.uncompressed_size_hint();
        Ok(Box::new(Verified { source, size, crc: entry.crc, read: 0, hasher: Hasher::new() }))
    }
}

/// Returns an error if members share bytes, as in archives that are made to decompress to many
/// times their size (zip bombs). `places` are the offset and the minimum end of each member.
fn check_overlaps(places: &mut [(u64, u64)]) -> Result<(), DecodeError> {
    places.sort_unstable();
    match places.windows(2).find(|pair| pair[0].1 > pair[1].0) {
        Some(pair) => {
            let message = "corrupt zip archive: members overlap, as in a zip bomb".into();
            Err(DecodeError { offset: pair[1].0, message })
        }
        None => Ok(()),
    }
}

/// How the contents of a member are stored.
pub(super) enum Storage {
    /// Without compression.
    Plain,
    /// Compressed.
    Compressed(Compression),
}

/// Converts `method`; `None` if it is not supported.
pub(super) fn storage(method: CompressionMethod) -> Option<Storage> {
    match method {
        CompressionMethod::STORE => Some(Storage::Plain),
        CompressionMethod::DEFLATE => Some(Storage::Compressed(Compression::Deflate)),
        CompressionMethod::BZIP2 => Some(Storage::Compressed(Compression::Bzip2)),
        CompressionMethod::ZSTD => Some(Storage::Compressed(Compression::Zstd)),
        CompressionMethod::XZ => Some(Storage::Compressed(Compression::Xz)),
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
                    "{count} of the {all} members of this zip archive are encrypted and \
                     cannot be read; unpack it with its password (`unzip` or `7z x`) and name the folder"
                );
                Err(DecodeError { offset: 0, message })
            }
        }
    }
}

/// The contents of a member, verified against the size and the checksum in the directory.
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

/// Copies `raw` to a temporary file, as zip archives are read from their end.
///
/// # Errors
/// Returns an error if the source fails, or if the file cannot be written.
pub(in crate::source) fn copy_to_file(raw: &mut BufferedSource) -> Result<Arc<File>, DecodeError> {
    let file_error = |raw: &BufferedSource, error: &io::Error| {
        raw.error(&format_args!(
            "cannot use a temporary file for the zip archive: {error}; free some space, or unpack \
             the archive and name the folder"
        ))
    };
    let mut file = tempfile::tempfile().map_err(|error| file_error(raw, &error))?;
    let mut chunk = vec![0; 256 << 10];
    loop {
        let count = raw.read(&mut chunk)?;
        if count == 0 {
            return Ok(Arc::new(file));
        }
        io::Write::write_all(&mut file, &chunk[..count])
            .map_err(|error| file_error(raw, &error))?;
    }
}
