//! Validates the events of one record, and locates findings in its text.

use std::collections::VecDeque;
use std::ops::Range;

use ahash::AHashMap;
use xxhash_rust::xxh3::xxh3_128;

use super::event::ExaminedEvent;
use super::{Criteria, Part, PartCase};
use crate::event::Event;
use crate::jobs::check::coverage::{Candidates, Seen};
use crate::jobs::check::finding::Violation;
use crate::jobs::check::flaw::Flaw;
use crate::jobs::check::locate::{Site, sites};
use crate::jobs::check::place::Placer;
use crate::json::canonical::Canonical;
use crate::json::document::Document;
use crate::parse::reject::{Reason, Reject, Surplus};
use crate::parse::{Arrival, Sink};

/// Segment's limit for one event, in bytes (HTTP tracking API, "Max request size": 32 KB).
const MAX_EVENT_BYTES: usize = 32 << 10;

/// Collects the events of a record, then converts their flaws to findings.
pub(super) struct Record<'a> {
    pub criteria: &'a Criteria<'a>,
    pub candidates: &'a Candidates,
    /// The coverage so far, over all records.
    pub seen: Seen,
    /// Whether the current fixture counts as coverage.
    pub counts: bool,
    pub canonical: Canonical,
    pub scratch: Vec<u8>,
    /// The nearest planned name for each name that is not planned.
    pub nearest: AHashMap<String, Option<String>>,
    document: Document,
    events: Vec<ExaminedEvent>,
    refused: Vec<Refused>,
    /// The number of refused parts that the last entry of `refused` stands for, if several.
    surplus: u64,
}

/// A part of the record that is not an event.
struct Refused {
    reason: Reason,
    detail: String,
    /// The offset of the part in the fixture, in bytes.
    offset: u64,
    /// Whether the part is an item of the record rather than the whole record.
    is_item: bool,
    lines: u64,
}

impl<'a> Record<'a> {
    pub fn new(criteria: &'a Criteria<'a>, candidates: &'a Candidates) -> Self {
        Self {
            criteria,
            candidates,
            seen: Seen::new(criteria.plan, &criteria.engine.rules),
            counts: true,
            canonical: Canonical::default(),
            scratch: Vec::new(),
            nearest: AHashMap::new(),
            document: Document::default(),
            events: Vec::new(),
            refused: Vec::new(),
            surplus: 0,
        }
    }

    pub fn events(&self) -> u64 {
        self.events.len() as u64
    }

    pub fn refused(&self) -> u64 {
        // The entry that stands for others is one of them.
        self.refused.len() as u64 + self.surplus.saturating_sub(1)
    }

    /// Discards everything since the last record was finished.
    pub fn forget(&mut self) {
        self.events.clear();
        self.refused.clear();
    }

    /// Adds the findings about the record `text` to `part`, and resets for the next record.
    pub fn finish(&mut self, text: &[u8], line: u64, offset: u64, file: &str, part: &mut Part) {
        let mut events = std::mem::take(&mut self.events);
        let refused = std::mem::take(&mut self.refused);
        self.surplus = 0;
        let is_clean = refused.is_empty() && events.iter().all(ExaminedEvent::is_clean);
        let over_lines = memchr::memchr(b'\n', text).is_some();
        if is_clean && !over_lines && text.len() <= MAX_EVENT_BYTES {
            for event in events.drain(..) {
                event.into_cases(line, part);
            }
        } else {
            let lossy = String::from_utf8_lossy(text);
            let sites = sites(&lossy);
            let found = self.places(&lossy, &sites, &events);
            let mut placer = Placer::new(file, &lossy, line);
            for (mut event, site) in events.drain(..).zip(found) {
                let site = site.and_then(|place| sites.get(place));
                measure(&mut event, site, &lossy, over_lines);
                locate(event, site, &lossy, &mut placer, part);
            }
            reject(&refused, &sites, &lossy, offset, &mut placer, part);
        }
        events.clear();
        self.events = events;
    }

    /// Returns for each event the index of its site: the next one in `sites` with the same content.
    fn places(
        &mut self,
        text: &str,
        sites: &[Site],
        events: &[ExaminedEvent],
    ) -> Vec<Option<usize>> {
        let good: Vec<usize> = (0..sites.len()).filter(|&at| sites[at].refused.is_none()).collect();
        if good.len() == events.len() {
            // Both are in order. Comparing hashes would miss events that were repaired when they
            // were read.
            return good.into_iter().map(Some).collect();
        }
        let mut waiting: AHashMap<u128, VecDeque<usize>> = AHashMap::new();
        for at in good {
            let hash = self.hash(sites[at].text(text));
            waiting.entry(hash).or_default().push_back(at);
        }
        events.iter().map(|event| waiting.get_mut(&event.hash)?.pop_front()).collect()
    }

