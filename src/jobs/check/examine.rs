//! Checks every event of the fixtures against the plan and the rules, block by block on all
//! threads.

mod broken;
mod event;
mod record;
mod spec;

use rayon::ThreadPool;

use super::coverage::{Candidates, Seen};
use super::finding::{Finding, Level};
use crate::engine::Engine;
use crate::engine::ingest::blocks::each_block;
use crate::engine::watch::Watch;
use crate::error::Error;
use crate::grammar::pieces_of_line;
use crate::parse::{Detection, Parser};
use crate::schema::Plan;
use crate::source::{Block, BlockKind, FileId, Oversize, Piece, Reader};
use record::Record;

/// What events are checked against.
pub struct Criteria<'a> {
    /// The tracking plan.
    pub plan: Option<&'a Plan>,
    /// The rules, the allow list, and the settings for reading events.
    pub engine: &'a Engine,
    /// Whether there is a rules file.
    pub has_rules: bool,
    /// The level of findings about events that the allow list does not match.
    pub not_allowed: Level,
}

/// The result for one block of a fixture; lines are counted from its beginning.
#[derive(Debug, Default)]
pub struct Part {
    /// The fixture.
    pub file: FileId,
    /// The number of the block in the fixture.
    pub block: u32,
    /// The number of lines.
    pub lines: u64,
    /// The number of records that are not JSON.
    pub no_json: u64,
    /// The findings.
    pub findings: Vec<Finding>,
    /// The checks that were made.
    pub cases: Vec<PartCase>,
}

/// An event checked against a rule.
#[derive(Debug)]
pub struct PartCase {
    /// The line of the event, from 1.
    pub line: u64,
    /// The display name of the event.
    pub event: String,
    /// The label of the rule.
    pub rule: String,
    /// Indices of findings in the part.
    pub findings: Vec<usize>,
}

/// The result for all fixtures, in order.
#[derive(Debug, Default)]
pub struct Examined {
    /// The results for all blocks.
    pub parts: Vec<Part>,
    /// What the fixtures cover.
    pub seen: Seen,
    /// The number of events.
    pub events: u64,
    /// The number of records that were refused.
    pub refused: u64,
}

/// Checks all events from `reader` against `criteria`. Fixtures for which `counts` returns `false`
/// do not count as coverage.
///
/// # Errors
/// Returns an error if the check was interrupted.
pub fn examine(
    criteria: &Criteria<'_>,
    reader: &Reader,
    counts: &(dyn Fn(&str) -> bool + Sync),
    pool: &ThreadPool,
    watch: &dyn Watch,
) -> Result<Examined, Error> {
    let candidates = Candidates::new(&criteria.engine.rules);
    let start = || Worker {
        parser: criteria.engine.parser_with(Detection::Call),
        record: Record::new(criteria, &candidates),
        examined: Examined::default(),
        line: Block::default(),
    };
    let workers = each_block(reader, pool, watch, start, |worker, block| {
        let name = reader.name(block.file).replace('\\', "/");
        worker.record.counts = counts(&name);
        Ok(worker.block(block, &name))
    })?;
    let mut examined = Examined::default();
    for Worker { record, examined: other, .. } in workers {
        examined.parts.extend(other.parts);
        examined.seen.add(record.seen);
        examined.events += other.events;
        examined.refused += other.refused;
    }
    examined.parts.sort_by_key(|part| (part.file, part.block));
    broken::one_finding_each(&mut examined.parts, reader);
    let (mut file, mut before) = (None, 0);
    for part in &mut examined.parts {
        if file != Some(part.file) {
            (file, before) = (Some(part.file), 0);
        }
        for finding in &mut part.findings {
            finding.place.line += before;
        }
        for case in &mut part.cases {
            case.line += before;
        }
        before += part.lines;
    }
    Ok(examined)
}

struct Worker<'a> {
    parser: Parser,
    record: Record<'a>,
    examined: Examined,
    /// A buffer that holds one line as a block.
    line: Block,
}

