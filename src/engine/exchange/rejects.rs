//! The encoding of rejects until `rejects.ndjson` is written. Their line numbers in the file are
//! known only when all earlier blocks have been read.
//!
//! A block of many short lines can have as many rejects. Each takes little more than its record,
//! since a reason with its detail is stored once, and positions are stored as differences.

use std::ops::Range;

use ahash::AHashMap;

use super::bytes::{put_distance, put_length, put_text, take_distance, take_length, take_text};
use crate::engine::Engine;
use crate::engine::redact::Redaction;
use crate::json::canonical::write_string;
use crate::parse::excerpt;
use crate::parse::reject::{MAX_REJECTS_PER_RECORD, Reason, Reject, Surplus};

/// The maximum length of the part of a record that is stored, in bytes.
const MAX_STORED_BYTES: usize = 4096;
/// The maximum number of distinct details that are stored once; further ones are repeated.
const MAX_DETAILS: usize = 4096;
/// The number of bytes of lines that are passed to the writer at once.
const WRITE_BYTES: usize = 64 << 10;

/// The flag for a record equal to that of the previous reject.
const SAME_RECORD: usize = 1;
/// The flag for counts by reason, which follow.
const WITH_COUNTS: usize = 2;
/// The number of flag bits.
const FLAG_BITS: u32 = 2;

/// The encoded rejects of one block.
#[derive(Debug, Default)]
pub struct Rejects {
    bytes: Vec<u8>,
    /// The numbers of details, from 1, by reason.
    details: [AHashMap<Box<str>, usize>; Reason::ALL.len()],
    /// The number of numbered details.
    numbered: usize,
    /// The line and offset of the last reject.
    place: (u64, u64),
    /// The range of the last record in `bytes`.
    record: Option<Range<usize>>,
}

impl Rejects {
    /// Appends `reject`. Secrets in its record, including those of `engine`, are masked. If outputs
    /// are redacted, only the shape of the record is stored.
    pub fn push(&mut self, reject: &Reject<'_>, engine: &Engine) {
        let Reject { refusal, line_in_block, offset, record, .. } = *reject;
        let detail = engine.redaction.as_ref().map(|redaction| redaction.text(&refusal.detail));
        let detail = detail.as_ref().unwrap_or(&refusal.detail);
        let record = shown(record, engine);
        self.append((line_in_block, offset), (refusal.reason, detail), &record, &[]);
    }

    /// Appends the rejects of a record that are only counted, as one reject with the most frequent
    /// reason and a member `more` with the counts by reason.
    pub fn push_surplus(&mut self, surplus: &Surplus<'_>, engine: &Engine) {
        let by_reason = surplus.by_reason();
        let Some(&(reason, _)) = by_reason.first() else { return };
        let detail = format!(
            "{} more items of this record are refused; of one record {MAX_REJECTS_PER_RECORD} are written",
            surplus.total()
        );
        let (place, record) =
            ((surplus.line_in_block, surplus.offset), shown(surplus.record, engine));
        self.append(place, (reason, &detail), &record, &by_reason);
    }

    fn append(
        &mut self,
        place: (u64, u64),
        (reason, detail): (Reason, &str),
        record: &str,
        counts: &[(Reason, u64)],
    ) {
        let before = self.record.clone().and_then(|range| self.bytes.get(range));
        let same = before == Some(record.as_bytes());
        let details = &mut self.details[reason as usize];
        let known = details.get(detail).copied();
        let flags =
            if same { SAME_RECORD } else { 0 } | if counts.is_empty() { 0 } else { WITH_COUNTS };
        put_length(known.unwrap_or(0) << FLAG_BITS | flags, &mut self.bytes);
        if known.is_none() {
            self.bytes.push(reason as u8);
            put_text(detail, &mut self.bytes);
            if self.numbered < MAX_DETAILS {
                self.numbered += 1;
                details.insert(detail.into(), self.numbered);
            }
        }
        put_distance(self.place.0, place.0, &mut self.bytes);
        put_distance(self.place.1, place.1, &mut self.bytes);
        self.place = place;
        if !same {
            put_text(record, &mut self.bytes);
            self.record = Some(self.bytes.len() - record.len()..self.bytes.len());
        }
        if !counts.is_empty() {
            put_length(counts.len(), &mut self.bytes);
            for &(reason, count) in counts {
                self.bytes.push(reason as u8);
                put_distance(0, count, &mut self.bytes);
            }
        }
    }

