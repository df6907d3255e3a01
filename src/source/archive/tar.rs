//! Tar archives, read from front to back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tar::{EntryType, Header, PaxExtensions};

use super::{Archive, Member, visible};
use crate::source::bytes::{DecodeError, Raw, Source};

/// Headers, and contents but for the last part, come in blocks of so many bytes.
const BLOCK: usize = 512;

/// The most that a header's extension may hold, in bytes: a path.
const EXTENSION: u64 = 1 << 20;

/// How much is passed over at a time, in bytes.
const STEP: usize = 64 << 10;

/// Whether a tar archive begins with these bytes: a header whose checksum is right.
pub(in crate::source) fn begins(head: &[u8]) -> bool {
    let Some(block) = head.get(..BLOCK) else { return false };
    block[0] != 0 && checks(block)
}

/// Whether the checksum in the header `block` is its own: the sum of its bytes, with blanks in
/// place of the checksum.
fn checks(block: &[u8]) -> bool {
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, &byte)| if (148..156).contains(&at) { 32 } else { u32::from(byte) })
        .sum();
    Header::from_byte_slice(block).cksum().is_ok_and(|stated| stated == sum)
}

/// Where in an archive reading is.
struct State {
    raw: Raw,
    /// How many bytes of the present member are not read yet.
    remaining: u64,
    /// How many bytes fill its last block.
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

    /// Passes over what is left of the present member.
    fn skip(&mut self) -> Result<(), DecodeError> {
        let mut rest = self.remaining + std::mem::take(&mut self.padding);
        let mut waste = vec![0; STEP.min(usize::try_from(rest).unwrap_or(STEP))];
        while rest > 0 {
            let most = usize::try_from(rest).unwrap_or(STEP).min(STEP);
            let count = self.raw.read(&mut waste[..most])?;
            if count == 0 {
                return match self.remaining {
                    0 => Ok(()), // the last block may lack its filling
                    _ => Err(self.raw.error("the tar archive is cut off inside a member")),
                };
            }
            rest -= count as u64;
            self.remaining = self.remaining.saturating_sub(count as u64);
        }
        Ok(())
    }

    /// The next header. Zeros before it, or before the end, are the end of an archive that another
    /// one may follow.
    fn header(&mut self) -> Result<Option<Header>, DecodeError> {
        loop {
            self.raw.refill(BLOCK)?;
            let block = self.raw.available();
            let block = &block[..block.len().min(BLOCK)];
            if block.iter().all(|&byte| byte == 0) {
                let count = block.len();
                self.raw.consume(count);
                if count == 0 {
                    return Ok(None);
                }
                continue;
            }
            if block.len() < BLOCK {
                return Err(self.raw.error("the tar archive is cut off inside a header"));
            }
            if !checks(block) {
                return Err(self.raw.error("corrupt tar archive: expected the header of a member"));
            }
            let header = Header::from_byte_slice(block).clone();
            self.raw.consume(BLOCK);
            return Ok(Some(header));
        }
    }

    /// Begins the contents of a member.
    fn begin(&mut self, size: u64) {
        self.remaining = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
    }

    /// What the extension that begins here holds.
    fn extension(&mut self) -> Result<Vec<u8>, DecodeError> {
        if self.remaining > EXTENSION {
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

/// What extensions say of the member that follows them.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Extended {
    /// Takes what POSIX's extended header says.
    fn take(&mut self, records: &[u8]) {
        for record in PaxExtensions::new(records).flatten() {
            match record.key_bytes() {
                b"path" => self.path = Some(record.value_bytes().to_vec()),
                b"size" => self.size = record.value().ok().and_then(|size| size.parse().ok()),
                _ => {}
            }
        }
    }
}

/// The members of a tar archive.
pub(in crate::source) struct Tar(Arc<Mutex<State>>);

impl Tar {
    /// The archive that `raw` gives.
    pub fn new(mut raw: Raw) -> Self {
        raw.grow(BLOCK);
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
                EntryType::XHeader => extended.take(&state.extension()?),
                EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                    let Extended { path, size } = std::mem::take(&mut extended);
                    state.begin(size.unwrap_or(stated));
                    let path = path.unwrap_or_else(|| header.path_bytes().into_owned());
                    let Some(name) = visible(&String::from_utf8_lossy(&path)) else { continue };
                    if path.ends_with(b"/") {
                        continue; // how the oldest archives have folders
                    }
                    let source: Result<Box<dyn Source>, _> = match kind {
                        EntryType::GNUSparse => {
                            Err(state.raw.error("a sparse member; unpack the archive with GNU tar"))
                        }
                        _ => Ok(Box::new(Contents(Arc::clone(&self.0)))),
                    };
                    return Ok(Some(Member { name, source }));
                }
                // A longer link name, or an extension for all members, says nothing of the next.
                EntryType::GNULongLink | EntryType::XGlobalHeader => {}
                _ => extended = Extended::default(),
            }
        }
    }
}

/// The contents of the present member.
struct Contents(Arc<Mutex<State>>);

impl Source for Contents {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        lock(&self.0).read(out)
    }

    fn offset(&self, behind: usize) -> u64 {
        lock(&self.0).raw.offset(behind)
    }
}
