//! Lines of a plain file that a thread reserves in turn, and reads while other threads have their
//! turns.
//!
//! Reserving a block reads only the last bytes of it, to find where its last line ends. Threads
//! therefore read a large file in parallel.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::block::Block;
use super::bytes::{DecodeError, cut_off};

/// The bytes at the end of a block in which its last line end is looked for.
const TAIL_BYTES: usize = 16 << 10;

/// A regular file of a known size that several threads read.
#[derive(Clone, Debug)]
pub(super) struct PlainFile {
    pub file: Arc<File>,
    /// The size; an end before it is a fault.
    pub size: u64,
    /// Whether an end before `size` has been reported.
    is_cut_off: Arc<AtomicBool>,
}

impl PlainFile {
    pub fn new(file: Arc<File>, size: u64) -> Self {
        Self { file, size, is_cut_off: Arc::default() }
    }

    /// Returns the fault of an end at `offset`, if it is before the size of the file and no thread
    /// has reported one.
    pub fn cut_off(&self, offset: u64) -> Option<DecodeError> {
        cut_off(offset, self.size).filter(|_| !self.is_cut_off.swap(true, Ordering::Relaxed))
    }

    /// Reserves the whole lines among the `len` bytes from `start` on. Returns `None` if the file is
    /// shorter, or the last of these lines may be longer than [`TAIL_BYTES`].
    pub fn reserve(&self, start: u64, len: usize) -> Option<Reserved> {
        let end = start.checked_add(len as u64).filter(|&end| end <= self.size)?;
        let tail_start = end.checked_sub(TAIL_BYTES as u64).filter(|&at| at >= start)?;
        let mut tail = vec![0; TAIL_BYTES];
        if fill_at(&self.file, &mut tail, tail_start).0 < TAIL_BYTES {
            return None;
        }
        let line_end = memchr::memrchr(b'\n', &tail)?;
        let range = start..tail_start + line_end as u64 + 1;
        Some(Reserved { file: self.clone(), range })
    }
}

/// Whole lines of a file.
#[derive(Debug)]
pub(super) struct Reserved {
    file: PlainFile,
    pub range: Range<u64>,
}

impl Reserved {
    /// Reads the lines into `block`.
    ///
    /// # Errors
    /// Returns an error if the file ends or cannot be read before the end of the lines; `block`
    /// holds the bytes before that.
    pub fn read(&self, block: &mut Block, max_record_bytes: usize) -> Result<(), DecodeError> {
        let Range { start, end } = self.range;
        let len = usize::try_from(end - start).unwrap_or(usize::MAX);
        block.make_room(len);
        let (filled, result) = fill_at(&self.file.file, &mut block.bytes[..len], start);
        block.len = filled;
        block.blank_long_lines(max_record_bytes);
        let offset = start + filled as u64;
        match result {
            Err(error) => Err(DecodeError { offset, message: error.to_string() }),
            Ok(()) if filled < len => self.file.cut_off(offset).map_or(Ok(()), Err),
            Ok(()) => Ok(()),
        }
    }
}

/// Reads at `offset` into `out` until it is full, the file ends, or reading fails. Returns the number
/// of bytes, and the failure.
#[cfg(unix)]
fn fill_at(file: &File, out: &mut [u8], offset: u64) -> (usize, io::Result<()>) {
    let mut filled = 0;
    while filled < out.len() {
        let rest = &mut out[filled..];
        match std::os::unix::fs::FileExt::read_at(file, rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Err(error)),
        }
    }
    (filled, Ok(()))
}

/// Without positioned reads, all threads would share the position of the file.
#[cfg(not(unix))]
fn fill_at(_: &File, _: &mut [u8], _: u64) -> (usize, io::Result<()>) {
    (0, Err(io::ErrorKind::Unsupported.into()))
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(text: &[u8]) -> (PlainFile, File) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        (PlainFile::new(Arc::new(file.try_clone().unwrap()), text.len() as u64), file)
    }

    #[test]
    fn whole_lines_are_reserved_and_read() {
        let text = [b"abc\n".repeat(10_000), b"d".repeat(30_000)].concat();
        let (plain, _) = file(&text);
        let reserved = plain.reserve(4, 20_002).unwrap();
        assert_eq!(reserved.range, 4..20_004);
        let mut block = Block::default();
        reserved.read(&mut block, 1 << 20).unwrap();
        assert_eq!(block.content(), &text[4..20_004]);
        assert!(plain.reserve(40_000, 25_000).is_none(), "no line end");
        assert!(plain.reserve(60_000, 20_000).is_none(), "past the end");
        assert!(plain.reserve(0, 100).is_none(), "too short to look for its end");
    }

    #[test]
    fn a_file_that_is_cut_off_after_lines_were_reserved_is_reported_once() {
        let (plain, file) = file(&b"abc\n".repeat(10_000));
        let reserved = [plain.reserve(0, 20_000).unwrap(), plain.reserve(20_000, 20_000).unwrap()];
        file.set_len(10_002).unwrap();
        let mut block = Block::default();
        let fault = reserved[0].read(&mut block, 1 << 20).unwrap_err();
        assert_eq!((fault.offset, block.len), (10_002, 10_002));
        assert!(fault.message.contains("it had 40000 bytes"), "{}", fault.message);
        let mut block = Block::default();
        assert_eq!(reserved[1].read(&mut block, 1 << 20), Ok(()));
        assert_eq!((block.len, plain.cut_off(10_002)), (0, None));
        assert!(plain.reserve(0, 20_000).is_none());
    }
}
