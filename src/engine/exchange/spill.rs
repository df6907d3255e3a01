//! Temporary storage of bytes: in memory up to a budget, then in anonymous files.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The memory budgets of the stores between the two phases, and the folder for what exceeds them.
#[derive(Clone, Debug)]
pub struct Scratch {
    /// The folder in which anonymous files are created.
    pub dir: PathBuf,
    /// The bytes of memory for rows.
    pub row_bytes: usize,
    /// The bytes of memory for the tables of the first phase: deduplication keys, ids and facts.
    pub table_bytes: usize,
    /// The bytes of memory for leads, once the deduplication keys are freed.
    pub lead_bytes: usize,
}

impl Scratch {
    /// The inverse of the share of memory for rows. It is small, because rows are read sequentially,
    /// for which disk is as fast.
    const ROW_SHARE: usize = 32;
    /// The inverse of the share of memory that is left to the allocator: where the system has pages
    /// of 2 MiB, many of them are used only in part, and freed memory is not returned at once.
    const ALLOCATOR_SHARE: usize = 6;

    /// Divides `memory_bytes`, except for the share of the allocator, between rows and tables, and
    /// later leads.
    pub fn new(dir: PathBuf, memory_bytes: usize) -> Self {
        let memory_bytes = memory_bytes - memory_bytes / Self::ALLOCATOR_SHARE;
        let row_bytes = memory_bytes / Self::ROW_SHARE;
        // The other half is left to ids, timelines and the writers of outputs.
        let lead_bytes = memory_bytes / 2;
        Self { dir, row_bytes, table_bytes: memory_bytes - row_bytes, lead_bytes }
    }

    /// Reduces the memory for tables by `taken_bytes`.
    #[must_use]
    pub fn without(self, taken_bytes: usize) -> Self {
        Self { table_bytes: self.table_bytes.saturating_sub(taken_bytes), ..self }
    }

    /// Reduces the memory for leads if `taken_bytes` of the memory for tables are still in use.
    #[must_use]
    pub fn beside(&self, taken_bytes: usize) -> Self {
        let left = self.table_bytes.saturating_sub(taken_bytes);
        let least = self.lead_bytes / MIN_LEADS_SHARE;
        Self { lead_bytes: self.lead_bytes.min(left).max(least), ..self.clone() }
    }
}

/// The inverse of the minimum share of their memory that leads get, however much is still in use.
const MIN_LEADS_SHARE: usize = 4;

/// The number of files. Threads that write to the same file wait for each other.
const FILES: usize = 8;

/// Where a new piece is stored.
enum Room {
    Memory,
    Disk(Place),
}

/// A position in one of the files.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    file: usize,
    offset: u64,
}

/// A stored piece.
#[derive(Debug)]
pub enum Piece {
    /// In memory.
    Memory(Box<[u8]>),
    /// In a file.
    Disk {
        /// The position of the first byte.
        place: Place,
        /// The length in bytes.
        len: usize,
    },
}

impl Piece {
    /// Returns the length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::Disk { len, .. } => *len,
        }
    }

    /// Returns whether the piece is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn out_of_piece() -> io::ErrorKind {
    io::ErrorKind::UnexpectedEof
}

/// Stores pieces, from any number of threads.
#[derive(Debug, Default)]
pub struct Spill {
    dir: PathBuf,
    budget_bytes: usize,
    taken: AtomicUsize,
    files: [SpillFile; FILES],
}

/// An anonymous file, which is created at the first write.
#[derive(Debug, Default)]
struct SpillFile {
    end: AtomicU64,
    file: OnceLock<File>,
    opening: Mutex<()>,
}

impl Spill {
    /// Creates a store of up to `budget_bytes` in memory, and the rest in anonymous files in `dir`,
    /// which the system deletes when they are closed.
    pub fn new(dir: PathBuf, budget_bytes: usize) -> Self {
        Self { dir, budget_bytes, ..Self::default() }
    }

    fn room(&self, len: usize) -> Room {
        let fits = |taken: usize| taken.checked_add(len).filter(|&sum| sum <= self.budget_bytes);
        if self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok() {
            return Room::Memory;
        }
        let file = rayon::current_thread_index().unwrap_or(0) % FILES;
        let offset = self.files[file].end.fetch_add(len as u64, Ordering::Relaxed);
        Room::Disk(Place { file, offset })
    }

