//! Compressed streams, decompressed.
//!
//! The decoders are driven by hand, so that what was decoded before a fault is not lost and the
//! place of the fault in the compressed file is known.

mod engine;
mod members;
mod zstd;

use engine::{Bzip2, Deflate, Gzip, Xz};
use members::Members;
use zstd::Zstd;

use super::bytes::{DecodeError, Raw, Source};

/// How much compressed data is read at a time, in bytes. A zstd block with the header of the next
/// one fits in, so the decoder never has to gather one.
const CHUNK: usize = 256 << 10;

/// How many bytes tell that another member begins.
const MAGIC: usize = 6;

/// A compressed format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// RFC 1952, one member or many.
    Gzip,
    /// RFC 8878, one frame or many.
    Zstd,
    /// One stream or many.
    Bzip2,
    /// One stream or many.
    Xz,
    /// RFC 1951: what stands in zip archives, without a header of its own.
    Deflate,
}

impl Packing {
    /// Tells the format from the first bytes.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        [
            (Self::Gzip, engine::begins_gzip(bytes)),
            (Self::Zstd, zstd::begins(bytes)),
            (Self::Bzip2, engine::begins_bzip2(bytes)),
            (Self::Xz, engine::begins_xz(bytes)),
        ]
        .into_iter()
        .find_map(|(packing, begins)| begins.then_some(packing))
    }
}

/// What was decoded, and what came after it.
type Step = (usize, Option<DecodeError>);

/// A decompressor that takes its input from `raw`.
trait Codec: Send {
    /// Decodes into `out`; nothing and no error is the end.
    fn read(&mut self, raw: &mut Raw, out: &mut [u8]) -> Step;
}

/// A source of which the decompressed bytes can be read.
pub(super) struct Decoder {
    raw: Raw,
    codec: Box<dyn Codec>,
    /// Found, but to be told only when the bytes before it are delivered.
    error: Option<DecodeError>,
}

impl Decoder {
    /// Decompresses what `raw` gives.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new(mut raw: Raw, packing: Packing) -> Result<Self, DecodeError> {
        raw.grow(CHUNK);
        let codec: Box<dyn Codec> = match packing {
            Packing::Gzip => Box::new(Members::<Gzip>::many()),
            Packing::Bzip2 => Box::new(Members::<Bzip2>::many()),
            Packing::Xz => Box::new(Members::<Xz>::many()),
            Packing::Deflate => Box::new(Members::<Deflate>::one()),
            Packing::Zstd => Box::new(Zstd::new().map_err(|error| raw.error(&error))?),
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

/// Whether another member (of gzip, bzip2 or xz) or frame (of zstd) begins here; zeros before it
/// or before the end are padding.
///
/// # Errors
/// If anything else stands here.
fn at_member(raw: &mut Raw, begins: fn(&[u8]) -> bool) -> Result<bool, DecodeError> {
    loop {
        raw.refill(MAGIC)?;
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
