//! Decompression.
//!
//! The decoders are called for small parts of the data, so that the bytes before an error are not
//! lost and the offset of the error in the compressed file is known.

mod decompressor;
mod members;
mod zstd;

use decompressor::{Bzip2, Deflate, Gzip, Xz};
use members::Members;
use zstd::Zstd;

use super::bytes::{BufferedSource, DecodeError, Source};

/// The number of compressed bytes that are read at a time. A zstd block and the header of the next
/// one fit, so that the decoder never has to buffer input.
const CHUNK_BYTES: usize = 256 << 10;

/// The number of bytes that identify the beginning of a member.
const MAGIC_BYTES: usize = 6;

/// A compressed format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// RFC 1952, with one or more members.
    Gzip,
    /// RFC 8878, with one or more frames.
    Zstd,
    /// One or more streams.
    Bzip2,
    /// One or more streams.
    Xz,
    /// RFC 1951, in zip archives, without a header.
    Deflate,
}

impl Compression {
    /// Detects the format by its magic bytes.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        [
            (Self::Gzip, decompressor::begins_gzip(bytes)),
            (Self::Zstd, zstd::begins(bytes)),
            (Self::Bzip2, decompressor::begins_bzip2(bytes)),
            (Self::Xz, decompressor::begins_xz(bytes)),
        ]
        .into_iter()
        .find_map(|(compression, begins)| begins.then_some(compression))
    }
}

/// The number of bytes that were decoded, and the error after them.
type Step = (usize, Option<DecodeError>);

/// A decompressor that reads from `raw`.
trait Codec: Send {
    /// Decodes into `out`. No bytes and no error mean the end.
    fn read(&mut self, raw: &mut BufferedSource, out: &mut [u8]) -> Step;
}

/// A source whose bytes are decompressed.
pub(super) struct Decoder {
    raw: BufferedSource,
    codec: Box<dyn Codec>,
    /// The error that follows the bytes that were returned.
    error: Option<DecodeError>,
}

impl Decoder {
    /// Decompresses `raw`.
    ///
    /// # Errors
    /// Returns an error if the memory of the decompressor cannot be allocated.
    pub fn new(mut raw: BufferedSource, compression: Compression) -> Result<Self, DecodeError> {
        raw.grow(CHUNK_BYTES);
        let codec: Box<dyn Codec> = match compression {
            Compression::Gzip => Box::new(Members::<Gzip>::many()),
            Compression::Bzip2 => Box::new(Members::<Bzip2>::many()),
            Compression::Xz => Box::new(Members::<Xz>::many()),
            Compression::Deflate => Box::new(Members::<Deflate>::one()),
            Compression::Zstd => Box::new(Zstd::new().map_err(|error| raw.error(&error))?),
        };
        Ok(Self { raw, codec, error: None })
    }
}

impl Source for Decoder {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let (count, error) = self.codec.read(&mut self.raw, out);
        self.error.clone_from(&error);
        match error {
            Some(error) if count == 0 => Err(error),
            _ => Ok(count),
        }
    }

    fn offset(&self, _behind: usize) -> u64 {
        self.raw.offset(0)
    }
}

/// Returns `true` if another member (gzip, bzip2, xz) or frame (zstd) begins here. Skips zeros,
/// which are padding.
///
/// # Errors
/// Returns an error if other bytes follow.
fn at_member(raw: &mut BufferedSource, begins: fn(&[u8]) -> bool) -> Result<bool, DecodeError> {
    loop {
        raw.refill(MAGIC_BYTES)?;
        let rest = raw.available();
        if rest.is_empty() || begins(rest) {
            return Ok(!rest.is_empty());
        }
        match rest.iter().take_while(|&&byte| byte == 0).count() {
            0 => return Err(raw.error("garbage after the end of the compressed data")),
            zeros => raw.consume(zeros),
        }
    }
}
