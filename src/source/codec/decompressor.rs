//! Adapters of the decompressors of libraries to one trait.

use flate2::{Decompress, FlushDecompress, Status};
use liblzma::stream::Action;

/// The base-2 logarithm of the largest window that RFC 1951 allows.
const WINDOW_BITS: u8 = 15;

/// The maximum memory of an xz decompressor, in bytes. `xz -9` needs 65 MiB.
const MAX_XZ_MEMORY_BYTES: u64 = 512 << 20;

/// The result of a call of a decompressor.
pub(super) struct Progress {
    /// The number of bytes of the input that were consumed.
    pub consumed: usize,
    /// The number of bytes that were written.
    pub written: usize,
    /// Whether the member has ended, or the error in its data.
    pub at_end: Result<bool, String>,
}

/// The decompressor of one member of a format.
pub(super) trait Decompressor: Send + Sized {
    /// The name of the format in messages.
    const NAME: &'static str;

    /// Creates a decompressor for a member.
    ///
    /// # Errors
    /// Returns an error if its memory cannot be allocated.
    fn start() -> Result<Self, String>;

    /// Returns `true` if a member begins with these bytes.
    fn begins(bytes: &[u8]) -> bool;

    /// Decompresses from `input` into `out`.
    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Progress;
}

/// Returns the differences of two counters of bytes. Each is at most the length of a slice.
fn advanced(before: (u64, u64), after: (u64, u64)) -> (usize, usize) {
    let difference = |before, after| usize::try_from(after - before).unwrap_or(usize::MAX);
    (difference(before.0, after.0), difference(before.1, after.1))
}

/// Returns `true` if `bytes` begin with the magic bytes of a gzip member (RFC 1952).
pub(super) fn begins_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Returns `true` if `bytes` begin a bzip2 stream: `BZh`, the level, and the digits of π or, if it
/// is empty, of √π.
pub(super) fn begins_bzip2(bytes: &[u8]) -> bool {
    let [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] = bytes else { return false };
    let rest = &rest[..rest.len().min(2)];
    [[0x31, 0x41], [0x17, 0x72]].iter().any(|digits| digits.starts_with(rest))
}

/// Returns `true` if `bytes` begin with the magic bytes of an xz stream.
pub(super) fn begins_xz(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xfd7zXZ\0")
}

fn inflate(decompressor: &mut Decompress, input: &[u8], out: &mut [u8]) -> Progress {
    let before = (decompressor.total_in(), decompressor.total_out());
    let result = decompressor.decompress(input, out, FlushDecompress::None);
    let (consumed, written) = advanced(before, (decompressor.total_in(), decompressor.total_out()));
    let at_end = match result {
        Ok(status) => Ok(status == Status::StreamEnd),
        Err(error) => Err(error.message().unwrap_or("invalid").to_owned()),
    };
    Progress { consumed, written, at_end }
}

/// The decompressor of a gzip member.
pub(super) struct Gzip(Decompress);

impl Decompressor for Gzip {
    const NAME: &'static str = "gzip";

    fn start() -> Result<Self, String> {
        Ok(Self(Decompress::new_gzip(WINDOW_BITS)))
    }

    fn begins(bytes: &[u8]) -> bool {
        begins_gzip(bytes)
    }

    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Progress {
        inflate(&mut self.0, input, out)
    }
}

/// The decompressor of a member of a zip archive.
pub(super) struct Deflate(Decompress);

impl Decompressor for Deflate {
    const NAME: &'static str = "deflate";

    fn start() -> Result<Self, String> {
        Ok(Self(Decompress::new(false)))
    }

    fn begins(_bytes: &[u8]) -> bool {
        true
    }

    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Progress {
        inflate(&mut self.0, input, out)
    }
}

/// The decompressor of a bzip2 stream.
pub(super) struct Bzip2(bzip2::Decompress);

impl Decompressor for Bzip2 {
    const NAME: &'static str = "bzip2";

    fn start() -> Result<Self, String> {
        Ok(Self(bzip2::Decompress::new(false)))
    }

    fn begins(bytes: &[u8]) -> bool {
        begins_bzip2(bytes)
    }

    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Progress {
        let before = (self.0.total_in(), self.0.total_out());
        let result = self.0.decompress(input, out);
        let (consumed, written) = advanced(before, (self.0.total_in(), self.0.total_out()));
        let at_end = match result {
            Ok(bzip2::Status::MemNeeded) => Err("out of memory".to_owned()),
            Ok(status) => Ok(matches!(status, bzip2::Status::StreamEnd)),
            Err(error) => Err(error.to_string()),
        };
        Progress { consumed, written, at_end }
    }
}

/// The decompressor of an xz stream.
pub(super) struct Xz(liblzma::stream::Stream);

impl Decompressor for Xz {
    const NAME: &'static str = "xz";

    fn start() -> Result<Self, String> {
        let stream = liblzma::stream::Stream::new_stream_decoder(MAX_XZ_MEMORY_BYTES, 0);
        stream.map(Self).map_err(|error| error.to_string())
    }

    fn begins(bytes: &[u8]) -> bool {
        begins_xz(bytes)
    }

    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Progress {
        let before = (self.0.total_in(), self.0.total_out());
        let result = self.0.process(input, out, Action::Run);
        let (consumed, written) = advanced(before, (self.0.total_in(), self.0.total_out()));
        let at_end = match result {
            Ok(status) => Ok(status == liblzma::stream::Status::StreamEnd),
            Err(liblzma::stream::Error::MemLimit) => {
                Err("it needs more than 512 MiB of memory; unpack it with `xz -d` first".to_owned())
            }
            Err(error) => Err(error.to_string()),
        };
        Progress { consumed, written, at_end }
    }
}
