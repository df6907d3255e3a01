//! The decompressors that libraries bring, behind one face.

use flate2::{Decompress, FlushDecompress, Status};
use liblzma::stream::Action;

/// The base-2 logarithm of the largest window that RFC 1951 allows.
const WINDOW_BITS: u8 = 15;

/// The most memory that an xz stream may ask for, in bytes. `xz -9` asks for 65 MiB.
const XZ_MEMORY: u64 = 512 << 20;

/// What a decompressor has done.
pub(super) struct Progress {
    /// How many bytes of the input it has used up.
    pub used: usize,
    /// How many bytes it has written.
    pub wrote: usize,
    /// Whether the member is at its end, or what is wrong with it.
    pub at_end: Result<bool, String>,
}

/// The decompressor of one member of a format.
pub(super) trait Engine: Send + Sized {
    /// What the format is called.
    const NAME: &'static str;

    /// A decompressor for the next member.
    ///
    /// # Errors
    /// When there is no memory for it.
    fn start() -> Result<Self, String>;

    /// Whether a member begins with these bytes.
    fn begins(bytes: &[u8]) -> bool;

    /// Decompresses from `input` into `out`.
    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Progress;
}

/// The differences of two counters of bytes, each bounded by the length of a slice.
fn advanced(before: (u64, u64), after: (u64, u64)) -> (usize, usize) {
    let difference = |before, after| usize::try_from(after - before).unwrap_or(usize::MAX);
    (difference(before.0, after.0), difference(before.1, after.1))
}

/// RFC 1952: a member begins with 1f 8b.
pub(super) fn begins_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// A stream begins with `BZh`, its level, and the digits of π or, if it is empty, those of √π.
pub(super) fn begins_bzip2(bytes: &[u8]) -> bool {
    let [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] = bytes else { return false };
    let rest = &rest[..rest.len().min(2)];
    [[0x31, 0x41], [0x17, 0x72]].iter().any(|digits| digits.starts_with(rest))
}

/// A stream begins with fd `7zXZ` 00.
pub(super) fn begins_xz(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xfd7zXZ\0")
}

fn inflate(engine: &mut Decompress, input: &[u8], out: &mut [u8]) -> Progress {
    let before = (engine.total_in(), engine.total_out());
    let result = engine.decompress(input, out, FlushDecompress::None);
    let (used, wrote) = advanced(before, (engine.total_in(), engine.total_out()));
    let at_end = match result {
        Ok(status) => Ok(status == Status::StreamEnd),
        Err(error) => Err(error.message().unwrap_or("invalid").to_owned()),
    };
    Progress { used, wrote, at_end }
}

/// A member of gzip.
pub(super) struct Gzip(Decompress);

impl Engine for Gzip {
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

/// A member of a zip archive.
pub(super) struct Deflate(Decompress);

impl Engine for Deflate {
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

/// A stream of bzip2.
pub(super) struct Bzip2(bzip2::Decompress);

impl Engine for Bzip2 {
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
        let (used, wrote) = advanced(before, (self.0.total_in(), self.0.total_out()));
        let at_end = match result {
            Ok(bzip2::Status::MemNeeded) => Err("out of memory".to_owned()),
            Ok(status) => Ok(matches!(status, bzip2::Status::StreamEnd)),
            Err(error) => Err(error.to_string()),
        };
        Progress { used, wrote, at_end }
    }
}

/// A stream of xz.
pub(super) struct Xz(liblzma::stream::Stream);

impl Engine for Xz {
    const NAME: &'static str = "xz";

    fn start() -> Result<Self, String> {
        let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, 0);
        stream.map(Self).map_err(|error| error.to_string())
    }

    fn begins(bytes: &[u8]) -> bool {
        begins_xz(bytes)
    }

    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Progress {
        let before = (self.0.total_in(), self.0.total_out());
        let result = self.0.process(input, out, Action::Run);
        let (used, wrote) = advanced(before, (self.0.total_in(), self.0.total_out()));
        let at_end = match result {
            Ok(status) => Ok(status == liblzma::stream::Status::StreamEnd),
            Err(liblzma::stream::Error::MemLimit) => {
                Err("it needs more than 512 MiB of memory; unpack it with `xz -d` first".to_owned())
            }
            Err(error) => Err(error.to_string()),
        };
        Progress { used, wrote, at_end }
    }
}
