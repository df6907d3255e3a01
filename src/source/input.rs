//! A stream whose bytes can be put back.

use super::bytes::{DecodeError, Source};
use super::reserved::Reserved;

/// The most that the buffer of bytes put back keeps allocated for reuse, in bytes.
const KEPT: usize = 16 << 20;

/// What ends an input.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Regular,
    Fault(DecodeError),
}

/// The decompressed bytes of an open input. Bytes once read can be put back, to be read again.
pub(super) struct OpenInput {
    source: Box<dyn Source>,
    /// How many bytes came out of the source, if they are not the stored ones.
    decoded: Option<u64>,
    /// `pending[position..]` comes before what the source gives next.
    pending: Vec<u8>,
    position: usize,
    end: Option<End>,
}

impl OpenInput {
    /// What `source` gives; `is_decoded` says whether these are other bytes than the stored ones.
    pub fn new(source: Box<dyn Source>, is_decoded: bool) -> Self {
        let decoded = is_decoded.then_some(0);
        Self { source, decoded, pending: Vec::new(), position: 0, end: None }
    }

    /// Fills `out`. Returns how many bytes it got: fewer than `out` holds only at the end.
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

    /// Puts back `tail`, the last bytes that were read.
    pub fn put_back(&mut self, tail: &[u8]) {
        if !self.rewind(tail.len()) {
            if self.pending.capacity() > KEPT {
                self.pending = Vec::new();
            }
            self.pending.clear();
            self.pending.extend_from_slice(tail);
            self.position = 0;
        }
    }

    /// Does the same without a copy.
    pub fn put_back_owned(&mut self, tail: Vec<u8>) {
        if !self.rewind(tail.len()) {
            self.pending = tail;
            self.position = 0;
        }
    }

    /// Steps back over the last `count` bytes if they came from `pending`: so they all do while
    /// there is some of it left.
    fn rewind(&mut self, count: usize) -> bool {
        let possible = self.position < self.pending.len();
        if possible {
            self.position -= count;
        }
        possible
    }

    /// Takes the whole lines among the `len` bytes from offset `start` on out of the input, which
    /// goes on behind them. `start` is the offset of the next byte. Returns `None`, and changes
    /// nothing, if they have to be read from the input.
    pub fn reserve_lines(&mut self, start: u64, len: usize) -> Option<Reserved> {
        if self.end.is_some() || self.decoded.is_some() {
            return None;
        }
        let reserved = self.source.reserve_lines(start, len)?;
        self.pending.clear();
        self.position = 0;
        Some(reserved)
    }

    /// Whether everything is read.
    pub fn at_end(&self) -> bool {
        self.end.is_some() && self.position == self.pending.len()
    }

    /// The fault that cut the input short, if one did and has been reached.
    pub fn fault(&self) -> Option<&DecodeError> {
        match &self.end {
            Some(End::Fault(error)) => Some(error),
            _ => None,
        }
    }

    /// How many bytes were decoded so far; `None` if the bytes are the stored ones.
    pub fn decoded(&self) -> Option<u64> {
        self.decoded
    }
}