impl Worker<'_> {
    /// Examines `block` of `file` and returns its number of records.
    fn block(&mut self, block: &Block, file: &str) -> u64 {
        let before = self.records();
        let lines = block.lines();
        let mut part = Part { file: block.file, block: block.number, lines, ..Part::default() };
        match block.kind {
            BlockKind::Lines => self.lines(block, file, &mut part),
            BlockKind::Values => self.values(block, file, &mut part),
        }
        self.examined.parts.push(part);
        self.records() - before
    }

    fn records(&self) -> u64 {
        self.examined.events + self.examined.refused
    }

    /// Passes the lines to the parser one by one, so that each event is known to belong to its
    /// line.
    fn lines(&mut self, block: &Block, file: &str, part: &mut Part) {
        let content = block.content();
        let mut oversize = block.oversize.iter().peekable();
        let mut start = 0;
        for (number, text) in content.split(|&byte| byte == b'\n').enumerate() {
            let offset = block.offset + start as u64;
            let in_line = block.in_line && start == 0;
            start += text.len() + 1;
            self.line.oversize.clear();
            while let Some(giant) = oversize.next_if(|giant| giant.line_in_block == number) {
                self.line.oversize.push(Oversize { line_in_block: 0, ..giant.clone() });
            }
            if self.line.oversize.is_empty() && text.trim_ascii().is_empty() {
                continue;
            }
            self.line.fill(text, offset);
            self.line.in_line = in_line;
            self.parser.read_block(&self.line, &mut self.record);
            let line = number as u64 + 1;
            if let Some(pieces) = self.pieces(text, in_line) {
                self.pieces_of_line(text, &pieces, line, offset, file, part);
            } else {
                self.record(text, line, offset, file, part);
            }
        }
    }

    /// Returns the values of the line that was just read, if there are several.
    fn pieces(&self, text: &[u8], in_line: bool) -> Option<Vec<Piece>> {
        let may_be_one = self.record.events() + self.record.refused() < 2;
        if may_be_one || !self.line.oversize.is_empty() {
            return None;
        }
        pieces_of_line(text, in_line).filter(|pieces| pieces.len() > 1)
    }

    /// Reads the values of a line again, one by one, and replaces the results for the line.
    fn pieces_of_line(
        &mut self,
        text: &[u8],
        pieces: &[Piece],
        line: u64,
        offset: u64,
        file: &str,
        part: &mut Part,
    ) {
        self.record.forget();
        for Piece { range, whole } in pieces {
            let (text, offset) = (&text[range.clone()], offset + range.start as u64);
            self.value(text, *whole, line, offset, file, part);
        }
    }

    /// Passes values that span several lines to the parser one by one.
    fn values(&mut self, block: &Block, file: &str, part: &mut Part) {
        let content = block.content();
        self.line.oversize.clear();
        let (mut line, mut counted) = (1, 0);
        for Piece { range, whole } in &block.values {
            line += memchr::memchr_iter(b'\n', &content[counted..range.start]).count() as u64;
            counted = range.start;
            let offset = block.offset + range.start as u64;
            self.value(&content[range.clone()], *whole, line, offset, file, part);
        }
        for giant in &block.oversize {
            self.line.fill(&[], giant.offset);
            self.line.oversize.clear();
            self.line.oversize.push(Oversize { line_in_block: 0, ..giant.clone() });
            self.parser.read_block(&self.line, &mut self.record);
            self.record(&[], giant.line_in_block as u64 + 1, giant.offset, file, part);
        }
    }

    fn value(
        &mut self,
        text: &[u8],
        whole: bool,
        line: u64,
        offset: u64,
        file: &str,
        part: &mut Part,
    ) {
        self.line.fill_value(text, offset, whole);
        self.parser.read_block(&self.line, &mut self.record);
        self.record(text, line, offset, file, part);
    }

    fn record(&mut self, text: &[u8], line: u64, offset: u64, file: &str, part: &mut Part) {
        self.examined.events += self.record.events();
        self.examined.refused += self.record.refused();
        self.record.finish(text, line, offset, file, part);
    }
}
