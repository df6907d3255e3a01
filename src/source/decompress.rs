//! Streams of bytes, decompressed if their first bytes say that they are compressed.
//!
//! The decoders are driven by hand, so that what was decoded before a fault is not lost and the
//! place of the fault in the compressed file is known.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{InBuffer, Operation, OutBuffer};

/// How much compressed data is read at a time, in bytes. A zstd block with the header of the next
/// one fits in, so the decoder never has to gather one.
const CHUNK: usize = 256 << 10;

/// How many bytes tell the format.
const MAGIC: usize = 4;

/// The base-2 logarithm of the largest window that RFC 1951 allows.
const WINDOW_BITS: u8 = 15;

/// Why a stream ended before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DecodeError {
    /// Byte offset in the stream as it is stored.
    pub offset: u64,
    /// What went wrong.
    pub message: String,
}

/// The bytes of a source, with the part of them that was read but not used.
struct Raw {
    source: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// `buffer[start..end]` is read and not used; `start <= end <= buffer.len()`.
    start: usize,
    end: usize,
    /// Offset of `buffer[start]` in the source.
    offset: u64,
    ended: bool,
    bytes_read: Arc<AtomicU64>,
}

impl Raw {
    fn available(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        self.offset += count as u64;
    }

    fn error(&self, message: &(impl ToString + ?Sized)) -> DecodeError {
        DecodeError { offset: self.offset, message: message.to_string() }
    }

    /// Reads until `least` bytes are available or the source ends. `least` is at most the size of
    /// the buffer.
    fn refill(&mut self, least: usize) -> Result<(), DecodeError> {
        if self.end - self.start >= least {
            return Ok(());
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < least && !self.ended {
            match read_some(&mut self.source, &mut self.buffer[self.end..], &self.bytes_read) {
                Ok(0) => self.ended = true,
                Ok(count) => self.end += count,
                Err(error) => {
                    let offset = self.offset + self.end as u64;
                    return Err(DecodeError { offset, message: error.to_string() });
                }
            }
        }
        Ok(())
    }

    /// Plain bytes: first the ones at hand, then straight from the source.
    fn read(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        let at_hand = self.available();
        if at_hand.is_empty() && !self.ended {
            let read = read_some(&mut self.source, out, &self.bytes_read);
            let count = read.map_err(|error| self.error(&error))?;
            self.offset += count as u64;
            return Ok(count);
        }
        let count = at_hand.len().min(out.len());
        out[..count].copy_from_slice(&at_hand[..count]);
        self.consume(count);
        Ok(count)
    }

    /// Whether another member (of gzip) or frame (of zstd) begins here; zeros before it or before
    /// the end are padding.
    ///
    /// # Errors
    /// If anything else stands here.
    fn at_member(&mut self, begins: fn(&[u8]) -> bool) -> Result<bool, DecodeError> {
        loop {
            self.refill(MAGIC)?;
            let rest = self.available();
            if rest.is_empty() || begins(rest) {
                return Ok(!rest.is_empty());
            }
            match rest.iter().take_while(|&&byte| byte == 0).count() {
                0 => return Err(self.error("garbage after the end of the compressed data")),
                zeros => self.consume(zeros),
            }
        }
    }
}

fn read_some(source: &mut impl Read, out: &mut [u8], bytes_read: &AtomicU64) -> io::Result<usize> {
    loop {
        match source.read(out) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(count) => {
                bytes_read.fetch_add(count as u64, Ordering::Relaxed);
                return Ok(count);
            }
        }
    }
}

/// RFC 1952: a member begins with 1f 8b.
fn begins_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// RFC 8878: a frame begins with 28 b5 2f fd; a skippable one with 50 … 5f 2a 4d 18.
fn begins_zstd(bytes: &[u8]) -> bool {
    match bytes {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => true,
        [first, 0x2a, 0x4d, 0x18, ..] => first & 0xf0 == 0x50,
        _ => false,
    }
}

enum Codec {
    Plain,
    Gzip(Gzip),
    Zstd(Zstd),
}

impl Codec {
    /// Tells the format from the first bytes.
    fn tell(raw: &Raw) -> Result<Self, DecodeError> {
        Ok(match raw.available() {
            start if begins_gzip(start) => Self::Gzip(Gzip::default()),
            start if begins_zstd(start) => {
                Self::Zstd(Zstd::new().map_err(|error| raw.error(&error))?)
            }
            _ => Self::Plain,
        })
    }
}

/// A source of which the decompressed bytes can be read.
pub(super) struct Decoder {
    raw: Raw,
    codec: Codec,
    decoded: u64,
    /// Found, but to be told only when the bytes before it are delivered.
    error: Option<DecodeError>,
}

impl Decoder {
    /// Reads the first bytes of `source` to tell its format; if that fails, so does the first
    /// [`read`](Self::read). Bytes as they are stored are counted into `bytes_read`.
    pub fn new(source: Box<dyn Read + Send>, bytes_read: Arc<AtomicU64>) -> Self {
        let buffer = vec![0; MAGIC];
        let mut raw = Raw { source, buffer, start: 0, end: 0, offset: 0, ended: false, bytes_read };
        let (codec, error) = match raw.refill(MAGIC).and_then(|()| Codec::tell(&raw)) {
            Ok(codec) => (codec, None),
            Err(error) => (Codec::Plain, Some(error)),
        };
        if !matches!(codec, Codec::Plain) {
            raw.buffer.resize(CHUNK, 0);
        }
        Self { raw, codec, decoded: 0, error }
    }