    /// Returns the encoded rejects, for [`write_lines`].
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Removes all rejects, and keeps the allocations.
    pub fn clear(&mut self) {
        self.bytes.clear();
        if self.numbered > 0 {
            self.details.iter_mut().for_each(|details| details.clear());
        }
        (self.numbered, self.place, self.record) = (0, (0, 0), None);
    }
}

/// Returns the part of `record` that is stored, with secrets masked.
fn shown(record: &[u8], engine: &Engine) -> String {
    let shown = &record[..record.len().min(MAX_STORED_BYTES)];
    // A truncated character at the end is left out rather than garbled.
    let cut = if shown.len() < record.len() { whole_characters(shown) } else { shown };
    let text = String::from_utf8_lossy(cut);
    if engine.redaction.is_some() {
        return Redaction::shape(&text);
    }
    excerpt::secrets(&text, &engine.auth).into_owned()
}

/// Returns `text` without an incomplete character at its end.
fn whole_characters(text: &[u8]) -> &[u8] {
    match std::str::from_utf8(text) {
        Err(fault) if fault.error_len().is_none() => &text[..fault.valid_up_to()],
        _ => text,
    }
}

/// Writes `encoded` rejects as lines of `rejects.ndjson`, several at a time. `file` is the name of
/// the file and `lines_before` the number of its lines before the block.
///
/// # Errors
/// The first error of `write`.
pub fn write_lines<E>(
    encoded: &[u8],
    file: &str,
    lines_before: u64,
    mut write: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut decoder = Decoder { rest: encoded, ..Decoder::default() };
    let mut head = b"{\"file\":".to_vec();
    write_string(file, &mut head, false);
    let mut out = Vec::new();
    while let Some(reject) = decoder.next() {
        out.extend_from_slice(&head);
        reject.write(lines_before, &mut out);
        if out.len() >= WRITE_BYTES {
            write(&out)?;
            out.clear();
        }
    }
    if out.is_empty() { Ok(()) } else { write(&out) }
}

/// Decodes the rejects of a block.
#[derive(Default)]
struct Decoder<'a> {
    rest: &'a [u8],
    details: Vec<(Reason, &'a str)>,
    place: (u64, u64),
    record: &'a str,
}

/// One decoded reject.
struct Decoded<'a> {
    reason: Reason,
    detail: &'a str,
    line_in_block: u64,
    offset: u64,
    record: &'a str,
    counts: Vec<(Reason, u64)>,
}

impl<'a> Decoder<'a> {
    fn next(&mut self) -> Option<Decoded<'a>> {
        let head = take_length(&mut self.rest)?;
        let (reason, detail) = match (head >> FLAG_BITS).checked_sub(1) {
            Some(known) => *self.details.get(known)?,
            None => self.new_detail()?,
        };
        let line = take_distance(self.place.0, &mut self.rest)?;
        let offset = take_distance(self.place.1, &mut self.rest)?;
        self.place = (line, offset);
        if head & SAME_RECORD == 0 {
            self.record = take_text(&mut self.rest)?;
        }
        let mut counts = Vec::new();
        if head & WITH_COUNTS != 0 {
            for _ in 0..take_length(&mut self.rest)? {
                counts.push((self.reason()?, take_distance(0, &mut self.rest)?));
            }
        }
        Some(Decoded { reason, detail, line_in_block: line, offset, record: self.record, counts })
    }

    fn new_detail(&mut self) -> Option<(Reason, &'a str)> {
        let new = (self.reason()?, take_text(&mut self.rest)?);
        if self.details.len() < MAX_DETAILS {
            self.details.push(new);
        }
        Some(new)
    }

    fn reason(&mut self) -> Option<Reason> {
        let (&number, rest) = self.rest.split_first()?;
        self.rest = rest;
        Reason::ALL.get(usize::from(number)).copied()
    }
}