    /// Stores the concatenation of `parts`.
    ///
    /// # Errors
    /// Returns an error if a file cannot be created or written.
    pub fn keep(&self, parts: &[&[u8]]) -> io::Result<Piece> {
        let len = parts.iter().map(|part| part.len()).sum();
        match self.room(len) {
            Room::Memory => Ok(Piece::Memory(parts.concat().into())),
            Room::Disk(place) => {
                self.write(parts, place).map_err(|error| self.failed("write", &error))?;
                Ok(Piece::Disk { place, len })
            }
        }
    }

    fn write(&self, parts: &[&[u8]], Place { file, mut offset }: Place) -> io::Result<()> {
        let mut file = self.files[file].open(&self.dir)?;
        for part in parts {
            write_all_at(&mut file, part, offset)?;
            offset += part.len() as u64;
        }
        Ok(())
    }

    /// Checks that `bytes` more bytes fit on the disk, before they are written.
    ///
    /// # Errors
    /// Returns an error if the disk has less free space. If the free space cannot be determined,
    /// there is no error.
    pub fn expect(&self, bytes: u64) -> io::Result<()> {
        match free_bytes(&self.dir) {
            Some(free) if free < bytes => {
                let need = self.need(self.spilled_bytes() + bytes);
                let dir = self.dir.display();
                let text = format!("there is no room in {dir}{need}");
                Err(io::Error::new(io::ErrorKind::StorageFull, text))
            }
            _ => Ok(()),
        }
    }

    /// Returns a text that says how much space is needed, and how much is free.
    fn need(&self, bytes: u64) -> String {
        let megabytes = bytes.div_ceil(1_000_000);
        let free = free_bytes(&self.dir);
        let free =
            free.map_or_else(String::new, |free| format!(", {} MB are free", free / 1_000_000));
        format!("; at least {megabytes} MB must fit there{free}")
    }

    /// Adds the folder to an error, as the files have no names, and if the disk is full, the space
    /// needed.
    fn failed(&self, what: &str, error: &io::Error) -> io::Error {
        let need = match error.kind() {
            io::ErrorKind::StorageFull => self.need(self.spilled_bytes()),
            _ => String::new(),
        };
        let dir = self.dir.display();
        io::Error::new(error.kind(), format!("cannot {what} in {dir}: {error}{need}"))
    }

    /// Reads `piece`; `buffer` holds the bytes if they are read from a file.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read.
    pub fn read<'a>(&'a self, piece: &'a Piece, buffer: &'a mut Vec<u8>) -> io::Result<&'a [u8]> {
        self.read_range(piece, 0..piece.len(), buffer)
    }

    /// Reads `range` of `piece`; `buffer` holds the bytes if they are read from a file.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or `piece` is shorter.
    pub fn read_range<'a>(
        &'a self,
        piece: &'a Piece,
        range: Range<usize>,
        buffer: &'a mut Vec<u8>,
    ) -> io::Result<&'a [u8]> {
        match piece {
            Piece::Memory(bytes) => bytes.get(range).ok_or_else(|| out_of_piece().into()),
            Piece::Disk { len, .. } if range.end > *len => Err(out_of_piece().into()),
            Piece::Disk { place: Place { file, offset }, .. } => {
                buffer.resize(range.len(), 0);
                let mut file = self.files[*file]
                    .file
                    .get()
                    .ok_or_else(|| io::Error::other("nothing spilled"))?;
                read_exact_at(&mut file, buffer, *offset + range.start as u64)
                    .map_err(|error| self.failed("read", &error))?;
                Ok(buffer)
            }
        }
    }

    /// Overwrites `piece` with `bytes` of the same length.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written, or the length differs.
    pub fn replace(&self, piece: &mut Piece, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() != piece.len() {
            return Err(out_of_piece().into());
        }
        match piece {
            Piece::Memory(kept) => kept.copy_from_slice(bytes),
            Piece::Disk { place, .. } => {
                self.write(&[bytes], *place).map_err(|error| self.failed("write", &error))?;
            }
        }
        Ok(())
    }

    /// Returns the number of bytes in files.
    pub fn spilled_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.end.load(Ordering::Relaxed)).sum()
    }
}

impl SpillFile {
    fn open(&self, dir: &Path) -> io::Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let _alone = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let file = tempfile::tempfile_in(dir)?;
        Ok(self.file.get_or_init(|| file))
    }
}

