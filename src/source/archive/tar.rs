//! Tar archives, read from front to back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tar::{EntryType, Header, PaxExtensions};

use super::{Archive, Member, display_path};
use crate::source::bytes::{BufferedSource, DecodeError, Source};

/// Headers and contents are padded to blocks of this length, in bytes.
const BLOCK_BYTES: usize = 512;

/// The maximum length of an extended header, in bytes.
const MAX_EXTENSION_BYTES: u64 = 1 << 20;

/// The number of bytes that are skipped at a time.
const SKIP_BYTES: usize = 64 << 10;

/// Returns `true` if a file with these first bytes is a tar archive, as it begins with a header
/// with a valid checksum.
pub(in crate::source) fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.get(..BLOCK_BYTES) else { return false };
    block[0] != 0 && has_valid_checksum(block)
}

/// Returns `true` if the checksum in a header is valid: the sum of its bytes, with blanks in place
/// of the checksum itself.
fn has_valid_checksum(block: &[u8]) -> bool {
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, &byte)| if (148..156).contains(&at) { 32 } else { u32::from(byte) })
        .sum();
    Header::from_byte_slice(block).cksum().is_ok_and(|stated| stated == sum)
}

/// The position in an archive.
struct State {
    raw: BufferedSource,
    /// The number of unread bytes of the current member.
    remaining: u64,
    /// The length of the padding after the current member, in bytes.
    padding: u64,
}

impl State {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        let most = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(out.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.raw.read(&mut out[..most])?;
        if count == 0 {
            return Err(self.raw.error("the tar archive is cut off inside this member"));
        }
        self.remaining -= count as u64;
        Ok(count)
    }

    /// Skips the rest of the current member.
    fn skip(&mut self) -> Result<(), DecodeError> {
        let mut rest = self.remaining + std::mem::take(&mut self.padding);
        let mut waste = vec![0; SKIP_BYTES.min(usize::try_from(rest).unwrap_or(SKIP_BYTES))];
        while rest > 0 {
            let most = usize::try_from(rest).unwrap_or(SKIP_BYTES).min(SKIP_BYTES);
            let count = self.raw.read(&mut waste[..most])?;
            if count == 0 {
                return match self.remaining {
                    0 => Ok(()), // the last padding may be missing
                    _ => Err(self.raw.error("the tar archive is cut off inside a member")),
                };
            }
            rest -= count as u64;
            self.remaining = self.remaining.saturating_sub(count as u64);
        }
        Ok(())
    }

    /// Returns the next header. Skips blocks of zeros, which end an archive, as another archive may
    /// follow.
    fn header(&mut self) -> Result<Option<Header>, DecodeError> {
        loop {
            self.raw.refill(BLOCK_BYTES)?;
            let block = self.raw.available();
            let block = &block[..block.len().min(BLOCK_BYTES)];
            if block.iter().all(|&byte| byte == 0) {
                let count = block.len();
                self.raw.consume(count);
                if count == 0 {
                    return Ok(None);
                }
                continue;
            }
            if block.len() < BLOCK_BYTES {
                return Err(self.raw.error("the tar archive is cut off inside a header"));
            }
            if !has_valid_checksum(block) {
                return Err(self.raw.error("corrupt tar archive: expected the header of a member"));
            }
            let header = Header::from_byte_slice(block).clone();
            self.raw.consume(BLOCK_BYTES);
            return Ok(Some(header));
        }
    }

    /// Starts the contents of a member.
    fn begin(&mut self, size: u64) {
        self.remaining = size;
        self.padding = size.next_multiple_of(BLOCK_BYTES as u64) - size;
    }

    /// Reads the contents of an extended header.
    fn extension(&mut self) -> Result<Vec<u8>, DecodeError> {
        if self.remaining > MAX_EXTENSION_BYTES {
            return Err(self.raw.error("corrupt tar archive: a header over 1 MiB"));
        }
        let mut text = vec![0; usize::try_from(self.remaining).unwrap_or(0)];
        let mut filled = 0;
        while filled < text.len() {
            filled += self.read(&mut text[filled..])?;
        }
        self.skip()?;
        Ok(text)
    }
}

/// Properties in extended headers of the member that follows them.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Extended {
    /// Reads the records of a POSIX extended header (pax).
    fn read_pax(&mut self, records: &[u8]) {
        for record in PaxExtensions::new(records).flatten() {
            match record.key_bytes() {
                b"path" => self.path = Some(record.value_bytes().to_vec()),
                b"size" => self.size = record.value().ok().and_then(|size| size.parse().ok()),
                _ => {}
            }
        }
    }
}

/// A tar archive.
pub(in crate::source) struct Tar(Arc<Mutex<State>>);

impl Tar {
    /// Reads the archive in `raw`.
    pub fn new(mut raw: BufferedSource) -> Self {
        raw.grow(BLOCK_BYTES);
        Self(Arc::new(Mutex::new(State { raw, remaining: 0, padding: 0 })))
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Archive for Tar {
    fn next(&mut self) -> Result<Option<Member>, DecodeError> {
        let mut state = lock(&self.0);
        let mut extended = Extended::default();
        loop {
            state.skip()?;
            let Some(header) = state.header()? else { return Ok(None) };
            let kind = header.entry_type();
            let stated = header.entry_size().map_err(|error| state.raw.error(&error))?;
            state.begin(stated);
            match kind {
                EntryType::GNULongName => {
                    let mut path = state.extension()?;
                    while path.pop_if(|byte| *byte == 0).is_some() {}
                    extended.path = Some(path);
                }
                EntryType::XHeader => extended.read_pax(&state.extension()?),
                EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                    let Extended { path, size } = std::mem::take(&mut extended);
                    state.begin(size.unwrap_or(stated));
                    let path = path.unwrap_or_else(|| header.path_bytes().into_owned());
                    let Some(name) = display_path(&String::from_utf8_lossy(&path)) else {
                        continue;
                    };
                    if path.ends_with(b"/") {
                        continue; // a folder in archives before POSIX
                    }
                    let source: Result<Box<dyn Source>, _> = match kind {
                        EntryType::GNUSparse => {
                            Err(state.raw.error("a sparse member; unpack the archive with GNU tar"))
                        }
                        _ => Ok(Box::new(Contents(Arc::clone(&self.0)))),
                    };
                    return Ok(Some(Member { name, source }));
                }
                // These do not describe the next member.
                EntryType::GNULongLink | EntryType::XGlobalHeader => {}
                _ => extended = Extended::default(),
            }
        }
    }
}

/// The contents of the current member.
struct Contents(Arc<Mutex<State>>);

impl Source for Contents {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        lock(&self.0).read(out)
    }

    fn offset(&self, behind: usize) -> u64 {
        lock(&self.0).raw.offset(behind)
    }
}