impl Decoded<'_> {
    /// Appends the line, from the member after the file name on.
    fn write(&self, lines_before: u64, out: &mut Vec<u8>) {
        let Self { reason, detail, offset, record, .. } = *self;
        let line = lines_before + self.line_in_block + 1;
        out.extend_from_slice(format!(",\"line\":{line},\"offset\":{offset}").as_bytes());
        out.extend_from_slice(b",\"reason\":");
        write_string(reason.name(), out, true);
        out.extend_from_slice(b",\"detail\":");
        write_string(detail, out, false);
        out.extend_from_slice(b",\"record\":");
        write_string(record, out, false);
        if !self.counts.is_empty() {
            out.extend_from_slice(b",\"more\":{");
            for (place, (reason, count)) in self.counts.iter().enumerate() {
                let comma = if place > 0 { "," } else { "" };
                out.extend_from_slice(format!("{comma}\"{}\":{count}", reason.name()).as_bytes());
            }
            out.push(b'}');
        }
        out.extend_from_slice(b"}\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Pushed = ((u64, u64), (usize, String), String, Vec<(usize, u64)>);

    fn pushed() -> impl Strategy<Value = Pushed> {
        let reason = 0..Reason::ALL.len();
        let place = (0..50_u64, prop_oneof![0..300_u64, any::<u64>()]);
        let detail = (reason.clone(), prop_oneof![Just("expected it".to_owned()), ".{0,9}"]);
        let record = prop_oneof![Just("1".to_owned()), ".{0,9}"];
        (place, detail, record, prop::collection::vec((reason, any::<u64>()), 0..3))
    }

    fn lines(rejects: &Rejects) -> Vec<serde_json::Value> {
        let mut out = Vec::new();
        let write = |lines: &[u8]| {
            out.extend_from_slice(lines);
            Ok::<_, ()>(())
        };
        write_lines(rejects.as_bytes(), "a\"b", 10, write).unwrap();
        let lines = std::str::from_utf8(&out).unwrap().lines();
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    proptest! {
        #[test]
        fn what_is_pushed_is_written(all in prop::collection::vec(pushed(), 0..20), again in any::<bool>()) {
            let mut rejects = Rejects::default();
            for _ in 0..=u8::from(again) {
                rejects.clear();
                for (place, (reason, detail), record, counts) in &all {
                    let counts: Vec<_> =
                        counts.iter().map(|&(reason, count)| (Reason::ALL[reason], count)).collect();
                    rejects.append(*place, (Reason::ALL[*reason], detail), record, &counts);
                }
            }
            let lines = lines(&rejects);
            prop_assert_eq!(lines.len(), all.len());
            for (line, ((number, offset), (reason, detail), record, counts)) in lines.iter().zip(&all) {
                prop_assert_eq!(&line["file"], "a\"b");
                prop_assert_eq!(&line["line"], number + 11);
                prop_assert_eq!(&line["offset"], *offset);
                prop_assert_eq!(&line["reason"], Reason::ALL[*reason].name());
                prop_assert_eq!(&line["detail"], detail);
                prop_assert_eq!(&line["record"], record);
                for &(reason, _) in counts {
                    let last = counts.iter().rfind(|count| count.0 == reason).unwrap();
                    prop_assert_eq!(&line["more"][Reason::ALL[reason].name()], last.1);
                }
            }
        }
    }

    #[test]
    fn a_reject_takes_little_more_than_its_record() {
        let mut rejects = Rejects::default();
        for line in 0..1000 {
            let text = char::from(b'0' + u8::try_from(line % 10).unwrap()).to_string();
            rejects.append((line, line * 2), (Reason::NotSegment, "expected an event"), &text, &[]);
        }
        assert!(rejects.as_bytes().len() <= 5 * 1000 + 30, "{}", rejects.as_bytes().len());
    }

    #[test]
    fn details_without_numbers_are_distinguished() {
        let mut rejects = Rejects::default();
        for line in 0..MAX_DETAILS as u64 + 10 {
            for _ in 0..2 {
                rejects.append((line, line), (Reason::TooDeep, &line.to_string()), "1", &[]);
            }
        }
        for (place, line) in lines(&rejects).iter().enumerate() {
            assert_eq!(line["detail"], (place / 2).to_string());
        }
    }
}
