//! A reader with pushback.

use super::bytes::{DecodeError, Source};
use super::reserved::Reserved;

/// The maximum capacity of the pushback buffer that is kept for reuse, in bytes.
const MAX_KEPT_BYTES: usize = 16 << 20;

/// How a source ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Regular,
    Fault(DecodeError),
}

/// The decompressed bytes of an input. Bytes that were read can be put back and are read again.
pub(super) struct Pushback {
    source: Box<dyn Source>,
    /// The number of bytes that the source returned; `None` if it is not compressed.
    decoded: Option<u64>,
    /// `pending[position..]` precedes the next bytes of the source.
    pending: Vec<u8>,
    position: usize,
    end: Option<End>,
}

impl Pushback {
    /// Reads from `source`. `is_decoded` states whether its bytes differ from the stored ones.
    pub fn new(source: Box<dyn Source>, is_decoded: bool) -> Self {
        let decoded = is_decoded.then_some(0);
        Self { source, decoded, pending: Vec::new(), position: 0, end: None }
    }

    /// Fills `out` and returns the number of bytes, which is less than its length only at the end.
    pub fn fill(&mut self, out: &mut [u8]) -> usize {
        let pending = &self.pending[self.position..];
        let mut filled = pending.len().min(out.len());
        out[..filled].copy_from_slice(&pending[..filled]);
        self.position += filled;
        while filled < out.len() && self.end.is_none() {
            match self.source.read(&mut out[filled..]) {
                Ok(0) => self.end = Some(End::Regular),
                Ok(count) => {
                    filled += count;
                    self.decoded = self.decoded.map(|decoded| decoded + count as u64);
                }
                Err(error) => self.end = Some(End::Fault(error)),
            }
        }
        filled
    }

    /// Puts back `tail`, which must be the bytes that were read last.
    pub fn put_back(&mut self, tail: &[u8]) {
        if !self.rewind(tail.len()) {
            if self.pending.capacity() > MAX_KEPT_BYTES {
                self.pending = Vec::new();
            }
            self.pending.clear();
            self.pending.extend_from_slice(tail);
            self.position = 0;
        }
    }

    /// Like [`put_back`](Self::put_back), without a copy.
    pub fn put_back_owned(&mut self, tail: Vec<u8>) {
        if !self.rewind(tail.len()) {
            self.pending = tail;
            self.position = 0;
        }
    }

    /// Puts back the last `count` bytes without a copy if they came from `pending`, as is the case
    /// while `pending` has further bytes. Returns whether they did.
    fn rewind(&mut self, count: usize) -> bool {
        let is_possible = self.position < self.pending.len();
        if is_possible {
            self.position -= count;
        }
        is_possible
    }

    /// Reserves the whole lines among the `len` bytes from offset `start` on, which is that of the
    /// next byte, and continues after them. Returns `None`, and changes nothing, if they have to be
    /// read from the input.
    pub fn reserve_lines(&mut self, start: u64, len: usize) -> Option<Reserved> {
        if self.end.is_some() || self.decoded.is_some() {
            return None;
        }
        let reserved = self.source.reserve_lines(start, len)?;
        self.pending.clear();
        self.position = 0;
        Some(reserved)
    }

    /// Returns `true` if all bytes were read.
    pub fn at_end(&self) -> bool {
        self.end.is_some() && self.position == self.pending.len()
    }

    /// Returns the error that ended the input, once it has been reached.
    pub fn fault(&self) -> Option<&DecodeError> {
        match &self.end {
            Some(End::Fault(error)) => Some(error),
            _ => None,
        }
    }

    /// Returns the number of bytes decoded so far; `None` if the input is not compressed.
    pub fn decoded(&self) -> Option<u64> {
        self.decoded
    }
}