    fn hash(&mut self, text: &str) -> u128 {
        let Self { document, canonical, scratch, .. } = self;
        document.read(text.as_bytes(), |value| {
            scratch.clear();
            if let Ok(value) = value {
                canonical.write(value, scratch);
            }
            xxh3_128(scratch)
        })
    }
}

impl Sink for Record<'_> {
    fn event(&mut self, event: &Event<'_>, _: Arrival) {
        let mut examined = self.examine(event);
        self.scratch.clear();
        self.canonical.write(event.root(), &mut self.scratch);
        examined.hash = xxh3_128(&self.scratch);
        examined.compact_bytes = self.scratch.len();
        self.events.push(examined);
    }

    fn reject(&mut self, reject: Reject<'_>) {
        self.refused.push(Refused {
            reason: reject.refusal.reason,
            detail: reject.refusal.detail.to_string(),
            offset: reject.offset,
            is_item: reject.is_item,
            lines: reject.line_in_block,
        });
    }

    fn surplus(&mut self, surplus: Surplus<'_>) {
        self.surplus = surplus.total();
        let reason = surplus.by_reason().first().map_or(Reason::NotSegment, |first| first.0);
        let detail = format!("{} more items of this record are refused", self.surplus);
        let (offset, is_item, lines) = (surplus.offset, false, surplus.line_in_block);
        self.refused.push(Refused { reason, detail, offset, is_item, lines });
    }
}

/// Adds a flaw to an event that is larger than Segment accepts. If the record spans several lines,
/// it is formatted for people, and only its length without whitespace counts.
fn measure(event: &mut ExaminedEvent, site: Option<&Site>, text: &str, over_lines: bool) {
    let bytes = match site {
        Some(site) if !over_lines => site.text(text).len(),
        _ => event.compact_bytes,
    };
    if bytes > MAX_EVENT_BYTES {
        let message =
            format!("the event has {bytes} bytes; Segment takes at most {MAX_EVENT_BYTES} (32 KB)");
        event.flaw(Flaw::new(Violation::TooLargeEvent, message));
    }
}

/// Converts the flaws of an event to findings. If the event is inside a string, such as the body of
/// a capture, the place is that of the string.
fn locate(
    event: ExaminedEvent,
    site: Option<&Site>,
    text: &str,
    placer: &mut Placer<'_>,
    part: &mut Part,
) {
    let start = site.map_or(0, |site| site.span.start);
    let line = placer.line(start);
    let span = |flaw: &Flaw| site.map_or(0..0, |site| site.member(text, &flaw.pointer));
    let name = event.name;
    for (rule, flaws) in event.cases {
        let mut spans: Vec<(Range<usize>, Flaw)> =
            flaws.into_iter().map(|flaw| (span(&flaw), flaw)).collect();
        spans.sort_by_key(|(span, _)| span.start);
        let first = part.findings.len();
        let found = spans.into_iter().map(|(span, flaw)| flaw.found(placer, &span, Some(&name)));
        part.findings.extend(found);
        let findings = (first..part.findings.len()).collect();
        part.cases.push(PartCase { line, event: name.clone(), rule, findings });
    }
}

fn reject(
    refused: &[Refused],
    sites: &[Site],
    text: &str,
    offset: u64,
    placer: &mut Placer<'_>,
    part: &mut Part,
) {
    let mut bad: Vec<&Site> = sites.iter().filter(|site| site.refused.is_some()).collect();
    for refusal in refused {
        let own = bad.iter().position(|site| site.refused == Some(refusal.reason));
        let span = match own {
            Some(own) => bad.remove(own).span.clone(),
            None => span_of(refusal, text, offset),
        };
        // For an event, only the opening brace is marked.
        let span = if own.is_some() { span.start..span.start + 1 } else { span };
        // The place of the finding is better than an offset in bytes.
        let detail = match refusal.detail.split_once(": ") {
            Some((place, detail)) if place.starts_with("byte ") => detail,
            _ => &refusal.detail,
        };
        let message = format!("{}: {detail}", refusal.reason.name());
        let line = placer.line(span.start);
        part.cases.push(PartCase {
            line,
            event: "no event".into(),
            rule: String::new(),
            findings: vec![part.findings.len()],
        });
        let flaw = Flaw::new(Violation::InvalidEvent, message);
        part.no_json += u64::from(refusal.reason == Reason::InvalidJson);
        part.findings.push(flaw.found(placer, &span, None));
    }
}

/// Returns the span to mark in a record that is refused as a whole.
fn span_of(refusal: &Refused, text: &str, offset: u64) -> Range<usize> {
    if refusal.is_item {
        let start = usize::try_from(refusal.offset.saturating_sub(offset)).unwrap_or_default();
        return start..start + usize::from(refusal.lines > 0 || start < text.len());
    }
    if refusal.reason == Reason::InvalidJson
        && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text)
    {
        let at = crate::schema::json_error_offset(text, &error);
        return at..at + 1;
    }
    let start = text.len() - text.trim_start().len();
    start..start
}
