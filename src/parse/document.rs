//! One JSON text at a time onto a tape whose buffers are kept.

use simd_json::{Buffers, INPUT_PADDING, Tape};

use super::json::Json;

/// Buffers that a giant text left behind are given back from this many nodes on.
const KEEP_NODES: usize = 1 << 18;
/// A text up to this long leaves its buffers as they are.
const KEEP_BYTES: usize = 1 << 20;

/// A parser and its buffers.
pub struct Document {
    buffers: Buffers,
    tape: Tape<'static>,
}

impl Default for Document {
    fn default() -> Self {
        Self { buffers: fresh_buffers(), tape: Tape(Vec::new()) }
    }
}

fn fresh_buffers() -> Buffers {
    Buffers::with_max_depth(4096, super::MAX_DEPTH)
}

impl Document {
    /// Parses `text[..len]`, which at least [`INPUT_PADDING`] bytes follow, and hands the value to
    /// `then`. Strings with escapes are unescaped in place, whether the text is valid or not;
    /// a text without a backslash is left as it was.
    pub fn read<R>(
        &mut self,
        text: &mut [u8],
        len: usize,
        then: impl FnOnce(Result<Json<'_>, simd_json::Error>) -> R,
    ) -> R {
        let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let parsed = simd_json::fill_tape_padded(text, len, &mut self.buffers, &mut tape);
        let value = match parsed {
            Ok(()) => Json::new(&tape.0)
                .ok_or_else(|| simd_json::Error::generic(simd_json::ErrorType::Eof)),
            Err(error) => Err(error),
        };
        let result = then(value);
        self.tape = tape.reset();
        if len > KEEP_BYTES {
            self.buffers = fresh_buffers();
            self.tape.0.shrink_to(KEEP_NODES);
        }
        result
    }
}

/// Whether `text` is one JSON value.
pub fn is_json(text: &[u8]) -> bool {
    let mut copy = Vec::with_capacity(text.len() + INPUT_PADDING);
    copy.extend_from_slice(text);
    copy.resize(text.len() + INPUT_PADDING, b' ');
    Document::default().read(&mut copy, text.len(), |value| value.is_ok())
}
