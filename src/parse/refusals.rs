//! The refusals of one record: the first are passed to the sink one by one, the others counted.

use std::borrow::Cow;

use super::Sink;
use super::item::{Item, Text};
use super::reject::{MAX_REJECTS_PER_RECORD, Reason, Refusal, Reject, Surplus};
use super::shape::Shape;

/// A record of a block and its refusals so far.
pub(super) struct Refusals<'t> {
    record: &'t Text<'t>,
    line_in_block: u64,
    offset: u64,
    count: u64,
    surplus: Vec<(Shape, Reason, u64)>,
    /// The offset up to which the lines of the record have been counted, and their number.
    counted: (usize, u64),
}

impl<'t> Refusals<'t> {
    /// Starts the refusals of the record `record`, which begins at `offset` in its file.
    pub fn new(record: &'t Text<'t>, line_in_block: u64, offset: u64) -> Self {
        Self { record, line_in_block, offset, count: 0, surplus: Vec::new(), counted: (0, 0) }
    }

    /// Returns the number of refusals.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Passes `refusal` of `item`, or of the whole record, to `sink`, or counts it.
    #[cold]
    pub fn add(&mut self, refusal: Refusal, item: Option<&Item<'_>>, sink: &mut impl Sink) {
        self.count += 1;
        if self.count > MAX_REJECTS_PER_RECORD {
            return self.add_surplus(refusal.shape, refusal.reason);
        }
        let detail: Cow<'static, str> = match item {
            Some(item) => format!("{item}: {}", refusal.detail).into(),
            None => refusal.detail,
        };
        let start = item.and_then(Item::offset).unwrap_or(0);
        let own = item.and_then(Item::bytes);
        sink.reject(Reject {
            refusal: &Refusal { detail, ..refusal },
            line_in_block: self.line_in_block + self.lines_before(start),
            offset: self.offset + start as u64,
            record: own.unwrap_or(self.record.bytes()),
            is_item: own.is_some(),
        });
    }

    fn add_surplus(&mut self, shape: Shape, reason: Reason) {
        let mut known = self.surplus.iter_mut();
        match known.find(|known| (known.0, known.1) == (shape, reason)) {
            Some((.., count)) => *count += 1,
            None => self.surplus.push((shape, reason, 1)),
        }
    }

    fn lines_before(&mut self, start: usize) -> u64 {
        let (from, lines) = if start < self.counted.0 { (0, 0) } else { self.counted };
        let more = memchr::memchr_iter(b'\n', &self.record.bytes()[from..start]).count() as u64;
        self.counted = (start, lines + more);
        lines + more
    }

    /// Passes the refusals that were only counted to `sink`.
    pub fn finish(self, sink: &mut impl Sink) {
        if !self.surplus.is_empty() {
            sink.surplus(Surplus {
                counts: &self.surplus,
                line_in_block: self.line_in_block,
                offset: self.offset,
                record: self.record.bytes(),
            });
        }
    }
}
