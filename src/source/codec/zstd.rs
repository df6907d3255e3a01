//! The frames of a zstd file.

use std::io;

use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::{CHUNK, Codec, Step, at_member};
use crate::source::bytes::{DecodeError, Raw};

/// How many bytes tell the kind of a frame.
const FRAME_MAGIC: usize = 4;

/// RFC 8878: a frame begins with 28 b5 2f fd; a skippable one with 50 … 5f 2a 4d 18.
pub(super) fn begins(bytes: &[u8]) -> bool {
    match bytes {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => true,
        [first, 0x2a, 0x4d, 0x18, ..] => first & 0xf0 == 0x50,
        _ => false,
    }
}

/// What is wrong with a frame, from the library's own text.
fn explained(error: &io::Error) -> String {
    let text = error.to_string();
    // The library refuses windows over 128 MiB: each open file would hold one in memory.
    if text.contains("too much memory") {
        return "unsupported zstd window: it is over 128 MiB, as `zstd --long` or `--ultra` makes \
                it; unpack the file first with `zstd -d --long=31`"
            .to_owned();
    }
    format!("corrupt zstd data: {text}")
}

/// The frames, one after the other.
pub(super) struct Zstd {
    decoder: Decoder<'static>,
    in_frame: bool,
    /// How many bytes the decoder wants next. It gets exactly these: that is one compressed block,
    /// so no call fails that has decoded a good one.
    hint: usize,
    /// Whether the decoder may have more bytes for us before it reads on.
    may_hold_output: bool,
}

impl Zstd {
    /// A decoder at the beginning of a frame.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new() -> io::Result<Self> {
        let decoder = Decoder::new()?;
        Ok(Self { decoder, in_frame: false, hint: 0, may_hold_output: false })
    }

    /// `None` if there is more to do before anything comes out.
    fn step(&mut self, raw: &mut Raw, out: &mut [u8]) -> Result<Option<usize>, DecodeError> {
        if !self.in_frame {
            if !at_member(raw, begins)? {
                return Ok(Some(0));
            }
            self.in_frame = true;
            self.hint = FRAME_MAGIC;
        }
        let mut feed: &[u8] = &[];
        if !self.may_hold_output {
            let want = self.hint.clamp(1, CHUNK);
            raw.refill(want)?;
            feed = &raw.available()[..want.min(raw.available().len())];
            if feed.is_empty() {
                return Err(raw.error("the zstd data is cut off"));
            }
        }
        let (mut from, mut to) = (InBuffer::around(feed), OutBuffer::around(out));
        let result = self.decoder.run(&mut from, &mut to);
        let (used, wrote) = (from.pos(), to.pos());
        let hint = result.map_err(|error| raw.error(&explained(&error)))?;
        raw.consume(used);
        self.may_hold_output = wrote == out.len() && hint > 0;
        self.hint = hint;
        self.in_frame = hint > 0;
        Ok((wrote > 0).then_some(wrote))
    }
}

impl Codec for Zstd {
    fn read(&mut self, raw: &mut Raw, out: &mut [u8]) -> Step {
        loop {
            match self.step(raw, out) {
                Ok(None) => {}
                Ok(Some(count)) => return (count, None),
                Err(error) => return (0, Some(error)),
            }
        }
    }
}
