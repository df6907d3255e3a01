//! The frames of a zstd file.

use std::io;

use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::{CHUNK_BYTES, Codec, Step, at_member};
use crate::source::bytes::{BufferedSource, DecodeError};

/// The number of bytes that identify the kind of a frame.
const FRAME_MAGIC_BYTES: usize = 4;

/// Returns `true` if a frame begins with `bytes` (RFC 8878): 28 b5 2f fd, or 50 … 5f 2a 4d 18 if it
/// is skippable.
pub(super) fn begins(bytes: &[u8]) -> bool {
    match bytes {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => true,
        [first, 0x2a, 0x4d, 0x18, ..] => first & 0xf0 == 0x50,
        _ => false,
    }
}

/// Converts an error of the library.
fn error_message(error: &io::Error) -> String {
    let text = error.to_string();
    // The library rejects windows over 128 MiB, as each open file would keep one in memory.
    if text.contains("too much memory") {
        return "unsupported zstd window: it is over 128 MiB, as `zstd --long` or `--ultra` makes \
                it; unpack the file first with `zstd -d --long=31`"
            .to_owned();
    }
    format!("corrupt zstd data: {text}")
}

/// The frames of a file, decompressed one after the other.
pub(super) struct Zstd {
    decoder: Decoder<'static>,
    in_frame: bool,
    /// The number of bytes that the decoder requests next. It gets exactly these, which are one
    /// block, so that no call fails after it has decoded a valid block.
    hint: usize,
    /// Whether the decoder may return more bytes without further input.
    may_hold_output: bool,
}

impl Zstd {
    /// Creates a decoder at the beginning of a frame.
    ///
    /// # Errors
    /// Returns an error if its memory cannot be allocated.
    pub fn new() -> io::Result<Self> {
        let decoder = Decoder::new()?;
        Ok(Self { decoder, in_frame: false, hint: 0, may_hold_output: false })
    }

    /// Makes one call of the decoder. Returns `None` if it has written nothing and there is more
    /// input.
    fn step(
        &mut self,
        raw: &mut BufferedSource,
        out: &mut [u8],
    ) -> Result<Option<usize>, DecodeError> {
        if !self.in_frame {
            if !at_member(raw, begins)? {
                return Ok(Some(0));
            }
            self.in_frame = true;
            self.hint = FRAME_MAGIC_BYTES;
        }
        let mut feed: &[u8] = &[];
        if !self.may_hold_output {
            let want = self.hint.clamp(1, CHUNK_BYTES);
            raw.refill(want)?;
            feed = &raw.available()[..want.min(raw.available().len())];
            if feed.is_empty() {
                return Err(raw.error("the zstd data is cut off"));
            }
        }
        let (mut from, mut to) = (InBuffer::around(feed), OutBuffer::around(out));
        let result = self.decoder.run(&mut from, &mut to);
        let (consumed, written) = (from.pos(), to.pos());
        let hint = result.map_err(|error| raw.error(&error_message(&error)))?;
        raw.consume(consumed);
        self.may_hold_output = written == out.len() && hint > 0;
        self.hint = hint;
        self.in_frame = hint > 0;
        Ok((written > 0).then_some(written))
    }
}

impl Codec for Zstd {
    fn read(&mut self, raw: &mut BufferedSource, out: &mut [u8]) -> Step {
        loop {
            match self.step(raw, out) {
                Ok(None) => {}
                Ok(Some(count)) => return (count, None),
                Err(error) => return (0, Some(error)),
            }
        }
    }
}