/// Returns the free space on the disk of `dir` for unprivileged users, in bytes.
#[cfg(unix)]
fn free_bytes(dir: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(dir).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

#[cfg(unix)]
fn write_all_at(file: &mut &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(*file, bytes, offset)
}

#[cfg(unix)]
fn read_exact_at(file: &mut &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(*file, bytes, offset)
}

/// Without positioned reads and writes, all threads share the position of a file.
#[cfg(not(unix))]
static SEEKING: Mutex<()> = Mutex::new(());

#[cfg(not(unix))]
fn write_all_at(file: &mut &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    let _alone = SEEKING.lock().unwrap_or_else(PoisonError::into_inner);
    io::Seek::seek(file, io::SeekFrom::Start(offset))?;
    io::Write::write_all(file, bytes)
}

#[cfg(not(unix))]
fn read_exact_at(file: &mut &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    let _alone = SEEKING.lock().unwrap_or_else(PoisonError::into_inner);
    io::Seek::seek(file, io::SeekFrom::Start(offset))?;
    io::Read::read_exact(file, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_into_memory_comes_back_from_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let spill = Spill::new(dir.path().to_owned(), 5);
        let pieces: Vec<Piece> = [&b"abc"[..], b"defg", b"h", b"ijk"]
            .iter()
            .map(|part| spill.keep(&[part, b"."]).unwrap())
            .collect();
        assert_eq!(spill.spilled_bytes(), 11);
        let mut buffer = Vec::new();
        let read: Vec<Vec<u8>> =
            pieces.iter().map(|p| spill.read(p, &mut buffer).unwrap().to_vec()).collect();
        assert_eq!(read, [&b"abc."[..], b"defg.", b"h.", b"ijk."]);
        for (piece, part) in [(&pieces[0], &b"bc"[..]), (&pieces[1], b"ef")] {
            assert_eq!(spill.read_range(piece, 1..3, &mut buffer).unwrap(), part);
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_piece_is_read_in_part_and_replaced_where_it_waits() {
        let dir = tempfile::tempdir().unwrap();
        for budget in [0, 100] {
            let spill = Spill::new(dir.path().to_owned(), budget);
            let mut pieces = [spill.keep(&[b"abcdef"]).unwrap(), spill.keep(&[b"ghi"]).unwrap()];
            spill.replace(&mut pieces[0], b"uvwxyz").unwrap();
            let mut buffer = Vec::new();
            assert_eq!(spill.read_range(&pieces[0], 2..5, &mut buffer).unwrap(), b"wxy");
            assert_eq!(spill.read(&pieces[1], &mut buffer).unwrap(), b"ghi");
            assert!(spill.read_range(&pieces[1], 1..4, &mut buffer).is_err());
            assert!(spill.replace(&mut pieces[1], b"too long").is_err());
        }
    }

    #[test]
    fn an_error_says_what_failed_and_where() {
        let dir = tempfile::tempdir().unwrap();
        let gone = dir.path().join("gone");
        let error = Spill::new(gone.clone(), 0).keep(&[b"abc"]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot write in {}: ", gone.display())), "{error}");
    }

    #[test]
    fn an_error_of_a_full_disk_says_how_much_must_fit() {
        let dir = tempfile::tempdir().unwrap();
        let spill = Spill::new(dir.path().to_owned(), 0);
        for _ in 0..3 {
            spill.keep(&[&vec![0; 400_000]]).unwrap();
        }
        let full = spill.failed("write", &io::ErrorKind::StorageFull.into());
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        let told = full.to_string();
        assert!(told.contains("; at least 2 MB must fit there"), "{told}");
        #[cfg(unix)]
        assert!(told.ends_with(" MB are free"), "{told}");
        let other = spill.failed("write", &io::ErrorKind::PermissionDenied.into());
        assert!(!other.to_string().contains("MB"), "{other}");
    }

    #[cfg(unix)]
    #[test]
    fn data_that_cannot_fit_is_an_error_before_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let spill = Spill::new(dir.path().to_owned(), 0);
        spill.expect(1).unwrap();
        let full = spill.expect(u64::MAX / 2).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        let told = full.to_string();
        assert!(
            told.starts_with(&format!("there is no room in {}; ", dir.path().display())),
            "{told}"
        );
        assert!(told.contains(" MB must fit there, "), "{told}");
    }

    #[test]
    fn five_sixths_of_the_memory_are_divided_without_a_rest() {
        for bytes in [1, 16, 1000, 1 << 30] {
            let scratch = Scratch::new(PathBuf::new(), bytes);
            assert_eq!(scratch.row_bytes + scratch.table_bytes, bytes - bytes / 6);
        }
        let scratch = Scratch::new(PathBuf::new(), 6 << 30);
        assert_eq!(scratch.row_bytes, 160 << 20);
        let lead_mib =
            [0, 3000, 4500, 9000].map(|taken| scratch.beside(taken << 20).lead_bytes >> 20);
        assert_eq!(lead_mib, [2560, 1960, 640, 640]);
    }
}