    /// How many bytes came out so far; `None` if the source is not compressed.
    pub fn decoded(&self) -> Option<u64> {
        (!matches!(self.codec, Codec::Plain)).then_some(self.decoded)
    }

    /// Reads into `out`, which must not be empty; 0 is the end.
    ///
    /// # Errors
    /// Once all bytes before the fault are delivered; the same again after that.
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let (count, error) = match &mut self.codec {
            Codec::Plain => split(self.raw.read(out)),
            Codec::Gzip(gzip) => gzip.read(&mut self.raw, out),
            Codec::Zstd(zstd) => zstd.read(&mut self.raw, out),
        };
        self.decoded += count as u64;
        self.error.clone_from(&error);
        match error {
            Some(error) if count == 0 => Err(error),
            _ => Ok(count),
        }
    }
}

/// What was decoded, and what came after it.
type Step = (usize, Option<DecodeError>);

fn split(result: Result<usize, DecodeError>) -> Step {
    result.map_or_else(|error| (0, Some(error)), |count| (count, None))
}

/// The members of a gzip file, one after the other.
#[derive(Default)]
struct Gzip {
    /// `None` between members.
    inflate: Option<Decompress>,
    /// Whether the decoder may have more bytes for us before it reads on.
    may_hold_output: bool,
}

impl Gzip {
    fn read(&mut self, raw: &mut Raw, out: &mut [u8]) -> Step {
        loop {
            match self.step(raw, out) {
                Ok(None) => {}
                Ok(Some(step)) => return step,
                Err(error) => return (0, Some(error)),
            }
        }
    }

    /// `None` if there is more to do before anything comes out.
    fn step(&mut self, raw: &mut Raw, out: &mut [u8]) -> Result<Option<Step>, DecodeError> {
        let inflate = match &mut self.inflate {
            Some(inflate) => inflate,
            None if raw.at_member(begins_gzip)? => {
                self.inflate.insert(Decompress::new_gzip(WINDOW_BITS))
            }
            None => return Ok(Some((0, None))),
        };
        if !self.may_hold_output {
            raw.refill(1)?;
        }
        let (total_in, total_out) = (inflate.total_in(), inflate.total_out());
        let result = inflate.decompress(raw.available(), out, FlushDecompress::None);
        // Both are bounded by the lengths of slices.
        let used = usize::try_from(inflate.total_in() - total_in).unwrap_or(usize::MAX);
        let wrote = usize::try_from(inflate.total_out() - total_out).unwrap_or(usize::MAX);
        raw.consume(used);
        let held_output = std::mem::replace(&mut self.may_hold_output, wrote == out.len());
        let error = match result {
            Ok(Status::StreamEnd) => {
                self.inflate = None;
                None
            }
            Err(error) => {
                let why = error.message().unwrap_or("invalid");
                Some(raw.error(&format_args!("corrupt gzip data: {why}")))
            }
            Ok(_) if used > 0 || wrote > 0 || held_output => None,
            Ok(_) if raw.available().is_empty() => Some(raw.error("the gzip data is cut off")),
            Ok(_) => Some(raw.error("corrupt gzip data")),
        };
        Ok((wrote > 0 || error.is_some()).then_some((wrote, error)))
    }
}

/// The frames of a zstd file, one after the other.
struct Zstd {
    decoder: zstd::stream::raw::Decoder<'static>,
    in_frame: bool,
    /// How many bytes the decoder wants next. It gets exactly these: that is one compressed block,
    /// so no call fails that has decoded a good one.
    hint: usize,
    /// Whether the decoder may have more bytes for us before it reads on.
    may_hold_output: bool,
}

impl Zstd {
    fn new() -> io::Result<Self> {
        let decoder = zstd::stream::raw::Decoder::new()?;
        Ok(Self { decoder, in_frame: false, hint: 0, may_hold_output: false })
    }

    fn read(&mut self, raw: &mut Raw, out: &mut [u8]) -> Step {
        loop {
            match self.step(raw, out) {
                Ok(None) => {}
                Ok(Some(count)) => return (count, None),
                Err(error) => return (0, Some(error)),
            }
        }
    }

    /// `None` if there is more to do before anything comes out.
    fn step(&mut self, raw: &mut Raw, out: &mut [u8]) -> Result<Option<usize>, DecodeError> {
        if !self.in_frame {
            if !raw.at_member(begins_zstd)? {
                return Ok(Some(0));
            }
            self.in_frame = true;
            self.hint = MAGIC;
        }
        let mut feed: &[u8] = &[];
        if !self.may_hold_output {
            let want = self.hint.clamp(1, CHUNK);
            raw.refill(want)?;
            feed = &raw.available()[..want.min(raw.end - raw.start)];
            if feed.is_empty() {
                return Err(raw.error("the zstd data is cut off"));
            }
        }
        let (mut from, mut to) = (InBuffer::around(feed), OutBuffer::around(out));
        let result = self.decoder.run(&mut from, &mut to);
        let (used, wrote) = (from.pos(), to.pos());
        let hint =
            result.map_err(|error| raw.error(&format_args!("corrupt zstd data: {error}")))?;
        raw.consume(used);
        self.may_hold_output = wrote == out.len() && hint > 0;
        self.hint = hint;
        self.in_frame = hint > 0;
        Ok((wrote > 0).then_some(wrote))
    }
}
